"""Standard errors and the sums that they and linear fits come from."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core.metrics import coverage
from glass_core.training import moments as moments_module
from glass_core.training.calibration import SKETCH, error_model, uncalibrated
from glass_core.training.moments import Moments, part_moments


def _table(
    random: np.random.Generator, rows: int = 400, features: int = 7
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features far from zero, so that sums of squares about zero would cancel."""
    x = random.normal(size=(rows, features)) * np.logspace(-3, 2, features) + 1e4
    return x, x @ random.normal(size=features) + random.normal(size=rows), random.uniform(0.1, 2.0, rows)


def test_moments_of_parts_are_those_of_the_whole(random: np.random.Generator) -> None:
    x, y, weight = _table(random)
    parts = Moments.total(Moments.of(x[rows], y[rows], weight[rows]) for rows in (slice(0, 90), slice(90, None)))
    mean, mean_y = np.average(x, axis=0, weights=weight), np.average(y, weights=weight)
    xx = (weight[:, None] * (x - mean)).T @ (x - mean)
    np.testing.assert_allclose(parts.mean_f, mean, rtol=1e-13)
    np.testing.assert_allclose(np.diag(parts.xx_ff), np.diag(xx), rtol=1e-9)
    np.testing.assert_allclose(parts.xy_f, (weight * (y - mean_y)) @ (x - mean), rtol=1e-7)
    assert parts.count == pytest.approx(weight.sum())


def test_standardised_moments_give_the_fit_to_standardised_rows(random: np.random.Generator) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y, weight = _table(random)
    mean, std = x.mean(axis=0), x.std(axis=0)
    found, constant = Moments.of(x, y, weight).standardised(mean, std).weighted(2.0).solve(3.0)
    reference = linear_model.Ridge(alpha=1.5).fit((x - mean) / std, y, weight)
    np.testing.assert_allclose(found, reference.coef_, rtol=1e-6)
    assert constant == pytest.approx(reference.intercept_)
    np.testing.assert_allclose(Moments.of(x, y).second(), x.T @ x / len(x), rtol=1e-12)


def test_parts_are_summed_once(random: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, _ = _table(random)
    x = x.astype(np.float32)
    first = part_moments(x, y)
    assert part_moments(x.copy(), y.copy()) is first
    assert part_moments(x, y + 1) is not first
    assert part_moments(x.reshape(-1)[: 7 * 399].reshape(399, 7), y[:399]) is not first
    monkeypatch.setattr(moments_module, "_MOST_PARTS", 1)
    part_moments(x[:50], y[:50])
    assert part_moments(x, y) is not first


@pytest.mark.parametrize("features", [7, 300])
def test_sketched_leverage_is_close_to_the_quadratic_form(random: np.random.Generator, features: int) -> None:
    x = random.normal(size=(900, features)) @ random.normal(size=(features, features))
    moments = Moments.of(x, random.normal(size=900))
    error = uncalibrated(moments, 5.0, 0)
    off = x - x.mean(axis=0)
    exact = np.einsum("nf,fg,ng->n", off, np.linalg.inv(off.T @ off + 5.0 * np.eye(features)), off) + 1 / 900
    ratio = error.leverage(x) / exact
    if features <= SKETCH:
        np.testing.assert_allclose(ratio, 1.0, rtol=2e-3)
    else:
        assert abs(ratio.mean() - 1) < 0.05
        assert ratio.std() < 1.5 * np.sqrt(2 / SKETCH)
    far = error.leverage(x[:1] + 100 * off[:1])[0] / error.leverage(x[:1])[0]
    assert far == pytest.approx(101**2, rel=0.2)


@pytest.mark.parametrize(("floor", "slope"), [(0.1, 0.9), (0.15, 0.0), (0.0, 1.5)])
def test_error_model_finds_what_made_the_errors(random: np.random.Generator, floor: float, slope: float) -> None:
    leverage = 0.01 * random.lognormal(0, 0.5, 200_000)
    std = np.sqrt(floor**2 + slope**2 * leverage)
    noise = np.where(np.arange(200_000) % 2 == 0, 0.14, 0.3)
    residual = random.normal(0, np.sqrt(std**2 + noise**2))
    a, b = error_model(residual, leverage, noise)
    np.testing.assert_allclose(np.sqrt(a**2 + b**2 * leverage), std, atol=0.012)
    covered = coverage(np.zeros(200_000), np.sqrt(a**2 + b**2 * leverage), residual, noise)
    assert covered["coverage_68"] == pytest.approx(0.68, abs=0.005)
    assert covered["coverage_95"] == pytest.approx(0.95, abs=0.003)
    assert covered["rms_z"] == pytest.approx(1.0, abs=0.01)


def test_labels_less_noisy_than_told_leave_no_error() -> None:
    assert error_model(np.full(100, 0.05), np.full(100, 0.01), np.full(100, 0.14)) == pytest.approx(
        (0.0, 0.0), abs=1e-6
    )
