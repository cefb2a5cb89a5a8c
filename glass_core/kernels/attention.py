"""Evaluation of gated graph attention (``graphs/symgnn.py``), some atoms and all edges into them at a time.

Products with weights go to BLAS, a few edges at a time: so few that its library stays in the calling thread, and that
all numbers of these edges stay in the processor's cache. Everything between two products is one loop over them.
Batch normalisations have been folded into the products (``graphs/folded.py``). Arrays are float32 where nothing else
is said.
"""

from __future__ import annotations

import numpy as np

from glass_core.kernels.jit import njit, require_compiler, uint64

require_compiler()


_LARGEST_PRODUCT = 262_144  # multiplications; OpenBLAS starts threads of its own above this
_MOST_EDGES = 256
_ATOMS = 512  # whose messages are summed before they are projected
_HALVINGS = 7
_LEAST = np.float32(-60.0)


@njit(fast=True, error_model="numpy", inline="always")
def _exp(x):  # type: ignore[no-untyped-def]
    """exp of x ≤ 0 to a few 1e-7, what is below −60 taken as that: a Taylor series at x / 128, squared seven times.

    Plain arithmetic, which becomes vector instructions where calls into libm do not.
    """
    t = max(x, _LEAST) * np.float32(1.0 / 128.0)
    # exp(t) − 1, so that squaring does not multiply the rounding error: (1 + q)² − 1 = q (2 + q)
    q = np.float32(1 / 40320) * t + np.float32(1 / 5040)
    q = q * t + np.float32(1 / 720)
    q = q * t + np.float32(1 / 120)
    q = q * t + np.float32(1 / 24)
    q = q * t + np.float32(1 / 6)
    q = q * t + np.float32(1 / 2)
    q = (q * t + np.float32(1.0)) * t
    for _ in range(_HALVINGS):
        q = q * (np.float32(2.0) + q)
    return np.float32(1.0) + q


