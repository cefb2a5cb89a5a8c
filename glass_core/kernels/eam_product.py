"""Products of directions with second derivatives, from what ``kernels.eam_curvature`` has kept.

The formula stands there. Two passes over pairs: springs between moving atoms and changes of density, then, with
q = −F″ δρ, what changed densities do to atoms. Kept numbers carry such signs that u = v_i − v_j, one instruction,
serves for w, and sites are added to. Arguments of functions other than ``product`` are pointers.
"""

from __future__ import annotations

from glass_core.kernels import eam_lanes as lanes
from glass_core.kernels.eam import EIGHT, FOUR, ONE, THREE, TWO, add, four
from glass_core.kernels.eam_curvature import NEAR, OWN, TWELVE, WIDE
from glass_core.kernels.eam_pointers import pointer, read
from glass_core.kernels.jit import njit, uint64


@njit(forceinline=True)
def _differences(v, j, mine):  # type: ignore[no-untyped-def]
    """v_i − v_j of four pairs: x, y, z."""
    x, y, z, _ = lanes.transpose(
        mine - lanes.load(v, FOUR * j[0]), mine - lanes.load(v, FOUR * j[1]),
        mine - lanes.load(v, FOUR * j[2]), mine - lanes.load(v, FOUR * j[3]),
    )  # fmt: skip
    return x, y, z


@njit(forceinline=True)
def _give(out, j, x, y, z):  # type: ignore[no-untyped-def]
    """Adds four vectors at four sites."""
    a, b, c, d = lanes.transpose(x, y, z, lanes.splat(0.0))
    lanes.store(out, FOUR * j[0], lanes.load(out, FOUR * j[0]) + a)
    lanes.store(out, FOUR * j[1], lanes.load(out, FOUR * j[1]) + b)
    lanes.store(out, FOUR * j[2], lanes.load(out, FOUR * j[2]) + c)
    lanes.store(out, FOUR * j[3], lanes.load(out, FOUR * j[3]) + d)


@njit(forceinline=True)
def _scatter(numbers, j, r):  # type: ignore[no-untyped-def]
    """Adds four numbers at four sites."""
    add(numbers, j[0], lanes.number0(r))
    add(numbers, j[1], lanes.number1(r))
    add(numbers, j[2], lanes.number2(r))
    add(numbers, j[3], lanes.number3(r))


@njit(forceinline=True)
def _spring(kept, at, u, out, j, sums):  # type: ignore[no-untyped-def]
    """One spring for each of four pairs; returns d·u and sums of what the sites were given."""
    x, y, z = lanes.load(kept, at), lanes.load(kept, at + FOUR), lanes.load(kept, at + EIGHT)
    s = lanes.fma(x, u[0], lanes.fma(y, u[1], z * u[2]))
    a, c = lanes.load(kept, at + TWELVE), lanes.load(kept, at + TWELVE + FOUR) * s
    x, y, z = lanes.fma(c, x, a * u[0]), lanes.fma(c, y, a * u[1]), lanes.fma(c, z, a * u[2])
    _give(out, j, x, y, z)
    return s, (sums[0] + x, sums[1] + y, sums[2] + z)


@njit(forceinline=True)
def _take(out, i, sums):  # type: ignore[no-untyped-def]
    """Takes sums of x, y, z away from atom i."""
    more = lanes.bundle(lanes.total(sums[0]), lanes.total(sums[1]), lanes.total(sums[2]), 0.0)
    lanes.store(out, FOUR * i, lanes.load(out, FOUR * i) - more)


@njit(forceinline=True)
def _first_pass(offsets, rows, moving, width, near, wide, own, v, change, out):  # type: ignore[no-untyped-def]
    """Springs, and changes of density."""
    g, h, zero, stride = uint64(0), uint64(0), lanes.splat(0.0), NEAR + width - EIGHT
    for i in range(moving):
        at, frozen = uint64(read(offsets, FOUR * i)), uint64(read(offsets, FOUR * i + ONE))
        rest, apart = uint64(read(offsets, FOUR * i + TWO)), uint64(read(offsets, FOUR * i + THREE))
        mine, sums, dense = lanes.load(v, FOUR * i), (zero, zero, zero), zero
        x, y, z = lanes.spread0(mine), lanes.spread1(mine), lanes.spread2(mine)
        while at < frozen:
            j = four(rows, at)
            s, sums = _spring(near, g, _differences(v, j, mine), out, j, sums)
            dense = lanes.fma(lanes.load(near, g + TWELVE + EIGHT), s, dense)
            _scatter(change, j, lanes.load(near, g + TWELVE + width) * s)
            g += stride
            at += FOUR
        while at < rest:
            s = lanes.fma(lanes.load(near, g + FOUR), y, lanes.load(near, g + EIGHT) * z)
            _scatter(change, four(rows, at), lanes.fma(lanes.load(near, g), x, s))
            g += TWELVE
            at += FOUR
        while at < apart:
            j = four(rows, at)
            _, sums = _spring(wide, h, _differences(v, j, mine), out, j, sums)
            h += WIDE
            at += FOUR
        q = OWN * i
        fixed = lanes.fma(lanes.load(own, q), x, lanes.load(own, q + FOUR) * y)
        lanes.store(out, FOUR * i, lanes.fma(lanes.load(own, q + EIGHT), z, fixed) + lanes.load(out, FOUR * i))
        _take(out, i, sums)
        add(change, i, lanes.total(lanes.fma(lanes.load(own, q + TWELVE), mine, dense)))


