"""Averages of features over neighbours."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

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
def _add_scaled(weight, source_f, out_f):  # type: ignore[no-untyped-def]
    for f in range(len(out_f)):
        out_f[f] += weight * source_f[f]


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def average(start, stop, offsets, j_p, weights, rows, source, out):  # type: ignore[no-untyped-def]
    """out[rows[i]] = Σ_j w_ij source[j] / Σ_j w_ij over the neighbours j of row i; zero without neighbours.

    Sums are carried in double precision, so that the order of atoms does not show in single-precision features.
    """
    sums = np.empty(source.shape[1])
    for i in range(start, stop):
        sums[:] = 0.0
        total = 0.0
        for p in range(offsets[i], offsets[i + 1]):
            total += weights[p]
        if total > 0.0:
            for p in range(offsets[i], offsets[i + 1]):
                _add_scaled(weights[p] / total, source[j_p[p]], sums)
        row = out[rows[i]]
        for f in range(len(sums)):
            row[f] = sums[f]
