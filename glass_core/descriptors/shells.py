"""Local features of atoms, and their averages over one, two, … shells of neighbours.

``X_i^(k) = Σ_{j∈N_i} w_ij X_j^(k−1) / Σ_{j∈N_i} w_ij`` with ``w_ij = exp(−r_ij / r_c)``; zero for an
atom without neighbours (Boattini, Smallenburg & Filion, PRL 127, 088007 (2021), with the weights of
arXiv:2401.03743).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core.domains import Surroundings, chunks
from glass_core.neighbours import Neighbours, neighbour_blocks
from glass_core.structure import Ints, Structure
from glass_core.threads import for_ranges

Features = NDArray[np.floating]
Finder = Callable[[Structure, float, "Ints | None"], Iterable[Neighbours]]
RowsOf = Callable[[Ints], Features]
Progress = Callable[[float], None]
_BLOCK_ROWS = 30_000
_PREPARATION = 0.9  # of the time of a prediction


@dataclass(frozen=True)
class Columns:
    """Where features stand in a row: ``[B⁰ B¹ … Q⁰ Q¹ …]``.

    Attributes:
        radial: number of radial features B per shell.
        angular: number of angular features Q per shell.
        shells: how many times features are averaged.
    """

    radial: int
    angular: int
    shells: int

    @property
    def width(self) -> int:
        """Features per row."""
        return (self.shells + 1) * (self.radial + self.angular)

    def store(self, rows: Features, shell: int, features: Features) -> None:
        """Puts B and Q of one shell where they belong."""
        b, q = shell * self.radial, (self.shells + 1) * self.radial + shell * self.angular
        rows[:, b : b + self.radial] = features[:, : self.radial]
        rows[:, q : q + self.angular] = features[:, self.radial :]


@dataclass(frozen=True, eq=False)
class Shells:
    """Local features of atoms, and the links along which they are averaged.

    Attributes:
        columns: where features stand in a row.
        local_nf: features of shell 0, shape (n, radial + angular).
        starts_n, stops_n: links ``starts_n[i] … stops_n[i]`` belong to atom i.
        j_p: neighbour of each link.
        weights_p: w_ij of each link.
    """

    columns: Columns
    local_nf: Features
    starts_n: NDArray[np.int64]
    stops_n: NDArray[np.int64]
    j_p: Ints
    weights_p: Features

    def rows(self, centres: Ints) -> Features:
        """Rows of ``centres`` (ascending, none twice), shape (m, width).

        A centre's average k times over needs those of its neighbours k − 1 times over: rings of atoms that
        shrink to the centres as averages widen. So the memory is that of the centres and of a rim around them.
        """
        columns = self.columns
        rows = np.empty((len(centres), columns.width), self.local_nf.dtype)
        rings = [centres]
        for _ in range(columns.shells):
            rings.append(self._grown(rings[-1]))
        level = self.local_nf
        place = np.arange(len(level), dtype=np.int32)
        columns.store(rows, 0, level[centres])
        for shell, ring in enumerate(reversed(rings[:-1]), 1):
            level = self._average(ring, level, place)
            place[ring] = np.arange(len(ring), dtype=np.int32)
            columns.store(rows, shell, level if len(ring) == len(centres) else level[place[centres]])
        return rows

    def _grown(self, ring: Ints) -> Ints:
        """The atoms of a ring and all their neighbours, ascending."""
        from glass_core.kernels.shells import mark

        if len(ring) == len(self.local_nf):
            return ring
        marked = np.zeros(len(self.local_nf), dtype=np.bool_)
        mark(ring, self.starts_n, self.stops_n, self.j_p, marked)
        return np.flatnonzero(marked).astype(np.int32)

    def _average(self, ring: Ints, before: Features, place: Ints) -> Features:
        """The next shell for the atoms of a ring; ``place`` tells where atoms stand in ``before``."""
        from glass_core.kernels.shells import average

        width = before.shape[1]
        after = np.empty((len(ring), width), before.dtype)
        flat = before.reshape(-1), after.reshape(-1)
        for_ranges(
            lambda a, b: average(
                a, b, ring, self.starts_n, self.stops_n, self.j_p, self.weights_p, place, width, *flat
            ),
            len(ring),
        )  # fmt: skip
        return after


def link_bytes(cutoff: float) -> float:
    """Memory of an atom's links in single precision: 8 bytes for each in a dense glass (0.065 atoms/Å³)."""
    return float(8 * 0.065 * 4 / 3 * np.pi * cutoff**3)


def rows_of(
    descriptor: Any,
    structure: Structure,
    centres: NDArray[np.integer] | None,
    dtype: DTypeLike,
    find: Finder,
) -> Features:
    """Rows of ``centres`` (default: all atoms) in their order, from the descriptor's ``prepared``.

    Args:
        descriptor: has ``prepared`` (see ``blocks_of_rows``) and ``n_features``.
        structure: atoms of any of its species.
        centres: atoms asked for, in any order, repeated or not.
        dtype: number type of the rows.
        find: where edges come from.
    """
    structure.with_species(descriptor.species, owner=f"descriptor {descriptor.kind!r}")
    everybody = np.arange(structure.n_atoms, dtype=np.int32)
    wanted = everybody if centres is None else np.unique(np.asarray(centres, dtype=np.int32))
    if len(wanted) == 0:
        return np.empty((0, descriptor.n_features), dtype)
    rows: Features = descriptor.prepared(structure, None if centres is None else wanted, find, dtype)(wanted)
    return rows if centres is None else rows[np.searchsorted(wanted, centres)]


