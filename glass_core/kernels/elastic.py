"""Linear response of the atoms around a centre, bound by pair springs, everything farther out held fixed.

A pair at r = x_j − x_i with effective potential V has the stiffness ``k(r) = k₁ I + k₂ r rᵀ`` with
``k₁ = V'/r`` and ``k₂ = (V'' − V'/r)/r²``. The Hessian of the region is ``H_ab = −k(r_ab)`` off the
diagonal, and ``H_aa`` sums k over all neighbours of a, inside the region or not.

H is factorised by blocks of three rows (one atom), so that the inner loop keeps nine sums in registers.
Atoms go from far to near: the centre is last, and its own response needs no back substitution.
The six strain forces are carried along as two further blocks of rows, which makes their forward
substitution part of the factorisation. Positions are unsigned, as in ``expansion``.
"""

from __future__ import annotations

import math

import numpy as np

from glass_core.kernels.jit import njit, require_compiler, uint64

require_compiler()


_STRAINS = 6
_SOFTEST = 0.04  # eV/Å², below the softness that every diagonal element has
_TINY = 1e-6
_LEAST_FORCE = 1e-4  # (eV/Å)²: below this an atom is as good as at rest


@njit(fast=True, error_model="numpy", inline="always")
def _springs(r2, pair, law, spacing):  # type: ignore[no-untyped-def]
    """k₁ and k₂ of a pair at squared distance r2, linear between the points of the table."""
    place = math.sqrt(r2) / spacing
    last = law.shape[1] - 2
    k = min(int(place), last)
    t = place - k
    k1 = law[pair, k, 0] * (1.0 - t) + law[pair, k + 1, 0] * t
    k2 = law[pair, k, 1] * (1.0 - t) + law[pair, k + 1, 1] * t
    return k1, k2


@njit(fast=True, error_model="numpy")
def local_stiffness(start, stop, offsets, centres, j_p, vectors_pc, types_n, pairs_tt, law, spacing, stiff, force, own):  # type: ignore[no-untyped-def]
    """What every atom feels of all its neighbours.

    stiff[i] = Σ_j k(r_ij), shape (n, 3, 3); force[i] = its force under each unit strain η, Σ_j k(r_ij) η r_ij,
    shape (n, 6, 3) for xx, yy, zz, yz, xz, xy; own[i] = virial Σ V' r, deviatoric norm of Σ V' r r̂ r̂ᵀ, the affine
    energy Σ_η Σ_j (η r)·k (η r), and |Σ V' r̂|², which vanishes where springs balance.
    """
    for row in range(start, stop):
        i = centres[row]
        xx = xy = xz = yy = yz = zz = 0.0
        total = affine = fx = fy = fz = 0.0
        for c in range(3):
            for d in range(3):
                stiff[i, c, d] = 0.0
            for e in range(_STRAINS):
                force[i, e, c] = 0.0
        for p in range(offsets[row], offsets[row + 1]):
            x, y, z = vectors_pc[p, 0], vectors_pc[p, 1], vectors_pc[p, 2]
            r2 = x * x + y * y + z * z
            k1, k2 = _springs(r2, pairs_tt[types_n[i], types_n[j_p[p]]], law, spacing)
            r = (x, y, z)
            for c in range(3):
                stiff[i, c, c] += k1
                for d in range(3):
                    stiff[i, c, d] += k2 * r[c] * r[d]
            # η r of the six strains, and k η r = k₁ η r + k₂ r (r·η r)
            strained = ((x, 0.0, 0.0), (0.0, y, 0.0), (0.0, 0.0, z), (0.0, z / 2, y / 2), (z / 2, 0.0, x / 2),
                        (y / 2, x / 2, 0.0))  # fmt: skip
            for e in range(_STRAINS):
                s = strained[e]
                along = s[0] * x + s[1] * y + s[2] * z
                for c in range(3):
                    force[i, e, c] += k1 * s[c] + k2 * r[c] * along
                # Shears count twice: xx, yy, zz, √2 yz, √2 xz, √2 xy are orthonormal, sums over them invariant.
                twice = 1.0 if e < 3 else 2.0
                affine += twice * (k1 * (s[0] * s[0] + s[1] * s[1] + s[2] * s[2]) + k2 * along * along)
            total += k1 * r2
            fx += k1 * x
            fy += k1 * y
            fz += k1 * z
            xx += k1 * x * x
            yy += k1 * y * y
            zz += k1 * z * z
            xy += k1 * x * y
            xz += k1 * x * z
            yz += k1 * y * z
        third = (xx + yy + zz) / 3
        off = 2 * (xy * xy + xz * xz + yz * yz)
        own[i, 0] = total
        own[i, 1] = math.sqrt((xx - third) ** 2 + (yy - third) ** 2 + (zz - third) ** 2 + off)
        own[i, 2] = affine
        own[i, 3] = fx * fx + fy * fy + fz * fz


