"""Scores against scikit-learn and scipy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core.errors import GlassError
from glass_core.metrics import auc_roc, average_precision, is_top, report, scores


def test_auc_and_precision_agree_with_scikit_learn(random: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    for ties in (False, True):
        score = random.normal(size=500).round(1 if ties else 9)
        positive = random.random(500) < 0.2 + 0.2 * (score > 0)
        assert auc_roc(score, positive) == pytest.approx(metrics.roc_auc_score(positive, score), abs=1e-12)
        assert average_precision(score, positive) == pytest.approx(
            metrics.average_precision_score(positive, score), abs=1e-12
        )


def test_by_hand() -> None:
    labels = np.array([1.0, 2, 3, 4, 5])
    assert is_top(labels).tolist() == [False, False, False, False, True]
    perfect = scores(labels, labels, True)
    assert perfect == {
        "atoms": 5,
        "pearson": pytest.approx(1),
        "spearman": pytest.approx(1),
        "mean_error": 0.0,
        "mae": 0.0,
        "auc_top20": 1.0,
        "average_precision": 1.0,
        "base_rate": 0.2,
    }
    assert scores(-labels, labels, True)["auc_top20"] == 0.0
    assert scores(labels - 0.5, labels, True)["mean_error"] == -0.5
    assert {scores(labels, labels, False)[key] for key in ("mean_error", "mae")} == {None}
    assert np.isnan(scores(np.zeros(5), labels, True)["pearson"])


def test_pooling_sees_differences_between_configurations() -> None:
    predicted = {"a": np.array([1.0, 1.1, 0.9]), "b": np.array([2.0, 2.1, 1.9])}
    labels = {"a": np.array([1.0, 0.9, 1.1]), "b": np.array([2.0, 1.9, 2.1])}
    result = report(predicted, labels, True)
    assert result["mean_per_configuration"]["pearson"] == pytest.approx(-1)
    assert result["pooled"]["pearson"] > 0.9


def test_one_atom_cannot_be_scored() -> None:
    with pytest.raises(GlassError, match="at least 2 atoms"):
        scores(np.ones(1), np.ones(1), True)
