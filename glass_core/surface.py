"""What a saddle search needs to know about a potential energy surface."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from glass_core.structure import Floats


@runtime_checkable
class Surface(Protocol):
    """Potential energy of some moving atoms, all others being fixed.

    Positions may leave the periodic box: a search never wraps them.
    """

    def energy_forces(self, positions_nc: Floats) -> tuple[float, Floats]:
        """Energy, eV, up to a constant of the surface, and forces, eV/Å, shape (n, 3).

        The array of forces belongs to the caller.
        """
        ...


class Curvature(Protocol):
    """Second derivatives at one point."""

    def __call__(self, direction_nc: Floats) -> Floats:
        """The Hessian times a direction, eV/Å² times its unit, shape (n, 3)."""
        ...


@runtime_checkable
class CurvedSurface(Surface, Protocol):
    """A surface that knows its second derivatives without finite differences."""

    def curvature(self, positions_nc: Floats) -> Curvature:
        """Second derivatives at a point. Valid until the next call of ``curvature``."""
        ...


@runtime_checkable
class RestartableSurface(Surface, Protocol):
    """A surface that keeps what decides last digits between calls: lists of neighbours, the state of a calculator."""

    def restart(self) -> None:
        """Forgets earlier calls, so that a search gives the same result whatever was searched before."""
        ...
