"""Bessel–spherical-harmonic expansion of neighbour densities, one centre at a time.

Symbols: channel a (a group of neighbours: all, or one species), radial index n, degree l, order m::

    R_n(r)     = sqrt(2 / r_c) sin(n π r / r_c) / r
    c(a,l,m,n) = Σ_{j of channel a} R_n(r_ij) Y_lm(r̂_ij)          real, orthonormal Y_lm
    P(a,b,l,n) = Σ_m c(a,l,m,n) c(b,l,m,n)

Neighbours of a centre are laid out along lines of one flat buffer, so that every inner loop runs
over neighbours with vector instructions, and sums for eight radial functions are carried in
registers at once. Positions in the buffer are unsigned: numba then omits its check for negative
indices, which would prevent vector instructions, and no array views are made (their reference
counts cost more than the arithmetic). sin and cos come from their Taylor series on [−π/2, π/2]
(truncation below 2e-17), which vectorises where calls into libm do not.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from glass_core.kernels.jit import njit, require_compiler, uint64

require_compiler()

RAW, ROBUST, PAPER = 0, 1, 2
_LANES = 4
_RADIAL_BLOCK = 8
# Lines of the scratch buffer; the radial functions follow.
_X, _Y, _Z, _R, _SCALE, _COS, _SIN, _LEGENDRE, _RADIAL = 0, 1, 2, 3, 4, 5, 6, 7, 10


def legendre_coefficients(l_max: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients of the recurrence for normalised associated Legendre functions over sin^m.

    ``P(m,m) = d[m]``, ``P(l,m) = a[l,m] (z P(l−1,m) − b[l,m] P(l−2,m))``; with the azimuthal
    polynomials Re, Im (x + iy)^m they give real orthonormal spherical harmonics (m ≠ 0 carries √2).
    """
    a = np.zeros((l_max + 1, l_max + 1))
    b = np.zeros((l_max + 1, l_max + 1))
    d = np.zeros(l_max + 1)
    d[0] = math.sqrt(1 / (4 * math.pi))
    for m in range(1, l_max + 1):
        factor = math.sqrt(2.0) if m == 1 else 1.0
        d[m] = d[m - 1] * math.sqrt((2 * m + 1) / (2 * m)) * factor
    for l in range(1, l_max + 1):  # noqa: E741 - the field's symbol
        for m in range(l):
            a[l, m] = math.sqrt((4 * l * l - 1) / (l * l - m * m))
            b[l, m] = math.sqrt(((l - 1) ** 2 - m * m) / (4 * (l - 1) ** 2 - 1)) if l > 1 else 0.0
    return a, b, d


@njit(fast=True, error_model="numpy")
def _load(vectors_pc, order, cutoff, buffer, w):  # type: ignore[no-untyped-def]
    """Unit vectors, distances and sqrt(2 / r_c) / r of the pairs in ``order``; padding gets scale 0."""
    x, y, z, r, scale = w * uint64(_X), w * uint64(_Y), w * uint64(_Z), w * uint64(_R), w * uint64(_SCALE)
    for k in range(w):
        p = order[k]
        if p < 0:
            buffer[x + k] = 1.0
            buffer[y + k] = 0.0
            buffer[z + k] = 0.0
            buffer[r + k] = cutoff
            buffer[scale + k] = 0.0
        else:
            dx = vectors_pc[p, 0]
            dy = vectors_pc[p, 1]
            dz = vectors_pc[p, 2]
            distance = math.sqrt(dx * dx + dy * dy + dz * dz)
            buffer[x + k] = dx / distance
            buffer[y + k] = dy / distance
            buffer[z + k] = dz / distance
            buffer[r + k] = distance
            buffer[scale + k] = math.sqrt(2.0 / cutoff) / distance


