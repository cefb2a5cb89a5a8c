"""Standard errors of committees: fitted to how their members differ on groups that they have not seen."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from glass_core.dataset import Dataset
from glass_core.errors import GlassError
from glass_core.evaluation import evaluate
from glass_core.metrics import coverage
from glass_core.model_file import load_model, save_model
from glass_core.models.calibration import SpreadError
from glass_core.prediction import predict
from glass_core.training.config import TrainingConfig
from glass_core.training.cross_validation import CrossValidation, cross_validate
from glass_core.training.intervals import fitted_spread, spread_error
from glass_core.training.run import train
from tests.graphs import tiny
from tests.training import quick

NOISE = 0.05  # of the labels of the fixture
GRAPH = tiny.config(members=2, epochs=15, label_noise=NOISE)
ROWS = quick.config("committee", settings={**quick.QUICK["committee"], "label_noise": NOISE})


@pytest.mark.parametrize("chosen", [GRAPH, ROWS], ids=["graph", "rows"])
def test_intervals_of_a_trained_committee(tmp_path: pathlib.Path, dataset: Dataset, chosen: TrainingConfig) -> None:
    out = tmp_path / "m.safetensors"
    summary = train(chosen, dataset, out)
    assert summary["coverage"]["label_noise_ev"] == NOISE
    assert 0.5 < summary["coverage"]["pooled"]["coverage_68"] < 0.85
    model: Any = load_model(out)
    assert model.label_noise == NOISE
    assert evaluate(model, dataset)["coverage"]["label_noise_ev"] == NOISE
    structure = dataset.configurations[0].structure
    told, spread = (predict(m, structure)["barrier_std"].values for m in (model, replace(model, error=None)))
    np.testing.assert_allclose(told, np.hypot(model.error.floor, model.error.slope * spread), rtol=1e-12)
    assert spread.std() > 0
    found = cross_validate(chosen, dataset)
    assert fitted_spread(found) == model.error
    assert replace(model, error=None).label_noise is None
    with pytest.raises(GlassError, match="needs at least 2 of them, got 1"):
        replace(model, members=model.members[:1])


def test_errors_on_a_group_have_no_part_in_its_intervals() -> None:
    """Two groups whose errors differ by a factor of four: intervals of each come from the other."""
    rng = np.random.default_rng(0)
    size = {"good": 0.05, "bad": 0.2}
    labels = {name: rng.normal(0, std, 5000) for name, std in size.items()}
    outputs = {name: {"barrier": np.zeros(5000), "barrier_std": np.full(5000, 0.01)} for name in size}
    unknown = {name: np.full(5000, np.nan) for name in size}
    found = CrossValidation({0: outputs}, labels, unknown, {}, {"good": 0, "bad": 1}, spread_noise=0.0)
    inside = found.summary()["coverage"]["per_configuration"]
    assert inside["good"]["rms_z"] == pytest.approx(0.25, rel=0.05)
    assert inside["bad"]["rms_z"] == pytest.approx(4.0, rel=0.05)
    alone = CrossValidation({0: {"bad": outputs["bad"]}}, {"bad": labels["bad"]}, unknown, {}, {"bad": 1}, (), 0.0)
    assert "coverage" not in alone.summary()
    assert fitted_spread(alone).std(np.array([0.01])) == pytest.approx(0.2, rel=0.05)
    with pytest.raises(GlassError, match="only committees"):
        fitted_spread(replace(found, spread_noise=None))


def test_spread_and_floor_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    spread = rng.lognormal(-3, 0.5, 100_000)
    std = np.hypot(0.12, 2.0 * spread)
    residual = rng.normal(0, np.hypot(std, 0.14))
    error = spread_error(residual, spread, np.full(100_000, 0.14), 0.14)
    np.testing.assert_allclose(error.std(spread), std, rtol=0.03)
    covered = coverage(np.zeros(100_000), error.std(spread), residual, np.full(100_000, 0.14))
    assert covered["coverage_95"] == pytest.approx(0.95, abs=0.003)
    same = spread_error(residual, np.zeros(100_000), np.full(100_000, 0.14), 0.14)
    assert same.floor == pytest.approx(np.sqrt((std**2).mean()), rel=0.02)
    assert same.slope == 0.0


def test_damaged_numbers_in_a_model_file(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    out = tmp_path / "m.safetensors"
    train(GRAPH, dataset, out)
    model: Any = load_model(out)
    save_model(replace(model, error=SpreadError(-1.0, 0.0, 0.0)), out)
    with pytest.raises(GlassError, match="floor in error must be ≥ 0"):
        load_model(out)
