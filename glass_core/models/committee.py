"""Barrier in eV from a committee of small networks (one member: no committee, no deviation)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays
from glass_core.models.base import DescriptorModel, ModelCard
from glass_core.models.calibration import Committee, SpreadError
from glass_core.models.networks import Activation, Layers, forward, pack, require_layers, unpack
from glass_core.settings import Count, conformed


@dataclass(frozen=True, eq=False)
class BarrierCommittee(Committee, DescriptorModel):
    """Mean of the members' predictions, each member a network on standardised descriptors.

    ``E_i = mean_c f_c(x_i)``; the standard error (``SpreadError``) is told by the deviation
    ``s_i = sqrt(Σ_c (f_c(x_i) − E_i)² / (C − 1))``. A single linear layer makes it a ridge regression.

    Attributes:
        members: layers of each member.
        activation: between layers, "silu" or "relu".
        centre: eV added to the network's output times ``scale``.
        scale: eV.
        error: of several members; None: ``barrier_std`` is s.
    """

    kind: ClassVar[str] = "barrier_committee"

    members: tuple[Layers, ...]
    activation: Activation
    centre: float
    scale: float
    error: SpreadError | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_spread()
        for c, layers in enumerate(self.members):
            require_layers(layers, self.n_features, 1, f"member{c}.")

    def head_outputs(self) -> list[str]:
        """Barrier, and its standard error when there are several members."""
        return ["barrier", "barrier_std"] if len(self.members) > 1 else ["barrier"]

    def head(self, features_mf: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """Barrier and its standard error in eV."""
        all_cm = np.stack([forward(features_mf, layers, self.activation)[:, 0] for layers in self.members])
        values = self.centre + self.scale * all_cm.astype(np.float64)
        return {**self.told(values, axis=0)}

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        own = {"activation": self.activation, "centre": self.centre, "scale": self.scale, "members": len(self.members)}
        return {**super().settings(), **own, **self.error_settings()}

    def head_tensors(self) -> Arrays:
        """Weights of all members."""
        return {k: v for c, layers in enumerate(self.members) for k, v in pack(layers, f"member{c}.").items()}

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> BarrierCommittee:
        """From a model file."""
        members = range(conformed(settings["members"], Count, "members"))
        return cls(
            **cls.common_parts(settings, tensors),
            **cls.plain_parts(settings, "activation", "centre", "scale"),
            card=card,
            members=tuple(unpack(tensors, f"member{c}.") for c in members),
            error=SpreadError.from_settings(settings),
        )
