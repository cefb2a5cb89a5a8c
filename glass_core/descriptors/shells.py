"""Local features of atoms, and their averages over one, two, … shells of neighbours.

``X_i^(k) = Σ_{j∈N_i} w_ij X_j^(k−1) / Σ_{j∈N_i} w_ij`` with ``w_ij = exp(−r_ij / r_c)``; zero for an
atom without neighbours (Boattini, Smallenburg & Filion, PRL 127, 088007 (2021), with the weights of
arXiv:2401.03743).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core.domains import Surroundings
from glass_core.neighbours import Neighbours
from glass_core.structure import Ints, Structure
from glass_core.threads import for_ranges

Features = NDArray[np.floating]
Finder = Callable[[Structure, float, "Ints | None"], Iterable[Neighbours]]


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

    @property
    def first_angular(self) -> int:
        """Column of the first angular feature."""
        return (self.shells + 1) * self.radial


@dataclass(frozen=True, eq=False)
class _Links:
    """What is kept of a block of neighbours once its local features are known."""

    centres_m: Ints
    offsets: NDArray[np.int64]
    j_p: Ints
    weights_p: Features


def link_bytes(cutoff: float) -> float:
    """Memory of an atom's links in single precision: 8 bytes for each in a dense glass (0.065 atoms/Å³)."""
    return float(8 * 0.065 * 4 / 3 * np.pi * cutoff**3)


def rows_of(
    descriptor: Any,
    structure: Structure,
    centres: NDArray[np.integer] | None,
    dtype: DTypeLike,
    table: Callable[[Structure, Ints | None], Features],
) -> Features:
    """Rows of ``centres`` (default: all atoms) in their order, from a table of all atoms.

    Args:
        descriptor: names the species it knows and its ``kind``.
        structure: atoms of any of these species.
        centres: atoms asked for, in any order, repeated or not.
        dtype: number type of the rows.
        table: makes the table for a structure in the descriptor's species and sorted centres (None: all).
    """
    known = structure.with_species(descriptor.species, owner=f"descriptor {descriptor.kind!r}")
    chosen = None if centres is None else np.asarray(centres, dtype=np.int32)
    if known.n_atoms == 0 or (chosen is not None and len(chosen) == 0):
        return np.empty((0, descriptor.n_features), dtype)
    whole = table(known, None if chosen is None else np.unique(chosen))
    return whole if chosen is None else whole[chosen]


def shell_table(
    structure: Structure,
    centres: Ints | None,
    cutoff: float,
    columns: Columns,
    local: Callable[[Neighbours, Features], None],
    find: Finder,
    dtype: DTypeLike,
) -> Features:
    """Features of all atoms, shape (n, width); rows other than ``centres`` (None: all) may be incomplete.

    ``local`` fills the columns of shell 0 for the centres of a block. Memory: the table and, per pair of
    neighbours, an index and a weight; everything else for one block of centres at a time.
    """
    needed = centres
    if centres is not None and columns.shells:
        needed = Surroundings.within(structure, columns.shells * cutoff)(centres)[0]
    table = (np.empty if centres is None else np.zeros)((structure.n_atoms, columns.width), dtype)
    links = []
    for block in find(structure, cutoff, needed):
        local(block, table)
        if columns.shells:
            links.append(_link(block, cutoff, dtype))
    for shell in range(1, columns.shells + 1):
        for link in links:
            _average(link, table, columns, shell)
    return table


def _link(block: Neighbours, length: float, dtype: DTypeLike) -> _Links:
    from glass_core.kernels.shells import link_weights

    weights = np.empty(len(block.j_p), dtype)
    for_ranges(lambda a, b: link_weights(a, b, block.vectors_pc, length, weights), len(weights))
    return _Links(block.centres_m, block.offsets, block.j_p, weights)


def _average(link: _Links, table: Features, columns: Columns, shell: int) -> None:
    from glass_core.kernels.shells import average

    flat = table.reshape(-1)
    for_ranges(
        lambda a, b: average(
            a, b, link.offsets, link.j_p, link.weights_p, link.centres_m, flat, columns.width,
            columns.radial, columns.angular, columns.shells, shell,
        ),
        len(link.centres_m),
    )  # fmt: skip
