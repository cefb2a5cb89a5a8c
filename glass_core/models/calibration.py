"""Standard errors: of linear predictions, by how far an atom is from the training atoms, and of committees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import require_shape
from glass_core.errors import GlassError
from glass_core.settings import NotNegative, checked

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class StandardError:
    """``σ² = a² + b² h`` with the leverage ``h = (x − x̄)ᵀ (Σ u (x − x̄)(x − x̄)ᵀ + diag(λ))⁻¹ (x − x̄) + 1 / Σ u``.

    h is what a ridge regression's variance grows with (Hoerl & Kennard, Technometrics 12, 55 (1970)): small where
    training atoms are dense, quadratic in the distance from them. a and b are fitted to errors on left-out groups,
    after the noise of the labels is taken off: σ is the error against the true barrier. It includes how far the mean
    of a whole glass is off, so errors of atoms of one glass are not independent.

    The quadratic form is sketched (Johnson & Lindenstrauss): h ≈ |S (x − x̄)|² + 1 / Σ u with q random rows
    S = R A^½ / √q, A the inverse above and R orthogonal rows of length √f. Its relative deviation is about √(2 / q).

    | symbol | variable |
    |---|---|
    | x̄, S | ``centre_f``, ``sketch_qf`` |
    | Σ u | ``count`` |
    | a, b | ``floor``, ``slope`` (eV) |
    """

    centre_f: NDArray[np.float32]
    sketch_qf: NDArray[np.float32]
    count: float
    floor: float
    slope: float

    def leverage(self, features_mf: Floats) -> NDArray[np.float64]:
        """h of standardised features."""
        projected = features_mf @ self.sketch_qf.T - self.sketch_qf @ self.centre_f
        return np.asarray((projected**2).sum(axis=1) + 1.0 / self.count, dtype=np.float64)

    def variance(self, features_mf: Floats) -> NDArray[np.float64]:
        """σ² in eV² of standardised features."""
        return self.floor**2 + self.slope**2 * self.leverage(features_mf)

    def require_features(self, features: int, prefix: str) -> None:
        """Checks that the arrays fit rows of so many features; ``prefix`` as in ``tensors``.

        Raises:
            GlassError: if they do not, or a number is negative.
        """
        require_shape(f"{prefix}_centre_f", self.centre_f, features)
        require_shape(f"{prefix}_sketch_qf", self.sketch_qf, None, features)
        if not (self.count > 0 and self.floor >= 0 and self.slope >= 0):
            raise GlassError(f"{prefix}_numbers must be > 0, ≥ 0 and ≥ 0, got {self._numbers.tolist()}")

    @property
    def _numbers(self) -> NDArray[np.float64]:
        return np.array([self.count, self.floor, self.slope])

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Arrays for a model file, their names beginning with ``prefix``."""
        arrays: dict[str, NDArray[Any]] = {
            "centre_f": self.centre_f,
            "sketch_qf": self.sketch_qf,
            "numbers": self._numbers,
        }
        return {f"{prefix}_{name}": array for name, array in arrays.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], prefix: str) -> StandardError:
        """From a model file's arrays."""
        require_shape(f"{prefix}_numbers", tensors[f"{prefix}_numbers"], 3)
        count, floor, slope = tensors[f"{prefix}_numbers"].tolist()
        return cls(tensors[f"{prefix}_centre_f"], tensors[f"{prefix}_sketch_qf"], count, floor, slope)


@dataclass(frozen=True)
class SpreadError:
    """``σ² = a² + b² s²`` with the deviation s of a committee's members.

    s alone is far less than the error: what all members get wrong, it does not show. a and b are fitted to errors on
    left-out groups, after the noise of the labels is taken off: σ is the error against the true barrier.

    Attributes:
        floor: a, eV.
        slope: b.
        label_noise: deviation of labels from true barriers that was assumed where the data set did not tell it, eV.
    """

    floor: NotNegative
    slope: NotNegative
    label_noise: NotNegative

    def std(self, spread_m: Floats) -> NDArray[np.float64]:
        """σ where members deviate by s, both in eV."""
        return np.asarray(np.hypot(self.floor, self.slope * spread_m), dtype=np.float64)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> SpreadError | None:
        """From a model file's plain values."""
        content = settings.get("error")
        found: SpreadError | None = None if content is None else checked(cls, content, "error")
        return found


class Committee:
    """What models of several members share: how these tell the standard error of their mean.

    Attributes:
        members: one or more.
        error: of several members; None: ``barrier_std`` is their deviation.
    """

    members: tuple[Any, ...]
    error: SpreadError | None

    @property
    def label_noise(self) -> float | None:
        """Deviation of labels from true barriers that the standard error was fitted with, eV; None if it was not."""
        return None if self.error is None else self.error.label_noise

    def require_spread(self) -> None:
        """Checks that there is a spread to tell an error from.

        Raises:
            GlassError: if a calibrated committee has a single member.
        """
        if self.error is not None and len(self.members) < 2:
            raise GlassError(
                f"a standard error from the spread of members needs at least 2 of them, got {len(self.members)}"
            )

    def told(self, values: Floats, axis: int) -> dict[str, NDArray[np.float64]]:
        """Barrier, and its standard error when there are several members, of what these say along an axis, eV."""
        found = {"barrier": values.mean(axis=axis)}
        if len(self.members) > 1:
            spread = values.std(axis=axis, ddof=1)
            found["barrier_std"] = spread if self.error is None else self.error.std(spread)
        return found

    def error_settings(self) -> dict[str, Any]:
        """Plain values for a model file; none without a calibration."""
        return {} if self.error is None else {"error": asdict(self.error)}
