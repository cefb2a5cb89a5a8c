"""Species-resolved power spectra over shells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from glass_core.descriptors.base import ShellExpansion


@dataclass(frozen=True)
class PowerSpectrum(ShellExpansion):
    """Bessel radial densities and angular power of every pair of species, with their shell averages.

    ``B_i(n, t) = Σ_{j∈N_i, t_j=t} R_n(r_ij)`` and
    ``P_i(l, n, t, t') = 4π/(2l+1) Σ_m c_i(l,m,n,t) c_i(l,m,n,t')`` with
    ``c_i(l,m,n,t) = Σ_{j∈N_i, t_j=t} R_n(r_ij) Y_lm(r̂_ij)``. Unlike bond-orientational order it keeps
    the number of neighbours and tells species apart in the angles. Diagonal in n (Bartók et al., PRB 87,
    184115 (2013) have n, n'). An atom without neighbours has zeros.

    The defaults suit metallic glasses: r_c is the end of the first shell, and range comes from the
    shells. With r_c = 6 Å and the same receptive field a linear model of barriers is clearly worse.

    Attributes:
        species: species told apart, any number.
        cutoff: r_c in Å.
        n_max: radial functions n = 1 … n_max.
        l_max: degrees l = 1 … l_max.
        shells: how many times features are averaged over neighbours.

    >>> PowerSpectrum(("Cu", "Zr")).n_features
    720
    """

    kind: ClassVar[str] = "power_spectrum"
    _split: ClassVar[bool] = True

    species: tuple[str, ...]
    cutoff: float = 3.8
    n_max: int = 6
    l_max: int = 6
    shells: int = 5

    @property
    def _rule(self) -> str:
        return "RAW"
