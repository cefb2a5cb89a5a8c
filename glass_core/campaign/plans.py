"""Which searches to do next.

A plan gives rounds of searches and decides each from the results of those before it alone. So it comes to the same
searches whatever the number of workers, and wherever it was interrupted: run again, it goes through the rounds
that are done without a search.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from glass_core.campaign.posterior import posterior
from glass_core.campaign.results import Results, Task
from glass_core.campaign.statistics import Counts, Moments
from glass_core.structure import Floats, Ints

_TOGETHER = 5  # searches of one atom in a row: a worker prepares its surroundings once
_GROWTH = 0.5


@dataclass(frozen=True)
class Round:
    """Searches that may run in any order.

    Attributes:
        tasks: which, in the order of starting.
        later: how many the rounds after this one may take, as far as one can tell.
    """

    tasks: list[Task]
    later: int = 0


class Plan(Protocol):
    """Decides on searches."""

    def rounds(self, results: Results) -> Iterator[Round]:
        """Rounds; the searches of each are in ``results`` before the next one is asked for."""
        ...


@dataclass(frozen=True, eq=False)
class Prior:
    """A model's predictions of all atoms, eV, and their standard errors, shapes (n,)."""

    barrier_n: Floats
    std_n: Floats


def _error(sums: Moments, prior: Prior | None) -> Floats:
    """Standard error of each atom's mean barrier, eV."""
    return sums.shrunk_error() if prior is None else posterior(sums, prior.barrier_n, prior.std_n).error_n


def _tasks(atoms_m: Ints, from_n: Counts, to_n: Counts) -> list[Task]:
    """Searches number ``from`` … ``to`` − 1 of atoms; a few of each atom in a row, all atoms alike far."""
    tasks = [(number // _TOGETHER, a, number) for a in atoms_m.tolist() for number in range(from_n[a], to_n[a])]
    return [(a, number) for _, a, number in sorted(tasks)]


@dataclass(frozen=True, eq=False)
class EachPlan:
    """The same number of searches for each atom.

    Attributes:
        atoms_m: which atoms, shape (m,).
        searches: of each.
    """

    atoms_m: Ints
    searches: int

    def rounds(self, results: Results) -> Iterator[Round]:
        """One round."""
        everything = np.full(results.n_atoms, self.searches)
        yield Round(_tasks(self.atoms_m, np.zeros_like(everything), everything))


@dataclass(frozen=True, eq=False)
class TargetPlan:
    """Searches of each atom until the standard error of its mean barrier is small enough.

    Each round gives an atom what it still needs by its present variance and acceptance, but at most half as
    many again as it has had.

    Attributes:
        atoms_m: which atoms, shape (m,).
        target: standard error, eV. Without a prior it is that of the mean of the barriers, from the shrunk variance
            (``Moments.shrunk_error``), with one that of the posterior mean.
        least: searches of each atom to begin with.
        most: of each atom.
        prior: predictions of a model.
    """

    atoms_m: Ints
    target: float
    least: int
    most: int
    prior: Prior | None = None

    def rounds(self, results: Results) -> Iterator[Round]:
        """Rounds until every atom is there or has had its most."""
        asked = np.zeros(results.n_atoms, dtype=np.int64)
        add = np.zeros_like(asked)
        add[self.atoms_m] = min(self.least, self.most)
        if add.any():
            yield self._round(asked, add, 0)
            asked = asked + add
        while True:
            needed = self._needed(results.moments(asked), asked)
            add = np.minimum(needed, np.maximum(1, (_GROWTH * asked).astype(np.int64)))
            if not add.any():
                return
            yield self._round(asked, add, int((needed - add).sum()))
            asked = asked + add

    def _round(self, asked: Counts, add: Counts, later: int) -> Round:
        return Round(_tasks(self.atoms_m, asked, asked + add), later)

    def _needed(self, sums: Moments, asked: Counts) -> Counts:
        """Further searches that each atom needs as far as one can tell."""
        error = _error(sums, self.prior)
        with np.errstate(divide="ignore"):
            missing = sums.within_variance() * (self.target**-2 - error**-2.0)
        yielding = (sums.counted_n + 2 * sums.yielding) / (asked + 2)
        needed = np.ceil(missing / yielding).astype(np.int64)
        chosen = np.zeros(len(asked), dtype=bool)
        chosen[self.atoms_m] = True
        return np.where(chosen & (error > self.target), np.clip(needed, 1, None), 0).clip(0, self.most - asked)


@dataclass(frozen=True, eq=False)
class BudgetPlan:
    """A number of searches in all, each where it lowers the summed posterior variance most.

    Attributes:
        atoms_m: which atoms, shape (m,).
        searches: mean number per atom.
        least: searches of each atom to begin with, from which shift and scale of the prior are learned.
        most: of each atom.
        prior: predictions of a model.
    """

    atoms_m: Ints
    searches: int
    least: int
    most: int
    prior: Prior

    def rounds(self, results: Results) -> Iterator[Round]:
        """Rounds of about one search per atom, until the budget is spent."""
        asked = np.zeros(results.n_atoms, dtype=np.int64)
        left = self.searches * len(self.atoms_m)
        add = np.zeros_like(asked)
        add[self.atoms_m] = min(self.least, self.searches, self.most)
        while add.any():
            left -= int(add.sum())
            yield Round(_tasks(self.atoms_m, asked, asked + add), left)
            asked = asked + add
            add = self._allotted(results.moments(asked), asked, min(left, len(self.atoms_m)))

    def _allotted(self, sums: Moments, asked: Counts, budget: int) -> Counts:
        """One search after the other to the atom whose variance v it lowers most: by v − 1 / (1 / v + p / σ²)."""
        precision = posterior(sums, self.prior.barrier_n, self.prior.std_n).error_n ** -2.0
        gain = sums.yielding / sums.within_variance()  # of precision, from one search
        add = np.zeros_like(asked)
        heap = [(-_fall(precision[a], gain[a]), a) for a in self.atoms_m.tolist() if asked[a] < self.most]
        heapq.heapify(heap)
        for _ in range(budget):
            if not heap:
                break
            a = heap[0][1]
            add[a] += 1
            if asked[a] + add[a] >= self.most:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (-_fall(precision[a] + add[a] * gain[a], gain[a]), a))
        return add


def _fall(precision: float, gain: float) -> float:
    """By how much a variance falls when its precision rises by ``gain``."""
    return 1.0 / precision - 1.0 / (precision + gain)
