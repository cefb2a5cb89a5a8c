"""The energy surface of moving atoms among fixed ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from glass_core.errors import GlassError
from glass_core.potentials.at_rest import AtRest
from glass_core.potentials.curvature import LocalCurvature
from glass_core.potentials.surroundings import Movers
from glass_core.potentials.tables import Tables
from glass_core.potentials.workspace import Workspace
from glass_core.structure import Floats
from glass_core.surface import Curvature


class LocalSurface:
    """Energy, forces and second derivatives of some atoms of a structure, all others being fixed where they are.

    Exact at any displacement: fixed atoms keep their density from each other, feel that of the moving ones, and
    their embedding energy counts. Rows of near atoms are made anew when atoms have moved far enough for that.
    One surface serves one thread at a time; several surfaces do not know of each other.
    """

    _now: Workspace
    _compute: Callable[..., tuple[bool, float]]
    _arguments: tuple[Any, ...]
    _curvature: LocalCurvature | None

    def __init__(self, movers: Movers, tables: Tables, density_n: Floats) -> None:
        """The surface of atoms whose structure has these densities; its energy there is zero."""
        from glass_core.kernels.eam_surface import energy_forces

        self._movers, self._rest, self._compute, self._energy = movers, AtRest(tables, density_n), energy_forces, 0.0
        start = movers.structure.positions_nc[movers.atoms_m]
        home = self._surround(start)
        self.energy_forces(start)
        # So far moving atoms counted twice for their fixed neighbours, whose density holds their part already.
        self._rest = self._rest.with_share(home.near, home.rho_s - home.background_s)
        home.note(self._rest)
        self._energy, self._home = self.energy_forces(start)[0], home

    def restart(self) -> None:
        """Forgets where the atoms have been: what follows does not depend on earlier calls, to the last digit."""
        if self._now is not self._home:
            self._use(self._home)
        self._home.forget_rows()

    def energy_forces(self, positions_nc: Floats) -> tuple[float, Floats]:
        """Energy above that of the structure, eV, and forces on the moving atoms, eV/Å, shape (n, 3).

        Both are nan where a position is not finite.

        Raises:
            GlassError: if there is not one position for each moving atom.
        """
        positions = self._checked(positions_nc)
        forces = np.empty_like(positions)
        found, energy = self._compute(positions, *self._arguments, forces)
        if not found:
            self._surround(positions)
            _, energy = self._compute(positions, *self._arguments, forces)
        return energy - self._energy, forces

    def curvature(self, positions_nc: Floats) -> Curvature:
        """Products with the second derivatives at a point. Valid until the next call of ``curvature``.

        They are nan where a position is not finite.

        Raises:
            GlassError: if there is not one position for each moving atom.
        """
        from glass_core.kernels.eam_places import is_placed

        positions, now = self._checked(positions_nc), self._now
        if now.counts[0] < 0 or not is_placed(positions, now.near.order, now.near.shift_mc, now.sites):
            energy, _ = self.energy_forces(positions)
            if np.isnan(energy):
                return lambda direction_nc: np.full_like(direction_nc, np.nan)
        if self._curvature is None:
            self._curvature = LocalCurvature(self._now.near, self._rest.tables, len(self._now.rows))
        self._curvature.at(self._now)
        return self._curvature

    def _checked(self, positions_nc: Floats) -> Floats:
        positions = np.ascontiguousarray(positions_nc, dtype=np.float64)
        if positions.shape != self._now.listed_mc.shape:
            raise GlassError(f"positions must have shape {self._now.listed_mc.shape}, got {positions.shape}")
        # Compiled for arrays that may be written to, though they are not.
        return positions if positions.flags.writeable else positions.copy()

    def _surround(self, positions_mc: Floats) -> Workspace:
        """Finds what is around the moving atoms, and prepares what the compiled loops work on."""
        near = self._movers.surroundings(positions_mc, self._rest.tables, self._rest.atoms_t)
        self._use(Workspace.of(near, positions_mc, self._rest))
        return self._now

    def _use(self, workspace: Workspace) -> None:
        self._now, self._curvature, self._arguments = workspace, None, workspace.arguments(self._rest)