@njit(fast=True, error_model="numpy")
def _radial(cutoff, n_pad, buffer, w):  # type: ignore[no-untyped-def]
    """Line _RADIAL + n − 1 = R_n(r_k), by sin((n+1)θ) = 2 cos θ sin(nθ) − sin((n−1)θ)."""
    r, scale, first = w * uint64(_R), w * uint64(_SCALE), w * uint64(_RADIAL)
    for k in range(w):
        f = math.pi / cutoff * buffer[r + k] - 0.5 * math.pi
        g = f * f
        # sin θ = cos f, cos θ = −sin f with θ = f + π/2
        c = 1.0 + g * (-1 / 2 + g * (1 / 24 + g * (-1 / 720 + g * (1 / 40320 + g * (-1 / 3628800 + g * (
            1 / 479001600 + g * (-1 / 87178291200 + g * (1 / 20922789888000 + g * (
                -1 / 6402373705728000 + g * (1 / 2432902008176640000))))))))))  # fmt: skip
        s = f * (1.0 + g * (-1 / 6 + g * (1 / 120 + g * (-1 / 5040 + g * (1 / 362880 + g * (-1 / 39916800 + g * (
            1 / 6227020800 + g * (-1 / 1307674368000 + g * (1 / 355687428096000 + g * (
                -1 / 121645100408832000 + g * (1 / 51090942171709440000)))))))))))  # fmt: skip
        buffer[first + k] = c * buffer[scale + k]
        buffer[r + k] = -2.0 * s
        buffer[first + w + k] = buffer[r + k] * buffer[first + k]
    for n in range(uint64(2), n_pad):
        now = first + w * n
        for k in range(w):
            buffer[now + k] = buffer[r + k] * buffer[now - w + k] - buffer[now - w - w + k]


@njit(fast=True, error_model="numpy")
def _raise_order(buffer, w):  # type: ignore[no-untyped-def]
    """cos + i sin ← (x + i y)(cos + i sin)."""
    x, y, cos, sin = w * uint64(_X), w * uint64(_Y), w * uint64(_COS), w * uint64(_SIN)
    for k in range(w):
        c = buffer[x + k] * buffer[cos + k] - buffer[y + k] * buffer[sin + k]
        buffer[sin + k] = buffer[x + k] * buffer[sin + k] + buffer[y + k] * buffer[cos + k]
        buffer[cos + k] = c


@njit(fast=True, error_model="numpy")
def _raise_degree(a, b, buffer, w, last, before, now):  # type: ignore[no-untyped-def]
    """now = a (z last − b before)."""
    z = w * uint64(_Z)
    for k in range(w):
        buffer[now + k] = a * (buffer[z + k] * buffer[last + k] - b * buffer[before + k])


@njit(fast=True, error_model="numpy")
def _project(buffer, w, line, legendre, even, odd, at):  # type: ignore[no-untyped-def]
    """even[at + n] = Σ_k R_n P cos_m, odd[at + n] = Σ_k R_n P sin_m for the eight lines from ``line``."""
    e0 = e1 = e2 = e3 = e4 = e5 = e6 = e7 = 0.0
    o0 = o1 = o2 = o3 = o4 = o5 = o6 = o7 = 0.0
    cos, sin = w * uint64(_COS), w * uint64(_SIN)
    l1 = line + w
    l2 = l1 + w
    l3 = l2 + w
    l4 = l3 + w
    l5 = l4 + w
    l6 = l5 + w
    l7 = l6 + w
    for k in range(w):
        c = buffer[legendre + k] * buffer[cos + k]
        s = buffer[legendre + k] * buffer[sin + k]
        e0 += buffer[line + k] * c
        o0 += buffer[line + k] * s
        e1 += buffer[l1 + k] * c
        o1 += buffer[l1 + k] * s
        e2 += buffer[l2 + k] * c
        o2 += buffer[l2 + k] * s
        e3 += buffer[l3 + k] * c
        o3 += buffer[l3 + k] * s
        e4 += buffer[l4 + k] * c
        o4 += buffer[l4 + k] * s
        e5 += buffer[l5 + k] * c
        o5 += buffer[l5 + k] * s
        e6 += buffer[l6 + k] * c
        o6 += buffer[l6 + k] * s
        e7 += buffer[l7 + k] * c
        o7 += buffer[l7 + k] * s
    one = uint64(1)
    for e, o in ((e0, o0), (e1, o1), (e2, o2), (e3, o3), (e4, o4), (e5, o5), (e6, o6), (e7, o7)):
        even[at] = e
        odd[at] = o
        at += one


