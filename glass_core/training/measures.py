"""What is measured of a trained model beside its score: size, speed, invariance."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from glass_core.dataset import Dataset
from glass_core.metrics import pearson
from glass_core.models.base import Model
from glass_core.orthogonal import orthogonal, transformed
from glass_core.prediction import predict
from glass_core.structure import Structure

_PAIRS = 2
_NOT_WEIGHTS = ("guard", "mean_f", "std_f", "domain", "motion_domain", "rest_error", "motion_error")


def parameters(model: Model) -> int:
    """Numbers that were learned from labels: all arrays but those that standardise, flag or tell errors."""
    return sum(a.size for name, a in model.tensors().items() if not name.rpartition(".")[2].startswith(_NOT_WEIGHTS))


def seconds_per_atom(model: Model, structure: Structure) -> float:
    """Time of the second of two predictions, neighbour list included."""
    predict(model, structure)
    start = time.perf_counter()
    predict(model, structure)
    return (time.perf_counter() - start) / structure.n_atoms


def invariance_error(model: Model, structure: Structure, output: str, seed: int = 0) -> float:
    """Spread of predictions over random elements of O(3), in the unit of the output.

    ``sqrt(mean_i var_T f_i(T x))`` over five elements T of O(3) applied to the whole structure, cell included: the
    identity, two random rotations and two random non-rotations.
    """
    rng = np.random.default_rng(seed)
    elements = [np.eye(3), *(orthogonal(rng, sign) for sign in [1, -1] * _PAIRS)]
    values_kn = [predict(model, transformed(structure, t))[output].values for t in elements]
    return float(np.sqrt(np.var(values_kn, axis=0, ddof=1).mean()))


def training_score(values: Mapping[str, Mapping[str, Any]], dataset: Dataset, label: str, output: str) -> float:
    """Pearson correlation over all labelled atoms of the configurations that were trained on."""
    labels = {c.name: c.labelled(label)[1] for c in dataset}
    predicted = np.concatenate([found[output] for found in values.values()])
    return pearson(predicted, np.concatenate([labels[name] for name in values]))
