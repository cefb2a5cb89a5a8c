"""How far the raw descriptors of the four constraint atoms go without the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Dataset
from glass_core.models.scnn import SCNN
from glass_core.training.rows import Rows


def raw_prototype_scores(
    model: SCNN, dataset: Dataset, rows: Rows, index: Sequence[int], penalty: float = 1e-3
) -> NDArray[np.float64]:
    """Log-odds of every atom from its cosine similarity to four raw descriptor rows.

    Only the last layer, a logistic regression on four similarities, is fitted, each time without the
    group that is scored. ``index`` are the rows of the four atoms.
    """
    standard = model.standardise(rows.features_nf)
    units = standard / np.linalg.norm(standard, axis=1, keepdims=True)
    similarity = (units @ units[index].T).astype(np.float64)
    high = rows.labels_n >= model.card.content["threshold_ev"]
    group = rows.group_s[rows.configuration_n]
    out = np.empty(len(high))
    for held in dataset.groups:
        train = group != held
        weights = _logistic(similarity[train], high[train], penalty)
        out[~train] = similarity[~train] @ weights[:-1] + weights[-1]
    return out


def _logistic(x_nf: NDArray[np.float64], high_n: NDArray[np.bool_], penalty: float) -> NDArray[np.float64]:
    """Logistic regression with balanced classes, by Newton steps; the last entry is the intercept."""
    x = np.column_stack([x_nf, np.ones(len(x_nf))])
    weight_n = np.where(high_n, 0.5 / high_n.mean(), 0.5 / (1 - high_n.mean())) / len(x)
    ridge = penalty * np.diag([1.0] * (x.shape[1] - 1) + [0.0])
    w = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(x @ w)))
        gradient = x.T @ (weight_n * (p - high_n)) + ridge @ w
        hessian = (x * (weight_n * p * (1 - p))[:, None]).T @ x + ridge
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if np.abs(step).max() < 1e-10:
            break
    return w
