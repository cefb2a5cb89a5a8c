"""Barrier in eV from two committees of linear models: one for atoms at rest, one for atoms that vibrate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays, require_shape
from glass_core.errors import GlassError
from glass_core.models.base import DescriptorModel, ModelCard
from glass_core.models.calibration import StandardError
from glass_core.models.domain import Domain

_PLAIN = ("gate", "gate_low", "gate_high", "label_noise")
_WEIGHTS = ("rest_cf", "rest_c", "motion_cf", "motion_c")


@dataclass(frozen=True, eq=False)
class LinearBarrier(DescriptorModel):
    """Mean of committee members ``f_c(x) = (1 − g) (w_c·x + b_c) + g (w'_c·x + b'_c)``, and its standard error.

    Barriers belong to minima of the energy. There, features resolve far more than they do while atoms vibrate,
    and no linear model is good at both. g says which state an atom and its surroundings are in: 0 up to
    ``gate_low``, 1 from ``gate_high``, ``3t² − 2t³`` between, of the feature ``gate`` (not standardised), which
    measures how far the springs between atoms are from balance.

    ``barrier_std = sqrt((1 − g) σ²(x) + g σ'²(x))`` with σ of each state calibrated on groups of glasses that a fit
    had not seen (see ``StandardError``): the error against the true barrier. Labels deviate from the prediction by
    ``sqrt(barrier_std² + label_noise²)``, as they are noisy themselves.

    Attributes:
        gate: column of the feature that tells the states apart.
        gate_low, gate_high: its values between which predictions pass from one state to the other.
        label_noise: deviation of the training labels from true barriers, eV.
        rest_cf, rest_c: weights w_c and constants b_c in eV, of standardised features.
        motion_cf, motion_c: w'_c and b'_c.
        motion_domain: training atoms of the state of motion, as ``domain`` is of the state of rest.
        rest_error, motion_error: σ and σ'.
    """

    kind: ClassVar[str] = "linear_barrier"

    gate: int
    gate_low: float
    gate_high: float
    label_noise: float
    rest_cf: NDArray[np.float32]
    rest_c: NDArray[np.float64]
    motion_cf: NDArray[np.float32]
    motion_c: NDArray[np.float64]
    motion_domain: Domain
    rest_error: StandardError
    motion_error: StandardError

    def __post_init__(self) -> None:
        super().__post_init__()
        for state in ("rest", "motion"):
            require_shape(f"{state}_c", getattr(self, f"{state}_c"), len(self.rest_c))
            require_shape(f"{state}_cf", getattr(self, f"{state}_cf"), len(self.rest_c), self.n_features)
            getattr(self, f"{state}_error").require_features(self.n_features, f"{state}_error")
        self.motion_domain.require_features(self.n_features, "motion_domain")
        if not 0 <= self.gate < self.n_features:
            raise GlassError(f"gate must be one of {self.n_features} features, got {self.gate}")
        if not self.gate_low < self.gate_high:
            raise GlassError(f"gate_low must be below gate_high, got {self.gate_low} and {self.gate_high}")
        if not self.label_noise >= 0:
            raise GlassError(f"label_noise must be ≥ 0 eV, got {self.label_noise}")

    def head_outputs(self) -> list[str]:
        """Barrier and its standard error."""
        return ["barrier", "barrier_std"]

    def head(self, features_mf: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """Barrier and its standard error in eV."""
        g = self.openness(features_mf)
        barrier, variance = np.zeros(len(g)), np.zeros(len(g))
        states = (
            (1 - g, self.rest_cf, self.rest_c, self.rest_error),
            (g, self.motion_cf, self.motion_c, self.motion_error),
        )
        for share, weights_cf, constants_c, error in states:
            mine = np.flatnonzero(share)
            x = features_mf if len(mine) == len(g) else features_mf[mine]
            barrier[mine] += share[mine] * (x @ weights_cf.mean(axis=0, dtype=np.float64) + constants_c.mean())
            variance[mine] += share[mine] * error.variance(x)
        return {"barrier": barrier, "barrier_std": np.sqrt(variance)}

    def openness(self, features_mf: NDArray[np.floating]) -> NDArray[np.floating]:
        """g of standardised features."""
        state = features_mf[:, self.gate] * float(self.std_f[self.gate]) + float(self.mean_f[self.gate])
        return gate_value(state, self.gate_low, self.gate_high)

    def outside(self, standard_mf: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Out of the domain of the state that an atom is in."""
        moving = self.openness(standard_mf) > 0.5
        result = np.empty(len(moving), dtype=bool)
        result[~moving] = super().outside(standard_mf[~moving])
        result[moving] = self.motion_domain.outside(standard_mf[moving])
        return result

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {**super().settings(), **{name: getattr(self, name) for name in _PLAIN}}

    def head_tensors(self) -> Arrays:
        """Weights of all members, the second domain, and the standard errors."""
        return {
            **{name: getattr(self, name) for name in _WEIGHTS},
            **self.motion_domain.tensors("motion_domain"),
            **self.rest_error.tensors("rest_error"),
            **self.motion_error.tensors("motion_error"),
        }

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> LinearBarrier:
        """From a model file."""
        motion_domain = Domain.from_tensors(tensors, "motion_domain")
        if motion_domain is None:
            raise KeyError("motion_domain_limits")
        weights: dict[str, Any] = {name: tensors[name] for name in _WEIGHTS}
        return cls(
            **cls.common_parts(settings, tensors),
            **cls.plain_parts(settings, *_PLAIN),
            **weights,
            card=card,
            motion_domain=motion_domain,
            rest_error=StandardError.from_tensors(tensors, "rest_error"),
            motion_error=StandardError.from_tensors(tensors, "motion_error"),
        )


def gate_value(state_m: NDArray[np.floating], low: float, high: float) -> NDArray[np.floating]:
    """g: 0 up to ``low``, 1 from ``high``, ``3t² − 2t³`` between."""
    t = np.clip((state_m - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))
