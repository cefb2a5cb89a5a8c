"""A surface that counts its calls by phase, and gives curvature whether or not the surface knows it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from glass_core.saddle.records import PHASES, Phase
from glass_core.structure import Floats
from glass_core.surface import Curvature, CurvedSurface, Surface


class Counted:
    """Counts force calls and exact products with the Hessian by phase, with the time each phase took.

    Where the surface has no second derivatives, a product is a force call and counts as one.

    Args:
        surface: to count on.
        difference: step of finite differences, Å.
    """

    def __init__(self, surface: Surface, difference: float) -> None:
        self._surface, self._difference = surface, difference
        # A protocol with several methods takes long to check.
        self._curved = surface if isinstance(surface, CurvedSurface) else None
        self.calls: dict[Phase, int] = dict.fromkeys(PHASES, 0)
        self.products: dict[Phase, int] = dict.fromkeys(PHASES, 0)
        self.seconds: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self._phase = Phase.PUSH

    @property
    def total(self) -> int:
        """Force calls so far."""
        return sum(self.calls.values())

    @contextmanager
    def during(self, phase: Phase) -> Iterator[None]:
        """Counts calls and time towards a phase."""
        before, self._phase = self._phase, phase
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] += time.perf_counter() - start
            self._phase = before

    def energy_forces(self, positions_nc: Floats) -> tuple[float, Floats]:
        """As ``Surface``; energies that are not finite become infinite."""
        self.calls[self._phase] += 1
        energy, forces = self._surface.energy_forces(positions_nc)
        return (energy if math.isfinite(energy) else math.inf), forces

    def curvature(self, positions_nc: Floats, forces_nc: Floats) -> Curvature:
        """Products with the Hessian at a point where the forces are known: exact, or by forward differences."""
        if self._curved is not None:
            exact = self._curved.curvature(positions_nc)

            def known(direction_nc: Floats) -> Floats:
                self.products[self._phase] += 1
                return exact(direction_nc)

            return known

        def differences(direction_nc: Floats) -> Floats:
            self.calls[self._phase] += 1
            _, moved = self._surface.energy_forces(positions_nc + self._difference * direction_nc)
            return (forces_nc - moved) / self._difference

        return differences
