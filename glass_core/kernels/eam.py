"""Energy and forces of moving atoms in an embedded-atom potential, four pairs at a time.

    E = Σ_i F_i(ρ_i) + Σ_{i<j} φ_ij(r²),   ρ_i = Σ_j ρ_ij(r²)

Each moving atom has one row of near sites, every pair of moving atoms in one of the two rows: first dense ones (near
enough for densities), then those of pair energy alone, in either part mobile sites before frozen ones. Either part is
filled up to a multiple of four with a site that is far away. ``offsets[4 i …]`` say where the dense part of row i
begins, its frozen ones, the other part, and its frozen ones.

A site is four numbers: x, y, z and the column of its species. The atom at the centre of a row has minus the base of its
species instead, so that one subtraction gives both the vector of a pair and the first piece of its table. Tables are
cubic pieces in r², a piece being 4 numbers (φ), 8 (φ, density) or 12 (φ, density at i, density at j). The last piece is
zero and holds all beyond the cutoff.

The work on a row is cut into short loops that leave their results in memory: processors look ahead over a few hundred
instructions, and so over many turns of a short loop, which hides the time that one turn takes to come through.
Positions are unsigned, as in ``expansion``.
"""

from __future__ import annotations

from glass_core.kernels import eam_lanes as lanes
from glass_core.kernels.eam_embedding import embed_all
from glass_core.kernels.eam_pointers import pointer, read, write
from glass_core.kernels.jit import njit, uint64

ONE, TWO, THREE, FOUR, EIGHT = uint64(1), uint64(2), uint64(3), uint64(4), uint64(8)


@njit(forceinline=True)
def value(c, t):  # type: ignore[no-untyped-def]
    """c₀ + c₁ t + c₂ t² + c₃ t³."""
    return lanes.fma(lanes.fma(lanes.fma(c[3], t, c[2]), t, c[1]), t, c[0])


@njit(forceinline=True)
def slope(c, t):  # type: ignore[no-untyped-def]
    """Its derivative by t."""
    return lanes.fma(lanes.fma(lanes.splat(3.0) * c[3], t, lanes.splat(2.0) * c[2]), t, c[1])


@njit(forceinline=True)
def pieces(table, k, at, width, more):  # type: ignore[no-untyped-def]
    """Coefficients of the four pieces k[at …], from number ``more`` of each on."""
    k = four(k, at)
    a, b, c, d = k[0] * width + more, k[1] * width + more, k[2] * width + more, k[3] * width + more
    return lanes.transpose(lanes.load(table, a), lanes.load(table, b), lanes.load(table, c), lanes.load(table, d))


@njit(forceinline=True)
def four(rows, p):  # type: ignore[no-untyped-def]
    """Four sites of a row, or four pieces."""
    return (
        uint64(read(rows, p)), uint64(read(rows, p + ONE)),
        uint64(read(rows, p + TWO)), uint64(read(rows, p + THREE)),
    )  # fmt: skip


@njit(forceinline=True)
def add(numbers, at, more):  # type: ignore[no-untyped-def]
    """numbers[at] += more."""
    write(numbers, at, read(numbers, at) + more)


@njit(forceinline=True)
def vectors(sites, j, here):  # type: ignore[no-untyped-def]
    """From here to four sites."""
    return (
        lanes.load(sites, FOUR * j[0]) - here, lanes.load(sites, FOUR * j[1]) - here,
        lanes.load(sites, FOUR * j[2]) - here, lanes.load(sites, FOUR * j[3]) - here,
    )  # fmt: skip


@njit(forceinline=True)
def centre(sites, i, base):  # type: ignore[no-untyped-def]
    """What is subtracted from a site: the place of atom i, and minus the base of its species."""
    at = FOUR * i
    return lanes.load(sites, at) * lanes.bundle(1.0, 1.0, 1.0, 0.0) - lanes.bundle(0.0, 0.0, 0.0, base)


