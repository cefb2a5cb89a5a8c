"""Atoms without a label: neighbours like all others, but without row, loss and score."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import numpy as np
import pytest

from glass_core.dataset import Configuration, Dataset, read_dataset, write_dataset
from glass_core.errors import GlassError
from glass_core.evaluation import evaluate
from glass_core.metrics import pearson
from glass_core.model_file import load_model
from glass_core.prediction import predict
from glass_core.report.scores import draw_sample
from glass_core.training import bench, cross_validation
from glass_core.training import run as training
from glass_core.training.config import TrainingConfig
from glass_core.training.rows import make_rows
from glass_core.training.springs import fitted_springs
from tests.training.quick import QUICK, STATES, config, morse_energies, trainer

FLAG = {"kind": "power_spectrum", "cutoff": 3.5, "n_max": 3, "l_max": 2, "shells": 0}
NETWORK = {"heads": [2, 1], "width": 8, "head_width": 4, "cutoff": 4.0, "dropout": 0.0, "symmetrisation": "length"}
GRAPH = TrainingConfig(
    "graph", FLAG, {"network": "symgnn", "architecture": NETWORK, "epochs": 20, "learning_rate": 2e-2}, seeds=(0,)
)
LINEAR = config("linear_barrier", descriptor=STATES, thermal=(0.02, 0.5), settings={"penalty": [3.0]})
QUICKER = {**QUICK, "scnn": QUICK["scnn"] | {"cycles": 3}}
METHODS = {**{name: config(name, settings=QUICKER[name]) for name in QUICKER}, "linear_barrier": LINEAR, "graph": GRAPH}


def with_labels(configuration: Configuration, **labels: np.ndarray) -> Configuration:
    return replace(configuration, labels={**configuration.labels, **labels})


def thinned(configuration: Configuration, seed: int, share: float = 0.6) -> Configuration:
    """Only some atoms keep their barrier."""
    keep = np.random.default_rng(seed).random(configuration.structure.n_atoms) < share
    return with_labels(configuration, barrier=np.where(keep, configuration.label("barrier"), np.nan))


@pytest.fixture(scope="module")
def partial(dataset: Dataset) -> Dataset:
    """Of the four configurations the second has labels of all atoms, and the first no energies."""
    first, second, third, fourth = dataset
    with_energies = [with_labels(c, energy=morse_energies(c.structure)) for c in (second, third, fourth)]
    some = [thinned(c, seed) for seed, c in enumerate((first, *with_energies[1:]))]
    return Dataset((some[0], with_energies[0], *some[1:]), {"made": "for tests"})


@pytest.mark.parametrize("name", METHODS)
def test_every_method_learns_from_the_labels_that_there_are(
    tmp_path: pathlib.Path, dataset: Dataset, partial: Dataset, name: str
) -> None:
    pytest.importorskip("torch_geometric")
    write_dataset(partial, tmp_path / "data.h5")
    data, out = read_dataset(tmp_path / "data.h5"), tmp_path / "m.safetensors"
    summary = training.train(METHODS[name], data, out, tmp_path / "runs")
    assert summary["pooled"]["mean"]["auc_top20"] > 0.75
    assert summary["pooled"]["mean"]["atoms"] == sum(len(c.labelled("barrier")[0]) for c in partial)
    again = cross_validation.cross_validate(METHODS[name], data, tmp_path / "runs")
    assert again.summary() == summary
    for c in data:
        atoms, labels = c.labelled("barrier")
        np.testing.assert_array_equal(again.labels[c.name], labels)
        assert all(len(values) == len(atoms) for values in again.outputs[0][c.name].values())
    everything = evaluate(load_model(out), dataset)  # also of atoms without labels in training
    assert everything["pooled"]["auc_top20"] > 0.75


def test_rows_are_those_of_labelled_atoms_among_all_others(dataset: Dataset, partial: Dataset) -> None:
    chosen = config("ridge", thermal=(0.05,))
    (_, rows), (_, all_rows) = make_rows(chosen, partial), make_rows(chosen, dataset)
    known = np.concatenate([np.tile(np.isfinite(c.label("barrier")), 2) for c in partial])
    np.testing.assert_allclose(rows.features_nf, all_rows.features_nf[known], rtol=1e-5, atol=1e-6)
    for name in ("labels_n", "configuration_n", "atom_n", "displacement_n"):
        np.testing.assert_array_equal(getattr(rows, name), getattr(all_rows, name)[known])


def test_scores_are_over_labelled_atoms(tmp_path: pathlib.Path, dataset: Dataset, partial: Dataset) -> None:
    training.train(config("ridge"), dataset, tmp_path / "m.safetensors")
    model = load_model(tmp_path / "m.safetensors")
    result = evaluate(model, partial)
    for c in partial:
        atoms, labels = c.labelled("barrier")
        by_hand = pearson(predict(model, c.structure)["barrier"].values[atoms], labels)
        assert result["per_configuration"][c.name]["pearson"] == by_hand
        assert result["per_configuration"][c.name]["atoms"] == len(atoms)


def test_a_loss_does_not_see_predictions_for_atoms_without_a_label(dataset: Dataset) -> None:
    torch = pytest.importorskip("torch")
    trainer_module = pytest.importorskip("glass_core.training.trainer")
    sample = trainer_module.Sample(None, np.array([1.0, 2.0]), 0, np.array([1, 3]))
    predicted = torch.arange(5.0, requires_grad=True)
    ((sample.labelled(predicted) - torch.tensor([1.0, 2.0])) ** 2).sum().backward()
    assert predicted.grad.tolist() == [0, 0, 0, 2, 0]
    everything = trainer_module.Sample(None, np.zeros(5), 0, np.arange(5))
    assert everything.labelled(predicted) is predicted


def test_a_configuration_without_any_label_is_refused_before_anything_is_computed(
    tmp_path: pathlib.Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    training.train(config("ridge"), dataset, tmp_path / "m.safetensors")
    first, *others = dataset
    empty = Dataset((replace(first, labels={"barrier": np.full(256, np.nan)}), *others))
    message = r"no atom of configuration 'glass1' has a label 'barrier' .*glass label.*or leave the configuration out"
    monkeypatch.setattr(bench, "make_rows", lambda *_: pytest.fail("computed descriptors"))
    for method in (config("ridge"), GRAPH):
        with pytest.raises(GlassError, match=message):
            training.train(method, empty, tmp_path / "m.safetensors")
    with pytest.raises(GlassError, match=message):
        evaluate(load_model(tmp_path / "m.safetensors"), empty)


def test_a_configuration_with_one_label_counts_in_pooled_scores(dataset: Dataset) -> None:
    first, *others = dataset
    alone = with_labels(first, barrier=np.where(np.arange(256) == 9, first.label("barrier"), np.nan))
    summary = cross_validation.cross_validate(config("ridge"), Dataset((alone, *others))).summary()
    assert summary["pooled"]["mean"]["atoms"] == 3 * 256 + 1
    assert list(summary["per_configuration_pearson"]) == ["glass2", "glass3", "glass4"]
    assert summary["mean_per_configuration"]["mean"]["pearson"] > 0.8
    lonely = Dataset(tuple(with_labels(c, barrier=np.where(np.arange(256) == 9, 1.0, np.nan)) for c in dataset))
    with pytest.raises(GlassError, match="at least 2 labelled atoms"):
        evaluate(trainer("ridge")(*make_rows(config("ridge"), dataset), config("ridge"), 0), lonely)


def test_springs_are_fitted_to_the_energies_that_there_are(dataset: Dataset) -> None:
    told = [with_labels(c, energy=morse_energies(c.structure)) for c in dataset]
    plain = list(dataset)
    both = fitted_springs(Dataset((told[0], plain[1], told[2], plain[3])), 5.0)
    assert both == fitted_springs(Dataset((told[0], told[2])), 5.0)
    assert both != fitted_springs(Dataset(tuple(told)), 5.0)
    some = np.where(np.arange(256) < 200, told[0].label("energy"), np.nan)
    partly = fitted_springs(Dataset((with_labels(told[0], energy=some),)), 5.0)
    whole = fitted_springs(Dataset((told[0],)), 5.0)
    r = np.linspace(2.5, 4.0, 7)
    values = [springs.derivatives(r, 0)[0] for springs in (partly, whole)]
    assert np.isfinite(values).all()
    assert np.corrcoef(values)[0, 1] > 0.98
    with pytest.raises(GlassError, match=r"energies of atoms, which no configuration has.*train spectra"):
        fitted_springs(dataset, 5.0)


def test_the_picture_of_a_sample_shows_labelled_atoms(partial: Dataset) -> None:
    pytest.importorskip("matplotlib")
    first = partial.configurations[0]
    values = first.labelled("barrier")[1]
    assert draw_sample(first, values, values) is not None
