"""Pair springs between the atoms of a glass: what ``elastic_response`` is computed with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError

Floats = NDArray[np.float64]
SPACING = 0.005
_SWITCH = 1.0
# Smaller distances than any in a condensed phase: the law is continued from here by its value.
_SHORTEST = 1.0


@dataclass(frozen=True)
class SplinePairs:
    """Effective pair potentials as cubic B-splines, one line of coefficients per pair of species.

    ``V(r) = Σ_k c_k B_k(r)`` over the interior and clamped ``knots``; V, V' and V'' vanish at the last knot
    because the last three coefficients are zero and left out. Pairs are ordered 0-0, 0-1, …, 1-1, ….
    """

    knots: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]

    def derivatives(self, r: Floats, pair: int) -> tuple[Floats, Floats]:
        """V' and V'' in eV/Å and eV/Å²."""
        coefficients = np.asarray(self.coefficients[pair])
        return basis(self.knots, r, 1) @ coefficients, basis(self.knots, r, 2) @ coefficients


def basis(knots: Sequence[float], r: Floats, derivative: int) -> Floats:
    """Derivatives of the B-splines that vanish at the last knot, shape (len(r), len(knots) − 4 + 3).

    ``knots`` are without the repetitions at the ends. Below the first knot the value there is taken.
    """
    from scipy.interpolate import BSpline

    full = np.concatenate([[knots[0]] * 3, knots, [knots[-1]] * 3])
    count = len(full) - 4
    inside = np.clip(r, knots[0], knots[-1])
    spline = BSpline(full, np.eye(count), 3)
    values = spline(inside) if derivative == 0 else spline.derivative(derivative)(inside)
    return np.asarray(values[:, : count - 3])


def law_table(
    law: Literal["contact", "morse", "spline"],
    radii: Sequence[float],
    steepness: float,
    cutoff: float,
    spline: SplinePairs | None,
) -> Floats:
    """k₁ = V'/r and k₂ = (V'' − V'/r)/r² of every pair of species on a grid of ``SPACING`` Å.

    "contact": V' = 0, V'' = 1 eV/Å² (a network that only knows who touches whom); "morse": V' and V'' of
    ``0.3 eV (1 − exp(−α (r − r₀)))²`` with r₀ the sum of the radii; both are switched off over the last
    Å before the cutoff. "spline": fitted effective potentials.

    Returns:
        Shape (pairs, points, 2), zero from the cutoff on.
    """
    grid = np.arange(0.0, cutoff + 3 * SPACING, SPACING)
    r = np.maximum(grid, _SHORTEST)
    species = len(radii)
    pairs = [(a, b) for a in range(species) for b in range(a, species)]
    table = np.zeros((len(pairs), len(grid), 2))
    for number, (a, b) in enumerate(pairs):
        if law == "spline":
            if spline is None:
                raise GlassError(
                    "springs of law 'spline' need knots and coefficients; train them, or choose another law"
                )
            first, second = spline.derivatives(r, number)
        else:
            first, second = _analytic(law, r, radii[a] + radii[b], steepness, cutoff)
        first, second = (np.where(grid < cutoff, values, 0.0) for values in (first, second))
        table[number, :, 0] = first / r
        table[number, :, 1] = (second - first / r) / r**2
    return table


def _analytic(law: str, r: Floats, r0: float, steepness: float, cutoff: float) -> tuple[Floats, Floats]:
    t = np.clip((cutoff - r) / _SWITCH, 0.0, 1.0)
    switch = t * t * (3 - 2 * t)
    if law == "contact":
        return np.zeros_like(r), switch
    x = np.exp(-steepness * (r - r0))
    return 0.6 * steepness * (x - x * x) * switch, 0.6 * steepness**2 * (2 * x * x - x) * switch


def pair_numbers(species: int) -> NDArray[np.int64]:
    """Number of each pair of types in tables, shape (species, species)."""
    numbers = np.zeros((species, species), dtype=np.int64)
    upper = np.triu_indices(species)
    numbers[upper] = np.arange(len(upper[0]))
    return np.maximum(numbers, numbers.T)
