"""Atoms and directed edges around centres, in an order that lets every layer of a network work on a prefix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.neighbours import Finder, Neighbours, joined, neighbour_blocks
from glass_core.structure import Ints, Structure

DENSITY = 0.065  # atoms/Å³ of a dense metallic glass
_MEMORY = 2e9
_EDGE = 28  # bytes of an edge in ``Hops``
_LEAST = 1000


def atoms_at_once(cutoff: float, numbers: float) -> float:
    """Atoms of a dense metallic glass whose edges, with so many numbers each, take 2 GB."""
    return _MEMORY / (DENSITY * 4 / 3 * np.pi * cutoff**3 * (4 * numbers + _EDGE))


def centres_of_cube(side: float, cutoff: float, hops: int) -> int:
    """Centres that a cube (side in Å) of a dense metallic glass holds beside their surroundings."""
    inner = max(side - 2 * cutoff * max(hops - 1, 0), 0.0)
    return max(_LEAST, int(DENSITY * inner**3))


@dataclass(frozen=True, eq=False)
class Hops:
    """Centres first, then atoms one edge away, two, …; edges sorted by the atom they end at.

    After l of L layers only the first ``nodes[l]`` atoms still matter, and layer l only needs the first
    ``edges[l]`` edges, those into these atoms: nothing is computed that the centres do not see.

    Attributes:
        types_n: species index of each atom, shape (n,), int64.
        i_p: atom that each edge ends at, shape (p,), int64, ascending.
        j_p: atom that each edge comes from, shape (p,), int64.
        vectors_pc: from i to j, Å, shape (p, 3), float32.
        offsets: edges ``offsets[i] … offsets[i + 1]`` end at atom i, shape (nodes[1] + 1,), int64.
        nodes: atoms whose state is known after l layers; ``nodes[0] = n``, ``nodes[L]`` the centres.
        edges: edges that layer l needs; ``edges[0] = edges[1] = p``.
    """

    types_n: NDArray[np.int64]
    i_p: NDArray[np.int64]
    j_p: NDArray[np.int64]
    vectors_pc: NDArray[np.float32]
    offsets: NDArray[np.int64]
    nodes: tuple[int, ...]
    edges: tuple[int, ...]

    @classmethod
    def of(
        cls,
        types_n: NDArray[np.integer],
        counts: NDArray[np.int64],
        j_p: NDArray[np.integer],
        vectors_pc: NDArray[np.floating],
        nodes: tuple[int, ...],
    ) -> Hops:
        """From the number of edges that end at each of the first ``nodes[1]`` atoms."""
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        edges = [int(offsets[size]) for size in nodes[1:]]
        return cls(
            types_n.astype(np.int64),
            np.repeat(np.arange(len(counts)), counts),
            j_p.astype(np.int64),
            vectors_pc.astype(np.float32),
            offsets,
            nodes,
            (len(j_p), *edges),
        )


def hops_of(
    structure: Structure,
    cutoff: float,
    hops: int,
    centres: NDArray[np.integer] | None = None,
    find: Finder = neighbour_blocks,
    self_edges: bool = False,
) -> Hops:
    """What ``hops`` layers need around ``centres`` (distinct; default: all atoms).

    Args:
        structure: atoms, in the species of the network.
        cutoff: length of the longest edge, Å.
        hops: layers; 0 for a network that looks at nothing but the atom.
        centres: atoms asked for; the first ones of the atoms, in this order.
        find: gives neighbours in blocks.
        self_edges: whether each atom has an edge of length zero to itself.
    """
    order, nodes = _all_or(centres, structure), []
    place = np.full(structure.n_atoms, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    frontier, rows = order, []
    for _ in range(hops):
        nodes.append(len(order))
        found = rows_of_atoms(structure, cutoff, frontier, find)
        rows.append(found)
        fresh = np.unique(found.j_p[place[found.j_p] < 0])
        place[fresh] = len(order) + np.arange(len(fresh))
        order, frontier = np.concatenate([order, fresh]), fresh
    nodes.append(len(order))
    counts = np.concatenate([np.diff(r.offsets) for r in rows]) if rows else np.zeros(0, np.int64)
    j_p = place[np.concatenate([r.j_p for r in rows])] if rows else np.zeros(0, np.int64)
    vectors = np.concatenate([r.vectors_pc for r in rows]) if rows else np.zeros((0, 3))
    if self_edges:
        counts, j_p, vectors = with_self(counts, j_p, vectors)
    return Hops.of(structure.types_n[order], counts, j_p, vectors, tuple(reversed(nodes)))


def _all_or(centres: NDArray[np.integer] | None, structure: Structure) -> Ints:
    return np.arange(structure.n_atoms, dtype=np.int32) if centres is None else np.asarray(centres, dtype=np.int32)


def rows_of_atoms(structure: Structure, cutoff: float, atoms: Ints, find: Finder) -> Neighbours:
    """Neighbours of these atoms, in this order, in one piece."""
    if len(atoms) == 0:
        return Neighbours(atoms, np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros((0, 3)), cutoff)
    everything = len(atoms) == structure.n_atoms
    whole = joined(list(find(structure, cutoff, None if everything else np.sort(atoms))))
    if np.array_equal(whole.centres_m, atoms):
        return whole
    place = np.empty(structure.n_atoms, dtype=np.int64)
    place[whole.centres_m] = np.arange(len(whole.centres_m))
    return whole.rows(place[atoms])


def with_self(
    counts: NDArray[np.int64], j_p: NDArray[np.int64], vectors: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """An edge of length zero in front of those of each atom."""
    starts = np.cumsum(counts) - counts
    return counts + 1, np.insert(j_p, starts, np.arange(len(counts))), np.insert(vectors, starts, 0.0, axis=0)
