"""The 264 descriptors of SCNN: radial density and bond-orientational order, over three shells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from glass_core.descriptors.base import ShellExpansion
from glass_core.errors import GlassError


@dataclass(frozen=True)
class SCNNDescriptor(ShellExpansion):
    """Bessel radial densities B and bond-orientational order Q, with their shell averages.

    ``B_i(n, t) = Σ_{j∈N_i, t_j=t} R_n(r_ij)``, ``R_n(r) = sqrt(2/r_c) sin(nπr/r_c)/r``;
    ``Q_i(l, n) = sqrt(4π/(2l+1) Σ_m |q_i(l,m,n)|²)``, ``q_i(l,m,n) = Σ_j R_n(r_ij) Y_lm(r̂_ij) / C_i(n)``.
    Features are ``[B⁰ B¹ … Q⁰ Q¹ …]``: with two species and the default settings 3 × (16 + 72) = 264.

    Attributes:
        species: species told apart in B, any number.
        cutoff: r_c in Å.
        n_max: radial functions n = 1 … n_max.
        l_max: degrees l = 1 … l_max.
        shells: how many times features are averaged over neighbours.
        normalisation: "robust" divides by ``C = Σ_j |R_n(r_ij)|``, so that 0 ≤ Q ≤ 1; "paper" by
            ``C = |Σ_j R_n(r_ij)|`` as printed, which passes through zero for n ≥ 2 and lets Q grow
            without bound; it is held above 1e-6 Σ|R_n| so that Q stays finite.

    An atom without neighbours has B = Q = 0. Reference: arXiv:2401.03743, equations 1–6.

    | symbol | variable |
    |---|---|
    | R_n, Y_lm | ``kernels/expansion.py`` |
    | C_i(n) | ``norm`` there |

    >>> SCNNDescriptor(("Cu", "Zr")).n_features
    264
    """

    kind: ClassVar[str] = "scnn"
    _split: ClassVar[bool] = False

    species: tuple[str, ...]
    cutoff: float = 5.0
    n_max: int = 8
    l_max: int = 9
    shells: int = 2
    normalisation: Literal["robust", "paper"] = "robust"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.normalisation not in ("robust", "paper"):
            raise GlassError(f"normalisation must be 'robust' or 'paper', got {self.normalisation!r}")

    @property
    def _rule(self) -> str:
        return self.normalisation.upper()
