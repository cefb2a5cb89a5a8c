"""From an unordered half list of pairs to rows of neighbours per centre."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count_rows(i_p, j_p, offsets):  # type: ignore[no-untyped-def]
    """offsets[i + 1] = number of neighbours of atom i, summed up to offsets."""
    for p in range(len(i_p)):
        offsets[i_p[p] + 1] += 1
        offsets[j_p[p] + 1] += 1
    for i in range(len(offsets) - 1):
        offsets[i + 1] += offsets[i]


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def transpose_rows(i_p, j_p, vectors_pc, offsets, pair, out_j, out_vectors):  # type: ignore[no-untyped-def]
    """Rows with ascending neighbours: walking all rows i in order appends i to the row of each neighbour."""
    cursor = offsets[:-1].copy()
    for i in range(len(offsets) - 1):
        for at in range(offsets[i], offsets[i + 1]):
            p = pair[at]
            sign = -1.0
            if p < 0:
                p = -p - 1
                j = i_p[p]
                sign = 1.0
            else:
                j = j_p[p]
            to = cursor[j]
            cursor[j] += 1
            out_j[to] = i
            out_vectors[to, 0] = sign * vectors_pc[p, 0]
            out_vectors[to, 1] = sign * vectors_pc[p, 1]
            out_vectors[to, 2] = sign * vectors_pc[p, 2]


@njit(cache=True, nogil=True)
def _before(j, v, a_j, a_v):  # type: ignore[no-untyped-def]
    """Whether neighbour (j, v) sorts before (a_j, a_v): by index, then by vector (several images)."""
    if j != a_j:
        return j < a_j
    for c in range(3):
        if v[c] != a_v[c]:
            return v[c] < a_v[c]
    return False


@njit(cache=True, nogil=True)
def order_images(offsets, j_p, vectors_pc):  # type: ignore[no-untyped-def]
    """Orders images of one neighbour by vector; returns the pair index of the shortest vector (−1: none)."""
    v = np.empty(3)
    shortest = np.inf
    where = -1
    for i in range(len(offsets) - 1):
        for p in range(offsets[i], offsets[i + 1]):
            r2 = vectors_pc[p, 0] ** 2 + vectors_pc[p, 1] ** 2 + vectors_pc[p, 2] ** 2
            if r2 < shortest:
                shortest = r2
                where = p
            if p == offsets[i] or j_p[p] != j_p[p - 1]:
                continue
            j = j_p[p]
            v[:] = vectors_pc[p]
            q = p
            while q > offsets[i] and _before(j, v, j_p[q - 1], vectors_pc[q - 1]):
                vectors_pc[q] = vectors_pc[q - 1]
                q -= 1
            vectors_pc[q] = v
    return where
