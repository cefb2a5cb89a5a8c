"""Where a search stands, and the moves that all its phases make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glass_core.kernels import lbfgs
from glass_core.saddle.counted import Counted
from glass_core.saddle.lanczos import lowest_mode
from glass_core.saddle.lbfgs import Memory
from glass_core.saddle.records import Phase, State, Step
from glass_core.saddle.settings import ArtnSettings
from glass_core.structure import Floats

Freedom = Literal["none", "translation", "rotation"]


@dataclass(frozen=True, eq=False)
class Place:
    """Where a walk is.

    Attributes:
        positions_nc: Å, shape (n, 3).
        energy: eV above the initial minimum.
        forces_nc: eV/Å, shape (n, 3).
        mode_nc: direction of lowest curvature, of length 1 over all atoms, shape (n, 3); None before it is computed.
        curvature: along it, eV/Å².
    """

    positions_nc: Floats
    energy: float
    forces_nc: Floats
    mode_nc: Floats | None
    curvature: float


class GivenUpError(Exception):
    """The search cannot go on; carries the state in which it ends."""

    def __init__(self, state: State) -> None:
        super().__init__(state.value)
        self.state = state


class Walk:
    """Positions, energy, forces and mode of a search; changed in place by its phases.

    Args:
        surface: counts its calls.
        start_nc: the minimum, Å, shape (n, 3).
        settings: of the search.
        freedom: motions that change no energy and no distances: "none" where surroundings are fixed, "translation"
            for a whole periodic box, "translation" and "rotation" (the latter includes the former) for a cluster.
    """

    def __init__(self, surface: Counted, start_nc: Floats, settings: ArtnSettings, freedom: Freedom) -> None:
        self.surface, self.start_nc, self.settings, self.freedom = surface, start_nc, settings, freedom
        self.reference, self.forces_nc = surface.energy_forces(start_nc)
        self.positions_nc = start_nc.copy()
        self.energy = 0.0
        self.mode_nc: Floats | None = None
        self.curvature = math.nan
        self.second_curvature = math.nan

    def go(self, positions_nc: Floats) -> None:
        """Moves there.

        Raises:
            GivenUpError: above the cap, too far away, or where energy or forces are not finite.
        """
        energy, self.forces_nc = self.surface.energy_forces(positions_nc)
        self.positions_nc, self.energy = positions_nc, energy - self.reference
        away = lbfgs.largest(positions_nc - self.start_nc)
        if not (away < self.settings.farthest and math.isfinite(self.energy) and math.isfinite(self.force)):
            raise GivenUpError(State.DIVERGED)
        if self.energy > self.settings.cap:
            raise GivenUpError(State.OVER_CAP)

    @property
    def place(self) -> Place:
        """Where it is; may be set to come back without a force call."""
        return Place(self.positions_nc, self.energy, self.forces_nc, self.mode_nc, self.curvature)

    @place.setter
    def place(self, place: Place) -> None:
        self.positions_nc, self.energy, self.forces_nc = place.positions_nc, place.energy, place.forces_nc
        self.mode_nc, self.curvature = place.mode_nc, place.curvature

    @property
    def force(self) -> float:
        """Largest force on an atom, eV/Å."""
        return float(lbfgs.largest(self.forces_nc))

    def relax_across(self, axis_nc: Floats, steps: int, enough: float) -> None:
        """Lowers the energy at right angles to a direction.

        Args:
            axis_nc: of length 1 over all atoms, shape (n, 3).
            steps: of L-BFGS, one force call each.
            enough: largest force on an atom across the direction at which to stop, eV/Å.
        """
        axis = axis_nc.reshape(-1)
        relax = self.settings.relax
        memory = Memory(axis.size, relax)
        across = self.forces_nc.copy()
        lbfgs.remove(across.reshape(-1), axis)
        for _ in range(steps):
            if lbfgs.largest(across) < enough:
                return
            step = memory.step(across)
            lbfgs.remove(step.reshape(-1), axis)
            step *= min(1.0, relax.across / max(float(lbfgs.largest(step)), 1e-300))
            self.go(self.positions_nc + step)
            after = self.forces_nc.copy()
            lbfgs.remove(after.reshape(-1), axis)
            memory.learn(step, across, after)
            across = after

    def find_mode(self, vectors: int, start_nc: Floats) -> None:
        """The direction of lowest curvature here, pointing away from the initial minimum."""
        curvature = self.surface.curvature(self.positions_nc, self.forces_nc)
        rigid = rigid_motions(self.positions_nc, self.freedom)
        mode = lowest_mode(curvature, start_nc, vectors, rigid, self.settings.modes.settled)
        if not math.isfinite(mode.curvature):
            raise GivenUpError(State.DIVERGED)
        outwards = self.positions_nc - self.start_nc if self.mode_nc is None else self.mode_nc
        sign = -1.0 if float(np.vdot(mode.direction_nc, outwards)) < 0 else 1.0
        self.mode_nc, self.curvature = sign * mode.direction_nc, mode.curvature

    def step(self, phase: Phase, number: int) -> Step:
        """What to tell of the present place."""
        return Step(
            phase, number, self.energy, self.force, self.curvature, self.positions_nc.copy(), self.surface.total
        )


def without_freedom(vector_nc: Floats, positions_nc: Floats, freedom: Freedom) -> Floats:
    """A displacement without its part that only moves or turns the whole."""
    rigid = rigid_motions(positions_nc, freedom)
    flat = vector_nc.reshape(-1)
    return np.asarray((flat - rigid.T @ (rigid @ flat)).reshape(-1, 3))


def rigid_motions(positions_nc: Floats, freedom: Freedom) -> Floats:
    """Displacements that only move or turn the whole: orthonormal, shape (k, 3n) with k = 0, 3 or up to 6.

    Away from stationary points a turn has a curvature of its own, even a negative one, so that a mode must be sought
    across them.
    """
    n = len(positions_nc)
    if freedom == "none" or not n:
        return np.empty((0, 3 * n))
    shifts = np.tile(np.eye(3), n) / np.sqrt(n)
    if freedom == "translation":
        return np.asarray(shifts)
    arms = positions_nc - positions_nc.mean(axis=0)
    turns = np.stack([np.cross(axis, arms).reshape(-1) for axis in np.eye(3)])
    _, sizes, rows = np.linalg.svd(turns, full_matrices=False)
    return np.concatenate([shifts, rows[sizes > 1e-9 * max(sizes[0], 1e-300)]])


def distance(a_nc: Floats, b_nc: Floats, freedom: Freedom) -> float:
    """Distance of the atom that differs most, Å, after ``a`` is moved (and turned) onto ``b``."""
    if freedom == "none" or not len(a_nc):
        return float(lbfgs.largest(a_nc - b_nc))
    a, b = a_nc - a_nc.mean(axis=0), b_nc - b_nc.mean(axis=0)
    if freedom == "rotation":
        u, _, vt = np.linalg.svd(a.T @ b)
        a = a @ (u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt)
    return float(lbfgs.largest(a - b))
