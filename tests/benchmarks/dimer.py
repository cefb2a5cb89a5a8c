"""The dimer of ASE in place of our searches, from the same kicks; for the benchmarks beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.mep import DimerControl, MinModeAtoms, MinModeTranslate

from glass_core.potentials.base import BoundPotential
from glass_core.saddle.again import check_sides
from glass_core.saddle.counted import Counted
from glass_core.saddle.kick import gaussian_kick, kicked_atoms
from glass_core.saddle.phases import second_mode
from glass_core.saddle.records import Outcome, Phase, SearchRecord, State
from glass_core.saddle.search import run
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import ArtnSettings
from glass_core.saddle.walk import Walk
from glass_core.structure import Floats
from glass_core.surface import RestartableSurface, Surface


class Plain:
    """A surface whose second derivatives are hidden; ``calls`` counts."""

    def __init__(self, surface: Surface) -> None:
        self._surface, self.calls = surface, 0

    def energy_forces(self, positions_nc: Floats) -> tuple[float, Floats]:
        self.calls += 1
        return self._surface.energy_forces(positions_nc)

    def restart(self) -> None:
        if isinstance(self._surface, RestartableSurface):
            self._surface.restart()


class SurfaceCalculator(Calculator):
    """A surface for ASE."""

    implemented_properties = ("energy", "forces")

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self._surface = surface

    def calculate(
        self, atoms: Atoms | None = None, properties: object = None, changes: Sequence[str] = all_changes
    ) -> None:
        super().calculate(atoms, properties, changes)
        energy, forces = self._surface.energy_forces(self.atoms.positions)
        self.results = {"energy": energy, "forces": forces}


def dimer(surface: Surface, places_nc: Floats, mode_nc: Floats, force: float, steps: int) -> tuple[bool, Outcome]:
    """Where ASE's dimer goes, and whether that is a saddle; the outcome's state and barrier mean nothing."""
    atoms = Atoms("X" * len(places_nc), places_nc, calculator=SurfaceCalculator(surface))
    with DimerControl(logfile=None) as control:
        pair = MinModeAtoms(atoms, control, eigenmodes=[mode_nc / np.linalg.norm(mode_nc)], random_seed=0)
        with MinModeTranslate(pair, logfile=None) as walk:
            converged = bool(walk.run(fmax=force, steps=steps))
    at, mode = atoms.positions.copy(), np.array(pair.get_eigenmode())
    energy, forces = pair.get_potential_energy(), pair.get_forces(real=True)
    largest = float(np.linalg.norm(forces, axis=1).max())
    return converged, Outcome(State.LOST, np.nan, at, mode, float(pair.get_curvature()), np.nan, energy, largest)


@dataclass(frozen=True)
class DimerSearcher:
    """Dimers that start as searches do."""

    searcher: Searcher
    bound: BoundPotential
    steps: int

    def __call__(self, atom: int, number: int) -> SearchRecord:
        settings, structure = self.searcher.settings, self.searcher.structure
        rng = np.random.default_rng([self.searcher.seed, atom, number])
        region = self.bound.region(atom, settings.regions.search)
        kicked = kicked_atoms(structure, atom, settings.kick)
        kick = gaussian_kick(np.searchsorted(region.moving_m, kicked), len(region.moving_m), rng)
        start = structure.positions_nc[region.moving_m]
        surface = Plain(region.surface)
        begin = start + settings.push.first * kick
        converged, end = dimer(surface, begin, kick, settings.climb.force, self.steps)
        calls = surface.calls
        state, barrier = State.LOST, np.nan
        if converged:
            state, barrier = classified(surface, start, end, settings, rng)
        by_phase = {Phase.CLIMB: calls, Phase.SIDES: surface.calls - calls}
        return SearchRecord(atom, number, state, barrier, calls=tuple(by_phase.get(phase, 0) for phase in Phase))


def classified(
    surface: Surface, start_nc: Floats, end: Outcome, settings: ArtnSettings, rng: np.random.Generator
) -> tuple[State, float]:
    """State and barrier of a stationary point, as a search would tell."""
    if not np.linalg.norm(end.saddle_nc - start_nc, axis=1).max() < settings.farthest:
        return State.DIVERGED, np.nan
    walk = Walk(Counted(surface, settings.modes.difference), start_nc, replace(settings, cap=np.inf), "none")
    walk.go(end.saddle_nc)
    if walk.energy > settings.cap:
        return State.OVER_CAP, np.nan
    away = float(np.vdot(end.mode_nc, end.saddle_nc - start_nc))
    walk.mode_nc = end.mode_nc if away >= 0 else -end.mode_nc
    if second_mode(walk, rng).curvature < settings.climb.second_curvature:
        return State.HIGHER_ORDER, np.nan
    outcome = run(check_sides(surface, start_nc, replace(end, mode_nc=walk.mode_nc), settings))
    return outcome.state, outcome.barrier
