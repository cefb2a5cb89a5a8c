"""Local features of atoms, and their averages over one, two, … shells of neighbours.

``X_i^(k) = Σ_{j∈N_i} w_ij X_j^(k−1) / Σ_{j∈N_i} w_ij`` with ``w_ij = exp(−r_ij / r_c)``; zero for an
atom without neighbours (Boattini, Smallenburg & Filion, PRL 127, 088007 (2021), with the weights of
arXiv:2401.03743).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core.domains import around
from glass_core.neighbours import Neighbours
from glass_core.structure import Ints, Structure
from glass_core.threads import for_ranges

Features = NDArray[np.floating]
Finder = Callable[[Structure, float, "Ints | None"], Iterable[Neighbours]]


@dataclass(frozen=True, eq=False)
class _Links:
    """What is kept of a block of neighbours once its local features are known."""

    centres_m: Ints
    offsets: NDArray[np.int64]
    j_p: Ints
    weights_p: Features


def shell_blocks(
    structure: Structure,
    centres: Ints | None,
    cutoff: float,
    shells: int,
    local: Callable[[Neighbours], Features],
    width: int,
    find: Finder,
    dtype: DTypeLike,
) -> Iterator[tuple[Ints, list[Features]]]:
    """Yields (centres, [X^(0), …, X^(shells)]) block by block; every centre exactly once.

    Memory: ``width`` numbers per atom for each of at most two shells, and the links between atoms,
    for all atoms; everything else for one block.
    """
    inner = None if centres is None else around(structure, centres, shells * cutoff)[0] if shells else centres
    wanted = np.ones(structure.n_atoms, dtype=bool) if centres is None else np.zeros(structure.n_atoms, dtype=bool)
    wanted[centres if centres is not None else slice(None)] = True
    links: list[_Links] = []
    layers = [np.zeros((structure.n_atoms, width), dtype)]
    for block in find(structure, cutoff, inner):
        layers[0][block.centres_m] = local(block)
        links.append(_link(block, cutoff if shells else 0.0, dtype))
    for _ in range(1, shells):
        layer = np.zeros((structure.n_atoms, width), dtype)
        for link in links:
            _average(link, layers[-1], layer, link.centres_m)
        layers.append(layer)
    for link in links:
        keep = wanted[link.centres_m]
        rows = link.centres_m[keep]
        result = [layer[rows] for layer in layers]
        if shells:
            last = np.zeros((len(link.centres_m), width), dtype)
            _average(link, layers[-1], last, np.arange(len(last), dtype=np.int32))
            result.append(last[keep])
        yield rows, result


def _link(block: Neighbours, length: float, dtype: DTypeLike) -> _Links:
    from glass_core.kernels.shells import link_weights

    if length == 0.0:
        return _Links(block.centres_m, block.offsets, block.j_p, np.empty(0, dtype))
    weights = np.empty(len(block.j_p), dtype)
    for_ranges(lambda a, b: link_weights(a, b, block.vectors_pc, length, weights), len(weights))
    return _Links(block.centres_m, block.offsets, block.j_p, weights)


def _average(link: _Links, source: Features, out: Features, rows: Ints) -> None:
    from glass_core.kernels.shells import average

    for_ranges(
        lambda a, b: average(a, b, link.offsets, link.j_p, link.weights_p, rows, source, out), len(link.centres_m)
    )
