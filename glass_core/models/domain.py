"""Whether an atom's surroundings are of the kind that a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import require_shape
from glass_core.errors import GlassError


@dataclass(frozen=True, eq=False)
class Domain:
    """Gaussian picture of the training features: distance along principal axes, and off them.

    ``d² = Σ_k (⟨x, v_k⟩ / s_k)² / K + |x − Σ_k ⟨x, v_k⟩ v_k|² / s_⊥²``, x the standardised features, v_k
    the K leading principal axes with deviations s_k, s_⊥ the deviation of what they leave. An atom is
    out of domain where d exceeds ``threshold``, a high quantile of d over the training atoms.
    """

    axes_kf: NDArray[np.float32]
    scales_k: NDArray[np.float32]
    residual: float
    threshold: float

    @classmethod
    def fit(
        cls, features_nf: NDArray[np.float32], axes: int = 32, quantile: float = 0.999, margin: float = 1.0
    ) -> Domain:
        """From standardised training features; the threshold is ``margin`` times the quantile."""
        x = np.asarray(features_nf, dtype=np.float64)
        draft = cls.unbounded(x.T @ x / len(x), axes)
        return draft.bounded(draft.distance(features_nf), quantile, margin)

    @classmethod
    def unbounded(cls, second_ff: NDArray[np.float64], axes: int = 32) -> Domain:
        """From the mean of x xᵀ over the training atoms, with everything inside."""
        values, vectors = np.linalg.eigh(second_ff)
        leading = vectors[:, ::-1][:, :axes].T
        scales = np.sqrt(np.maximum(values[::-1][:axes], 1e-12))
        rest = float(np.sqrt(max(float(values[::-1][axes:].sum()), 1e-12)))
        return cls(leading.astype(np.float32), scales.astype(np.float32), rest, np.inf)

    def bounded(self, distance_n: NDArray[np.float64], quantile: float, margin: float) -> Domain:
        """The same with ``margin`` times a quantile of the training atoms' distances as threshold."""
        return replace(self, threshold=margin * float(np.quantile(distance_n, quantile)))

    def distance(self, features_mf: NDArray[np.floating]) -> NDArray[np.float64]:
        """d of each row."""
        along = features_mf @ self.axes_kf.T
        off = np.maximum((features_mf**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        inside = ((along / self.scales_k) ** 2).mean(axis=1)
        return np.asarray(np.sqrt(inside + off / self.residual**2), dtype=np.float64)

    def outside(self, features_mf: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether each row is out of domain."""
        return np.asarray(self.distance(features_mf) > self.threshold)

    def require_features(self, features: int, prefix: str = "domain") -> None:
        """Checks that the arrays fit rows of so many features; ``prefix`` as in ``tensors``.

        Raises:
            GlassError: if they do not, or a deviation is not positive.
        """
        require_shape(f"{prefix}_axes_kf", self.axes_kf, None, features)
        require_shape(f"{prefix}_scales_k", self.scales_k, len(self.axes_kf))
        if not ((self.scales_k > 0).all() and self.residual > 0):
            raise GlassError(f"deviations of {prefix} must be > 0, got {min(self.scales_k.min(), self.residual)}")

    def tensors(self, prefix: str = "domain") -> dict[str, NDArray[Any]]:
        """Arrays for a model file, their names beginning with ``prefix``."""
        limits = np.array([self.residual, self.threshold])
        return {f"{prefix}_axes_kf": self.axes_kf, f"{prefix}_scales_k": self.scales_k, f"{prefix}_limits": limits}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], prefix: str = "domain") -> Domain | None:
        """From a model file's arrays; None if it has none."""
        if f"{prefix}_limits" not in tensors:
            return None
        require_shape(f"{prefix}_limits", tensors[f"{prefix}_limits"], 2)
        residual, threshold = tensors[f"{prefix}_limits"].tolist()
        return cls(tensors[f"{prefix}_axes_kf"], tensors[f"{prefix}_scales_k"], residual, threshold)
