"""A structure cut into slabs, so that the layers of a network can follow each other through it.

Slabs are at least as thick as edges are long: what a layer needs of other slabs, it needs of the two next to it. So
every layer is computed once, and few slabs are held at a time (``graphs/sweep.py``); compact chunks would overlap by
the reach of all layers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.domains import Surroundings, slices
from glass_core.graphs.hops import Hops, hops_of, rows_of_atoms, with_self
from glass_core.neighbours import Finder, narrowed, neighbour_blocks
from glass_core.structure import Ints, Structure

_SAFE = 1 + 1e-6  # slabs are a little thicker than edges are long: rounding may put an atom into either of two


@dataclass(frozen=True, eq=False)
class Slabs:
    """Slabs, and of each the atoms that matter to the centres, in the order of ``Hops``.

    Attributes:
        types: species index of the atoms of each slab.
        nodes: of each slab, how many of its first atoms still matter after l layers, as in ``Hops``.
        around: of each slab, those whose atoms edges into it may come from; itself first.
        centres: of each slab, places of its centres among all that were asked for.
        edges: finds those into a slab; their ``j_p`` counts through the atoms of all slabs ``around`` it.
    """

    types: tuple[NDArray[np.integer], ...]
    nodes: tuple[tuple[int, ...], ...]
    around: tuple[tuple[int, ...], ...]
    centres: tuple[NDArray[np.integer], ...]
    edges: Callable[[int], Hops]


@dataclass(frozen=True, eq=False)
class _Cut:
    """Finds the edges into one slab at a time.

    Attributes:
        structure, cutoff, find, self_edges: see ``slabs_of``.
        surroundings: within the cutoff.
        atoms: indices of the atoms of each slab.
        nodes, around: see ``Slabs``.
        slab_n: slab of each atom.
        place_n: its place among those of the slab.
    """

    structure: Structure
    cutoff: float
    find: Finder
    self_edges: bool
    surroundings: Surroundings
    atoms: Sequence[NDArray[np.integer]]
    nodes: Sequence[tuple[int, ...]]
    around: Sequence[tuple[int, ...]]
    slab_n: Ints
    place_n: Ints

    def __call__(self, slab: int) -> Hops:
        atoms, nodes, around = self.atoms[slab], self.nodes[slab], list(self.around[slab])
        rows = atoms[: nodes[1]].astype(np.int32)
        counts, j_p, vectors = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3))
        if len(rows):
            counts, near, vectors = self._edges(rows)
            starts = np.zeros(len(self.atoms), dtype=np.int64)
            starts[around] = np.cumsum([0, *(len(self.atoms[other]) for other in around[:-1])])
            j_p = starts[self.slab_n[near]] + self.place_n[near]
        if self.self_edges:
            counts, j_p, vectors = with_self(counts, j_p, vectors)
        return Hops.of(self.structure.types_n[atoms], counts, j_p, vectors, nodes)

    def _edges(self, rows: Ints) -> tuple[NDArray[np.int64], Ints, NDArray[np.float64]]:
        """Number of neighbours of each of these atoms, in this order; the neighbours; and the vectors to them."""
        part, places, index = narrowed(self.structure, self.surroundings, rows, self.find)
        found = rows_of_atoms(part, self.cutoff, places, self.find)
        return np.diff(found.offsets), found.j_p if index is None else index[found.j_p], found.vectors_pc


def slabs_of(
    structure: Structure,
    cutoff: float,
    hops: int,
    most: int,
    centres: NDArray[np.integer] | None = None,
    find: Finder = neighbour_blocks,
    self_edges: bool = False,
) -> Slabs:
    """As many slabs as keep the atoms of each, as far as they matter, to about ``most``; one where that is enough.

    Args:
        structure: atoms, in the species of the network.
        cutoff: length of the longest edge, Å.
        hops: layers.
        most: atoms of a slab, unless it would be thinner than the cutoff.
        centres: atoms asked for (distinct); None for all.
        find: gives neighbours in blocks.
        self_edges: whether each atom has an edge of length zero to itself.
    """
    if structure.n_atoms > most:
        surroundings = Surroundings.within(structure, cutoff)
        depth = _depths(structure, surroundings, hops, centres)
        if (depth <= hops).sum() > most:
            number, wraps = slices(structure, depth <= hops, cutoff * _SAFE, most)
            if number.max() > 0:
                return _cut(structure, cutoff, hops, centres, find, self_edges, surroundings, depth, number, wraps)
    whole = hops_of(structure, cutoff, hops, centres, find, self_edges)
    return Slabs((whole.types_n,), (whole.nodes,), ((0,),), (np.arange(whole.nodes[-1]),), lambda slab: whole)


def _depths(
    structure: Structure, surroundings: Surroundings, hops: int, centres: NDArray[np.integer] | None
) -> NDArray[np.int8]:
    """How many edges each atom is away from the nearest centre, or fewer; ``hops + 1`` where it does not matter."""
    depth = np.full(structure.n_atoms, 0 if centres is None else hops + 1, dtype=np.int8)
    if centres is None:
        return depth
    depth[centres], known = 0, np.asarray(centres)
    for edges in range(1, hops + 1):
        if len(known) == structure.n_atoms:
            break
        known, _ = surroundings(known)
        depth[known] = np.minimum(depth[known], edges)
    return depth


def _cut(
    structure: Structure,
    cutoff: float,
    hops: int,
    centres: NDArray[np.integer] | None,
    find: Finder,
    self_edges: bool,
    surroundings: Surroundings,
    depth: NDArray[np.int8],
    number: Ints,
    wraps: bool,
) -> Slabs:
    count = int(number.max()) + 1
    order = np.lexsort((depth, number))
    order = order[depth[order] <= hops]
    bounds = np.searchsorted(number[order], np.arange(count + 1))
    atoms = tuple(order[a:b] for a, b in itertools.pairwise(bounds))
    nodes = tuple(
        tuple(int(n) for n in np.searchsorted(depth[own], np.arange(hops, -1, -1), side="right")) for own in atoms
    )
    place = np.zeros(structure.n_atoms, dtype=np.int32)
    place[order] = np.arange(len(order)) - bounds[number[order]]
    asked = np.arange(structure.n_atoms) if centres is None else np.empty(structure.n_atoms, dtype=np.int64)
    if centres is not None:
        asked[centres] = np.arange(len(centres))
    wanted = tuple(asked[own[: sizes[-1]]] for own, sizes in zip(atoms, nodes, strict=True))
    around = _around(count, wraps)
    edges = _Cut(structure, cutoff, find, self_edges, surroundings, atoms, nodes, around, number, place)
    return Slabs(tuple(structure.types_n[own] for own in atoms), nodes, around, wanted, edges)


def _around(count: int, wraps: bool) -> tuple[tuple[int, ...], ...]:
    found = []
    for slab in range(count):
        beside = [slab - 1, slab + 1]
        beside = [other % count for other in beside] if wraps else [other for other in beside if 0 <= other < count]
        found.append((slab, *sorted({*beside} - {slab})))
    return tuple(found)
