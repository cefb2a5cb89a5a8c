"""SCNN: similarity to four learned structural constraints decides whether a barrier is high."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays, require_shape
from glass_core.models.base import DescriptorModel, ModelCard
from glass_core.models.networks import ACTIVATIONS, Activation, Layers, pack, require_layers, unpack


@dataclass(frozen=True, eq=False)
class SCNN(DescriptorModel):
    """Structural constraint neural network (arXiv:2401.03743).

    ``Z = σ(W_g σ(W_f X + b_f) + b_g)``, ``D = cos(Z, S)``, ``ĉ = softmax(W_h D)``.

    | symbol | variable |
    |---|---|
    | W_f, b_f, W_g, b_g | ``embedding`` |
    | S (constraints in rows) | ``constraints_vz`` |
    | W_h | ``classifier_cv`` |
    | D | ``similarity_0 … 3`` |

    Outputs: the probability of the high class, the log-odds ``(W_h D)_1 − (W_h D)_0``, the four
    similarities, and the cluster (index of the largest similarity). The card's ``constraints`` names
    the training atom behind each constraint.
    """

    kind: ClassVar[str] = "scnn"

    embedding: Layers
    constraints_vz: NDArray[np.float32]
    classifier_cv: NDArray[np.float32]
    activation: Activation

    def __post_init__(self) -> None:
        super().__post_init__()
        require_layers(self.embedding, self.n_features, None)
        require_shape("constraints_vz", self.constraints_vz, None, len(self.embedding[-1][1]))
        require_shape("classifier_cv", self.classifier_cv, 2, len(self.constraints_vz))

    def head_outputs(self) -> list[str]:
        """Probability, log-odds, cluster and the four similarities."""
        count = len(self.constraints_vz)
        return ["high_barrier_probability", "logit", "cluster", *(f"similarity_{v}" for v in range(count))]

    def embed(self, features_mf: NDArray[np.floating]) -> NDArray[np.floating]:
        """Z of standardised features, shape (m, 32)."""
        z = features_mf
        for weight, bias in self.embedding:
            z = ACTIVATIONS[self.activation](z @ weight.T + bias)
        return z

    def similarities(self, embedded_mz: NDArray[np.floating]) -> NDArray[np.float64]:
        """D = cos(Z, S), shape (m, 4); zero where Z is zero."""
        z = embedded_mz.astype(np.float64)
        s = self.constraints_vz.astype(np.float64)
        norms = np.linalg.norm(z, axis=1)[:, None] * np.linalg.norm(s, axis=1)
        return np.asarray(z @ s.T / np.maximum(norms, 1e-12))

    def head(self, features_mf: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """All outputs."""
        similarity = self.similarities(self.embed(features_mf))
        scores = similarity @ self.classifier_cv.astype(np.float64).T
        logit = scores[:, 1] - scores[:, 0]
        result: dict[str, NDArray[np.floating]] = {
            "high_barrier_probability": 1 / (1 + np.exp(-logit)),
            "logit": logit,
            "cluster": similarity.argmax(axis=1).astype(np.float64),
        }
        return result | {f"similarity_{v}": similarity[:, v] for v in range(similarity.shape[1])}

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {**super().settings(), "activation": self.activation}

    def head_tensors(self) -> Arrays:
        """Weights."""
        return {**pack(self.embedding), "constraints_vz": self.constraints_vz, "classifier_cv": self.classifier_cv}

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> SCNN:
        """From a model file."""
        return cls(
            **cls.common_parts(settings, tensors),
            **cls.plain_parts(settings, "activation"),
            card=card,
            embedding=unpack(tensors),
            constraints_vz=tensors["constraints_vz"],
            classifier_cv=tensors["classifier_cv"],
        )