def prepared_rows(
    descriptor: Any,
    structure: Structure,
    centres: Ints | None,
    find: Finder,
    dtype: DTypeLike,
    progress: Progress | None = None,
) -> RowsOf:
    """The descriptor's ``prepared``; of one that has none, rows out of its whole table."""
    prepare = getattr(descriptor, "prepared", None)
    if prepare is not None:
        rows: RowsOf = prepare(structure, centres, find, dtype, progress)
        return rows
    table: Features = descriptor(structure, centres, find=find, dtype=dtype)
    return lambda some: table[some if centres is None else np.searchsorted(centres, some)]


def blocks_of_rows(
    descriptor: Any,
    structure: Structure,
    centres: Ints | None,
    find: Finder = neighbour_blocks,
    dtype: DTypeLike = np.float32,
    most: int = _BLOCK_ROWS,
    progress: Progress | None = None,
) -> Iterator[tuple[Ints, Features]]:
    """Rows of ``centres`` (ascending, none twice; None: all atoms) in blocks, so that memory is bounded.

    What costs time is computed once for all atoms where the descriptor has ``prepared``: a method
    ``(structure, centres, find, dtype, progress) → (some centres → their rows)``. Others make the whole table.

    Yields:
        Places of a block's centres among ``centres``, and their rows.
    """
    wanted = np.arange(structure.n_atoms, dtype=np.int32) if centres is None else centres
    if len(wanted) == 0:
        return
    first, rest = share_of(progress, 0.0, _PREPARATION), share_of(progress, _PREPARATION, 1.0)
    rows, done = prepared_rows(descriptor, structure, centres, find, dtype, first), 0
    for block in chunks(structure, wanted, most, float(descriptor.cutoff)):
        yield (block if centres is None else np.searchsorted(wanted, block).astype(np.int32)), rows(block)
        done += len(block)
        if rest:
            rest(done / len(wanted))


def share_of(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Progress of a part of the work, which is everything from ``start`` to ``stop``."""
    return None if progress is None else lambda fraction: progress(start + (stop - start) * fraction)


def prepare_shells(
    structure: Structure,
    needed: Ints | None,
    cutoff: float,
    length: float,
    columns: Columns,
    local: Callable[[Neighbours, Features], Neighbours],
    find: Finder,
    dtype: DTypeLike,
    progress: Progress | None,
) -> Shells:
    """Local features and links of the atoms ``needed`` (None: all).

    Args:
        structure: atoms in the descriptor's species.
        needed: see ``needed_atoms``.
        cutoff: of the edges that ``local`` needs, Å.
        length: r_c of the weights of averages, Å.
        columns: where features stand.
        local: fills rows of the table of local features for the centres of a block, and returns the neighbours
            to average over.
        find: where edges come from.
        dtype: number type of features.
        progress: called with the fraction done after every block.
    """
    n, done = structure.n_atoms, 0
    table = (np.empty if needed is None else np.zeros)((n, columns.radial + columns.angular), dtype)
    starts, stops = np.zeros(n, np.int64), np.zeros(n, np.int64)
    parts, total = [(np.empty(0, np.int32), np.empty(0, dtype))], 0
    for block in find(structure, cutoff, needed):
        links = local(block, table)
        if columns.shells:
            parts.append((links.j_p, _weights(links, length, dtype)))
            starts[links.centres_m], stops[links.centres_m] = total + links.offsets[:-1], total + links.offsets[1:]
            total += len(links.j_p)
        done += len(block.centres_m)
        if progress:
            progress(done / (n if needed is None else len(needed)))
    neighbours, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Shells(columns, table, starts, stops, neighbours, weights)


def needed_atoms(structure: Structure, centres: Ints | None, reach: float) -> Ints | None:
    """Atoms within ``reach`` Å of a centre, and some more; None for all."""
    if centres is None or len(centres) == structure.n_atoms or reach == 0.0:
        return centres
    return Surroundings.within(structure, reach)(centres)[0]


def nearer(block: Neighbours, cutoff: float) -> Neighbours:
    """The neighbours that are not farther than ``cutoff`` Å."""
    if block.cutoff <= cutoff:
        return block
    keep = np.einsum("pc,pc->p", block.vectors_pc, block.vectors_pc) <= cutoff**2
    offsets = np.concatenate([[0], np.cumsum(keep)])[block.offsets]
    return Neighbours(block.centres_m, offsets, block.j_p[keep], block.vectors_pc[keep], cutoff)


def _weights(links: Neighbours, length: float, dtype: DTypeLike) -> Features:
    from glass_core.kernels.shells import link_weights

    weights = np.empty(len(links.j_p), dtype)
    for_ranges(lambda a, b: link_weights(a, b, links.vectors_pc, length, weights), len(weights))
    return weights
