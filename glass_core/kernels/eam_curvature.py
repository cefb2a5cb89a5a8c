"""What products of directions with second derivatives need of each pair; see ``kernels.eam_product``.

With d from i to j, ψ = φ + F′_i ρ_ij + F′_j ρ_ji as a function of r², and primes for derivatives by r² (or density)::

    (H v)_i = −Σ_j [A w_ij + B d (d·w_ij) + (q_i g_ij + q_j g_ji) d],   w_ij = v_j − v_i
    q_a     = F″_a δρ_a,   δρ_i = Σ_j g_ij (d·w_ij)
    A = 2 ψ′,  B = 4 ψ″,  g_ij = 2 ρ′_ij

The second line couples atoms with a common neighbour, frozen ones included: these do not move, but their density
changes. What a moving atom has of frozen ones alone is summed up here: a matrix of A and B, and the vector −Σ g d.

Rows of sites and symbols are those of ``kernels.eam``. Kept for four pairs at a time, with the signs in which products
want them (``room`` says how much that can be):

    dense and mobile    x, y, z, −A, −B, −g at i, −g at j (left out where that is the same)
    dense and frozen    −g at j times x, y, z
    others, mobile      x, y, z, −A, −B
"""

from __future__ import annotations

from glass_core.kernels import eam_lanes as lanes
from glass_core.kernels.eam import EIGHT, FOUR, ONE, THREE, TWO, centre, four, locate, pieces, slope, vectors
from glass_core.kernels.eam_embedding import embed
from glass_core.kernels.eam_pointers import pointer, read
from glass_core.kernels.jit import njit, uint64

TWELVE = uint64(12)
# Numbers that are kept of each atom: three columns of its matrix, and its vector.
OWN = uint64(16)
# Of four other mobile pairs, and of four dense ones beside −g at j.
WIDE, NEAR = uint64(20), uint64(24)


def room(pairs: int) -> tuple[int, int]:
    """Numbers to keep of dense and of other pairs at most."""
    return pairs * 7, pairs * 5


@njit(forceinline=True)
def bend(c, t):  # type: ignore[no-untyped-def]
    """Second derivative of a cubic piece."""
    return lanes.fma(lanes.splat(6.0) * c[3], t, lanes.splat(2.0) * c[2])


@njit(forceinline=True)
def _sum_up(x, y, z, a, b, g, sums):  # type: ignore[no-untyped-def]
    """Adds four pairs to sums of A + B d dᵀ (xx, yy, zz, yz, xz, xy) and g d; all come with a minus."""
    bx, by, bz = b * x, b * y, b * z
    return (
        sums[0] - lanes.fma(bx, x, a), sums[1] - lanes.fma(by, y, a), sums[2] - lanes.fma(bz, z, a),
        sums[3] - by * z, sums[4] - bx * z, sums[5] - bx * y,
        lanes.fma(g, x, sums[6]), lanes.fma(g, y, sums[7]), lanes.fma(g, z, sums[8]),
    )  # fmt: skip


@njit(forceinline=True)
def _put(kept, at, x, y, z):  # type: ignore[no-untyped-def]
    """Stores three times four numbers."""
    lanes.store(kept, at, x)
    lanes.store(kept, at + FOUR, y)
    lanes.store(kept, at + EIGHT, z)


@njit(forceinline=True)
def _keep_dense(sites, rows, row, frozen, rest, here, mine, slopes, per_area, dense, width, places, k, near, g, sums):  # type: ignore[no-untyped-def]
    """The dense part of a row; returns g, where the next one is to be kept, and sums."""
    one, two = lanes.splat(-2.0 * per_area), lanes.splat(-4.0 * per_area * per_area)
    for p in range(row, rest, FOUR):
        j, at = four(rows, p), p - row
        t, theirs = lanes.load(places, at), lanes.collect(slopes, j[0], j[1], j[2], j[3])
        c = pieces(dense, k, at, width, uint64(0))
        a, b = slope(c, t), bend(c, t)
        c = pieces(dense, k, at, width, FOUR)
        here_1, here_2 = slope(c, t), bend(c, t)
        c = pieces(dense, k, at, width, width - FOUR)
        there_1, there_2 = slope(c, t), bend(c, t)
        a = lanes.fma(mine, here_1, lanes.fma(theirs, there_1, a)) * one
        b = lanes.fma(mine, here_2, lanes.fma(theirs, there_2, b)) * two
        at_i, at_j, d = here_1 * one, there_1 * one, vectors(sites, j, here)
        x, y, z, _ = lanes.transpose(d[0], d[1], d[2], d[3])
        if p < frozen:
            _put(near, g, x, y, z)
            _put(near, g + TWELVE, a, b, at_i)
            lanes.store(near, g + TWELVE + width, at_j)
            g += NEAR + width - EIGHT
        else:
            _put(near, g, at_j * x, at_j * y, at_j * z)
            g += TWELVE
            sums = _sum_up(x, y, z, a, b, at_i, sums)
    return g, sums


