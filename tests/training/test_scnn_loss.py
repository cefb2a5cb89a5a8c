"""Terms of the SCNN loss against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from glass_core.errors import GlassError  # noqa: E402
from glass_core.training import scnn_loss as loss  # noqa: E402


@pytest.fixture
def parts(random: np.random.Generator):
    z = random.normal(size=(20, 6))
    s = random.normal(size=(4, 6))
    high = random.integers(0, 2, 20)
    return z, s, high


def test_cluster_and_separation(parts) -> None:
    z, s, high = parts
    own, other_min, other_max = [], [], []
    for zi, c in zip(z, high, strict=True):
        projection = [zi @ sv / np.linalg.norm(zi) for sv in s]
        mine, rest = (projection[2:], projection[:2]) if c else (projection[:2], projection[2:])
        own.append(min(-p for p in mine))
        other_min.append(min(rest))
        other_max.append(max(rest))
    tz, ts, th = torch.tensor(z), torch.tensor(s), torch.tensor(high)
    assert float(loss.cluster(tz, ts, th)) == pytest.approx(np.mean(own))
    assert float(loss.separation(tz, ts, th, "min")) == pytest.approx(np.mean(other_min))
    assert float(loss.separation(tz, ts, th, "max")) == pytest.approx(np.mean(other_max))
    with pytest.raises(GlassError, match="'min' or 'max'"):
        loss.separation(tz, ts, th, "mean")


def test_orthogonality_and_class_separation(parts) -> None:
    _, s, _ = parts
    columns = [s[:2].T, s[2:].T]
    orthogonality = sum(np.linalg.norm(c.T @ c - np.eye(2), "fro") ** 2 for c in columns)
    apart = -(np.linalg.norm(columns[0] @ columns[0].T - columns[1] @ columns[1].T, "fro") ** 2) / np.sqrt(2)
    assert float(loss.orthogonality(torch.tensor(s))) == pytest.approx(orthogonality)
    assert float(loss.class_separation(torch.tensor(s))) == pytest.approx(apart)


def test_perfect_constraints_have_no_orthogonality_loss() -> None:
    assert float(loss.orthogonality(torch.eye(6)[:4])) == pytest.approx(0)


def test_sparsity_counts_only_evidence_against() -> None:
    assert float(loss.sparsity(torch.tensor(loss.INITIAL_CLASSIFIER))) == pytest.approx(2.0)
