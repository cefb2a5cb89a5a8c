"""What labelling needs from a potential: energy surfaces around an atom of a structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from glass_core.structure import Floats, Ints, Structure
from glass_core.surface import Surface

_ROUNDING = 1e-5  # eV; some engines compute in single precision


@dataclass(frozen=True, eq=False)
class Region:
    """Atoms that move while all others are fixed, and their energy surface.

    Attributes:
        moving_m: indices of the moving atoms in the structure, ascending, shape (m,).
        surface: of the moving atoms in this order; its energy is relative to that of the structure.
    """

    moving_m: Ints
    surface: Surface


class BoundPotential(Protocol):
    """A potential for one structure."""

    def region(self, centre: int, radius: float | None) -> Region:
        """The surface of the atoms within ``radius`` Å of an atom; of all atoms if None.

        A potential that cannot hold atoms fixed for less work gives all atoms whatever the radius.

        Raises:
            GlassError: if the box is too small for the region.
        """
        ...


@runtime_checkable
class SharedEnergy(BoundPotential, Protocol):
    """A bound potential whose energy is a sum over atoms."""

    def atom_energies(self) -> Floats | None:
        """Energy of each atom of the structure, eV, shape (n,); they add up to its whole energy.

        None from an engine that does not share out the energy of this potential.
        """
        ...


def is_shared_out(energies_n: Floats, whole: float) -> bool:
    """Whether energies of atoms, eV, add up to the whole energy, eV: within 1e-5 eV an atom.

    >>> import numpy as np
    >>> is_shared_out(np.array([-1.0, -2.0]), -3.0), is_shared_out(np.zeros(2), -3.0)
    (True, False)
    """
    return bool(abs(energies_n.sum() - whole) <= _ROUNDING * len(energies_n))


class Potential(Protocol):
    """A potential; pickled to workers, so it holds names of files and plain settings, not handles."""

    @property
    def name(self) -> str:
        """What to call it for people."""
        ...

    @property
    def digest(self) -> str:
        """Hash of all that decides its energies; label files refuse another one."""
        ...

    def bind(self, structure: Structure) -> BoundPotential:
        """The potential for one structure.

        Raises:
            GlassError: for a species that it lacks.
        """
        ...