@njit(forceinline=True)
def locate(sites, rows, start, stop, here, per_area, last, places, k):  # type: ignore[no-untyped-def]
    """Piece and place in it of every pair of a row."""
    scale, top = lanes.splat(per_area), lanes.splat(last)
    for p in range(start, stop, FOUR):
        d = vectors(sites, four(rows, p), here)
        x, y, z, base = lanes.transpose(d[0], d[1], d[2], d[3])
        at = lanes.least(lanes.fma(x, x, lanes.fma(y, y, z * z)) * scale, top)
        below = lanes.floor(at)
        lanes.store(places, p - start, at - below)
        lanes.store_whole(k, p - start, lanes.whole(below + base))


@njit(forceinline=True)
def crowd(rows, start, stop, dense, width, places, k, rho, stream, g):  # type: ignore[no-untyped-def]
    """The dense part of a row: densities at all sites, and slopes into ``stream`` from g on.

    Returns pair energies and own densities as lanes.
    """
    energies = own = lanes.splat(0.0)
    for p in range(start, stop, FOUR):
        at = p - start
        t, j = lanes.load(places, at), four(rows, p)
        c = pieces(dense, k, at, width, uint64(0))
        energies += value(c, t)
        lanes.store(stream, g, slope(c, t))
        c = pieces(dense, k, at, width, FOUR)
        r = value(c, t)
        own += r
        lanes.store(stream, g + FOUR, slope(c, t))
        if width > EIGHT:
            c = pieces(dense, k, at, width, EIGHT)
            r = value(c, t)
            lanes.store(stream, g + EIGHT, slope(c, t))
        g += width
        add(rho, j[0], lanes.number0(r))
        add(rho, j[1], lanes.number1(r))
        add(rho, j[2], lanes.number2(r))
        add(rho, j[3], lanes.number3(r))
    return energies, own


@njit(forceinline=True)
def pull(work, j, f, d, mobile):  # type: ignore[no-untyped-def]
    """Force on the centre from four pairs, f times d; its opposite goes to the sites if any of them is mobile."""
    a, b, c, e = lanes.spread0(f) * d[0], lanes.spread1(f) * d[1], lanes.spread2(f) * d[2], lanes.spread3(f) * d[3]
    if mobile:
        lanes.store(work, FOUR * j[0], lanes.load(work, FOUR * j[0]) - a)
        lanes.store(work, FOUR * j[1], lanes.load(work, FOUR * j[1]) - b)
        lanes.store(work, FOUR * j[2], lanes.load(work, FOUR * j[2]) - c)
        lanes.store(work, FOUR * j[3], lanes.load(work, FOUR * j[3]) - e)
    return (a + b) + (c + e)


@njit(forceinline=True)
def lone(sites, rows, row, first, frozen, stop, here, pair, per_area, places, k, work):  # type: ignore[no-untyped-def]
    """The rest of a row: pair energies and forces. Returns both as lanes."""
    energies = force = lanes.splat(0.0)
    factor = lanes.splat(2.0 * per_area)
    for p in range(first, stop, FOUR):
        t, j = lanes.load(places, p - row), four(rows, p)
        c = pieces(pair, k, p - row, FOUR, uint64(0))
        energies += value(c, t)
        force += pull(work, j, slope(c, t) * factor, vectors(sites, j, here), p < frozen)
    return energies, force


@njit(forceinline=True)
def embedded(sites, rows, start, frozen, stop, here, mine, slopes, per_area, width, stream, g, work):  # type: ignore[no-untyped-def]
    """Forces of the dense part of a row, once slopes of embedding energies are known."""
    force, factor = lanes.splat(0.0), lanes.splat(2.0 * per_area)
    for p in range(start, stop, FOUR):
        j = four(rows, p)
        theirs = lanes.collect(slopes, j[0], j[1], j[2], j[3])
        at_i, at_j = lanes.load(stream, g + FOUR), lanes.load(stream, g + width - FOUR)
        f = lanes.fma(at_i, mine, lanes.fma(at_j, theirs, lanes.load(stream, g))) * factor
        force += pull(work, j, f, vectors(sites, j, here), p < frozen)
        g += width
    return force


