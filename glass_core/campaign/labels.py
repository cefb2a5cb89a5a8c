"""The searches of a campaign in memory, for whoever uses them: training, OVITO, statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.campaign.columns import COLUMNS, STATES, Table
from glass_core.campaign.header import Header
from glass_core.campaign.posterior import Posterior, posterior
from glass_core.campaign.statistics import Statistics, by_atom, statistics
from glass_core.errors import GlassError, unknown
from glass_core.saddle.duplicates import distinct_events
from glass_core.saddle.records import SearchRecord, State
from glass_core.structure import Floats, Structure, replace_fields

Place = Literal["saddle", "final"]


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a barrier model says of all atoms of the structure at its minimum.

    Attributes:
        model: its name.
        sha256: of its file.
        barrier_n: eV, shape (n,).
        std_n: standard error, eV; nan from a model without one.
    """

    model: str
    sha256: str
    barrier_n: Floats
    std_n: Floats


@dataclass(frozen=True, eq=False)
class Labels:
    """A label file: searches, sorted by atom and number, and what they share.

    An *event* is an accepted search; where settings say so, other saddles give barriers too. ``labels["barrier"]`` is
    the column of that name, one entry per search: ``atom``, ``number``, ``state`` (index into ``columns.STATES``),
    ``barrier``, ``first_barrier``, ``elastic_error``, ``final_energy``, ``curvature``, ``calls``, ``products``,
    ``seconds``, ``predicted_saddle``; units and meaning as in ``SearchRecord``. Letter ``r`` stands for searches, ``d``
    for displaced atoms of one search.

    Attributes:
        header: structure, potential, settings, seed.
        table: the searches.
        predicted: of the model asked for by ``--model``, whose predictions at saddles are the column
            ``predicted_saddle``.
        prior: of the model asked for by ``--prior``.
    """

    header: Header
    table: Table
    predicted: Predicted | None = None
    prior: Predicted | None = None

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, column: str) -> NDArray[Any]:
        if column not in (self.table.rows_r.dtype.names or ()):
            raise unknown("column", column, [c.name for c in COLUMNS])
        values: NDArray[Any] = self.table.rows_r[column]
        return values

    @property
    def structure(self) -> Structure:
        """The minimum in which all searches began."""
        return self.header.structure

    @property
    def ids_n(self) -> NDArray[np.int64]:
        """Identifiers of its atoms."""
        return self.header.ids_n

    @property
    def accepted_r(self) -> NDArray[np.bool_]:
        """Which searches are events."""
        accepted: NDArray[np.bool_] = self["state"] == STATES.index(State.ACCEPTED)
        return accepted

    @property
    def counted_r(self) -> NDArray[np.bool_]:
        """Which searches gave a barrier (``ArtnSettings.counted``): all events, and perhaps other saddles."""
        counted: NDArray[np.bool_] = np.isfinite(self["barrier"])
        return counted

    def events(self, atom: int | None = None) -> NDArray[np.intp]:
        """Searches that are events: of one atom, in the order of their numbers, or of all."""
        wanted = self.accepted_r if atom is None else self.accepted_r & (self["atom"] == atom)
        return np.flatnonzero(wanted)

    def distinct_events(self, atom: int) -> NDArray[np.intp]:
        """Events of one atom, those that were found before left out (see ``saddle.duplicates``)."""
        events = self.events(atom)
        return events[np.unique(self._numbers(events), return_index=True)[1]]

    def distinct_count(self) -> int:
        """Sum of the distinct events of all atoms: one that was found around two atoms counts twice.

        Where displacements were not kept, energies alone tell events apart.
        Only atoms of which two barriers agree are looked at closely: 0.1 s for some thousand searches.
        """
        events, barrier_r, count = self.events(), self["barrier"], 0
        for found in np.split(events, np.flatnonzero(np.diff(self["atom"][events])) + 1):
            agree = (np.diff(np.sort(barrier_r[found])) < self.header.settings.events.energy).any()
            count += len(np.unique(self._numbers(found))) if agree else len(found)
        return count

    def _numbers(self, events: NDArray[np.intp]) -> NDArray[np.int64]:
        """Which event each of some searches found."""
        return distinct_events([self.record(int(event)) for event in events], self.header.settings.events)

    def states(self) -> dict[str, int]:
        """How many searches ended in each state."""
        counts = np.bincount(self["state"], minlength=len(STATES)).tolist()
        return {state.value: count for state, count in zip(STATES, counts, strict=True)}

    def record(self, search: int) -> SearchRecord:
        """A search as it was recorded, displacements rounded to 2⁻¹⁴ Å, small ones left out.

        Raises:
            GlassError: if there is no such search.
        """
        search = self._known(search)
        row = self.table.rows_r[search]
        d = slice(self.table.offsets[search], self.table.offsets[search + 1])
        numbers = ("barrier", "first_barrier", "elastic_error", "final_energy", "curvature", "seconds")
        return SearchRecord(
            int(row["atom"]), int(row["number"]), STATES[row["state"]],
            **{name: float(row[name]) for name in numbers},
            calls=tuple(row["calls"].tolist()), products=tuple(row["products"].tolist()),
            moved_d=self.table.moved_d[d], saddle_dc=self.table.saddle_dc[d].astype(np.float64),
            final_dc=self.table.final_dc[d].astype(np.float64),
        )  # fmt: skip

    def records(self) -> Iterator[SearchRecord]:
        """All searches."""
        return (self.record(search) for search in range(len(self)))

    def moving(self, search: int) -> SearchRecord:
        """The record of a search that gave a barrier, with its displacements.

        Raises:
            GlassError: if it gave none, or they were not kept: with --no-displacements, and of saddles that are no
                events in files of before.
        """
        record = self.record(search)
        if not np.isfinite(record.barrier):
            raise GlassError(
                f"search {record.number} around atom {record.atom} ended {record.state.value} and gave no barrier; "
                "choose one of Labels.events()"
            )
        if not len(record.moved_d):
            raise GlassError(
                f"the displacements of search {record.number} around atom {record.atom} were not kept; label into "
                "another file, without --no-displacements"
            )
        return record

    def displacements(self, search: int, place: Place = "saddle") -> Floats:
        """Displacements of all atoms from the minimum, Å, shape (n, 3); zero for those that hardly moved.

        Args:
            search: one that gave a barrier (``events``, ``counted_r``).
            place: at the saddle, or in the other minimum of an event.

        Raises:
            GlassError: as ``moving``, or for the other minimum of a search that is no event.
        """
        record = self.moving(search)
        if place == "final" and record.state is not State.ACCEPTED:
            raise GlassError(
                f"search {record.number} around atom {record.atom} ended {record.state.value} and joins no other "
                "minimum; choose one of Labels.events()"
            )
        field_nc = np.zeros((self.structure.n_atoms, 3))
        field_nc[record.moved_d] = record.saddle_dc if place == "saddle" else record.final_dc
        return field_nc

    def configuration(self, search: int, place: Place = "saddle") -> Structure:
        """The atoms at a saddle, or in the other minimum of an event."""
        positions = self.structure.positions_nc + self.displacements(search, place)
        return replace_fields(self.structure, positions_nc=positions)

    def statistics(self) -> Statistics:
        """Mean, quantiles and errors per atom."""
        return statistics(*by_atom(self["atom"], self["barrier"], self._n))

    def posterior(self) -> Posterior | None:
        """The best estimate per atom from searches and prior; None without a prior."""
        if self.prior is None:
            return None
        return posterior(self.statistics().moments, self.prior.barrier_n, self.prior.std_n)

    @property
    def _n(self) -> int:
        return self.structure.n_atoms

    def _known(self, search: int) -> int:
        if not 0 <= search < len(self):
            raise GlassError(f"search must lie in 0 … {len(self) - 1}, got {search}")
        return int(search)
