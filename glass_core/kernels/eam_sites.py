"""Sites around moving atoms: frozen atoms and periodic images, and who may come close to whom.

A site is an atom at one of its images. The first sites are the moving atoms themselves, then come images of
moving atoms (which move along), then frozen atoms and their images.
"""

from __future__ import annotations

import math

import numpy as np

from glass_core.kernels.jit import njit, require_compiler

require_compiler()


@njit()
def sites_within(middle, radius, low, high, counts, periodic, starts, atoms, wrapped_nc, cell, skip_n):  # type: ignore[no-untyped-def]
    """All images of atoms within a distance of a place, Å, whose fractional place may lie between ``low`` and ``high``.

    Args:
        middle, radius: place and distance.
        low, high: corners; along directions that are not periodic in units of the atoms' extent.
        counts: bins along each box vector.
        periodic: whether bins repeat.
        starts, atoms: atoms of each bin.
        wrapped_nc: positions of atoms, wrapped along periodic directions, Å.
        cell: box vectors in rows.
        skip_n: atoms to leave out.

    Returns:
        Atoms, shape (s,), and positions, Å, shape (s, 3).
    """
    first, last = np.empty(3, np.int64), np.empty(3, np.int64)
    for c in range(3):
        first[c], last[c] = math.floor(low[c] * counts[c]), math.floor(high[c] * counts[c])
        if not periodic[c]:
            first[c], last[c] = max(first[c], 0), min(last[c], counts[c] - 1)
    room = 1024
    found, sites = np.empty(room, np.int32), np.empty((room, 3))
    n, place = 0, np.empty(3)
    for a in range(first[0], last[0] + 1):
        image_a = a // counts[0]
        for b in range(first[1], last[1] + 1):
            image_b = b // counts[1]
            line = ((a - image_a * counts[0]) * counts[1] + b - image_b * counts[1]) * counts[2]
            for c in range(first[2], last[2] + 1):
                image_c = c // counts[2]
                bin_ = line + c - image_c * counts[2]
                for at in range(starts[bin_], starts[bin_ + 1]):
                    if skip_n[atoms[at]]:
                        continue
                    r2 = 0.0
                    for d in range(3):
                        shift = image_a * cell[0, d] + image_b * cell[1, d] + image_c * cell[2, d]
                        place[d] = wrapped_nc[atoms[at], d] + shift
                        r2 += (place[d] - middle[d]) ** 2
                    if r2 > radius * radius:
                        continue
                    if n == room:
                        room *= 2
                        more, more_sites = np.empty(room, np.int32), np.empty((room, 3))
                        more[:n], more_sites[:n] = found, sites
                        found, sites = more, more_sites
                    found[n], sites[n] = atoms[at], place
                    n += 1
    return found[:n], sites[:n]


@njit()
def pair_sums(offsets, centres, j_p, vectors_pc, types_n, bases, columns, table, width, first, per_area, last, out):  # type: ignore[no-untyped-def]
    """out[i] = sum of a pair function over all neighbours of each centre i.

    Tables as in ``kernels.eam``: ``width`` numbers for each piece, of which four from ``first`` on are the function's.
    """
    for row in range(len(centres)):
        i = centres[row]
        total = 0.0
        for p in range(offsets[row], offsets[row + 1]):
            x, y, z = vectors_pc[p, 0], vectors_pc[p, 1], vectors_pc[p, 2]
            place = min((x * x + y * y + z * z) * per_area, last)
            k = int(place)
            t = place - k
            at = width * int(k + bases[types_n[i]] + columns[types_n[j_p[p]]]) + first
            total += ((table[at + 3] * t + table[at + 2]) * t + table[at + 1]) * t + table[at]
        out[i] = total
