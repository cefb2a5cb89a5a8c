"""Labels that are known to be noisy count less."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import numpy as np
import pytest

from glass_core.dataset import Configuration, Dataset
from glass_core.evaluation import evaluate
from glass_core.metrics import label_coverage, pearson
from glass_core.model_file import load_model
from glass_core.training import run as training
from glass_core.training.config import TrainingConfig
from glass_core.training.rows import make_rows
from tests.training.quick import STATES, config, morse_energies, trainer

LINEAR = config("linear_barrier", descriptor=STATES, thermal=(0.02, 0.5), settings={"penalty": [3.0]})


def with_noise(configuration: Configuration, told: bool) -> Configuration:
    """Half of the atoms get labels that are off by one eV."""
    random = np.random.default_rng(configuration.group)
    error = np.where(np.arange(configuration.structure.n_atoms) % 2 == 0, 0.05, 1.0)
    noisy = configuration.label("barrier") + error * random.normal(size=len(error))
    known = {"barrier": noisy, "energy": morse_energies(configuration.structure)}
    labels = known | ({"barrier_shrunk_error": error} if told else {})
    return replace(configuration, labels=labels)


COMMITTEE = config("committee", settings={"networks": 2, "linear": 0, "epochs": 100, "hidden": [16]})


@pytest.mark.parametrize("chosen", [LINEAR, config("ridge"), COMMITTEE], ids=lambda c: c.model)
def test_noisy_labels_do_less_harm_where_their_noise_is_told(dataset: Dataset, chosen: TrainingConfig) -> None:
    true = np.concatenate([c.label("barrier") for c in dataset])
    found = {}
    for told in (False, True):
        noisy = Dataset(tuple(with_noise(c, told) for c in dataset), {})
        descriptor, rows = make_rows(chosen, noisy)
        model = trainer(chosen.model)(descriptor, rows, chosen, 0)
        found[told] = pearson(model.rows(rows.measured().features_nf)["barrier"], true)
    assert found[True] > found[False] + 0.05


def test_noise_is_the_shrunk_error_if_there_is_one(dataset: Dataset) -> None:
    first = next(iter(dataset))
    ones = np.ones(first.structure.n_atoms)
    assert np.isnan(first.noise("barrier")).all()
    plain = replace(first, labels={**first.labels, "barrier_error": ones})
    shrunk = replace(plain, labels={**plain.labels, "barrier_shrunk_error": 2 * ones})
    assert (plain.noise("barrier") == 1).all()
    assert (shrunk.noise("barrier") == 2).all()
    assert np.isnan(shrunk.noise("energy")).all()


def test_evaluation_tells_what_noise_allows(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    noisy = Dataset((with_noise(next(iter(dataset)), told=True), *list(dataset)[1:]), {})
    training.train(config("ridge"), dataset, tmp_path / "m.safetensors", tmp_path / "runs")
    result = evaluate(load_model(tmp_path / "m.safetensors"), noisy)
    (name, ceiling), true = next(iter(result["pearson_ceiling"].items())), next(iter(dataset)).label("barrier")
    assert name == "glass1"
    assert len(result["pearson_ceiling"]) == 1
    assert ceiling == pytest.approx(pearson(next(iter(noisy)).label("barrier"), true), abs=0.1)
    assert result["pearson_ceiling_pooled"] is None
    assert result["label_noise_assumed_ev"] == {}


def test_evaluation_assumes_the_noise_that_a_model_was_calibrated_with(dataset: Dataset) -> None:
    """Of labels that tell no error; the ceiling is that of labels which tell this error."""
    told = Dataset(tuple(with_noise(c, told=True) for c in dataset), {})
    model = trainer("linear_barrier")(*make_rows(LINEAR, told), LINEAR, 0)
    first, *others = (replace(c, labels={"barrier": c.label("barrier")}) for c in told)
    half = np.where(np.arange(first.structure.n_atoms) % 2 == 0, 0.3, np.nan)
    found = evaluate(model, Dataset((replace(first, labels={**first.labels, "barrier_error": half}), *others)))
    filled = [np.where(np.isnan(half), 0.14, half), *(np.full(c.structure.n_atoms, 0.14) for c in others)]
    whole = [replace(c, labels={**c.labels, "barrier_error": e}) for c, e in zip([first, *others], filled, strict=True)]
    expected = evaluate(model, Dataset(tuple(whole)))
    assert found["pearson_ceiling"] == expected["pearson_ceiling"]
    assert set(found["pearson_ceiling"]) == {c.name for c in dataset}
    labels, error = np.concatenate([c.label("barrier") for c in whole]), np.concatenate(filled)
    assert found["pearson_ceiling_pooled"] == pytest.approx(np.sqrt(1 - np.mean(error**2) / np.var(labels, ddof=1)))
    assert found["label_noise_assumed_ev"] == dict.fromkeys((c.name for c in dataset), 0.14)
    assert expected["label_noise_assumed_ev"] == {}


def test_coverage_takes_the_error_of_each_label_that_has_one() -> None:
    random = np.random.default_rng(5)
    error = np.where(np.arange(40_000) % 2 == 0, 1.0, np.nan)
    labels = random.normal(0, np.sqrt(0.3**2 + np.where(np.isnan(error), 0.1, error) ** 2))
    columns = (np.zeros(40_000), np.full(40_000, 0.3), labels, error)
    found = label_coverage(*({"a": c[:100], "b": c[100:]} for c in columns), 0.1)
    assert found["label_noise_ev"] == 0.1
    assert found["pooled"]["coverage_68"] == pytest.approx(0.68, abs=0.01)
    assert found["pooled"]["rms_z"] == pytest.approx(1.0, abs=0.02)
    assert set(found["per_configuration"]) == {"a", "b"}


def test_evaluation_tells_coverage_of_a_calibrated_model(dataset: Dataset) -> None:
    plain = trainer("ridge")(*make_rows(config("ridge"), dataset), config("ridge"), 0)
    assert evaluate(plain, dataset)["coverage"] is None
    noisy = Dataset(tuple(with_noise(c, told=True) for c in dataset), {})
    result = evaluate(trainer("linear_barrier")(*make_rows(LINEAR, noisy), LINEAR, 0), noisy)["coverage"]
    assert 0.6 < result["pooled"]["coverage_68"] < 0.9
    assert set(result["per_configuration"]) == {c.name for c in dataset}
