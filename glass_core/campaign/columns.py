"""What is kept of each search: a table row, and the displacements of the atoms that moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.saddle.elastic import elastic_error
from glass_core.saddle.records import PHASES, SearchRecord, State
from glass_core.saddle.settings import Regions

STATES = tuple(State)
_BY_PHASE = (len(PHASES),)
_QUANTUM = 2.0**-14  # Å; displacements are rounded to it, so that files compress
_MOVED = np.dtype([("moved", "<i4"), ("saddle", "<f4", (3,)), ("final", "<f4", (3,))])


@dataclass(frozen=True)
class Column:
    """One number (or a few) per search.

    Attributes:
        name: of the column; of the field of ``SearchRecord`` too, where that has it.
        dtype: as numpy writes it.
        unit: "" for none.
        missing: the value in files from before the column existed.
        shape: of one entry.
    """

    name: str
    dtype: str
    unit: str = ""
    missing: float = np.nan
    shape: tuple[int, ...] = ()


COLUMNS = (
    Column("atom", "<i4", missing=0),
    Column("number", "<i4", missing=0),
    Column("state", "u1", missing=0),
    Column("barrier", "<f8", "eV"),
    Column("first_barrier", "<f8", "eV"),
    Column("elastic_error", "<f8", "eV"),
    Column("final_energy", "<f8", "eV"),
    Column("curvature", "<f8", "eV/Å²"),
    Column("calls", "<i4", missing=0, shape=_BY_PHASE),
    Column("products", "<i4", missing=0, shape=_BY_PHASE),
    Column("seconds", "<f8", "s"),
    Column("predicted_saddle", "<f8", "eV"),
)
"""``state`` is an index into ``STATES``; ``calls`` and ``products`` go along ``PHASES``; ``predicted_saddle`` is what a
barrier model says of the atom at the saddle (nan unless asked for)."""

ROW = np.dtype([(c.name, c.dtype, c.shape) for c in COLUMNS])


def rounded(displacements_dc: NDArray[np.floating]) -> NDArray[np.float32]:
    """Displacements as they are kept: to 2⁻¹⁴ Å (6e-5 Å)."""
    return (np.round(np.asarray(displacements_dc, dtype=np.float64) / _QUANTUM) * _QUANTUM).astype(np.float32)


def encode(record: SearchRecord, predicted_saddle: float = np.nan) -> bytes:
    """A search as bytes: its row, then one entry per displaced atom."""
    row = np.zeros((), dtype=ROW)
    for column in COLUMNS:
        if column.name not in ("state", "predicted_saddle"):
            row[column.name] = getattr(record, column.name)
    row["state"], row["predicted_saddle"] = STATES.index(record.state), predicted_saddle
    moved = np.zeros(len(record.moved_d), dtype=_MOVED)
    moved["moved"] = record.moved_d
    moved["saddle"], moved["final"] = rounded(record.saddle_dc), rounded(record.final_dc)
    return row.tobytes() + moved.tobytes()


@dataclass(frozen=True, eq=False)
class Table:
    """Searches as columns.

    Attributes:
        rows_r: one row per search, dtype ``ROW``, shape (r,).
        offsets: displaced atoms of search k are entries ``offsets[k] … offsets[k + 1]``, shape (r + 1,), int64.
        moved_d: displaced atoms of all searches, int32, shape (d,).
        saddle_dc: their displacements at the saddles, Å, float32, shape (d, 3).
        final_dc: and in the other minima.
    """

    rows_r: NDArray[np.void]
    offsets: NDArray[np.int64]
    moved_d: NDArray[np.int32]
    saddle_dc: NDArray[np.float32]
    final_dc: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows_r)

    def with_elastic_errors(self, regions: Regions) -> Table:
        """With elastic errors as they are told now, from both barriers: files of before took another power."""
        if regions.search is None or regions.refine != "radius":
            return self
        rows = self.rows_r.copy()
        told = np.isfinite(rows["elastic_error"]) & (rows["elastic_error"] != 0)
        barriers = rows["first_barrier"][told], rows["barrier"][told]
        rows["elastic_error"][told] = elastic_error(*barriers, regions.search, regions.refine_radius)
        return replace(self, rows_r=rows)

    def sorted(self) -> Table:
        """By atom and number; of two records of one search, the later one alone."""
        keys = self.rows_r["atom"].astype(np.int64) << 32 | self.rows_r["number"].astype(np.int64)
        backwards = np.unique(keys[::-1], return_index=True)[1]
        index_r = len(keys) - 1 - backwards
        if np.array_equal(index_r, np.arange(len(keys))):
            return self
        sizes = np.diff(self.offsets)[index_r]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
        d = np.repeat(self.offsets[index_r], sizes) + within
        return Table(self.rows_r[index_r], offsets, self.moved_d[d], self.saddle_dc[d], self.final_dc[d])


@dataclass(frozen=True)
class Layout:
    """What rows looked like in the version that wrote them.

    Attributes:
        row: names, types and shapes of the columns.
        states: what the numbers in ``state`` mean.
        phases: what the entries of ``calls`` and ``products`` belong to.
    """

    row: np.dtype[np.void] = ROW
    states: tuple[str, ...] = STATES
    phases: tuple[str, ...] = PHASES

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {"row": self.row.descr, "states": list(self.states), "phases": list(self.phases)}

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> Layout:
        """From JSON."""
        row = np.dtype([(name, kind, *(tuple(shape) for shape in rest)) for name, kind, *rest in content["row"]])
        return cls(row, tuple(content["states"]), tuple(content["phases"]))

    def rows(self, columns: Mapping[str, NDArray[Any]], count: int) -> NDArray[np.void]:
        """Rows of this version from columns of that one; columns that it lacks hold their missing value.

        Raises:
            GlassError: for a state that this version does not know.
        """
        rows, columns = np.zeros(count, dtype=ROW), dict(columns)
        if self.states != STATES:
            columns["state"] = _places(self.states, STATES, "state")[columns["state"]]
        if self.phases != PHASES:
            for name in (c.name for c in COLUMNS if c.shape == _BY_PHASE and c.name in columns):
                by_phase = np.zeros((count, len(PHASES)), dtype=np.int32)
                by_phase[:, _places(self.phases, PHASES, "phase")] = columns[name]
                columns[name] = by_phase
        for column in COLUMNS:
            rows[column.name] = columns.get(column.name, column.missing)
        return rows


def _places(theirs: Sequence[str], ours: Sequence[str], what: str) -> NDArray[np.intp]:
    for name in theirs:
        if name not in ours:
            raise GlassError(
                f"label file has the {what} {name!r}, which this version does not know; upgrade glass-plugins"
            )
    return np.array([list(ours).index(name) for name in theirs], dtype=np.intp)


_NOW = Layout()


def decode(payloads: Sequence[bytes], layout: Layout = _NOW) -> Table:
    """Searches from their bytes.

    Raises:
        GlassError: for a payload of an impossible length.
    """
    row = layout.row
    for payload in payloads:
        if len(payload) < row.itemsize or (len(payload) - row.itemsize) % _MOVED.itemsize:
            raise _damaged(payload)
    rows = np.frombuffer(b"".join(p[: row.itemsize] for p in payloads), dtype=row)
    moved = np.frombuffer(b"".join(p[row.itemsize :] for p in payloads), dtype=_MOVED)
    sizes = [(len(p) - row.itemsize) // _MOVED.itemsize for p in payloads]
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
    columns = {name: rows[name] for name in row.names or ()}
    return Table(layout.rows(columns, len(rows)), offsets, moved["moved"], moved["saddle"], moved["final"])


def _damaged(payload: bytes) -> GlassError:
    return GlassError(f"a stored search has {len(payload)} bytes, which no search has; the file is damaged")


def row_of(payload: bytes) -> np.void:
    """The row of one search of this version, without its displacements; costs little, unlike ``decode``.

    Raises:
        GlassError: for a payload too short.
    """
    if len(payload) < ROW.itemsize:
        raise _damaged(payload)
    found: np.void = np.frombuffer(payload, dtype=ROW, count=1)[0]
    return found


def joined(first: Table, second: Table) -> Table:
    """The searches of both, sorted; the second one's record of a search replaces the first one's."""
    together = Table(
        np.concatenate([first.rows_r, second.rows_r]),
        np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]]),
        np.concatenate([first.moved_d, second.moved_d]),
        np.concatenate([first.saddle_dc, second.saddle_dc]),
        np.concatenate([first.final_dc, second.final_dc]),
    )
    return together.sorted()


def empty() -> Table:
    """No searches."""
    return decode([])
