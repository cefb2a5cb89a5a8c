"""Neighbour lists (vesin), as rows of neighbours per centre."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.cell_list import can_be_divided, for_cell_list, heights
from glass_core.domains import Surroundings, chunks, ranges
from glass_core.errors import GlassError
from glass_core.structure import Floats, Ints, Structure
from glass_core.threads import for_ranges, thread_count

COINCIDENT = 1e-6
_BLOCK_ATOMS = 30_000


@dataclass(frozen=True, eq=False)
class Neighbours:
    """All neighbours within ``cutoff`` of some centres, directed, periodic images included.

    Attributes:
        centres_m: the centres (atom indices), shape (m,).
        offsets: pairs ``offsets[r] … offsets[r + 1]`` belong to centre ``centres_m[r]``, shape (m + 1,).
        j_p: neighbour of each pair, shape (p,). One atom may appear several times (images).
        vectors_pc: vector from centre to neighbour, Å, shape (p, 3).
        cutoff: Å.
    """

    centres_m: Ints
    offsets: NDArray[np.int64]
    j_p: Ints
    vectors_pc: Floats
    cutoff: float

    @property
    def i_p(self) -> Ints:
        """Centre of each pair, shape (p,)."""
        return np.repeat(self.centres_m, np.diff(self.offsets))

    @property
    def distances_p(self) -> Floats:
        """Distance of each pair, Å, shape (p,)."""
        return np.asarray(np.sqrt(np.einsum("pc,pc->p", self.vectors_pc, self.vectors_pc)))

    def within(self, cutoff: float) -> Neighbours:
        """Those that are not farther than ``cutoff`` Å."""
        from glass_core.kernels import pairs

        if self.cutoff <= cutoff:
            return self
        count, limit = len(self.centres_m), cutoff**2
        offsets = np.zeros(count + 1, dtype=np.int64)
        for_ranges(lambda a, b: pairs.count_near(a, b, self.offsets, self.vectors_pc, limit, offsets[1:]), count)
        np.cumsum(offsets, out=offsets)
        j_p, vectors = np.empty(offsets[-1], np.int32), np.empty((offsets[-1], 3))
        for_ranges(
            lambda a, b: pairs.copy_near(
                a, b, self.offsets, self.j_p, self.vectors_pc, limit, offsets, j_p, vectors
            ),
            count,
        )  # fmt: skip
        return Neighbours(self.centres_m, offsets, j_p, vectors, cutoff)

    def rows(self, rows: NDArray[np.integer], index: Ints | None = None) -> Neighbours:
        """Some rows only, in this order, with atoms renumbered by ``index`` if given."""
        starts, stops = self.offsets[rows], self.offsets[rows + 1]
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(stops - starts, out=offsets[1:])
        take = ranges(starts, stops)
        centres, j_p = self.centres_m[rows], self.j_p[take]
        if index is not None:
            centres, j_p = index[centres], index[j_p]
        return Neighbours(centres, offsets, j_p, self.vectors_pc[take], self.cutoff)


Finder = Callable[[Structure, float, "Ints | None"], Iterable[Neighbours]]
"""Where edges come from: structure, cutoff in Å and centres (None: all atoms) → their neighbours, block by block."""


def find_neighbours(structure: Structure, cutoff: float, centres: NDArray[np.integer] | None = None) -> Neighbours:
    """Neighbours of ``centres`` (default: all atoms) in one piece.

    Raises:
        GlassError: if the cutoff is not positive, or two atoms coincide.

    >>> pair = Structure([[0, 0, 0], [2.5, 0, 0]], [0, 1], ("Cu", "Zr"))
    >>> find_neighbours(pair, 5.0).j_p.tolist()
    [1, 0]
    """
    _check(cutoff)
    if centres is None:
        return _whole(structure, cutoff)
    return _near(structure, Surroundings.within(structure, cutoff), centres, cutoff)


def neighbour_blocks(
    structure: Structure, cutoff: float, centres: NDArray[np.integer] | None = None, block_atoms: int = _BLOCK_ATOMS
) -> Iterator[Neighbours]:
    """The same in blocks of at most ``block_atoms`` centres that lie close together, to bound memory."""
    _check(cutoff)
    wanted = np.arange(structure.n_atoms, dtype=np.int32) if centres is None else np.asarray(centres, np.int32)
    if len(wanted) <= block_atoms:
        yield find_neighbours(structure, cutoff, None if len(wanted) == structure.n_atoms else wanted)
        return
    surroundings = Surroundings.within(structure, cutoff)
    for block in chunks(structure, wanted, block_atoms, cutoff):
        yield _near(structure, surroundings, block, cutoff)


def narrowed(
    structure: Structure, surroundings: Surroundings, centres: NDArray[np.integer], find: Finder
) -> tuple[Structure, Ints, Ints | None]:
    """Where to look for what ``centres`` see: our own finder is faster in less, the edges of hosts belong to all atoms.

    Returns:
        The structure to give to ``find``, the places of the centres in it, and its atoms' indices (None: all atoms).
    """
    if find is not neighbour_blocks:
        return structure, np.asarray(centres, dtype=np.int32), None
    index, places = surroundings(centres)
    return structure.subset(index), places, index


def _check(cutoff: float) -> None:
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise GlassError(f"cutoff must be > 0 Å, got {cutoff}")


def _whole(structure: Structure, cutoff: float) -> Neighbours:
    """Neighbours of every atom."""
    if structure.n_atoms == 0:
        nobody = np.empty(0, np.int32)
        return Neighbours(nobody, np.zeros(1, np.int64), nobody, np.empty((0, 3)), cutoff)
    positions, cell = for_cell_list(structure, cutoff)
    if not can_be_divided(cell, cutoff):
        return _from_halves(structure, positions, cell, cutoff)
    return _from_pairs(structure, positions, cell, cutoff)


def _from_pairs(structure: Structure, positions: Floats, cell: Floats, cutoff: float) -> Neighbours:
    """The same from vesin's list of pairs."""
    from vesin import NeighborList

    from glass_core.kernels import pairs

    n = structure.n_atoms
    offsets = np.zeros(n + 1, dtype=np.int64)
    engine = NeighborList(cutoff=cutoff, full_list=False, n_threads=thread_count())
    i_p, j_p, half_pc = engine.compute(positions, cell, True, "ijD", copy=False)
    pairs.count_rows(i_p, j_p, offsets)
    found, order = np.empty(offsets[-1], dtype=np.int64), np.empty(offsets[-1], dtype=np.int64)
    pairs.fill_rows(i_p, j_p, offsets, found)
    pairs.transpose_rows(i_p, j_p, offsets, found, order)
    neighbours = np.empty(offsets[-1], dtype=np.int32)
    vectors, shortest = np.empty((offsets[-1], 3)), np.empty(n)
    for_ranges(lambda a, b: pairs.gather(a, b, i_p, j_p, half_pc, order, neighbours, vectors), len(order))
    for_ranges(lambda a, b: pairs.order_images(a, b, offsets, neighbours, vectors, shortest), n)
    closest = int(np.argmin(shortest))
    if shortest[closest] < COINCIDENT**2:
        x, y, z = structure.positions_nc[closest].tolist()
        raise GlassError(f"two atoms coincide at ({x:.4f}, {y:.4f}, {z:.4f}) Å; remove one of them or repair the file")
    return Neighbours(np.arange(n, dtype=np.int32), offsets, neighbours, vectors, cutoff)


