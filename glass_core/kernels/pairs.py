"""From an unordered half list of pairs to rows of neighbours per centre."""

from __future__ import annotations

import numpy as np

from glass_core.kernels.jit import njit


@njit()
def count_rows(i_p, j_p, offsets):  # type: ignore[no-untyped-def]
    """offsets[i + 1] = number of neighbours of atom i, summed up to offsets."""
    for p in range(len(i_p)):
        offsets[i_p[p] + 1] += 1
        offsets[j_p[p] + 1] += 1
    for i in range(len(offsets) - 1):
        offsets[i + 1] += offsets[i]


@njit()
def fill_rows(i_p, j_p, offsets, out_pair):  # type: ignore[no-untyped-def]
    """Row i lists its pairs in the order found, as p (i is the first atom of p) or −p − 1 (the second)."""
    cursor = offsets[:-1].copy()
    for p in range(len(i_p)):
        i = i_p[p]
        out_pair[cursor[i]] = p
        cursor[i] += 1
        j = j_p[p]
        out_pair[cursor[j]] = -p - 1
        cursor[j] += 1


@njit()
def transpose_rows(i_p, j_p, offsets, pair, out_pair):  # type: ignore[no-untyped-def]
    """Pairs in the order of ascending neighbours.

    Walking all rows i in order appends i to the row of each neighbour.
    """
    cursor = offsets[:-1].copy()
    for i in range(len(offsets) - 1):
        for at in range(offsets[i], offsets[i + 1]):
            p = pair[at]
            j = i_p[-p - 1] if p < 0 else j_p[p]
            out_pair[cursor[j]] = -p - 1
            cursor[j] += 1


@njit()
def gather(start, stop, i_p, j_p, vectors_pc, pair, out_j, out_vectors):  # type: ignore[no-untyped-def]
    """Neighbour and vector of each pair p (from its first atom), or of −p − 1 (from its second)."""
    for at in range(start, stop):
        p = pair[at]
        sign = 1.0
        if p < 0:
            p = -p - 1
            sign = -1.0
            out_j[at] = i_p[p]
        else:
            out_j[at] = j_p[p]
        out_vectors[at, 0] = sign * vectors_pc[p, 0]
        out_vectors[at, 1] = sign * vectors_pc[p, 1]
        out_vectors[at, 2] = sign * vectors_pc[p, 2]


@njit()
def count_near(start, stop, offsets, vectors_pc, limit, counts):  # type: ignore[no-untyped-def]
    """counts[i] = number of vectors of row i whose square is at most ``limit``."""
    for i in range(start, stop):
        count = 0
        for p in range(offsets[i], offsets[i + 1]):
            count += vectors_pc[p, 0] ** 2 + vectors_pc[p, 1] ** 2 + vectors_pc[p, 2] ** 2 <= limit
        counts[i] = count


@njit()
def copy_near(start, stop, offsets, j_p, vectors_pc, limit, out_offsets, out_j, out_vectors):  # type: ignore[no-untyped-def]
    """The rows of ``count_near``, those vectors alone."""
    for i in range(start, stop):
        at = out_offsets[i]
        for p in range(offsets[i], offsets[i + 1]):
            x, y, z = vectors_pc[p, 0], vectors_pc[p, 1], vectors_pc[p, 2]
            if x**2 + y**2 + z**2 <= limit:
                out_j[at] = j_p[p]
                out_vectors[at, 0], out_vectors[at, 1], out_vectors[at, 2] = x, y, z
                at += 1


@njit()
def _before(j, v, a_j, a_v):  # type: ignore[no-untyped-def]
    """Whether neighbour (j, v) sorts before (a_j, a_v): by index, then by vector (several images)."""
    if j != a_j:
        return j < a_j
    for c in range(3):
        if v[c] != a_v[c]:
            return v[c] < a_v[c]
    return False


@njit()
def order_images(start, stop, offsets, j_p, vectors_pc, shortest):  # type: ignore[no-untyped-def]
    """Orders images of one neighbour by vector; shortest[i] = the squared length of the shortest vector of row i."""
    v = np.empty(3)
    for i in range(start, stop):
        shortest[i] = np.inf
        for p in range(offsets[i], offsets[i + 1]):
            r2 = vectors_pc[p, 0] ** 2 + vectors_pc[p, 1] ** 2 + vectors_pc[p, 2] ** 2
            if r2 < shortest[i]:
                shortest[i] = r2
            if p == offsets[i] or j_p[p] != j_p[p - 1]:
                continue
            j = j_p[p]
            v[:] = vectors_pc[p]
            q = p
            while q > offsets[i] and _before(j, v, j_p[q - 1], vectors_pc[q - 1]):
                vectors_pc[q] = vectors_pc[q - 1]
                q -= 1
            vectors_pc[q] = v