@njit(fast=True, error_model="numpy")
def _nine_dots(buffer, p, q, width, length, out):  # type: ignore[no-untyped-def]
    """out[3 c + d] = Σ_k buffer[p + c width + k] buffer[q + d width + k] for k < length."""
    s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = 0.0
    p1 = p + width
    p2 = p1 + width
    q1 = q + width
    q2 = q1 + width
    for k in range(length):
        a0, a1, a2 = buffer[p + k], buffer[p1 + k], buffer[p2 + k]
        b0, b1, b2 = buffer[q + k], buffer[q1 + k], buffer[q2 + k]
        s00 += a0 * b0
        s01 += a0 * b1
        s02 += a0 * b2
        s10 += a1 * b0
        s11 += a1 * b1
        s12 += a1 * b2
        s20 += a2 * b0
        s21 += a2 * b1
        s22 += a2 * b2
    out[0], out[1], out[2] = s00, s01, s02
    out[3], out[4], out[5] = s10, s11, s12
    out[6], out[7], out[8] = s20, s21, s22


@njit(error_model="numpy")
def _above(d00, d10, d11, d20, d21, d22, least):  # type: ignore[no-untyped-def]
    """Whether all eigenvalues of a symmetric 3 × 3 matrix are above ``least`` (Sylvester's criterion)."""
    a = d00 - least
    b = (d11 - least) * a - d10 * d10
    if a <= 0.0 or b <= 0.0:
        return False
    c = (d22 - least) * b - d20 * (d20 * (d11 - least) - d10 * d21) - d21 * (a * d21 - d10 * d20)
    return c > 0.0


@njit(error_model="numpy")
def _stiffened(d00, d10, d11, d20, d21, d22):  # type: ignore[no-untyped-def]
    """The matrix with eigenvalues λ → max(|λ|, _SOFTEST): does not depend on the axes."""
    matrix = np.array([[d00, d10, d20], [d10, d11, d21], [d20, d21, d22]])
    values, vectors = np.linalg.eigh(matrix)
    m = np.zeros((3, 3))
    for k in range(3):
        value = max(abs(values[k]), _SOFTEST)
        for c in range(3):
            for d in range(3):
                m[c, d] += value * vectors[c, k] * vectors[d, k]
    return m[0, 0], m[1, 0], m[1, 1], m[2, 0], m[2, 1], m[2, 2]


