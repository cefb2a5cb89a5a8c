"""Scores of predictions against labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError

TOP = 0.20
Floats = NDArray[np.floating]


def is_top(labels_n: Floats, fraction: float = TOP) -> NDArray[np.bool_]:
    """Whether each label is among the highest ``fraction`` (label at or above that quantile)."""
    return np.asarray(labels_n >= np.quantile(labels_n, 1 - fraction))


def pearson(a: Floats, b: Floats) -> float:
    """Pearson correlation; nan if either is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else float("nan")


def spearman(a: Floats, b: Floats) -> float:
    """Spearman rank correlation."""
    from scipy.stats import rankdata

    return pearson(rankdata(a), rankdata(b))


def auc_roc(scores_n: Floats, positive_n: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: probability that a positive scores above a negative, ties counting half."""
    from scipy.stats import rankdata

    positives, negatives = int(positive_n.sum()), int((~positive_n).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    ranks = rankdata(scores_n)
    return float((ranks[positive_n].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(scores_n: Floats, positive_n: NDArray[np.bool_]) -> float:
    """Σ (recall step) × precision over descending scores; the base rate for random scores.

    Atoms with equal scores enter together, so the order of ties does not matter.
    """
    order = np.argsort(-scores_n, kind="stable")
    hits = np.cumsum(positive_n[order])
    last = np.append(np.flatnonzero(np.diff(scores_n[order])), len(order) - 1)
    precision = hits[last] / (last + 1)
    steps = np.diff(hits[last], prepend=0)
    return float((precision * steps).sum() / hits[-1]) if hits[-1] else float("nan")


def scores(predicted_n: Floats, labels_n: Floats, in_ev: bool) -> dict[str, float | None]:
    """All scores of one set of atoms; ``mean_error`` is that of the mean, prediction minus label, eV.

    Args:
        predicted_n: predicted barrier in eV, or any score that grows with it (log-odds).
        labels_n: true barriers, eV.
        in_ev: whether ``predicted_n`` is in eV, so that an absolute error means something.
    """
    if len(labels_n) < 2:
        raise GlassError(f"scores need at least 2 atoms, got {len(labels_n)}")
    top = is_top(labels_n)
    return {
        "atoms": len(labels_n),
        "pearson": pearson(predicted_n, labels_n),
        "spearman": spearman(predicted_n, labels_n),
        "mean_error": float((predicted_n - labels_n).mean()) if in_ev else None,
        "mae": float(np.abs(predicted_n - labels_n).mean()) if in_ev else None,
        "auc_top20": auc_roc(predicted_n, top),
        "average_precision": average_precision(predicted_n, top),
        "base_rate": float(top.mean()),
    }


def reliability(labels_n: Floats, error_n: Floats) -> float:
    """Correlation to expect with labels of the same atoms and errors but other noise, ``1 − mean e² / var y``.

    At least −1, where labels differ by less than their errors.

    Args:
        labels_n: with noise.
        error_n: standard errors of the labels, in their unit.
    """
    variance, noise = float(labels_n.var(ddof=1)), float(np.mean(error_n**2))
    return 1.0 - noise / variance if 2.0 * variance > noise else -1.0


def pearson_ceiling(labels_n: Floats, error_n: Floats) -> float:
    """Pearson correlation of labels with their true values, ``sqrt(reliability)``: the score of a perfect model.

    >>> round(pearson_ceiling(np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 0.5)), 3)
    0.922
    """
    return float(np.sqrt(max(0.0, reliability(labels_n, error_n))))


def label_ceilings(
    labels: Mapping[str, Floats], errors: Mapping[str, Floats], label_noise: float | None
) -> dict[str, Any]:
    """``pearson_ceiling`` of each configuration with two labels, and pooled over all; arguments by its name.

    ``label_noise`` (eV) stands in for errors that are nan; ``label_noise_assumed_ev`` tells of which configurations.
    Where it is None, configurations with such labels have no ceiling, nor has all that is pooled (None).
    """
    untold = {name: bool(np.isnan(error).any()) for name, error in errors.items()}
    assumed = {} if label_noise is None else {name: label_noise for name in labels if untold[name]}
    known = {name: assumed_errors(errors[name], assumed.get(name, np.nan)) for name in labels}
    each = {
        name: pearson_ceiling(labels[name], error)
        for name, error in known.items()
        if len(error) > 1 and not np.isnan(error).any()
    }
    whole, all_labels = (np.concatenate([values[name] for name in known]) for values in (known, labels))
    pooled = None if len(whole) < 2 or np.isnan(whole).any() else pearson_ceiling(all_labels, whole)
    return {"pearson_ceiling": each, "pearson_ceiling_pooled": pooled, "label_noise_assumed_ev": assumed}


def require_scorable(counts: Iterable[int]) -> None:
    """Checks the numbers of labelled atoms of configurations that are to be scored.

    Raises:
        GlassError: if none has two.
    """
    if all(count < 2 for count in counts):
        raise GlassError("scores need a configuration with at least 2 labelled atoms; label more with `glass label`")


def report(predicted: Mapping[str, Floats], labels: Mapping[str, Floats], in_ev: bool) -> dict[str, Any]:
    """Scores per configuration, their mean, and pooled over all atoms.

    A configuration of a single atom counts in the pooled scores alone: its own are not defined.

    Raises:
        GlassError: if no configuration has two atoms.
    """
    require_scorable(len(values) for values in labels.values())
    each = {name: scores(predicted[name], labels[name], in_ev) for name in labels if len(labels[name]) > 1}
    pooled = scores(np.concatenate([predicted[n] for n in labels]), np.concatenate([labels[n] for n in labels]), in_ev)
    return {"per_configuration": each, "mean_per_configuration": mean_scores(list(each.values())), "pooled": pooled}


def mean_scores(many: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Mean of each score over configurations or seeds (None where it is not defined)."""
    result: dict[str, float | None] = {}
    for key in many[0]:
        values = [entry[key] for entry in many]
        result[key] = None if None in values else float(np.mean([v for v in values if v is not None]))
    return result


