"""Configurations that are trained in seconds, and energies of a known potential."""

from __future__ import annotations

import numpy as np

from glass_core.neighbours import find_neighbours
from glass_core.structure import Structure
from glass_core.training import bench
from glass_core.training.config import TrainingConfig

DESCRIPTOR = {"kind": "power_spectrum", "cutoff": 4.0, "n_max": 3, "l_max": 2, "shells": 1}
QUICK = {
    "committee": {"linear": 1, "networks": 1, "hidden": [16], "epochs": 4, "patience": 2, "batch": 64},
    "ridge": {"penalties": [0.1, 1.0, 10.0]},
    "scnn": {
        "hidden": 16,
        "embedding": 8,
        "cycles": 6,
        "epochs": 3,
        "batch": 32,
        "learning_rate": 3e-3,
        "dropout": 0.0,
    },
    "classifier": {"hidden": [16], "epochs": 15, "batch": 32, "learning_rate": 3e-3},
}


def trainer(model: str) -> bench.RowTrainer:
    return bench.row_trainers()[model][1]


def config(model: str, **changes) -> TrainingConfig:
    return TrainingConfig(
        **{"model": model, "descriptor": DESCRIPTOR, "settings": QUICK.get(model, {}), "seeds": (0,), **changes}
    )


STATES = {
    "kind": "stack",
    "parts": [
        DESCRIPTOR,
        {"kind": "elastic_response", "law": "spline", "spring_cutoff": 5.0, "radius": 3.5, "shells": 2},
    ],
}


def morse_energies(structure: Structure) -> np.ndarray:
    near = find_neighbours(structure, 5.0)
    x = np.exp(-1.4 * (near.distances_p - 2.8))
    return 0.5 * np.bincount(near.i_p, 0.4 * (x * x - 2 * x), structure.n_atoms)