@njit(fast=True, error_model="numpy")
def _factorise(buffer, width, atoms, extra, dots):  # type: ignore[no-untyped-def]
    """L of the first ``atoms`` blocks of rows, and the forward substitution of ``extra`` blocks below them.

    The diagonal holds 1/L_ii. Where the region is not stable, the 3 × 3 pivots are not positive: they are
    stiffened, which bounds L (a modified Cholesky factor).
    """
    three = uint64(3)
    for a in range(uint64(atoms + extra)):
        p = three * a * width
        for b in range(min(a, uint64(atoms))):
            q, at = three * b * width, three * b
            _nine_dots(buffer, p, q, width, at, dots)
            i0, i1, i2 = buffer[q + at], buffer[q + width + at + uint64(1)], buffer[q + width + width + at + uint64(2)]
            l10, l20 = buffer[q + width + at], buffer[q + width + width + at]
            l21 = buffer[q + width + width + at + uint64(1)]
            for c in range(three):
                row = p + c * width + at
                x0 = (buffer[row] - dots[3 * c]) * i0
                x1 = (buffer[row + uint64(1)] - dots[3 * c + 1] - x0 * l10) * i1
                x2 = (buffer[row + uint64(2)] - dots[3 * c + 2] - x0 * l20 - x1 * l21) * i2
                buffer[row], buffer[row + uint64(1)], buffer[row + uint64(2)] = x0, x1, x2
        if a < uint64(atoms):
            at = three * a
            _nine_dots(buffer, p, p, width, at, dots)
            r0, r1, r2 = p + at, p + width + at, p + width + width + at
            d00, d10, d11 = buffer[r0] - dots[0], buffer[r1] - dots[3], buffer[r1 + uint64(1)] - dots[4]
            d20, d21 = buffer[r2] - dots[6], buffer[r2 + uint64(1)] - dots[7]
            d22 = buffer[r2 + uint64(2)] - dots[8]
            if not _above(d00, d10, d11, d20, d21, d22, _SOFTEST):
                d00, d10, d11, d20, d21, d22 = _stiffened(d00, d10, d11, d20, d21, d22)
            i0 = 1.0 / math.sqrt(d00)
            l10 = d10 * i0
            l20 = d20 * i0
            i1 = 1.0 / math.sqrt(d11 - l10 * l10)
            l21 = (d21 - l20 * l10) * i1
            i2 = 1.0 / math.sqrt(d22 - l20 * l20 - l21 * l21)
            buffer[r0], buffer[r1], buffer[r1 + uint64(1)] = i0, l10, i1
            buffer[r2], buffer[r2 + uint64(1)], buffer[r2 + uint64(2)] = l20, l21, i2


@njit(fast=True, error_model="numpy")
def _back_substitute(buffer, width, atoms, row):  # type: ignore[no-untyped-def]
    """The line at ``row`` ← L⁻ᵀ of itself."""
    three = uint64(3)
    for back in range(uint64(atoms)):
        a = uint64(atoms) - uint64(1) - back
        at = three * a
        r0 = at * width
        r1 = r0 + width
        r2 = r1 + width
        x2 = buffer[row + at + uint64(2)] * buffer[r2 + at + uint64(2)]
        x1 = (buffer[row + at + uint64(1)] - buffer[r2 + at + uint64(1)] * x2) * buffer[r1 + at + uint64(1)]
        x0 = (buffer[row + at] - buffer[r1 + at] * x1 - buffer[r2 + at] * x2) * buffer[r0 + at]
        buffer[row + at], buffer[row + at + uint64(1)], buffer[row + at + uint64(2)] = x0, x1, x2
        for k in range(at):
            buffer[row + k] -= buffer[r0 + k] * x0 + buffer[r1 + k] * x1 + buffer[r2 + k] * x2


@njit(fast=True, error_model="numpy")
def _assemble(
    atoms, places, ids, distances, stiff, force, types_n, pairs_tt, law, spacing, cutoff, radius, soft, buffer, width
):  # type: ignore[no-untyped-def]
    """Lower triangle of the Hessian, the strain forces below it, and zeros for three unit forces on the centre."""
    three = uint64(3)
    for a in range(uint64(atoms)):
        row = three * a * width
        x, y, z = places[a, 0], places[a, 1], places[a, 2]
        for b in range(a):
            dx, dy, dz = places[b, 0] - x, places[b, 1] - y, places[b, 2] - z
            r2 = dx * dx + dy * dy + dz * dz
            k1 = k2 = 0.0
            if r2 < cutoff * cutoff:
                k1, k2 = _springs(r2, pairs_tt[types_n[ids[a]], types_n[ids[b]]], law, spacing)
            at = row + three * b
            buffer[at], buffer[at + uint64(1)], buffer[at + uint64(2)] = (
                -k1 - k2 * dx * dx,
                -k2 * dx * dy,
                -k2 * dx * dz,
            )
            at += width
            buffer[at], buffer[at + uint64(1)], buffer[at + uint64(2)] = (
                -k2 * dy * dx,
                -k1 - k2 * dy * dy,
                -k2 * dy * dz,
            )
            at += width
            buffer[at], buffer[at + uint64(1)], buffer[at + uint64(2)] = (
                -k2 * dz * dx,
                -k2 * dz * dy,
                -k1 - k2 * dz * dz,
            )
        # Atoms are held the more the closer they are to the edge, so that none enters or leaves suddenly.
        edge = max(0.0, distances[a] - (radius - 1.0))
        pinned = soft + 2.0 * edge * edge / (1.0 - edge + _TINY)
        for c in range(three):
            for d in range(c + uint64(1)):
                buffer[row + c * width + three * a + d] = stiff[ids[a], c, d]
            buffer[row + c * width + three * a + c] += pinned
        for e in range(_STRAINS):
            for c in range(three):
                buffer[(three * uint64(atoms) + uint64(e)) * width + three * a + c] = force[ids[a], e, c]


