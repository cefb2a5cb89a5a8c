"""What a saddle search tells while it runs and when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from glass_core.structure import Floats, Ints


class State(StrEnum):
    """How a search ended. Only ``ACCEPTED`` is an event: a way out of the minimum it started from."""

    ACCEPTED = "accepted"
    """A saddle of index 1 that joins the initial minimum to another one."""
    DISCONNECTED = "disconnected"
    """A saddle, neither side of which leads to the initial minimum, or whose energy lies below one of the minima."""
    UNSPLIT = "unsplit"
    """A saddle both sides of which lead to the same minimum."""
    HIGHER_ORDER = "higher_order"
    """A stationary point with more than one negative curvature."""
    LOST = "lost"
    """No negative curvature was found or kept within the allowed steps."""
    OVER_CAP = "over_cap"
    """The energy rose above the cap."""
    DIVERGED = "diverged"
    """Energy or forces were not finite, or atoms moved further than any event does."""
    FAILED = "failed"
    """The potential could not be computed. A campaign tries such a search again when it is next begun."""


SADDLES = (State.ACCEPTED, State.DISCONNECTED, State.UNSPLIT)
"""Ends of a search that converged at a saddle of index 1."""


class Phase(StrEnum):
    """What the search was doing."""

    PUSH = "push"
    """Along the kick, until the lowest curvature is negative."""
    CLIMB = "climb"
    """Up along the mode of lowest curvature, down along all others, to the saddle."""
    SIDES = "sides"
    """Down from the saddle on both sides."""
    REFINE = "refine"
    """The same saddle again with more atoms free to move."""


PHASES = tuple(Phase)


def added(a: Mapping[Phase, int], b: Mapping[Phase, int]) -> dict[Phase, int]:
    """Counts by phase of two parts of a search; a phase that is missing counts nothing."""
    return {phase: a.get(phase, 0) + b.get(phase, 0) for phase in PHASES}


def by_phase(counts: Mapping[Phase, int]) -> tuple[int, ...]:
    """Counts in the order of ``PHASES``."""
    return tuple(counts.get(phase, 0) for phase in PHASES)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a search.

    Attributes:
        phase: what it belongs to.
        number: counted from 0 within the phase.
        energy: eV above the initial minimum.
        force: largest force on an atom, eV/Å.
        curvature: lowest curvature, eV/Å²; nan where it was not computed.
        positions_nc: of the moving atoms, Å, shape (n, 3).
        calls: force calls so far.
    """

    phase: Phase
    number: int
    energy: float
    force: float
    curvature: float
    positions_nc: Floats
    calls: int


