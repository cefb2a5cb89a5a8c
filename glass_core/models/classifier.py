"""The plain network that SCNN is compared with: one hidden layer, two classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays
from glass_core.models.base import DescriptorModel, ModelCard
from glass_core.models.networks import Activation, Layers, forward, pack, require_layers, unpack


@dataclass(frozen=True, eq=False)
class Classifier(DescriptorModel):
    """Log-odds of a high barrier from a network with one hidden layer (the MLP of arXiv:2401.03743)."""

    kind: ClassVar[str] = "classifier"

    layers: Layers
    activation: Activation

    def __post_init__(self) -> None:
        super().__post_init__()
        require_layers(self.layers, self.n_features, 1)

    def head_outputs(self) -> list[str]:
        """Probability and log-odds."""
        return ["high_barrier_probability", "logit"]

    def head(self, features_mf: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """Probability and log-odds of a high barrier."""
        logit = forward(features_mf, self.layers, self.activation)[:, 0].astype(np.float64)
        return {"high_barrier_probability": 1 / (1 + np.exp(-logit)), "logit": logit}

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {**super().settings(), "activation": self.activation}

    def head_tensors(self) -> Arrays:
        """Weights."""
        return pack(self.layers)

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> Classifier:
        """From a model file."""
        parts = {**cls.common_parts(settings, tensors), **cls.plain_parts(settings, "activation")}
        return cls(**parts, card=card, layers=unpack(tensors))