@njit(forceinline=True)
def _keep_others(sites, rows, row, rest, frozen, stop, here, per_area, pair, places, k, wide, h, sums):  # type: ignore[no-untyped-def]
    """The rest of a row; returns h, where the next one is to be kept, and sums."""
    one, two = lanes.splat(-2.0 * per_area), lanes.splat(-4.0 * per_area * per_area)
    for p in range(rest, stop, FOUR):
        t, c = lanes.load(places, p - row), pieces(pair, k, p - row, FOUR, uint64(0))
        a, b = slope(c, t) * one, bend(c, t) * two
        d = vectors(sites, four(rows, p), here)
        x, y, z, _ = lanes.transpose(d[0], d[1], d[2], d[3])
        if p < frozen:
            _put(wide, h, x, y, z)
            lanes.store(wide, h + TWELVE, a)
            lanes.store(wide, h + TWELVE + FOUR, b)
            h += WIDE
        else:
            sums = _sum_up(x, y, z, a, b, lanes.splat(0.0), sums)
    return h, sums


@njit(forceinline=True)
def _keep_own(own, i, sums):  # type: ignore[no-untyped-def]
    """Columns of the matrix, and the vector."""
    xx, yy, zz = lanes.total(sums[0]), lanes.total(sums[1]), lanes.total(sums[2])
    yz, xz, xy = lanes.total(sums[3]), lanes.total(sums[4]), lanes.total(sums[5])
    lanes.store(own, OWN * i, lanes.bundle(xx, xy, xz, 0.0))
    lanes.store(own, OWN * i + FOUR, lanes.bundle(xy, yy, yz, 0.0))
    lanes.store(own, OWN * i + EIGHT, lanes.bundle(xz, yz, zz, 0.0))
    vector = lanes.bundle(lanes.total(sums[6]), lanes.total(sums[7]), lanes.total(sums[8]), 0.0)
    lanes.store(own, OWN * i + TWELVE, vector)


@njit()
def _bend_all(moving, touched, types, rho, embedding, per_density, copies, bends):  # type: ignore[no-untyped-def]
    """−F″ at moving and touched sites; copies of others have none of their own."""
    table, points = pointer(embedding), float(embedding.shape[1])
    for i in range(uint64(moving)):
        bends[i] = -embed(types[i], rho[i], table, points, per_density)[2]
    for q in range(uint64(len(touched))):
        s = uint64(touched[q])
        bends[s] = -embed(types[s], rho[s], table, points, per_density)[2]
    for q in range(len(copies)):
        bends[copies[q]] = 0.0


@njit(fast=True, error_model="numpy")
def prepare(  # type: ignore[no-untyped-def]
    offsets, rows, moving, touched, types, bases, sites, copies, pair, dense, width, embedding, per_area, per_density,
    last, rho, slopes, places, k, near, wide, own, bends,
):  # fmt: skip
    """Keeps what products need, after ``evaluate`` at the same positions.

    ``near`` is of dense pairs, ``wide`` of others, ``own`` of atoms, and ``bends`` is −F″ of all sites.
    """
    offsets_at, rows_at, sites_at = pointer(offsets), pointer(rows), pointer(sites)
    pair_at, dense_at, slopes_at = pointer(pair), pointer(dense), pointer(slopes)
    places_at, k_at, near_at = pointer(places), pointer(k), pointer(near)
    wide_at, own_at, bases_at, types_at = (
        pointer(wide),
        pointer(own),
        pointer(bases),
        pointer(types),
    )
    zero, g, h, w = lanes.splat(0.0), uint64(0), uint64(0), uint64(width)
    for i in range(uint64(moving)):
        row, frozen = uint64(read(offsets_at, FOUR * i)), uint64(read(offsets_at, FOUR * i + ONE))
        rest, apart = uint64(read(offsets_at, FOUR * i + TWO)), uint64(read(offsets_at, FOUR * i + THREE))
        stop = uint64(read(offsets_at, FOUR * i + FOUR))
        here = centre(sites_at, i, read(bases_at, uint64(read(types_at, i))))
        locate(sites_at, rows_at, row, stop, here, per_area, last, places_at, k_at)
        sums, mine = (zero, zero, zero, zero, zero, zero, zero, zero, zero), lanes.splat(read(slopes_at, i))
        g, sums = _keep_dense(
            sites_at, rows_at, row, frozen, rest, here, mine, slopes_at, per_area, dense_at, w, places_at, k_at,
            near_at, g, sums,
        )  # fmt: skip
        h, sums = _keep_others(
            sites_at, rows_at, row, rest, apart, stop, here, per_area, pair_at, places_at, k_at, wide_at, h, sums
        )
        _keep_own(own_at, i, sums)
    if width > 0:
        _bend_all(moving, touched, types, rho, embedding, per_density, copies, bends)