@njit(fast=True, error_model="numpy")
def _spread(buffer, width, atoms, first, shears):  # type: ignore[no-untyped-def]
    """Σ_a w_a, Σ_a w_a² and w of the centre, w_a = squared displacement of atom a.

    Over three lines from ``first`` (unit forces), or, with ``shears``, over the deviatoric part of six strain lines.
    """
    total = square = last = 0.0
    for a in range(atoms):
        w = 0.0
        for c in range(3):
            q = first + uint64(3 * a + c)
            if shears:
                xx, yy, zz = buffer[q], buffer[q + width], buffer[q + width * uint64(2)]
                yz, xz, xy = buffer[q + width * uint64(3)], buffer[q + width * uint64(4)], buffer[q + width * uint64(5)]
                third = (xx + yy + zz) / 3
                w += (xx - third) ** 2 + (yy - third) ** 2 + (zz - third) ** 2 + 2 * (yz * yz + xz * xz + xy * xy)
            else:
                w += buffer[q] ** 2 + buffer[q + width] ** 2 + buffer[q + width * uint64(2)] ** 2
        total += w
        square += w * w
        last = w
    return total, square, last


@njit(fast=True, error_model="numpy")
def _dilation(buffer, width, atoms, first):  # type: ignore[no-untyped-def]
    """Σ_a and the centre's squared displacement under isotropic strain."""
    total = last = 0.0
    for a in range(atoms):
        w = 0.0
        for c in range(3):
            q = first + uint64(3 * a + c)
            w += ((buffer[q] + buffer[q + width] + buffer[q + width * uint64(2)]) / 3) ** 2
        total += w
        last = w
    return total, last


