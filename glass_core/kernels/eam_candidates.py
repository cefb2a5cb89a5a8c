"""Candidates for the neighbours of moving atoms: all that is near enough to matter until atoms have moved far."""

from __future__ import annotations

import math

import numpy as np

from glass_core.kernels.eam_pointers import pointer, read, within, write
from glass_core.kernels.jit import njit, uint64

_MOST_CELLS = 400_000
_SIDE = 3


@njit()
def _grid(sites_sc, reach, low, counts):  # type: ignore[no-untyped-def]
    """Lower corner and numbers of cells; returns their width, a third of the reach unless sites lie far apart."""
    width, cells = reach / _SIDE / 2.0, np.inf
    for c in range(3):
        low[c] = sites_sc[:, c].min()
    while cells > _MOST_CELLS:
        width *= 2.0
        cells = 1.0
        for c in range(3):
            along = math.floor((sites_sc[:, c].max() - low[c]) / width) + 1.0
            cells *= along
            counts[c] = int(min(along, 1e9))
    return width


@njit()
def _sort(sites_sc, low, width, counts):  # type: ignore[no-untyped-def]
    """Sites by cells: where each cell begins, and the sites."""
    starts, number = np.zeros(counts.prod() + 1, np.int64), np.empty(len(sites_sc), np.int64)
    for s in range(len(sites_sc)):
        at = 0
        for c in range(3):
            at = at * counts[c] + min(int((sites_sc[s, c] - low[c]) / width), counts[c] - 1)
        number[s] = at
        starts[at + 1] += 1
    for k in range(len(starts) - 1):
        starts[k + 1] += starts[k]
    cursor, order = starts[:-1].copy(), np.empty(len(sites_sc), np.int32)
    for s in range(len(sites_sc)):
        order[cursor[number[s]]] = s
        cursor[number[s]] += 1
    return starts, order


@njit(forceinline=True)
def _select(first, last, i, here, where, moving, mobile, n, rows, held, frozen):  # type: ignore[no-untyped-def]
    """Adds the sites of some cells to a row: mobile ones to ``rows``, frozen ones to ``frozen``; returns new counts.

    All are written, and those that count are kept: there is no branch to guess. Arrays come as pointers.
    """
    sorted_places, order, kinds, ahead, reach2 = where
    for at in range(first, last):
        u = read(sorted_places, uint64(3) * at) - here[0]
        v = read(sorted_places, uint64(3) * at + uint64(1)) - here[1]
        w = read(sorted_places, uint64(3) * at + uint64(2)) - here[2]
        listed = within(u * u + v * v + w * w, read(reach2, uint64(read(kinds, at))))
        s = read(order, at)
        write(rows, n, s)
        write(frozen, held, s)
        later = uint64((s > i) & (s < moving)) | uint64(read(ahead, uint64(s)))
        n += listed & later
        held += listed & uint64(s >= mobile)
    return n, held


@njit()
def candidates(sites_sc, types_s, moving, mobile, forward_s, reach2_tt):  # type: ignore[no-untyped-def]
    """Sites that lie within reach of each moving atom; of two moving atoms only the later is listed for the other.

    Args:
        sites_sc: positions, shape (s, 3).
        types_s: species.
        moving: number of moving atoms, the first sites.
        mobile: number of sites that move, which includes images of moving atoms.
        forward_s: see ``Surroundings``.
        reach2_tt: squared reach by species, Å².

    Returns:
        Offsets, where the frozen ones begin in each row, and the sites.
    """
    low, counts, reach = np.empty(3), np.empty(3, np.int64), math.sqrt(reach2_tt.max())
    width = _grid(sites_sc, reach, low, counts)
    starts, order = _sort(sites_sc, low, width, counts)
    sorted_sc, kinds = sites_sc[order], types_s[order]
    offsets, middle = np.zeros(moving + 1, np.int64), np.empty(moving, np.int64)
    rows, frozen = np.empty(256 * moving + len(sites_sc) + 1, np.int32), np.empty(len(sites_sc) + 1, np.int32)
    first, last = np.empty(3, np.int64), np.empty(3, np.int64)
    n = uint64(0)
    for i in range(moving):
        if n + len(sites_sc) >= len(rows):
            more = np.empty(2 * len(rows), np.int32)
            more[:n] = rows[:n]
            rows = more
        here, held = (sites_sc[i, 0], sites_sc[i, 1], sites_sc[i, 2]), uint64(0)
        for c in range(3):
            first[c] = max(int((here[c] - reach - low[c]) / width), 0)
            last[c] = min(int((here[c] + reach - low[c]) / width), counts[c] - 1)
        reach2_t = reach2_tt[types_s[i]]
        where = pointer(sorted_sc), pointer(order), pointer(kinds), pointer(forward_s), pointer(reach2_t)
        for a in range(first[0], last[0] + 1):
            for b in range(first[1], last[1] + 1):
                line = (a * counts[1] + b) * counts[2]
                begin, end = uint64(starts[line + first[2]]), uint64(starts[line + last[2] + 1])
                n, held = _select(begin, end, i, here, where, moving, mobile, n, pointer(rows), held, pointer(frozen))
        middle[i] = n
        rows[n : n + held] = frozen[:held]
        n += held
        offsets[i + 1] = n
    return offsets, middle, rows[:n].copy()


@njit()
def repeats(atoms_s, mobile, always, atoms):  # type: ignore[no-untyped-def]
    """Fixed atoms with several sites, and those without any.

    Args:
        atoms_s: atom of each site.
        mobile: number of sites that move, which come first.
        always: fixed atoms that are to have a site.
        atoms: number of atoms in the structure.

    Returns:
        Sites of atoms that have had one before, their first sites, and the atoms of ``always`` without a site.
    """
    first_n, n = np.full(atoms, -1, np.int32), 0
    again, first = np.empty(len(atoms_s), np.int32), np.empty(len(atoms_s), np.int32)
    for s in range(mobile, len(atoms_s)):
        if first_n[atoms_s[s]] < 0:
            first_n[atoms_s[s]] = s
        else:
            again[n], first[n] = s, first_n[atoms_s[s]]
            n += 1
    missing = np.array([a for a in always if first_n[a] < 0], np.int32)
    return again[:n].copy(), first[:n].copy(), missing
