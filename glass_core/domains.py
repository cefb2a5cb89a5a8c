"""Where atoms are: spatial order, the surroundings of some atoms, chunks of centres.

One mechanism serves "only selected atoms", millions of atoms in bounded memory, and the ranks of a
parallel simulation: a set of centres, and all atoms close enough to matter to them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from glass_core.structure import Floats, Ints, Structure

_MAX_BINS = 4_000_000


def _bins(structure: Structure, size: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bin of every atom along the three box vectors, shape (n, 3), and the numbers of bins.

    Bins are at least ``size`` Å wide between opposite faces. Along periodic directions atoms are wrapped.
    """
    inverse = np.linalg.inv(structure.cell_cc)
    fractional = structure.positions_nc @ inverse
    widths = 1.0 / np.linalg.norm(inverse, axis=0)
    low = np.zeros(3)
    span = np.ones(3)
    for axis in range(3):
        if structure.pbc[axis]:
            fractional[:, axis] -= np.floor(fractional[:, axis])
        elif structure.n_atoms:
            low[axis] = fractional[:, axis].min()
            span[axis] = max(float(np.ptp(fractional[:, axis])), 1e-12)
    limit = int(_MAX_BINS ** (1 / 3))
    counts = np.clip(np.floor(widths * span / size), 1, limit).astype(np.int64)
    index = ((fractional - low) / span * counts).astype(np.int64)
    return np.clip(index, 0, counts - 1), counts


def spatial_order(structure: Structure, centres: NDArray[np.integer], size: float) -> NDArray[np.intp]:
    """Order of the centres by bin (slowest along the longest box vector), so that runs are compact."""
    index, counts = _bins(structure, size)
    axes = np.argsort(counts)[::-1]
    key = np.zeros(len(centres), dtype=np.int64)
    for axis in axes:
        key = key * counts[axis] + index[centres, axis]
    return np.argsort(key, kind="stable")


def around(structure: Structure, centres: NDArray[np.integer], radius: float) -> tuple[Ints, Ints]:
    """Atoms that may lie within ``radius`` Å of a centre (all that do, and some that do not).

    Returns:
        Sorted indices of these atoms, and the place of each centre among them.
    """
    bins_per_radius = 3
    # A little wider than needed: rounding may put an atom on the edge between two bins into either.
    index, counts = _bins(structure, radius * (1 + 1e-6) / bins_per_radius)
    marked = np.zeros(tuple(counts), dtype=bool)
    marked[tuple(index[centres].T)] = True
    for axis in range(3):
        marked = _dilate(marked, axis, bins_per_radius, structure.pbc[axis])
    inside = np.flatnonzero(marked[tuple(index.T)]).astype(np.int32)
    return inside, np.searchsorted(inside, np.asarray(centres)).astype(np.int32)


def _dilate(marked: NDArray[np.bool_], axis: int, steps: int, periodic: bool) -> NDArray[np.bool_]:
    """Marks bins up to ``steps`` further along one axis. A bin narrower than its neighbours' reach is never cut:
    bins are at least radius / steps wide, so a point within the radius lies at most ``steps`` bins away."""
    grown = marked.copy()
    for step in range(1, steps + 1):
        for shift in (-step, step):
            moved = np.roll(marked, shift, axis=axis)
            if not periodic:
                edge = [slice(None)] * 3
                edge[axis] = slice(None, shift) if shift > 0 else slice(shift, None)
                moved[tuple(edge)] = False
            grown |= moved
    return grown


def chunks(structure: Structure, centres: NDArray[np.integer], most: int, size: float) -> Iterator[Ints]:
    """Centres in compact groups of at most ``most``: recursive halving along the widest direction.

    Compact groups keep the surface, and so the surroundings computed twice, small. Centres keep
    ascending order within a group.
    """
    wanted = np.asarray(centres, dtype=np.int32)
    if len(wanted) <= most:
        yield wanted
        return
    index, _ = _bins(structure, size)
    widths = 1.0 / np.linalg.norm(np.linalg.inv(structure.cell_cc), axis=0)
    _, counts = index, index.max(axis=0) + 1
    yield from _halve(wanted, index[wanted] * (widths / counts), most)


def _halve(centres: Ints, places_mc: Floats, most: int) -> Iterator[Ints]:
    if len(centres) <= most:
        yield np.sort(centres)
        return
    axis = int(np.argmax(np.ptp(places_mc, axis=0)))
    order = np.argsort(places_mc[:, axis], kind="stable")
    groups = -(-len(centres) // most)
    cut = len(centres) * (groups // 2) // groups
    for part in (order[:cut], order[cut:]):
        yield from _halve(centres[part], places_mc[part], most)
