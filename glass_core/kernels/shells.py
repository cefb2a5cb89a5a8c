"""Averages of features over neighbours."""

from __future__ import annotations

import math

import numpy as np

from glass_core.kernels.jit import njit, require_compiler, uint64

require_compiler()


@njit(fast=True)
def link_weights(start, stop, vectors_pc, length, weights):  # type: ignore[no-untyped-def]
    """weights[p] = exp(−r_p / length)."""
    for p in range(start, stop):
        x = vectors_pc[p, 0]
        y = vectors_pc[p, 1]
        z = vectors_pc[p, 2]
        weights[p] = math.exp(-math.sqrt(x * x + y * y + z * z) / length)


@njit(fast=True)
def _add_scaled(weight, table, at, sums):  # type: ignore[no-untyped-def]
    for f in range(uint64(len(sums))):
        sums[f] += weight * table[at + f]


@njit(fast=True)
def average(start, stop, ring, starts, stops, j_p, weights, place, width, before, after):  # type: ignore[no-untyped-def]
    """Row r of ``after`` = Σ_j w_ij (row place[j] of ``before``) / Σ_j w_ij for i = ring[r]; zero without neighbours.

    Both tables are flat with rows of length ``width``. Sums are carried in double precision, so that the order
    of atoms does not show in single-precision features. Unsigned positions as in ``expansion``.
    """
    sums = np.empty(width)
    for row in range(start, stop):
        first, last = starts[ring[row]], stops[ring[row]]
        sums[:] = 0.0
        total = 0.0
        for p in range(first, last):
            total += weights[p]
        if total > 0.0:
            for p in range(first, last):
                _add_scaled(weights[p] / total, before, uint64(place[j_p[p]]) * uint64(width), sums)
        at = uint64(row) * uint64(width)
        for f in range(uint64(width)):
            after[at + f] = sums[f]


@njit()
def mark(ring, starts, stops, j_p, marked):  # type: ignore[no-untyped-def]
    """Marks the atoms of a ring and all their neighbours."""
    for row in range(len(ring)):
        i = ring[row]
        marked[i] = True
        for p in range(starts[i], stops[i]):
            marked[j_p[p]] = True
