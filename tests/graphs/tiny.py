"""Configurations of networks that are trained in seconds."""

from __future__ import annotations

import numpy as np

from glass_core.models.graph import GraphBarrier
from glass_core.training.config import TrainingConfig

FLAG = {"kind": "power_spectrum", "cutoff": 3.5, "n_max": 3, "l_max": 2, "shells": 0}
TINY = {"heads": [2, 1], "width": 8, "head_width": 4, "cutoff": 4.0, "dropout": 0.0, "normalisation": "layer"}


def config(**changes) -> TrainingConfig:
    settings = {"network": "symgnn", "architecture": {**TINY, "symmetrisation": "length"}, "epochs": 40,
                "learning_rate": 2e-2, **changes}  # fmt: skip
    return TrainingConfig("graph", FLAG, settings, seeds=(0,))


def weights(model: GraphBarrier) -> np.ndarray:
    return np.concatenate([a.ravel() for member in model.members for a in member.values()])
