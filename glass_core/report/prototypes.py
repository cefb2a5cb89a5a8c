"""How far the raw descriptors of the four constraint atoms go without the network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Dataset
from glass_core.errors import GlassError
from glass_core.models.scnn import SCNN
from glass_core.training.rows import Rows


def constraint_atoms(model: SCNN, dataset: Dataset) -> list[tuple[str, int]]:
    """Configuration and atom behind each constraint.

    Raises:
        GlassError: if the model does not name them, or they are not in the data set.
    """
    atoms = [(str(a["configuration"]), int(a["atom"])) for a in model.card.content.get("constraints", [])]
    if not atoms:
        raise GlassError(f"model {model.card.name!r} does not name the atoms behind its constraints; train it again")
    labelled = {c.name: set(c.labelled("barrier")[0].tolist()) for c in dataset}
    missing = sorted({name for name, atom in atoms if atom not in labelled.get(name, ())})
    if missing:
        raise GlassError(
            f"the constraints of model {model.card.name!r} are labelled atoms of {', '.join(missing)}, which the "
            "data set lacks; give the data that it was trained on, or `glass train scnn` on this one and --model FILE"
        )
    return atoms


def row_of(rows: Rows, name: str, atom: int) -> int:
    """Row of an atom of a configuration."""
    return int(np.flatnonzero((rows.configuration_n == rows.names.index(name)) & (rows.atom_n == atom))[0])


def raw_prototype_scores(model: SCNN, dataset: Dataset, rows: Rows, penalty: float = 1e-3) -> NDArray[np.float64]:
    """Log-odds of every atom from its cosine similarity to four raw descriptor rows.

    Only the last layer, a logistic regression on four similarities, is fitted, each time without the
    group that is scored. The four atoms are those of ``model``.
    """
    place = [row_of(rows, name, atom) for name, atom in constraint_atoms(model, dataset)]
    standard = model.standardise(rows.features_nf)
    units = standard / np.linalg.norm(standard, axis=1, keepdims=True)
    similarity = (units @ units[place].T).astype(np.float64)
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
