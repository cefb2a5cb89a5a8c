"""Sums over rows that determine linear fits, each part of a table summed once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError

Floats = NDArray[np.float64]
_MOST_PARTS = 64
_parts: OrderedDict[bytes, Moments] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted sums about the mean; those of several groups combine without cancellation.

    Attributes:
        count: Σ u, the sum of weights.
        mean_f: Σ u x / Σ u.
        xx_ff: Σ u (x − x̄)(x − x̄)ᵀ.
        xy_f: Σ u (x − x̄)(y − ȳ).
        mean_y: Σ u y / Σ u.
    """

    count: float
    mean_f: Floats
    xx_ff: Floats
    xy_f: Floats
    mean_y: float

    @classmethod
    def of(cls, x_nf: NDArray[np.floating], y_n: NDArray[np.floating], weight_n: Floats | None = None) -> Moments:
        """Of one table; rows weigh 1 unless told."""
        x, y = x_nf.astype(np.float64), y_n.astype(np.float64)
        weight = np.ones(len(y)) if weight_n is None else weight_n
        count = float(weight.sum())
        mean, mean_y = weight @ x / count, float(weight @ y / count)
        x -= mean
        weighted = x if weight_n is None else x * weight[:, None]
        return cls(count, mean, weighted.T @ x, weighted.T @ (y - mean_y), mean_y)

    @classmethod
    def total(cls, parts: Iterable[Moments]) -> Moments:
        """Of several tables together.

        ``Σ (x − x̄)(x − x̄)ᵀ = Σ_parts [Σ (x − x̄_p)(x − x̄_p)ᵀ + u_p (x̄_p − x̄)(x̄_p − x̄)ᵀ]``, and so for xy.
        """
        many = [part for part in parts if part.count > 0]
        share = np.array([part.count for part in many]) / sum(part.count for part in many)
        mean = np.asarray(sum(s * part.mean_f for s, part in zip(share, many, strict=True)))
        mean_y = float(sum(s * part.mean_y for s, part in zip(share, many, strict=True)))
        xx, xy = np.zeros_like(many[0].xx_ff), np.zeros_like(many[0].xy_f)
        for part in many:
            off = part.mean_f - mean
            xx += part.xx_ff + part.count * np.outer(off, off)
            xy += part.xy_f + part.count * (part.mean_y - mean_y) * off
        return cls(sum(part.count for part in many), mean, xx, xy, mean_y)

    def weighted(self, weight: float) -> Moments:
        """The same rows, each counting ``weight`` times as much."""
        return Moments(weight * self.count, self.mean_f, weight * self.xx_ff, weight * self.xy_f, self.mean_y)

    def standardised(self, mean_f: NDArray[np.floating], std_f: NDArray[np.floating]) -> Moments:
        """Of (x − mean) / std instead of x."""
        std = std_f.astype(np.float64)
        xx = self.xx_ff / std / std[:, None]
        return Moments(self.count, (self.mean_f - mean_f) / std, xx, self.xy_f / std, self.mean_y)

    def second(self) -> Floats:
        """Mean of x xᵀ."""
        return self.xx_ff / self.count + np.outer(self.mean_f, self.mean_f)

    def penalised(self, penalty: float | Floats) -> Floats:
        """Σ u (x − x̄)(x − x̄)ᵀ + diag(λ); λ for all features or for each."""
        return np.asarray(self.xx_ff + penalty * np.eye(len(self.mean_f)))

    def solve(self, penalty: float | Floats) -> tuple[Floats, float]:
        """Weights and intercept of ridge regression, ``min Σ u (w·x + b − y)² + Σ_f λ_f w_f²``."""
        from scipy.linalg import LinAlgError, solve

        matrix = self.penalised(penalty)
        scale = np.sqrt(np.diag(matrix))  # penalties may span many orders of magnitude
        try:
            weight = np.asarray(solve(matrix / scale / scale[:, None], self.xy_f / scale, assume_a="pos") / scale)
        except LinAlgError as error:
            raise GlassError(f"ridge regression has no solution with penalty {np.min(penalty)}; raise it") from error
        return weight, float(self.mean_y - self.mean_f @ weight)

    def squared_error(self, weight_f: Floats, constant: float) -> float:
        """Σ u (w·x + b − y)², but for Σ u (y − ȳ)², which does not depend on the fit."""
        mean_error = self.mean_y - constant - self.mean_f @ weight_f
        return float(weight_f @ self.xx_ff @ weight_f - 2 * weight_f @ self.xy_f + self.count * mean_error**2)


def part_moments(x_nf: NDArray[np.float32], y_n: Floats, weight_n: Floats | None = None) -> Moments:
    """``Moments.of`` a part of a table, remembered by the part's content: in cross-validation every part occurs in
    all folds but one, and its sums take far longer than its hash."""
    digest = hashlib.blake2b(repr(x_nf.shape).encode())
    for array in (x_nf, y_n) if weight_n is None else (x_nf, y_n, weight_n):
        digest.update(np.ascontiguousarray(array).data)
    key = digest.digest()
    if key not in _parts:
        _parts[key] = Moments.of(x_nf, y_n, weight_n)
        while len(_parts) > _MOST_PARTS:
            _parts.popitem(last=False)
    _parts.move_to_end(key)
    return _parts[key]
