"""Figures about left-out configurations: ROC, calibration, logits against barriers, maps of the sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Configuration
from glass_core.figures import HIGH, LOW, THIRD, new_figure
from glass_core.metrics import auc_roc, is_top, pearson

Floats = NDArray[np.float64]


def roc_points(scores_n: Floats, positive_n: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """False and true positive rates over all thresholds."""
    order = np.argsort(-scores_n, kind="stable")
    hits = positive_n[order]
    true, false = np.cumsum(hits) / max(hits.sum(), 1), np.cumsum(~hits) / max((~hits).sum(), 1)
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


def draw_roc(models: Mapping[str, Floats], labels_n: Floats) -> Any:
    """ROC of several models for the highest 20 % of barriers, pooled over left-out groups."""
    figure, axes = new_figure(5.2, 5)
    top = is_top(labels_n)
    for (name, scores), colour in zip(models.items(), (HIGH, LOW, THIRD), strict=False):
        false, true = roc_points(scores, top)
        axes.plot(false, true, color=colour, label=f"{name}  AUC {auc_roc(scores, top):.3f}")
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="chance")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="lower right", frameon=False)
    return figure


def calibration(probability_n: Floats, positive_n: NDArray[np.bool_], bins: int = 10) -> tuple[Floats, Floats]:
    """Mean predicted probability and observed share of positives in equally filled bins."""
    parts = np.array_split(np.argsort(probability_n, kind="stable"), bins)
    return np.array([probability_n[p].mean() for p in parts]), np.array([positive_n[p].mean() for p in parts])


def draw_calibration(models: Mapping[str, Floats], labels_n: Floats, seed: int = 0) -> Any:
    """Observed share against predicted probability, on as many low as high atoms, as the models were trained."""
    figure, axes = new_figure(5.2, 5)
    top = is_top(labels_n)
    rng = np.random.default_rng(seed)
    low = rng.choice(np.flatnonzero(~top), size=int(top.sum()), replace=False)
    chosen = np.concatenate([np.flatnonzero(top), low])
    for (name, logits), colour in zip(models.items(), (HIGH, LOW), strict=False):
        predicted, observed = calibration(1 / (1 + np.exp(-logits[chosen])), top[chosen])
        axes.plot(predicted, observed, "o-", color=colour, label=name)
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="perfect")
    axes.set(xlabel="predicted probability", ylabel="observed share of high barriers", xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")
    axes.legend(loc="upper left", frameon=False)
    return figure


def coarse_grain(barriers_n: Floats, logits_n: Floats, size: int = 100) -> tuple[Floats, Floats]:
    """Means over runs of ``size`` atoms in the order of their barriers."""
    order = np.argsort(barriers_n, kind="stable")
    parts = np.array_split(order, max(1, len(order) // size))
    return np.array([barriers_n[p].mean() for p in parts]), np.array([logits_n[p].mean() for p in parts])


def draw_logits(logits_n: Floats, labels_n: Floats) -> Any:
    """Log-odds against true barrier, coarse-grained by 100 atoms."""
    figure, axes = new_figure(5.6, 4.4)
    barriers, logits = coarse_grain(labels_n, logits_n)
    axes.scatter(barriers, logits, s=9, color=HIGH, alpha=0.7)
    axes.set(xlabel="true barrier, mean of 100 atoms (eV)", ylabel="log-odds of a high barrier")
    axes.set_title(
        f"Pearson {pearson(logits_n, labels_n):.3f} per atom, {pearson(logits, barriers):.3f} coarse-grained"
    )
    return figure


def draw_sample(configuration: Configuration, predicted_m: Floats, logits_m: Floats, thickness: float = 6.0) -> Any:
    """True and predicted barrier, and log-odds, of a left-out configuration's labelled atoms in a slice."""
    figure, panels = new_figure(15, 5, 1, 3, sharex=True, sharey=True)
    atoms, true = configuration.labelled("barrier")
    positions = configuration.structure.positions_nc[atoms]
    inside = np.abs(positions[:, 2] - np.median(positions[:, 2])) < thickness / 2
    columns = (
        (true, "true barrier (eV)"),
        (predicted_m, f"predicted barrier (eV), Pearson {pearson(predicted_m, true):.2f}"),
        (logits_m, "SCNN log-odds of a high barrier"),
    )
    for axes, (values, title) in zip(panels, columns, strict=True):
        low, high = np.quantile(values, [0.02, 0.98])
        marks = axes.scatter(
            positions[inside, 0], positions[inside, 1], c=values[inside], s=40, cmap="viridis", vmin=low, vmax=high
        )
        figure.colorbar(marks, ax=axes, shrink=0.8, label=title)
        axes.set(xlabel="x (Å)", aspect="equal")
    panels[0].set_ylabel("y (Å)")
    figure.suptitle(f"{configuration.name}, left out in training; slice of {thickness:.0f} Å")
    return figure