@njit(error_model="numpy")
def _rows_at_once(rows, columns):  # type: ignore[no-untyped-def]
    """How many edges, or atoms, go through a product with a matrix of this size in one piece."""
    return max(1, min(_MOST_EDGES, _LARGEST_PRODUCT // (rows * columns)))


@njit(fast=True, error_model="numpy")
def encode(  # type: ignore[no-untyped-def]
    start, stop, offsets, vectors_pc, centres_g, sharpness, of_length, of_vector, bias, second, second_bias, e
):  # fmt: skip
    """First states of the edges into the atoms ``start … stop``.

    ``e = (1/K) Σ_k relu(W₂ relu(W_l g(r) + V_k x + b) + b₂)`` with Gaussians g, or r itself where there are none.

    Args:
        start, stop: atoms.
        offsets: edges ``offsets[i] … offsets[i + 1]`` end at atom i.
        vectors_pc: Å.
        centres_g: of the Gaussians, Å; empty for r itself.
        sharpness: s in ``exp(s (r − centre)²)``.
        of_length: W_l transposed, shape (g or 1 or 0, width).
        of_vector: V_k transposed, shape (k, 3, width); k = 0 for encodings of lengths alone.
        bias: b.
        second, second_bias: W₂ transposed, and b₂.
        e: states of all edges, shape (p, width).
    """
    width, lengths, elements = e.shape[1], of_length.shape[0], of_vector.shape[0]
    most = _rows_at_once(width, max(width, lengths))
    smeared = np.empty((most, lengths), np.float32)
    base = np.zeros((most, width), np.float32)
    hidden = np.empty((most, width), np.float32)
    after = np.empty((most, width), np.float32)
    first, last = offsets[start], offsets[stop]
    share = np.float32(1.0 / max(elements, 1))
    for low in range(first, last, most):
        count = min(most, last - low)
        if lengths:
            for p in range(count):
                x, y, z = vectors_pc[low + p, 0], vectors_pc[low + p, 1], vectors_pc[low + p, 2]
                r = np.sqrt(x * x + y * y + z * z)
                if len(centres_g):
                    for g in range(lengths):
                        smeared[p, g] = _exp(sharpness * (r - centres_g[g]) * (r - centres_g[g]))
                else:
                    smeared[p, 0] = r
            np.dot(smeared[:count], of_length, base[:count])
        for k in range(max(elements, 1)):
            for p in range(count):
                if elements:
                    x, y, z = vectors_pc[low + p, 0], vectors_pc[low + p, 1], vectors_pc[low + p, 2]
                    for c in range(width):
                        turned = x * of_vector[k, 0, c] + y * of_vector[k, 1, c] + z * of_vector[k, 2, c]
                        hidden[p, c] = max(base[p, c] + bias[c] + turned, np.float32(0.0))
                else:
                    for c in range(width):
                        hidden[p, c] = max(base[p, c] + bias[c], np.float32(0.0))
            np.dot(hidden[:count], second, after[:count])
            for p in range(count):
                for c in range(width):
                    value = share * max(after[p, c] + second_bias[c], np.float32(0.0))
                    e[low + p, c] = value if k == 0 else e[low + p, c] + value


@njit(error_model="numpy")
def transform(start, stop, h, weight, bias, out):  # type: ignore[no-untyped-def]
    """``out = h W + b`` of the atoms ``start … stop``: in double precision, and kept in single.

    Args:
        start, stop: atoms.
        h: states of atoms, shape (n, width), float64.
        weight, bias: W of shape (width, joined) and b, float64.
        out: shape (n, joined).
    """
    most = _rows_at_once(weight.shape[0], weight.shape[1])
    part = np.empty((most, weight.shape[1]))
    for low in range(start, stop, most):
        count = min(most, stop - low)
        np.dot(h[low : low + count], weight, part[:count])
        for p in range(count):
            for c in range(weight.shape[1]):
                out[low + p, c] = part[p, c] + bias[c]


@njit(fast=True, error_model="numpy")
def attend(  # type: ignore[no-untyped-def]
    start, stop, offsets, i_p, j_p, target, source, value, of_edge, attention, spread, leak, gate, to_edge,
    to_edge_bias, e, new,
):  # fmt: skip
    """Messages to the atoms ``start … stop``, and new states of the edges into them.

    ``f = leaky(W_i h_i + W_j h_j + W_e e)``, ``new_i = Σ_j g σ(a·f) (W_v h_j + f)`` for each head, ``e ← e + P f + b``.

    Args:
        start, stop: atoms.
        offsets, i_p, j_p: edges, sorted by the atom they end at.
        target, source, value: ``W_i h + b``, ``W_j h``, ``W_v h + b`` of atoms, shape (n, joined).
        of_edge: W_e transposed, shape (width, joined).
        attention: a of each head in the rows of its channels, shape (joined, heads).
        spread: 1 where a channel (column) belongs to a head (row), shape (heads, joined).
        leak: slope of leaky() below zero.
        gate: g.
        to_edge, to_edge_bias: P transposed and b, shape (joined, width); empty in the last layer.
        e: states of all edges, shape (p, width); overwritten.
        new: sums of messages, row 0 for the atom ``start``, shape (at least stop − start, joined), float64.
    """
    width, joined, heads = uint64(e.shape[1]), uint64(of_edge.shape[1]), uint64(attention.shape[1])
    most = _rows_at_once(of_edge.shape[1], max(e.shape[1], attention.shape[1]))
    f = np.empty((most, joined), np.float32)
    scores = np.empty((most, heads), np.float32)
    gates = np.empty((most, joined), np.float32)
    change = np.empty((most, width), np.float32)
    for i in range(uint64(stop - start)):
        for c in range(joined):
            new[i, c] = 0.0
    first, last = offsets[start], offsets[stop]
    for low in range(first, last, most):
        count = min(most, last - low)
        np.dot(e[low : low + count], of_edge, f[:count])
        for p in range(uint64(count)):
            i, j = uint64(i_p[uint64(low) + p]), uint64(j_p[uint64(low) + p])
            for c in range(joined):
                x = f[p, c] + target[i, c] + source[j, c]
                f[p, c] = max(x, leak * x)
        np.dot(f[:count], attention, scores[:count])
        for p in range(uint64(count)):
            for h in range(heads):
                x = scores[p, h]
                small = _exp(-abs(x))
                scores[p, h] = gate * (np.float32(1.0) if x >= 0 else small) / (np.float32(1.0) + small)
        np.dot(scores[:count], spread, gates[:count])
        for p in range(uint64(count)):
            i, j = uint64(i_p[uint64(low) + p] - start), uint64(j_p[uint64(low) + p])
            for c in range(joined):
                new[i, c] += gates[p, c] * (value[j, c] + f[p, c])
        if len(to_edge):
            np.dot(f[:count], to_edge, change[:count])
            for p in range(uint64(count)):
                for c in range(width):
                    e[uint64(low) + p, c] += change[p, c] + to_edge_bias[c]


@njit(error_model="numpy")
def advance(  # type: ignore[no-untyped-def]
    start, stop, offsets, i_p, j_p, target, source, value, of_edge, attention, spread, leak, gate, to_edge,
    to_edge_bias, project, project_bias, e, h,
):  # fmt: skip
    """A layer for the atoms ``start … stop`` and the edges into them: ``h ← h + new Q + b`` with ``attend``.

    Args:
        start, stop: atoms.
        offsets, i_p, j_p, target, source, value, of_edge, attention, spread, leak, gate, to_edge, to_edge_bias, e: see
            ``attend``.
        project, project_bias: Q of shape (joined, width) and b, float64.
        h: states of atoms, shape (n, width), float64; overwritten.
    """
    new = np.empty((_ATOMS, of_edge.shape[1]))
    change = np.empty((_ATOMS, h.shape[1]))
    most = _rows_at_once(project.shape[0], project.shape[1])
    for low in range(start, stop, _ATOMS):
        high = min(low + _ATOMS, stop)
        attend(
            low, high, offsets, i_p, j_p, target, source, value, of_edge, attention, spread, leak, gate, to_edge,
            to_edge_bias, e, new,
        )  # fmt: skip
        for first in range(0, high - low, most):
            last = min(first + most, high - low)
            np.dot(new[first:last], project, change[first:last])
        for p in range(high - low):
            for c in range(h.shape[1]):
                h[low + p, c] += change[p, c] + project_bias[c]
