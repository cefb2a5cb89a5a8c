"""Lowest curvature of a surface and its direction, by Lanczos vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glass_core.kernels import lbfgs
from glass_core.structure import Floats
from glass_core.surface import Curvature

_EXHAUSTED = 1e-6  # eV/Å²; what is left of a vector that short is rounding
_FEWEST = 3  # vectors before the lowest value may be called settled


@dataclass(frozen=True, eq=False)
class Mode:
    """A direction and the curvature along it.

    Attributes:
        curvature: eV/Å².
        direction_nc: of length 1 over all atoms, shape (n, 3).
    """

    curvature: float
    direction_nc: Floats


def lowest_mode(curvature: Curvature, start_nc: Floats, vectors: int, across_kd: Floats, settled: float) -> Mode:
    """The lowest Ritz pair of the Krylov space of ``start_nc`` (C. Lanczos, J. Res. NBS 45, 255 (1950)).

    Vectors are orthogonalised against all before.

    Args:
        curvature: Hessian times a direction.
        start_nc: any vector but zero, shape (n, 3).
        vectors: most products with the Hessian.
        across_kd: directions to stay at right angles to, orthonormal, shape (k, 3n).
        settled: relative change of the lowest value at which to stop early.

    Returns:
        The pair; its curvature is nan where a product was not finite, infinite where no direction is left.
    """
    first = len(across_kd)
    basis = np.empty((first + vectors + 1, start_nc.size))
    basis[:first] = across_kd
    basis[first] = start_nc.reshape(-1) / np.linalg.norm(start_nc)
    length = lbfgs.orthogonalise(basis[first], basis, first)
    if length < _EXHAUSTED:
        return Mode(math.inf, start_nc)
    basis[first] /= length
    diagonal, beside = np.empty(vectors), np.empty(vectors)
    value = math.inf
    for k in range(vectors):
        image = curvature(basis[first + k].reshape(start_nc.shape)).reshape(-1)
        length = lbfgs.extend_krylov(image, basis, first, k, diagonal, beside)
        if not math.isfinite(length):
            return Mode(math.nan, start_nc)
        last, value = value, lbfgs.lowest_value(diagonal, beside, k + 1)
        if length < _EXHAUSTED or (k + 1 >= _FEWEST and abs(value - last) < settled * abs(value)):
            break
    shape = np.empty(k + 1)
    lbfgs.lowest_vector(diagonal, beside, k + 1, value, shape)
    direction = shape @ basis[first : first + k + 1]
    direction /= np.linalg.norm(direction)
    return Mode(value, direction.reshape(start_nc.shape))