def _from_halves(structure: Structure, positions: Floats, cell: Floats, cutoff: float) -> Neighbours:
    """Neighbours of the atoms in either half of a long box, found in the half and what lies around it."""
    axis = int(np.argmax(heights(cell)))
    height, periodic = heights(cell)[axis], structure.pbc[axis]
    place_n = (positions @ np.linalg.inv(cell))[:, axis] * height
    place_n = place_n % height if periodic else place_n
    parts = []
    for half in (place_n < height / 2, place_n >= height / 2):
        if not half.any():
            continue
        low, high = place_n[half].min(), place_n[half].max()
        outside_n = np.maximum(low - place_n, place_n - high)
        if periodic:
            outside_n = np.minimum(outside_n, np.minimum(place_n + height - high, low - place_n + height))
        index = np.flatnonzero(outside_n <= cutoff * (1 + 1e-6)).astype(np.int32)
        rows = np.flatnonzero(half[index])
        parts.append(_whole(structure.subset(index), cutoff).rows(rows, index))
    together = joined(parts)
    return together.rows(np.argsort(together.centres_m))


def joined(parts: list[Neighbours]) -> Neighbours:
    """Neighbours of the centres of all parts (at least one), part after part."""
    centres = np.concatenate([part.centres_m for part in parts])
    j_p, vectors = (np.concatenate([getattr(part, name) for part in parts]) for name in ("j_p", "vectors_pc"))
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return Neighbours(centres, np.concatenate([[0], np.cumsum(counts)]), j_p, vectors, parts[0].cutoff)


def _near(structure: Structure, surroundings: Surroundings, centres: NDArray[np.integer], cutoff: float) -> Neighbours:
    index, rows = surroundings(centres)
    return _whole(structure.subset(index), cutoff).rows(rows, index)
