"""Boxes that vesin's cell list can divide: long, thin and nearly empty ones need help.

vesin sorts atoms into at most 10⁵ cells, none smaller than the cutoff. Where a box would have more, it makes all
cells larger by one factor. A direction that had few cells is then left with none, and the process dies of a
division by zero.
"""

from __future__ import annotations

import numpy as np

from glass_core.structure import Floats, Structure

_MOST_CELLS = 1e5
# Rounding takes less than two of so many cells.
_FEWEST_CELLS = 3
_CLOSED_GAP = 1.01


def heights(cell: Floats) -> Floats:
    """Distances between opposite faces of a box, Å, shape (3,)."""
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0))


def _cells(lengths: Floats, cutoff: float) -> Floats:
    """How many cells as wide as the cutoff fit into each length."""
    return np.maximum(np.floor(lengths / cutoff), 1.0)


def can_be_divided(cell: Floats, cutoff: float) -> bool:
    """Whether vesin finds at least one cell along every direction of a box."""
    cells = _cells(heights(cell), cutoff)
    factor = float(_MOST_CELLS / cells.prod()) ** (1 / 3)
    return factor >= 1 or bool(cells.min() * factor >= _FEWEST_CELLS)


def for_cell_list(structure: Structure, cutoff: float) -> tuple[Floats, Floats]:
    """Positions and cell for vesin, periodic in all directions: open ones get so much space that no pair spans it.

    (For boxes that are periodic in only some directions, vesin's time grows with the square of the atoms.)
    Where there are more cells than vesin makes, gaps between atoms that are wider than the cutoff are closed
    down to little more than the cutoff. Neither neighbours nor the vectors to them change by that.
    """
    cell, tall = structure.cell_cc.copy(), heights(structure.cell_cc)
    places_nc = structure.positions_nc @ np.linalg.inv(cell) * tall
    lengths = np.where(structure.pbc, tall, np.ptp(places_nc, axis=0) + 2 * cutoff)
    divisible = _cells(lengths, cutoff).prod() <= _MOST_CELLS
    if divisible and all(structure.pbc):
        return structure.positions_nc, cell
    moves_nc = np.zeros_like(places_nc)
    for axis, periodic in enumerate(structure.pbc):
        if divisible and periodic:
            continue
        place_n = places_nc[:, axis] % tall[axis] if periodic else places_nc[:, axis]
        new_n = place_n - place_n.min() if divisible else _without_gaps(place_n, _CLOSED_GAP * cutoff)
        if periodic:
            height = new_n.max() + min(tall[axis] - np.ptp(place_n), _CLOSED_GAP * cutoff)
        else:
            new_n, height = new_n + cutoff, new_n.max() + 2 * cutoff
        moves_nc[:, axis] = (new_n - places_nc[:, axis]) / tall[axis]
        cell[axis] *= height / tall[axis]
    return structure.positions_nc + moves_nc @ structure.cell_cc, cell


def _without_gaps(place_n: Floats, widest: float) -> Floats:
    """Places along a line, counted from the first, with no gap between neighbours wider than ``widest``."""
    order = np.argsort(place_n)
    along = place_n[order]
    too_wide = np.maximum(np.diff(along, prepend=along[0]) - widest, 0.0)
    result = np.empty_like(place_n)
    result[order] = along - along[0] - np.cumsum(too_wide)
    return result