@njit(fast=True, error_model="numpy")
def _angular(buffer, w, n_pad, l_max, a, b, d, even, odd, at):  # type: ignore[no-untyped-def]
    """Coefficients c(l, ±m, n) of one channel for l ≥ 1, at ``at + ((l_max + 1) l + m) n_pad + n``."""
    cos, sin = w * uint64(_COS), w * uint64(_SIN)
    degrees = uint64(l_max + 1)
    legendre = w * uint64(_LEGENDRE)
    block = uint64(_RADIAL_BLOCK)
    for k in range(w):
        buffer[cos + k] = 1.0
        buffer[sin + k] = 0.0
    for m in range(degrees):
        if m > 0:
            _raise_order(buffer, w)
        now, last, before = legendre, legendre + w, legendre + w + w
        for k in range(w):
            buffer[now + k] = d[m]
            buffer[last + k] = 0.0
        for l in range(m, degrees):  # noqa: E741
            if l > m:
                before, last, now = last, now, before
                _raise_degree(a[l, m], b[l, m], buffer, w, last, before, now)
            if l > 0:
                to = at + (l * degrees + m) * n_pad
                for n in range(uint64(0), n_pad, block):
                    _project(buffer, w, w * (uint64(_RADIAL) + n), now, even, odd, to + n)


@njit(fast=True, error_model="numpy")
def _contract(even, odd, at_a, at_b, l_max, n_pad, sums, power, to):  # type: ignore[no-untyped-def]
    """power[to + (l − 1) n_pad + n] = Σ_m c_a c_b."""
    degrees = uint64(l_max + 1)
    for l in range(uint64(1), degrees):  # noqa: E741
        for n in range(n_pad):
            sums[n] = 0.0
        row = l * degrees * n_pad
        for m in range(l + uint64(1)):
            p, q = at_a + row + m * n_pad, at_b + row + m * n_pad
            for n in range(n_pad):
                sums[n] += even[p + n] * even[q + n] + odd[p + n] * odd[q + n]
        for n in range(n_pad):
            power[to + (l - uint64(1)) * n_pad + n] = sums[n]


@njit(fast=True, error_model="numpy")
def _select(start, stop, j_p, types_n, n_species, channel, order, edges):  # type: ignore[no-untyped-def]
    """Pairs of one channel (−1: all) grouped by species, padded with −1 to whole vectors; returns their number."""
    count = 0
    for t in range(n_species):
        edges[t] = count
        if channel < 0 or t == channel:
            for p in range(start, stop):
                if types_n[j_p[p]] == t:
                    order[count] = p
                    count += 1
    edges[n_species] = count
    while count % _LANES != 0:
        order[count] = -1
        count += 1
    return count


@njit(fast=True, error_model="numpy")
def _densities(buffer, w, edges, n_max, density, absolute):  # type: ignore[no-untyped-def]
    """density[t n_max + n] += Σ R_n over neighbours of species t, absolute[n] += Σ |R_n| over all."""
    for t in range(len(edges) - 1):
        for n in range(n_max):
            line = w * uint64(_RADIAL + n)
            value = 0.0
            size = 0.0
            for k in range(uint64(edges[t]), uint64(edges[t + 1])):
                value += buffer[line + k]
                size += abs(buffer[line + k])
            density[t * n_max + n] += value
            absolute[n] += size


