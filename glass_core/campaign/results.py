"""Which searches are done and the barriers they found: what a plan decides on."""

from __future__ import annotations

import numpy as np

from glass_core.campaign.columns import STATES
from glass_core.campaign.labels import Labels
from glass_core.campaign.statistics import Counts, Moments, moments
from glass_core.saddle.records import State

Task = tuple[int, int]
"""Atom and number of a search."""

_ACCEPTED, _FAILED = STATES.index(State.ACCEPTED), STATES.index(State.FAILED)


class Results:
    """A growing table with a row per atom and a column per number of a search.

    Attributes:
        failed: searches that a label file holds but which failed, to be tried again.
        fruitless: searches that failed since; none has gone well if there are as many as searches at all.
    """

    def __init__(self, n_atoms: int) -> None:
        self._barrier_ns = np.full((n_atoms, 8), np.nan)
        self._done_ns = np.zeros((n_atoms, 8), dtype=bool)
        self._count = self._accepted = 0
        self.failed: frozenset[Task] = frozenset()
        self.fruitless = 0

    @classmethod
    def of(cls, labels: Labels) -> Results:
        """What a label file holds, but for searches that failed."""
        results = cls(labels.structure.n_atoms)
        rows = labels.table.rows_r
        again = rows["state"] == _FAILED
        failed = frozenset(zip(rows["atom"][again].tolist(), rows["number"][again].tolist(), strict=True))
        rows = rows[~again]
        results._widen(int(rows["number"].max(initial=-1)) + 1)
        results._done_ns[rows["atom"], rows["number"]] = True
        results._barrier_ns[rows["atom"], rows["number"]] = rows["barrier"]
        results.failed = failed
        results._count, results._accepted = len(rows), int((rows["state"] == _ACCEPTED).sum())
        return results

    def __len__(self) -> int:
        return self._count

    @property
    def n_atoms(self) -> int:
        """Atoms of the structure."""
        return len(self._done_ns)

    @property
    def accepted(self) -> int:
        """How many of the searches were accepted."""
        return self._accepted

    def has(self, atom: int, number: int) -> bool:
        """Whether a search is done."""
        return bool(number < self._done_ns.shape[1] and self._done_ns[atom, number])

    def add(self, row: np.void) -> None:
        """Notes a search, given as its row (``columns.ROW``)."""
        atom, number = int(row["atom"]), int(row["number"])
        self._widen(number + 1)
        self._done_ns[atom, number] = True
        self._barrier_ns[atom, number] = row["barrier"]
        self._count += 1
        self._accepted += bool(row["state"] == _ACCEPTED)
        self.fruitless += bool(row["state"] == _FAILED)

    def moments(self, asked_n: Counts) -> Moments:
        """Sums over the first ``asked`` searches of each atom, all of which must be done.

        Later ones, of an earlier run that wanted more, are left out: a plan decides from what it asked for alone,
        so that it comes to the same end wherever it was interrupted.
        """
        self._widen(int(asked_n.max(initial=0)))
        asked_ns = np.arange(self._done_ns.shape[1]) < asked_n[:, None]
        return moments(np.where(asked_ns, self._barrier_ns, np.nan), asked_n)

    def _widen(self, width: int) -> None:
        more = max(width, 2 * self._done_ns.shape[1]) - self._done_ns.shape[1]
        if width > self._done_ns.shape[1]:
            self._barrier_ns = np.pad(self._barrier_ns, ((0, 0), (0, more)), constant_values=np.nan)
            self._done_ns = np.pad(self._done_ns, ((0, 0), (0, more)))