def coverage(predicted_n: Floats, std_n: Floats, labels_n: Floats, error_n: Floats) -> dict[str, float]:
    """Share of labels within prediction ± z sqrt(std² + error²), for the z of 68 % and 95 % of a Gaussian.

    Args:
        predicted_n: eV.
        std_n: standard errors of the predictions against true barriers, eV.
        labels_n: labels, eV.
        error_n: standard errors of the labels against true barriers, eV.

    Returns:
        ``coverage_68`` and ``coverage_95``, which should be 0.68 and 0.95, and ``rms_z``, the root mean square of
        the deviation over its expectation, which should be 1.

    >>> coverage(np.zeros(4), np.full(4, 0.3), np.array([0.1, -0.2, 0.6, 1.1]), np.full(4, 0.4))["coverage_68"]
    0.5
    """
    z = np.abs(labels_n - predicted_n) / np.sqrt(std_n**2 + error_n**2)
    return {
        "coverage_68": float((z <= 0.994458).mean()),
        "coverage_95": float((z <= 1.959964).mean()),
        "rms_z": float(np.sqrt((z**2).mean())),
    }


def assumed_errors(error_n: Floats, label_noise: float) -> NDArray[np.float64]:
    """Standard errors of labels, ``label_noise`` where they are nan: not told by the data set."""
    return np.asarray(np.where(np.isnan(error_n), label_noise, error_n), dtype=np.float64)


def label_coverage(
    predicted: Mapping[str, Floats],
    std: Mapping[str, Floats],
    labels: Mapping[str, Floats],
    errors: Mapping[str, Floats],
    label_noise: float,
) -> dict[str, Any]:
    """``coverage`` of each configuration, and pooled over all atoms; arguments by name of the configuration.

    ``label_noise`` (eV, ``label_noise_ev`` in the result) stands in for errors that are nan.
    """
    columns = (predicted, std, labels, {name: assumed_errors(error, label_noise) for name, error in errors.items()})
    each = {name: coverage(*(c[name] for c in columns)) for name in labels}
    pooled = coverage(*(np.concatenate([c[name] for name in labels]) for c in columns))
    return {"label_noise_ev": label_noise, "pooled": pooled, "per_configuration": each}
