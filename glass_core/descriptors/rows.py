"""Rows of features of many atoms, out of any descriptor, in blocks that fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core.domains import chunks
from glass_core.neighbours import Finder, neighbour_blocks
from glass_core.progress import Progress, share_of
from glass_core.structure import Ints, Structure

Features = NDArray[np.floating]
RowsOf = Callable[[Ints], Features]
_BLOCK_ROWS = 30_000
_PREPARATION = 0.9  # of the time of a prediction


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