@njit(fast=True, error_model="numpy")
def _norms(rule, density, absolute, n_species, n_max, norm):  # type: ignore[no-untyped-def]
    """What c(l, m, n) is divided by: Σ|R_n| (robust), |Σ R_n| held above 1e-6 Σ|R_n| (paper); 1 if zero."""
    for n in range(n_max):
        norm[n] = absolute[n]
        if rule == PAPER:
            total = 0.0
            for t in range(n_species):
                total += density[t * n_max + n]
            norm[n] = max(abs(total), 1e-6 * absolute[n])
        if norm[n] == 0.0:
            norm[n] = 1.0


@njit(fast=True, error_model="numpy")
def _store(rule, density, norm, power, pairs, n_max, n_pad, l_max, table, at, angular):  # type: ignore[no-untyped-def]
    """Densities and scaled power into the table (see ``expand``)."""
    for f in range(len(density)):
        table[at + f] = density[f]
    to = angular
    for q in range(pairs):
        for l in range(1, l_max + 1):  # noqa: E741
            scale = 4.0 * math.pi / (2 * l + 1)
            line = (q * l_max + l - 1) * n_pad
            for n in range(n_max):
                value = scale * power[line + n]
                table[to + n] = value if rule == RAW else math.sqrt(value) / norm[n]
            to += n_max


@njit(fast=True, error_model="numpy")
def expand(  # type: ignore[no-untyped-def]
    start, stop, offsets, j_p, vectors_pc, types_n, n_species, split, cutoff, n_max, l_max, a, b, d,
    rule, centres, table, width, angular,
):  # fmt: skip
    """Local features of the centres ``start … stop`` into rows of the flat ``table`` of row length ``width``.

    Columns 0 …: Σ_{j of species t} R_n, ordered (t, n). Columns ``angular`` …, ordered (pair, l, n): with
    rule RAW 4π/(2l+1) P(a, b, l, n); with ROBUST or PAPER its square root divided by the norm (see
    ``_norms``). ``split`` says whether every species is a channel of its own (else there is one).
    """
    most = 0
    for i in range(start, stop):
        most = max(most, offsets[i + 1] - offsets[i])
    n_pad = ((n_max + _RADIAL_BLOCK - 1) // _RADIAL_BLOCK) * _RADIAL_BLOCK
    channels = n_species if split else 1
    pairs = channels * (channels + 1) // 2
    size = (l_max + 1) * (l_max + 1) * n_pad
    order = np.empty(most + _LANES, np.int64)
    edges = np.zeros(n_species + 1, np.int64)
    buffer = np.empty((_RADIAL + n_pad) * (most + _LANES))
    even, odd = np.empty(channels * size), np.empty(channels * size)
    density, absolute, norm, sums = np.empty(n_species * n_max), np.empty(n_max), np.empty(n_max), np.empty(n_pad)
    power = np.empty(pairs * l_max * n_pad)
    for i in range(start, stop):
        density[:] = 0.0
        absolute[:] = 0.0
        for q in range(channels):
            count = _select(offsets[i], offsets[i + 1], j_p, types_n, n_species, q if split else -1, order, edges)
            w = uint64(count)
            _load(vectors_pc, order, cutoff, buffer, w)
            _radial(cutoff, uint64(n_pad), buffer, w)
            _densities(buffer, w, edges, n_max, density, absolute)
            _angular(buffer, w, uint64(n_pad), l_max, a, b, d, even, odd, uint64(q * size))
        pair = 0
        for q in range(channels):
            for h in range(q, channels):
                at_a, at_b, to = uint64(q * size), uint64(h * size), uint64(pair * l_max * n_pad)
                _contract(even, odd, at_a, at_b, l_max, uint64(n_pad), sums, power, to)
                pair += 1
        _norms(rule, density, absolute, n_species, n_max, norm)
        at = centres[i] * width
        _store(rule, density, norm, power, pairs, n_max, n_pad, l_max, table, at, at + angular)