@njit(fast=True, error_model="numpy")
def _features(buffer, width, atoms, stiff, force, own, out, at):  # type: ignore[no-untyped-def]
    """The responses of one centre (see ``descriptors/elastic_response.py`` for their names)."""
    m = uint64(3 * atoms)
    strains, units = m * width, (m + uint64(_STRAINS)) * width
    energy = 0.0
    for e in range(uint64(_STRAINS)):
        twice = 1.0 if e < 3 else 2.0
        for c in range(uint64(1), uint64(4)):
            energy += twice * buffer[strains + e * width + m - c] ** 2
    for c in range(uint64(3)):  # L⁻¹ of unit forces on the centre, which is the last block
        for k in range(m):
            buffer[units + c * width + k] = 0.0
    r0 = (m - uint64(3)) * width + m - uint64(3)
    r1, r2 = r0 + width, r0 + width + width
    i0, i1, i2 = buffer[r0], buffer[r1 + uint64(1)], buffer[r2 + uint64(2)]
    end = units + m - uint64(3)
    buffer[end] = i0
    buffer[end + uint64(1)] = -buffer[r1] * i0 * i1
    buffer[end + uint64(2)] = -(buffer[r2] * i0 + buffer[r2 + uint64(1)] * buffer[end + uint64(1)]) * i2
    buffer[end + width + uint64(1)] = i1
    buffer[end + width + uint64(2)] = -buffer[r2 + uint64(1)] * i1 * i2
    buffer[end + width + width + uint64(2)] = i2
    for line in range(uint64(_STRAINS + 3)):
        _back_substitute(buffer, width, atoms, strains + line * width)
    green = np.empty((3, 3))
    for c in range(uint64(3)):
        for d in range(uint64(3)):
            green[c, d] = 0.5 * (buffer[end + c * width + d] + buffer[end + d * width + c])
    compliance, rigid = np.linalg.eigvalsh(green), np.linalg.eigvalsh(stiff)
    strain_force = 0.0
    for e in range(_STRAINS):
        for c in range(3):
            strain_force += (1.0 if e < 3 else 2.0) * force[e, c] ** 2
    spread, spread2, _ = _spread(buffer, width, atoms, units, False)
    shear, shear2, shear_centre = _spread(buffer, width, atoms, strains, True)
    dilation, dilation_centre = _dilation(buffer, width, atoms, strains)
    for c in range(3):
        out[at + c] = math.asinh(rigid[c])
        out[at + 8 + c] = math.log(compliance[c] + _TINY)
    out[at + 3], out[at + 4], out[at + 5] = own[0], own[1], own[2]
    out[at + 6] = math.log(strain_force + _TINY)
    out[at + 7] = math.log(compliance.sum() + _TINY)
    out[at + 11] = math.log(spread + _TINY)
    out[at + 12] = math.log(spread2 / (spread * spread + _TINY * _TINY) + _TINY)
    out[at + 13], out[at + 14] = math.log(dilation + _TINY), math.log(shear + _TINY)
    out[at + 15], out[at + 16] = math.log(shear_centre + _TINY), math.log(dilation_centre + _TINY)
    out[at + 17] = math.log(energy + _TINY)
    out[at + 19] = math.log(own[3] + _LEAST_FORCE)
    out[at + 18] = math.log(shear2 / (shear * shear + _TINY * _TINY) + _TINY)


@njit(fast=True, error_model="numpy")
def respond(  # type: ignore[no-untyped-def]
    start, stop, offsets, centres, j_p, vectors_pc, types_n, pairs_tt, law, spacing, cutoff, radius, soft,
    stiff, force, own, table, width_of_row,
):  # fmt: skip
    """Responses of the centres ``start … stop`` into the first columns of their rows of the flat ``table``.

    ``offsets``, ``j_p``, ``vectors_pc`` list the atoms within ``radius``; several images of an atom are several
    atoms. ``soft`` (eV/Å²) is added to every diagonal element.
    """
    most = 1
    for row in range(start, stop):
        most = max(most, offsets[row + 1] - offsets[row] + 1)
    width = uint64((3 * most + 3) // 4 * 4)
    buffer = np.zeros((3 * most + _STRAINS + 3) * int(width))
    dots = np.empty(9)
    places, ids, distances = np.empty((most, 3)), np.empty(most, np.int64), np.empty(most)
    for row in range(start, stop):
        first, count = offsets[row], offsets[row + 1] - offsets[row]
        for k in range(count):
            x, y, z = vectors_pc[first + k, 0], vectors_pc[first + k, 1], vectors_pc[first + k, 2]
            distances[k] = math.sqrt(x * x + y * y + z * z)
        order = np.argsort(-distances[:count], kind="mergesort")
        for k in range(count):
            p = first + order[k]
            ids[k] = j_p[p]
            for c in range(3):
                places[k, c] = vectors_pc[p, c]
        distances[:count] = distances[order]
        i = centres[row]
        ids[count], distances[count] = i, 0.0
        places[count, 0] = places[count, 1] = places[count, 2] = 0.0
        atoms = count + 1
        _assemble(
            atoms, places, ids, distances, stiff, force, types_n, pairs_tt, law, spacing, cutoff, radius, soft,
            buffer, width,
        )  # fmt: skip
        _factorise(buffer, width, atoms, 2, dots)
        _features(buffer, width, atoms, stiff[i], force[i], own[i], table, i * width_of_row)