@njit(forceinline=True)
def first_pass(rows_of, moving, types, bases, sites, pair, dense, width, per_area, last, rho, work, stream, places, k):  # type: ignore[no-untyped-def]
    """Densities, and energies and forces of pairs; all but the dense ones' forces. Arguments are pointers."""
    offsets, rows = rows_of
    energies, g = lanes.splat(0.0), uint64(0)
    for i in range(moving):
        row, stop = uint64(read(offsets, FOUR * i)), uint64(read(offsets, FOUR * i + FOUR))
        rest, frozen = uint64(read(offsets, FOUR * i + TWO)), uint64(read(offsets, FOUR * i + THREE))
        here = centre(sites, i, read(bases, uint64(read(types, i))))
        locate(sites, rows, row, stop, here, per_area, last, places, k)
        e, own = crowd(rows, row, rest, dense, width, places, k, rho, stream, g)
        g += (rest - row) // FOUR * width
        add(rho, i, lanes.total(own))
        more, force = lone(sites, rows, row, rest, frozen, stop, here, pair, per_area, places, k, work)
        lanes.store(work, FOUR * i, lanes.load(work, FOUR * i) + force)
        energies += e + more
    return lanes.total(energies)


@njit(forceinline=True)
def second_pass(rows_of, moving, sites, slopes, per_area, width, stream, work):  # type: ignore[no-untyped-def]
    """Forces of dense pairs. Arguments are pointers."""
    offsets, rows = rows_of
    g = uint64(0)
    for i in range(moving):
        row, frozen = uint64(read(offsets, FOUR * i)), uint64(read(offsets, FOUR * i + ONE))
        rest, here = uint64(read(offsets, FOUR * i + TWO)), centre(sites, i, 0.0)
        mine = lanes.splat(read(slopes, i))
        force = embedded(sites, rows, row, frozen, rest, here, mine, slopes, per_area, width, stream, g, work)
        g += (rest - row) // FOUR * width
        lanes.store(work, FOUR * i, lanes.load(work, FOUR * i) + force)


@njit(fast=True, error_model="numpy")
def evaluate(  # type: ignore[no-untyped-def]
    offsets, rows, moving, mobile, touched, types, bases, sites, copies, owners, background, still,
    pair, dense, width, embedding, per_area, per_density, last, rho, slopes, work, stream, places, k,
):  # fmt: skip
    """Energy, eV; forces, eV/Å, go to ``work``, four numbers for each mobile site."""
    for s in range(uint64(len(background))):
        rho[s] = background[s]
    for s in range(FOUR * uint64(mobile)):
        work[s] = 0.0
    rows_of, at, pull_at = (pointer(offsets), pointer(rows)), pointer(sites), pointer(work)
    energy = first_pass(
        rows_of, uint64(moving), pointer(types), pointer(bases), at, pointer(pair),
        pointer(dense), uint64(width), per_area, last, pointer(rho), pull_at, pointer(stream),
        pointer(places), pointer(k),
    )  # fmt: skip
    if width > 0:
        for q in range(len(copies)):
            rho[owners[q]] += rho[copies[q]]
        energy += embed_all(moving, touched, still, types, rho, embedding, per_density, slopes)
        for q in range(len(copies)):
            slopes[copies[q]] = slopes[owners[q]]
        slopes_at, stream_at = pointer(slopes), pointer(stream)
        second_pass(rows_of, uint64(moving), at, slopes_at, per_area, uint64(width), stream_at, pull_at)
    for q in range(len(copies)):
        if copies[q] < mobile:
            for c in range(3):
                work[4 * owners[q] + c] += work[4 * copies[q] + c]
    return energy
