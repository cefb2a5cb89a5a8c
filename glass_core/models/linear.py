"""Barrier in eV from two committees of linear models: one for atoms at rest, one for atoms that vibrate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.models.arrays import require_shape
from glass_core.models.base import Arrays, DescriptorModel, ModelCard
from glass_core.models.domain import Domain


@dataclass(frozen=True, eq=False)
class LinearBarrier(DescriptorModel):
    """Mean and deviation of committee members ``f_c(x) = (1 − g) (w_c·x + b_c) + g (w'_c·x + b'_c)``.

    Barriers belong to minima of the energy. There, features resolve far more than they do while atoms vibrate,
    and no linear model is good at both. g says which state an atom and its surroundings are in: 0 up to
    ``gate_low``, 1 from ``gate_high``, ``3t² − 2t³`` between, of the feature ``gate`` (not standardised), which
    measures how far the springs between atoms are from balance.

    Attributes:
        gate: column of the feature that tells the states apart.
        gate_low, gate_high: its values between which predictions pass from one state to the other.
        rest_cf, rest_c: weights w_c and constants b_c in eV, of standardised features.
        motion_cf, motion_c: w'_c and b'_c.
        motion_domain: training atoms of the state of motion, as ``domain`` is of the state of rest.
    """

    kind: ClassVar[str] = "linear_barrier"

    gate: int
    gate_low: float
    gate_high: float
    rest_cf: NDArray[np.float32]
    rest_c: NDArray[np.float64]
    motion_cf: NDArray[np.float32]
    motion_c: NDArray[np.float64]
    motion_domain: Domain

    def __post_init__(self) -> None:
        super().__post_init__()
        for state in ("rest", "motion"):
            require_shape(f"{state}_c", getattr(self, f"{state}_c"), len(self.rest_c))
            require_shape(f"{state}_cf", getattr(self, f"{state}_cf"), len(self.rest_c), self.n_features)
        self.motion_domain.require_features(self.n_features, "motion_domain")
        if not 0 <= self.gate < self.n_features:
            raise GlassError(f"gate must be one of {self.n_features} features, got {self.gate}")
        if not self.gate_low < self.gate_high:
            raise GlassError(f"gate_low must be below gate_high, got {self.gate_low} and {self.gate_high}")

    def head_outputs(self) -> list[str]:
        """Barrier, and its deviation when there are several members."""
        return ["barrier", "barrier_std"] if len(self.rest_c) > 1 else ["barrier"]

    def head(self, features_mf: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """Barrier and its deviation in eV."""
        g = self.openness(features_mf)[:, None]
        rest_mc = features_mf @ self.rest_cf.T + self.rest_c
        motion_mc = features_mf @ self.motion_cf.T + self.motion_c
        values_mc = (1 - g) * rest_mc + g * motion_mc
        result = {"barrier": values_mc.mean(axis=1)}
        if len(self.rest_c) > 1:
            result["barrier_std"] = values_mc.std(axis=1, ddof=1)
        return result

    def openness(self, features_mf: NDArray[np.floating]) -> NDArray[np.floating]:
        """g of standardised features."""
        state = features_mf[:, self.gate] * float(self.std_f[self.gate]) + float(self.mean_f[self.gate])
        return gate_value(state, self.gate_low, self.gate_high)

    def outside(self, standard_mf: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Out of the domain of the state that an atom is in."""
        moving = self.openness(standard_mf) > 0.5
        return np.where(moving, self.motion_domain.outside(standard_mf), super().outside(standard_mf))

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {**super().settings(), "gate": self.gate, "gate_low": self.gate_low, "gate_high": self.gate_high}

    def head_tensors(self) -> Arrays:
        """Weights of all members."""
        weights = {name: getattr(self, name) for name in ("rest_cf", "rest_c", "motion_cf", "motion_c")}
        return {**weights, **self.motion_domain.tensors("motion_domain")}

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> LinearBarrier:
        """From a model file."""
        motion_domain = Domain.from_tensors(tensors, "motion_domain")
        if motion_domain is None:
            raise KeyError("motion_domain_limits")
        own: dict[str, Any] = {name: tensors[name] for name in ("rest_cf", "rest_c", "motion_cf", "motion_c")}
        own |= cls.plain_parts(settings, "gate", "gate_low", "gate_high")
        return cls(**cls.common_parts(settings, tensors), card=card, motion_domain=motion_domain, **own)


def gate_value(state_m: NDArray[np.floating], low: float, high: float) -> NDArray[np.floating]:
    """g: 0 up to ``low``, 1 from ``high``, ``3t² − 2t³`` between."""
    t = np.clip((state_m - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))
