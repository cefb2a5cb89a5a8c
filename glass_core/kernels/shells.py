"""Averages of features over neighbours."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, uint64

from glass_core.kernels.expansion import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def link_weights(start, stop, vectors_pc, length, weights):  # type: ignore[no-untyped-def]
    """weights[p] = exp(−r_p / length)."""
    for p in range(start, stop):
        x = vectors_pc[p, 0]
        y = vectors_pc[p, 1]
        z = vectors_pc[p, 2]
        weights[p] = math.exp(-math.sqrt(x * x + y * y + z * z) / length)


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def _add_scaled(weight, table, at, sums):  # type: ignore[no-untyped-def]
    for f in range(uint64(len(sums))):
        sums[f] += weight * table[at + f]


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def average(  # type: ignore[no-untyped-def]
    start, stop, offsets, j_p, weights, centres, table, width, radial, angular, shells, shell
):
    """Columns of ``shell`` = Σ_j w_ij (columns of shell − 1 of j) / Σ_j w_ij; zero without neighbours.

    ``table`` is flat with rows [B⁰ … B^K Q⁰ … Q^K] of length ``width``, ``radial`` and ``angular`` the sizes
    of B and Q, K = ``shells``. Sums are carried in double precision, so that the order of atoms does not
    show in single-precision features. Unsigned positions as in ``expansion``.
    """
    sums_b, sums_q = np.empty(radial), np.empty(angular)
    b, q = uint64((shell - 1) * radial), uint64((shells + 1) * radial + (shell - 1) * angular)
    for row in range(start, stop):
        sums_b[:] = 0.0
        sums_q[:] = 0.0
        total = 0.0
        for p in range(offsets[row], offsets[row + 1]):
            total += weights[p]
        if total > 0.0:
            for p in range(offsets[row], offsets[row + 1]):
                at = uint64(j_p[p]) * uint64(width)
                _add_scaled(weights[p] / total, table, at + b, sums_b)
                _add_scaled(weights[p] / total, table, at + q, sums_q)
        at = uint64(centres[row]) * uint64(width)
        for f in range(uint64(radial)):
            table[at + b + uint64(radial) + f] = sums_b[f]
        for f in range(uint64(angular)):
            table[at + q + uint64(angular) + f] = sums_q[f]