@dataclass(frozen=True, eq=False)
class Minimum:
    """A minimum beside the saddle.

    Attributes:
        energy: eV above the initial minimum.
        positions_nc: Å, shape (n, 3).
        initial: whether it is the initial minimum.
        force: largest force on an atom where the relaxation ended, eV/Å.
    """

    energy: float
    positions_nc: Floats
    initial: bool
    force: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a search ended, and what it found.

    Attributes:
        state: see ``State``.
        barrier: energy of the saddle above the initial minimum, eV; nan unless accepted.
        saddle_nc: positions at the saddle (or where the search gave up), shape (n, 3).
        mode_nc: direction of lowest curvature there, of length 1 over all atoms, shape (n, 3).
        curvature: along it, eV/Å².
        second_curvature: the next higher one, eV/Å²; nan unless computed.
        energy: eV above the initial minimum there.
        force: largest force on an atom there, eV/Å.
        sides: the two minima, the initial one first if it is among them; empty unless relaxed.
        calls: force calls by phase, those of finite differences included.
        products: exact products with the Hessian by phase, for surfaces that know it.
        seconds: time by phase.
    """

    state: State
    barrier: float
    saddle_nc: Floats
    mode_nc: Floats
    curvature: float
    second_curvature: float
    energy: float
    force: float
    sides: tuple[Minimum, ...] = ()
    calls: Mapping[Phase, int] = field(default_factory=dict)
    products: Mapping[Phase, int] = field(default_factory=dict)
    seconds: Mapping[Phase, float] = field(default_factory=dict)

    @property
    def total_calls(self) -> int:
        """Force calls of all phases."""
        return sum(self.calls.values())


@dataclass(frozen=True, eq=False)
class SearchRecord:
    """One search around an atom, as a label file keeps it.

    Attributes:
        atom: index of the atom in the structure.
        number: which search of this atom, from 0; with the campaign's seed and the atom it seeds the kick.
        state: see ``State``.
        barrier: energy of the saddle above the initial minimum, eV, converged again in the larger region where that
            was asked for; nan unless it counts (``ArtnSettings.counted``).
        first_barrier: eV, in the first region; nan unless the saddle counted there.
        elastic_error: by how much the fixed surroundings may still raise the barrier, eV; 0 where all atoms move,
            nan where the saddle was not converged again, or is another one then.
        final_energy: of the other minimum, eV, relaxed in the same region as the barrier; nan unless accepted.
        curvature: at the saddle, eV/Å².
        moved_d: atoms displaced at a saddle that counts or in the other minimum, indices in the structure, shape (d,):
            all that could move, and in label files those that moved further than a distance (``displaced_beyond``).
        saddle_dc: their displacements at the saddle, Å, shape (d, 3).
        final_dc: their displacements in the other minimum, Å, shape (d, 3); nan where the search is no event.
        calls: force calls by phase, in the order of ``PHASES``.
        products: exact products with the Hessian by phase.
        seconds: time of the search.
    """

    atom: int
    number: int
    state: State
    barrier: float = np.nan
    first_barrier: float = np.nan
    elastic_error: float = np.nan
    final_energy: float = np.nan
    curvature: float = np.nan
    moved_d: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    saddle_dc: Floats = field(default_factory=lambda: np.empty((0, 3)))
    final_dc: Floats = field(default_factory=lambda: np.empty((0, 3)))
    calls: tuple[int, ...] = (0,) * len(PHASES)
    products: tuple[int, ...] = (0,) * len(PHASES)
    seconds: float = 0.0

    @classmethod
    def of(
        cls, atom: int, number: int, outcome: Outcome, moving_m: Ints, start_nc: Floats, counts: bool, whole: bool
    ) -> SearchRecord:
        """The record of a search that was not converged again.

        Args:
            atom, number: which search.
            outcome: of the search.
            moving_m: the atoms that could move, indices in the structure.
            start_nc: where they began.
            counts: whether its saddle counts (``ArtnSettings.counts``).
            whole: whether these are all atoms.
        """
        calls, products = by_phase(outcome.calls), by_phase(outcome.products)
        record = cls(atom, number, outcome.state, curvature=outcome.curvature, calls=calls, products=products)
        if not counts:
            return record
        known = replace(record, barrier=outcome.energy, first_barrier=outcome.energy)
        return replace(known, elastic_error=0.0 if whole else np.nan).with_displacements(outcome, moving_m, start_nc)

    def with_displacements(self, outcome: Outcome, moving_m: Ints, start_nc: Floats) -> SearchRecord:
        """The same search with the displacements of all atoms that could move, and the other minimum of an event.

        Args:
            outcome: of the search.
            moving_m: the atoms that could move, indices in the structure.
            start_nc: where they began.
        """
        at_saddle = outcome.saddle_nc - start_nc
        energy, at_end = np.nan, np.full_like(at_saddle, np.nan)
        if outcome.state is State.ACCEPTED:
            final = outcome.sides[1]
            energy, at_end = final.energy, final.positions_nc - start_nc
        return replace(self, final_energy=energy, moved_d=moving_m, saddle_dc=at_saddle, final_dc=at_end)

    def displaced_beyond(self, distance: float) -> SearchRecord:
        """The same search with the atoms alone that are displaced by more than ``distance`` Å, at the saddle or in
        the other minimum; without any for an infinite one."""
        far = np.fmax(np.linalg.norm(self.saddle_dc, axis=1), np.linalg.norm(self.final_dc, axis=1)) > distance
        return replace(self, moved_d=self.moved_d[far], saddle_dc=self.saddle_dc[far], final_dc=self.final_dc[far])
