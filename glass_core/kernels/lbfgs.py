"""Loops of limited-memory BFGS and Lanczos over vectors of a few hundred coordinates, where numpy's calls cost more."""

from __future__ import annotations

import numpy as np

from glass_core.kernels.jit import njit


@njit(fast=True)
def _dot(a, b):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@njit(fast=True)
def two_loops(steps, changes, products, newest, count, compliance, force, out):  # type: ignore[no-untyped-def]
    """out = inverse Hessian of the memory times force (Nocedal & Wright, Algorithm 7.4).

    Args:
        steps, changes: differences of position and of gradient, shape (memory, d).
        products: their dot products, shape (memory,).
        newest: row of the newest entry.
        count: filled rows.
        compliance: inverse curvature of the first guess.
        force: shape (d,).
        out: shape (d,).
    """
    size = len(products)
    alphas = np.empty(size)
    out[:] = force
    for back in range(count):
        row = (newest - back) % size
        alphas[row] = _dot(steps[row], out) / products[row]
        for k in range(len(out)):
            out[k] -= alphas[row] * changes[row, k]
    for k in range(len(out)):
        out[k] *= compliance
    for back in range(count - 1, -1, -1):
        row = (newest - back) % size
        beta = _dot(changes[row], out) / products[row]
        for k in range(len(out)):
            out[k] += (alphas[row] - beta) * steps[row, k]


@njit(fast=True)
def remember(steps, changes, products, row, step, before, after):  # type: ignore[no-untyped-def]
    """Puts a step, and the force before minus the force after it, into a row of the memory.

    Returns:
        Their dot product, and the squares of both. The row is to be used only if the curvature they tell is positive.
    """
    product = 0.0
    length = 0.0
    change = 0.0
    for k in range(len(step)):
        difference = before[k] - after[k]
        steps[row, k], changes[row, k] = step[k], difference
        product += step[k] * difference
        length += step[k] * step[k]
        change += difference * difference
    products[row] = product
    return product, length, change


@njit(fast=True)
def largest(vectors):  # type: ignore[no-untyped-def]
    """Length of the longest of vectors of shape (n, 3)."""
    most = 0.0
    for k in range(len(vectors)):
        square = vectors[k, 0] ** 2 + vectors[k, 1] ** 2 + vectors[k, 2] ** 2
        if np.isnan(square):
            return square
        most = max(most, square)
    return np.sqrt(most)


@njit(fast=True)
def remove(vector, axis):  # type: ignore[no-untyped-def]
    """Removes from ``vector`` its part along the unit vector ``axis``, in place; returns that part."""
    part = _dot(vector, axis)
    for k in range(len(vector)):
        vector[k] -= part * axis[k]
    return part


@njit(fast=True)
def orthogonalise(vector, basis, count):  # type: ignore[no-untyped-def]
    """Removes the first ``count`` rows of an orthonormal basis from ``vector``, twice; returns the length left."""
    for _ in range(2):
        for row in range(count):
            remove(vector, basis[row])
    return np.sqrt(_dot(vector, vector))


@njit(fast=True)
def extend_krylov(image, basis, first, k, diagonal, beside):  # type: ignore[no-untyped-def]
    """One Lanczos step: fills entry k of the tridiagonal matrix and the next row of the basis.

    Args:
        image: the Hessian times row ``first + k`` of the basis, shape (d,); changed.
        basis: orthonormal rows; those before ``first`` are kept out of the space.
        first: row where the space begins.
        k: number of the step.
        diagonal, beside: of the tridiagonal matrix.

    Returns:
        The length of the new direction, before it is made 1.
    """
    diagonal[k] = _dot(image, basis[first + k])
    beside[k] = orthogonalise(image, basis, first + k + 1)
    if beside[k] > 0:
        for c in range(len(image)):
            basis[first + k + 1, c] = image[c] / beside[k]
    return beside[k]


@njit()
def _below(diagonal, beside, size, value):  # type: ignore[no-untyped-def]
    """Whether a tridiagonal matrix has an eigenvalue below ``value`` (Sturm sequence)."""
    pivot = diagonal[0] - value
    if pivot < 0:
        return True
    for k in range(1, size):
        pivot = diagonal[k] - value - beside[k - 1] ** 2 / max(pivot, 1e-300)
        if pivot < 0:
            return True
    return False


@njit()
def lowest_value(diagonal, beside, size):  # type: ignore[no-untyped-def]
    """Lowest eigenvalue of a symmetric tridiagonal matrix, by bisection between Gershgorin's bound and its diagonal."""
    low, high = np.inf, np.inf
    for k in range(size):
        reach = (abs(beside[k - 1]) if k > 0 else 0.0) + (abs(beside[k]) if k + 1 < size else 0.0)
        low = min(low, diagonal[k] - reach)
        high = min(high, diagonal[k])
    while high - low > 1e-7 * max(1.0, abs(low)):
        middle = 0.5 * (low + high)
        if _below(diagonal, beside, size, middle):
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@njit(error_model="numpy")
def lowest_vector(diagonal, beside, size, value, out):  # type: ignore[no-untyped-def]
    """Eigenvector of a symmetric tridiagonal matrix to its lowest eigenvalue, by inverse iteration from just below it.

    Args:
        diagonal, beside: of the matrix; none of the first ``size - 1`` beside is zero.
        size: its rows.
        value: as ``lowest_value`` finds it.
        out: shape (size,), of length 1.
    """
    scale = 0.0
    for k in range(size):
        scale = max(scale, abs(diagonal[k]))
    below = value - 1e-6 * max(1.0, abs(value)) - 1e-12 * scale
    pivots, factors = np.empty(size), np.empty(size)
    pivots[0], factors[0] = diagonal[0] - below, 0.0
    for k in range(1, size):
        factors[k] = beside[k - 1] / pivots[k - 1]
        pivots[k] = diagonal[k] - below - factors[k] * beside[k - 1]
    # The lowest eigenvector has these signs, so that its part in the start is at least 1 / √size.
    out[0] = 1.0
    for k in range(1, size):
        out[k] = -out[k - 1] if beside[k - 1] > 0 else out[k - 1]
    for _ in range(4):
        for k in range(1, size):
            out[k] -= factors[k] * out[k - 1]
        for k in range(size):
            out[k] /= pivots[k]
        for k in range(size - 2, -1, -1):
            out[k] -= factors[k + 1] * out[k + 1]
        length = np.sqrt(_dot(out, out))
        for k in range(size):
            out[k] /= length
