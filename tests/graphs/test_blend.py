"""The blend of a linear model and a graph network."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import numpy as np
import pytest

from glass_core import Structure, predict
from glass_core.dataset import Configuration, Dataset
from glass_core.errors import GlassError
from glass_core.model_file import load_model, save_model
from glass_core.models.base import ModelCard
from glass_core.models.blend import Blend
from glass_core.testing import check_model
from glass_core.training import run as training
from glass_core.training.bench import Notes, bench_of
from glass_core.training.config import TrainingConfig, read_config
from tests.core.small_models import small_linear
from tests.graphs.small import small_model
from tests.graphs.tiny import FLAG, TINY
from tests.training.conftest import dataset
from tests.training.quick import STATES, morse_energies

__all__ = ["dataset"]


def small_blend() -> Blend:
    return Blend(small_linear(), replace(small_model("gated"), flag=None), 0.4, ModelCard("small"))


def test_contract() -> None:
    done = check_model(small_blend(), seed=3)
    assert {"rotation", "reflection", "ghosts", "chunks", "receptive_field", "file"} <= set(done)


def test_networks_share_in_what_is_at_rest_and_not_in_what_moves(glass: Structure) -> None:
    model = small_blend()
    linear, networks = predict(model.linear, glass), predict(model.graph, glass)["barrier"].values
    features = model.linear.descriptor(glass)
    rest = 1 - model.linear.openness((features - model.linear.mean_f) / model.linear.std_f)
    assert (rest == 0).any()
    assert (rest == 1).any()
    found = predict(model, glass)
    expected = linear["barrier"].values + 0.4 * rest * (networks - linear["barrier"].values)
    np.testing.assert_allclose(found["barrier"].values, expected, atol=1e-5)
    np.testing.assert_allclose(found["barrier_std"].values, linear["barrier_std"].values, rtol=1e-6)
    np.testing.assert_array_equal(found["out_of_domain"].values, linear["out_of_domain"].values)
    assert found.keys() == model.outputs.keys()


def test_a_share_of_nothing_is_the_linear_model(glass: Structure, monkeypatch: pytest.MonkeyPatch) -> None:
    model = replace(small_blend(), share=0.0)
    monkeypatch.setattr(type(model.graph), "__call__", None)  # is not asked
    linear = predict(model.linear, glass)
    for name, of in predict(model, glass).items():
        np.testing.assert_array_equal(of.values, linear[name].values)


def test_progress_of_both_parts(glass: Structure) -> None:
    told: list[float] = []
    predict(small_blend(), glass, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert 0.8 in told[:-1]
    shaken = Structure(
        glass.positions_nc + np.random.default_rng(0).normal(0, 0.3, glass.positions_nc.shape),
        glass.types_n, glass.species, glass.cell_cc, glass.pbc,
    )  # fmt: skip
    predict(small_blend(), shaken, progress=told.append)
    assert told[-1] == 1.0


def test_networks_take_many_atoms_in_chunks(glass: Structure, monkeypatch: pytest.MonkeyPatch) -> None:
    model, told = small_blend(), []
    whole, some = model(glass)["barrier"].values, np.array([40, 3, 17, 3, 90, 200], dtype=np.int32)
    monkeypatch.setattr(type(model.graph._evaluator), "most_centres", 50)
    np.testing.assert_allclose(model(glass, progress=told.append)["barrier"].values, whole, atol=1e-6)
    assert len([share for share in told if share > 0.8]) >= 4
    monkeypatch.setattr(type(model.graph._evaluator), "most_centres", 2)
    np.testing.assert_allclose(model(glass, some)["barrier"].values, whole[some], atol=1e-6)
    assert model.graph(glass, np.zeros(0, np.int32))["barrier"].values.shape == (0,)


@pytest.mark.parametrize("most", [7, 11, 50])
def test_progress_of_chunks_ends_at_one(glass: Structure, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    model, told = small_model("gated"), []
    monkeypatch.setattr(type(model._evaluator), "most_centres", most)
    model(glass, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_centres_in_any_order(glass: Structure) -> None:
    model = small_blend()
    whole, some = model(glass)["barrier"].values, np.array([40, 3, 17, 3], dtype=np.int32)
    np.testing.assert_allclose(model(glass, some)["barrier"].values, whole[some], atol=1e-6)
    assert model(glass, np.zeros(0, np.int32))["barrier"].values.shape == (0,)


def test_the_file_holds_both_parts(tmp_path: pathlib.Path, glass: Structure) -> None:
    model = small_blend()
    save_model(model, tmp_path / "b.safetensors")
    again = load_model(tmp_path / "b.safetensors")
    assert isinstance(again, Blend)
    assert (again.share, again.graph.flag) == (0.4, None)
    for name, of in predict(model, glass).items():
        np.testing.assert_array_equal(predict(again, glass)[name].values, of.values)


def test_what_cannot_be_is_refused() -> None:
    model = small_blend()
    with pytest.raises(GlassError, match="share"):
        replace(model, share=1.5)
    with pytest.raises(GlassError, match="different species"):
        replace(model, graph=replace(model.graph, species=("Cu", "Ag")))
    with pytest.raises(GlassError, match="no device 'cuda:7'"):
        model.on("cuda:7")


def with_energies(configuration: Configuration) -> Configuration:
    labels = {**configuration.labels, "energy": morse_energies(configuration.structure)}
    return replace(configuration, labels=labels)


GRAPH = {"network": "symgnn", "architecture": {**TINY, "symmetrisation": "length", "messages": "gated"}, "epochs": 30,
         "learning_rate": 2e-2, "optimizer": "muon", "validation": "none"}  # fmt: skip


def config(**changes) -> TrainingConfig:
    settings = {"linear": {"penalty": [3.0]}, "graph": GRAPH, "share": 0.5, **changes}
    return TrainingConfig("blend", STATES, settings, seeds=(0,), thermal=(0.02, 0.5))


def test_training_a_blend(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    known = Dataset(tuple(map(with_energies, dataset)), {})
    told: list[float] = []
    out = tmp_path / "b.safetensors"
    summary = training.train(config(), known, out, tmp_path / "runs", lambda what, share: told.append(share))
    assert summary["pooled"]["mean"]["pearson"] > 0.8
    assert summary["coverage"]["label_noise_ev"] == 0.14
    assert told == sorted(told)
    arrays = load_model(out).tensors()
    linear = sum(arrays[f"linear.{state}_{what}"].size for state in ("rest", "motion") for what in ("cf", "c"))
    networks = sum(array.size for name, array in arrays.items() if name.startswith("graph."))
    assert summary["measured"]["parameters"] == networks + linear * 2 / 3  # one member less where a group is left out
    again = training.train(config(), known, out, tmp_path / "runs")  # from the folds that are there
    assert again["pooled"] == summary["pooled"]


def test_parts_are_those_that_would_be_trained_alone(dataset: Dataset) -> None:
    known = Dataset(tuple(map(with_energies, dataset)), {})
    blend = bench_of(config(), known).fit(1, 0, Notes())
    graph = bench_of(TrainingConfig("graph", FLAG, GRAPH), known).fit(1, 0, Notes())
    linear = bench_of(replace(config(), model="linear_barrier", settings={"penalty": [3.0]}), known).fit(1, 0, Notes())
    for name, array in graph.members[0].items():
        np.testing.assert_array_equal(blend.graph.members[0][name], array)
    np.testing.assert_array_equal(blend.linear.rest_cf, linear.rest_cf)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"linear": {"penalt": [3.0]}}, "penalt.*penalty"),
        ({"graph": {**GRAPH, "epoch": 3}}, "epoch.*epochs"),
        ({"share": 2.0}, "share"),
    ],
)
def test_settings_are_checked_before_anything_is_computed(dataset: Dataset, changes: dict, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        bench_of(config(**changes), dataset)


def test_the_shipped_configuration_is_complete(dataset: Dataset) -> None:
    bench_of(read_config("barrier"), dataset)
