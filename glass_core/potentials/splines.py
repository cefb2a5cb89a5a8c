"""Cubic pieces: the interpolation of LAMMPS, and functions of r² on a uniform grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glass_core.structure import Floats

Radial = Callable[[Floats], tuple[Floats, Floats]]
"""Values and derivatives of a function of the distance at some distances."""


def lammps_slopes(values_k: Floats) -> Floats:
    """Derivatives per step at the points of a table, as ``interpolate`` of LAMMPS's pair_eam.cpp takes them."""
    f = values_k
    slopes = np.empty_like(f)
    slopes[0], slopes[1] = f[1] - f[0], 0.5 * (f[2] - f[0])
    slopes[-2], slopes[-1] = 0.5 * (f[-1] - f[-3]), f[-1] - f[-2]
    slopes[2:-2] = ((f[:-4] - f[4:]) + 8.0 * (f[3:-1] - f[1:-3])) / 12.0
    return slopes


def hermite(values_k: Floats, slopes_k: Floats) -> Floats:
    """Coefficients of ``c₀ + c₁ t + c₂ t² + c₃ t³`` between points, t from 0 to 1, shape (k − 1, 4)."""
    rise = np.diff(values_k)
    left, right = slopes_k[:-1], slopes_k[1:]
    return np.stack([values_k[:-1], left, 3.0 * rise - 2.0 * left - right, left + right - 2.0 * rise], axis=-1)


@dataclass(frozen=True, eq=False)
class Spline:
    """A table as LAMMPS interpolates it.

    Attributes:
        pieces_k4: coefficients, see ``hermite``.
        step: between points.
    """

    pieces_k4: Floats
    step: float

    @classmethod
    def through(cls, values_k: Floats, step: float) -> Spline:
        """Through the points of a table that starts at zero."""
        return cls(hermite(values_k, lammps_slopes(values_k)), step)

    def __call__(self, x: Floats) -> tuple[Floats, Floats]:
        """Values and derivatives."""
        place = x / self.step
        piece = np.clip(place.astype(np.int64), 0, len(self.pieces_k4) - 1)
        t = np.minimum(place - piece, 1.0)
        c = self.pieces_k4[piece].T
        values = ((c[3] * t + c[2]) * t + c[1]) * t + c[0]
        return values, ((3.0 * c[3] * t + 2.0 * c[2]) * t + c[1]) / self.step


def in_squares(function: Radial, inner: float, step: float, pieces: int) -> Floats:
    """A function of the distance as cubic pieces of equal width in the square of the distance.

    Below ``inner`` it goes on as a straight line in r², which is finite at zero.

    Args:
        function: of distances, Å.
        inner: smallest distance at which the function is asked, Å.
        step: width of a piece, Å².
        pieces: number of pieces.

    Returns:
        Coefficients, shape (pieces, 4).
    """
    squares = np.arange(pieces + 1) * step
    first = min(int(np.ceil(inner**2 / step)), pieces - 1)
    distances = np.sqrt(squares[first:])
    values, slopes = function(distances)
    slopes = slopes * (step / (2.0 * distances))
    below = np.arange(-first, 0)
    values = np.concatenate([values[0] + below * slopes[0], values])
    return hermite(values, np.concatenate([np.full(first, slopes[0]), slopes]))