@njit(forceinline=True)
def _second_pass(offsets, rows, moving, width, near, own, q, out):  # type: ignore[no-untyped-def]
    """What changed densities do."""
    g, zero, stride = uint64(0), lanes.splat(0.0), NEAR + width - EIGHT
    for i in range(moving):
        at, frozen = uint64(read(offsets, FOUR * i)), uint64(read(offsets, FOUR * i + ONE))
        rest, mine, sums = (
            uint64(read(offsets, FOUR * i + TWO)),
            lanes.splat(read(q, i)),
            (zero, zero, zero),
        )
        while at < frozen:
            j = four(rows, at)
            f = lanes.load(near, g + TWELVE + width) * lanes.collect(q, j[0], j[1], j[2], j[3])
            f = lanes.fma(lanes.load(near, g + TWELVE + EIGHT), mine, f)
            x, y, z = f * lanes.load(near, g), f * lanes.load(near, g + FOUR), f * lanes.load(near, g + EIGHT)
            _give(out, j, x, y, z)
            sums = (sums[0] + x, sums[1] + y, sums[2] + z)
            g += stride
            at += FOUR
        while at < rest:
            j = four(rows, at)
            f = lanes.collect(q, j[0], j[1], j[2], j[3])
            x, y, z = lanes.load(near, g), lanes.load(near, g + FOUR), lanes.load(near, g + EIGHT)
            sums = (lanes.fma(f, x, sums[0]), lanes.fma(f, y, sums[1]), lanes.fma(f, z, sums[2]))
            g += TWELVE
            at += FOUR
        _take(out, i, sums)
        lanes.store(out, FOUR * i, lanes.load(out, FOUR * i) - lanes.load(own, OWN * i + TWELVE) * mine)


@njit(fast=True, error_model="numpy")
def product(  # type: ignore[no-untyped-def]
    direction_mc, order, offsets, rows, mobile, copies, owners, width, near, wide, own, bends, v, change, out,
    result_mc,
):  # fmt: skip
    """The second derivatives times a direction, eV/Å² times its unit."""
    moving, w = uint64(len(order)), uint64(width)
    for i in range(moving):
        for c in range(uint64(3)):
            v[FOUR * i + c] = direction_mc[order[i], c]
    for s in range(FOUR * uint64(mobile)):
        out[s] = 0.0
    for s in range(uint64(len(change))):
        change[s] = 0.0
    for q in range(len(copies)):
        if copies[q] < mobile:
            for c in range(3):
                v[4 * copies[q] + c] = v[4 * owners[q] + c]
    offsets_at, rows_at, near_at, own_at = (
        pointer(offsets),
        pointer(rows),
        pointer(near),
        pointer(own),
    )
    change_at, out_at = pointer(change), pointer(out)
    _first_pass(offsets_at, rows_at, moving, w, near_at, pointer(wide), own_at, pointer(v), change_at, out_at)
    if width > 0:
        for q in range(len(copies)):
            change[owners[q]] += change[copies[q]]
        for s in range(uint64(len(change))):
            change[s] *= bends[s]
        for q in range(len(copies)):
            change[copies[q]] = change[owners[q]]
        _second_pass(offsets_at, rows_at, moving, w, near_at, own_at, change_at, out_at)
    for q in range(len(copies)):
        if copies[q] < mobile:
            for c in range(3):
                out[4 * owners[q] + c] += out[4 * copies[q] + c]
    for i in range(moving):
        for c in range(uint64(3)):
            result_mc[order[i], c] = out[FOUR * i + c]
