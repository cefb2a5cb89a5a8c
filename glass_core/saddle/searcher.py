"""Searches around the atoms of a structure: in a small region first, then the saddle again in a larger one."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from glass_core.kernels.lbfgs import largest
from glass_core.potentials.base import BoundPotential, Potential, Region
from glass_core.saddle.again import check_sides, reconverge
from glass_core.saddle.elastic import elastic_error
from glass_core.saddle.kick import gaussian_kick, kicked_atoms
from glass_core.saddle.minimise import minimise
from glass_core.saddle.records import PHASES, Minimum, Outcome, Phase, SearchRecord, State, added
from glass_core.saddle.search import run, search
from glass_core.saddle.settings import ArtnSettings
from glass_core.saddle.walk import Freedom, distance
from glass_core.settings import Whole, conformed
from glass_core.structure import Structure
from glass_core.surface import RestartableSurface


@dataclass(frozen=True, eq=False)
class Searcher:
    """What decides all searches of a campaign; sent to its workers.

    Attributes:
        structure: at a minimum of the potential.
        potential: see ``Potential``.
        settings: of the searches.
        seed: of the campaign; kicks depend on it, the atom and the number of the search alone.

    Raises:
        GlassError: for a negative seed.
    """

    structure: Structure
    potential: Potential
    settings: ArtnSettings
    seed: int = 0

    def __post_init__(self) -> None:
        conformed(self.seed, Whole, "seed")

    def bound(self) -> BoundSearcher:
        """Ready to search: neighbour lists and tables made. Once per process."""
        return BoundSearcher(self, self.potential.bind(self.structure))


class BoundSearcher:
    """Searches around atoms; remembers the regions of the last atom alone."""

    def __init__(self, searcher: Searcher, potential: BoundPotential) -> None:
        self._searcher, self._potential = searcher, potential
        self._regions = lru_cache(maxsize=2)(potential.region)
        self._kicked = lru_cache(maxsize=1)(lambda atom: kicked_atoms(searcher.structure, atom, searcher.settings.kick))

    def __call__(self, atom: int, number: int) -> SearchRecord:
        """One search.

        Raises:
            GlassError: if the structure is not at a minimum, or its box too small for the region.
        """
        start = time.perf_counter()
        searcher, settings = self._searcher, self._searcher.settings
        rng = np.random.default_rng([searcher.seed, atom, number])
        region = self._region(atom, settings.regions.search)
        kicked = np.flatnonzero(np.isin(region.moving_m, self._kicked(atom)))
        kick = gaussian_kick(kicked, len(region.moving_m), rng)
        places = searcher.structure.positions_nc[region.moving_m]
        outcome = run(search(region.surface, places, kick, settings, rng, self.freedom(region)))
        counts = settings.counts(outcome.state, outcome.energy)
        whole = len(region.moving_m) == searcher.structure.n_atoms
        record = SearchRecord.of(atom, number, outcome, region.moving_m, places, counts, whole)
        if counts and self._larger(region) is not None:
            record = self._refined(record, region, outcome)
        return replace(record, seconds=time.perf_counter() - start)

    def _region(self, atom: int, radius: float | None) -> Region:
        """A region as if it were new."""
        region = self._regions(atom, radius)
        if isinstance(region.surface, RestartableSurface):
            region.surface.restart()
        return region

    def freedom(self, region: Region) -> Freedom:
        """What may move and turn as a whole."""
        structure = self._searcher.structure
        if len(region.moving_m) < structure.n_atoms:
            return "none"
        return "translation" if any(structure.pbc) else "rotation"

    def _larger(self, region: Region) -> float | None:
        """Radius of the larger region; infinite for all atoms, None if there is none."""
        regions = self._searcher.settings.regions
        if regions.refine == "none" or regions.search is None:
            return None
        if len(region.moving_m) == self._searcher.structure.n_atoms:
            return None
        return math.inf if regions.refine == "box" else regions.refine_radius

    def _refined(self, record: SearchRecord, small: Region, first: Outcome) -> SearchRecord:
        """The record with the saddle converged again in the larger region."""
        settings, structure = self._searcher.settings, self._searcher.structure
        radius = self._larger(small)
        assert radius is not None
        assert settings.regions.search is not None
        large = self._region(record.atom, None if math.isinf(radius) else radius)
        inner = np.searchsorted(large.moving_m, small.moving_m)
        places = structure.positions_nc[large.moving_m]
        saddle, mode = places.copy(), np.zeros_like(places)
        saddle[inner], mode[inner] = first.saddle_nc, first.mode_nc
        freedom = self.freedom(large)
        rng = np.random.default_rng([self._searcher.seed, record.atom, record.number, 1])
        again = run(reconverge(large.surface, places, saddle, mode, settings, rng, freedom))
        same = largest(again.saddle_nc[inner] - first.saddle_nc) <= settings.regions.same
        if again.state is State.ACCEPTED:
            again = self._with_sides(again, large, inner, first, same)
        record = SearchRecord(
            record.atom, record.number, again.state, first_barrier=first.energy, curvature=again.curvature,
            calls=_added(record.calls, again.calls), products=_added(record.products, again.products),
        )  # fmt: skip
        if not settings.counts(again.state, again.energy):
            return record
        if len(large.moving_m) == structure.n_atoms:
            radius = math.inf
        error = elastic_error(first.energy, again.energy, settings.regions.search, radius) if same else math.nan
        record = replace(record, barrier=again.energy, elastic_error=error)
        return record.with_displacements(again, large.moving_m, places)

    def _with_sides(
        self, again: Outcome, large: Region, inner: NDArray[np.intp], first: Outcome, same: bool
    ) -> Outcome:
        """The saddle of the larger region with its other minimum, if it is to be an event.

        That of the small region, relaxed on, if the saddle is the same one and stands above it; else, or where the
        settings want it, both sides of the saddle decide once more. The same saddle is no event if it was none.
        """
        settings = self._searcher.settings
        places = self._searcher.structure.positions_nc[large.moving_m]
        if same and not settings.regions.both_sides:
            if first.state is not State.ACCEPTED:
                return replace(again, state=first.state, barrier=math.nan)
            end = places.copy()
            end[inner] = first.sides[1].positions_nc
            relaxed = minimise(large.surface, end, settings.sides.converged, settings.sides.most, relax=settings.relax)
            again = replace(again, calls=added(again.calls, {Phase.REFINE: relaxed.steps}))
            moved = distance(relaxed.positions_nc, places, self.freedom(large)) > settings.sides.same
            if relaxed.converged and moved and max(0.0, relaxed.energy) < again.energy:
                sides = first.sides[0], Minimum(relaxed.energy, relaxed.positions_nc, False, relaxed.force)
                return replace(again, sides=sides)
        return run(check_sides(large.surface, places, again, settings, self.freedom(large)))


def _added(before: tuple[int, ...], counts: Mapping[Phase, int]) -> tuple[int, ...]:
    return tuple(count + counts.get(phase, 0) for count, phase in zip(before, PHASES, strict=True))
