"""Where moving atoms are, and how far they have come since."""

from __future__ import annotations

import math

import numpy as np

from glass_core.kernels.jit import njit, uint64


@njit()
def travelled(positions_mc, since_mc):  # type: ignore[no-untyped-def]
    """Sum of the two largest displacements: the most by which any distance can have changed. nan if not finite."""
    first = second = 0.0
    for i in range(len(positions_mc)):
        d = 0.0
        for c in range(3):
            x = positions_mc[i, c] - since_mc[i, c]
            d += x * x
        if not d < np.inf:
            return np.nan
        if d > first:
            second, first = first, d
        elif d > second:
            second = d
    return math.sqrt(first) + math.sqrt(second)


@njit()
def place(positions_mc, order, shift_mc, copies, owners, lattice_kc, mobile, sites):  # type: ignore[no-untyped-def]
    """Puts moving atoms, in their internal order, and their images where they are."""
    for i in range(uint64(len(order))):
        for c in range(uint64(3)):
            sites[uint64(4) * i + c] = positions_mc[order[i], c] + shift_mc[i, c]
    for k in range(len(copies)):
        if copies[k] < mobile:
            for c in range(3):
                sites[4 * copies[k] + c] = sites[4 * owners[k] + c] + lattice_kc[k, c]


@njit()
def is_placed(positions_mc, order, shift_mc, sites):  # type: ignore[no-untyped-def]
    """Whether moving atoms are where ``place`` would put them."""
    for i in range(len(order)):
        for c in range(3):
            if sites[4 * i + c] != positions_mc[order[i], c] + shift_mc[i, c]:
                return False
    return True


@njit()
def find_hot(positions_mc, surrounded_mc, order, warm, farthest, copies, owners, mobile, hot):  # type: ignore[no-untyped-def]
    """Marks moving atoms, and their images, that have moved so far that candidates do not hold for them.

    Args:
        positions_mc, surrounded_mc: where atoms are, and where they were when candidates were sought, Å.
        order: of moving atoms as sites.
        warm: distance from which an atom is hot, Å.
        farthest: distance up to which its sites are known, Å.
        copies, owners, mobile: see ``Surroundings``.
        hot: the result, for each site.

    Returns:
        Their number, −1 if one is too far.
    """
    n = 0
    for i in range(len(order)):
        d = 0.0
        for c in range(3):
            d += (positions_mc[order[i], c] - surrounded_mc[order[i], c]) ** 2
        if d > farthest * farthest:
            return -1
        hot[i] = d > warm * warm
        n += hot[i]
    for q in range(len(copies)):
        if copies[q] < mobile:
            hot[copies[q]] = hot[owners[q]]
    return n
