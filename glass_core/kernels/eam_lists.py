"""Rows of near sites that the loops over pairs walk along, made anew from candidates when atoms have moved."""

from __future__ import annotations

import numpy as np

from glass_core.kernels.eam_pointers import pointer, read, within, write
from glass_core.kernels.jit import njit, uint64


@njit(forceinline=True)
def _sort_in(s, ok, place, sites, types, limits, rows, n, spare, held):  # type: ignore[no-untyped-def]
    """Adds a site that is near: one of a dense pair to ``rows``, another to ``spare``; returns new counts.

    It is written to both, and where it counts it is kept: there is no branch to guess. Arrays come as pointers.
    """
    to, kind = uint64(4) * uint64(s), uint64(read(types, uint64(s)))
    u, v, w = read(sites, to) - place[0], read(sites, to + uint64(1)) - place[1], read(sites, to + uint64(2)) - place[2]
    r2 = u * u + v * v + w * w
    dense, listed = within(r2, read(limits[0], kind)), within(r2, read(limits[1], kind))
    write(rows, n, s)
    write(spare, held, s)
    return n + (dense & ok), held + (listed & ok & (uint64(1) - dense))


@njit(forceinline=True)
def _of_candidates(first, last, near, hot, place, sites, types, limits, rows, n, spare, held):  # type: ignore[no-untyped-def]
    """The near ones of some candidates; hot ones have the pair in their own row."""
    for p in range(first, last):
        s = read(near, p)
        ok = uint64(1) - uint64(read(hot, uint64(s)))
        n, held = _sort_in(s, ok, place, sites, types, limits, rows, n, spare, held)
    return n, held


@njit(forceinline=True)
def _of_all(first, last, i, moving, forward, hot, place, sites, types, limits, rows, n, spare, held):  # type: ignore[no-untyped-def]
    """The near ones of all sites from first to last, for the hot atom i: pairs of two hot ones count in one row."""
    for s in range(first, last):
        both = uint64(read(hot, s))
        ahead = uint64((s > i) & (s < moving)) | uint64(read(forward, s))
        ok = (both & ahead) | ((uint64(1) - both) & uint64(s != i))
        n, held = _sort_in(np.int32(s), ok, place, sites, types, limits, rows, n, spare, held)
    return n, held


@njit(forceinline=True)
def _fill(rows, n, far):  # type: ignore[no-untyped-def]
    """Fills up to a multiple of four."""
    while n % uint64(4) > uint64(0):
        write(rows, n, far)
        n += uint64(1)
    return n


@njit(error_model="numpy")
def refresh(  # type: ignore[no-untyped-def]
    candidates, middle, near, forward, hot, dense2_tt, reach2_tt, types, sites, mobile, copies, owners, shared, offsets,
    rows, spare, touched,
):  # fmt: skip
    """Rows of the sites that are near now, laid out as ``kernels.eam`` says; returns how many sites are touched.

    If there is not enough room, because several hot atoms came close to many others, it returns −1.

    Args:
        candidates, middle, near: where those of each moving atom begin, where frozen ones begin, and which they are.
        forward: see ``Surroundings``.
        hot: atoms for which candidates do not hold: all sites are looked through.
        dense2_tt, reach2_tt: squared distances up to which a pair is dense, and is listed at all, Å².
        types, sites: species and places of sites.
        mobile, copies, owners: see ``Surroundings``.
        shared: frozen sites that had density from moving atoms at rest.
        offsets, rows: the result.
        spare: room for a row.
        touched: the result: frozen sites whose density is not that of the structure, owners of copies.
    """
    all_sites, moving, half_sites = uint64(len(types)), uint64(len(middle)), uint64(mobile)
    near_at, sites_at, types_at, hot_at = pointer(near), pointer(sites), pointer(types), pointer(hot)
    rows_at, spare_at, forward_at, n = pointer(rows), pointer(spare), pointer(forward), uint64(0)
    for i in range(moving):
        at, held, kind = uint64(4) * i, uint64(0), types[i]
        place_i = sites[at], sites[at + uint64(1)], sites[at + uint64(2)]
        limits = pointer(dense2_tt[kind]), pointer(reach2_tt[kind])
        first, half, last = uint64(candidates[i]), uint64(middle[i]), uint64(candidates[i + uint64(1)])
        if n + (all_sites if hot[i] else last - first) + uint64(8) > uint64(len(rows)):
            return -1
        given = place_i, sites_at, types_at, limits, rows_at
        offsets[at] = n
        if hot[i]:
            n, held = _of_all(uint64(0), half_sites, i, moving, forward_at, hot_at, *given, n, spare_at, held)
        else:
            n, held = _of_candidates(first, half, near_at, hot_at, *given, n, spare_at, held)
        offsets[at + uint64(1)], split = n, held
        if hot[i]:
            n, held = _of_all(half_sites, all_sites, i, moving, forward_at, hot_at, *given, n, spare_at, held)
        else:
            n, held = _of_candidates(half, last, near_at, hot_at, *given, n, spare_at, held)
        n = _fill(rows_at, n, np.int32(all_sites))
        offsets[at + uint64(2)], offsets[at + uint64(3)] = n, n + split
        for p in range(held):
            write(rows_at, n + p, read(spare_at, p))
        n = _fill(rows_at, n + held, np.int32(all_sites))
    offsets[uint64(4) * moving] = n
    return _touch(offsets, rows, len(middle), mobile, copies, owners, shared, len(types), touched)


@njit()
def _touch(offsets, rows, moving, mobile, copies, owners, shared, sites, touched):  # type: ignore[no-untyped-def]
    """Frozen sites that are in a dense row or were so at rest; of copies their owners. Returns how many."""
    marked, n = np.zeros(sites + 1, np.int8), 0
    for i in range(uint64(moving)):
        for p in range(uint64(offsets[uint64(4) * i + uint64(1)]), uint64(offsets[uint64(4) * i + uint64(2)])):
            marked[uint64(rows[p])] = 1
    for q in range(len(copies)):
        marked[owners[q]] |= marked[copies[q]]
        marked[copies[q]] = 0
    for q in range(len(shared)):
        marked[shared[q]] = 1
    for s in range(uint64(mobile), uint64(sites)):
        touched[n] = s
        n += marked[s]
    return n
