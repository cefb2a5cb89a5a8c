"""Training of graph networks: what they learn, and what is refused."""

from __future__ import annotations

import pathlib
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from glass_core.dataset import Configuration, Dataset
from glass_core.errors import GlassError, MissingExtraError
from glass_core.evaluation import evaluate
from glass_core.graphs.networks import NETWORKS as KINDS
from glass_core.graphs.networks import Architecture
from glass_core.model_file import load_model, read_card
from glass_core.prediction import predict
from glass_core.structure import Structure
from glass_core.training import run as training
from glass_core.training.bench import Notes, bench_of
from glass_core.training.config import TrainingConfig
from glass_core.training.optimiser import Optimiser
from tests.graphs.small import NETWORKS
from tests.graphs.tiny import FLAG, TINY, config, weights
from tests.training.conftest import dataset

__all__ = ["dataset"]


def test_training_finds_the_signal_on_left_out_groups(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    out = tmp_path / "m.safetensors"
    summary = training.train(config(), dataset, out, tmp_path / "runs", command="glass train")
    assert summary["pooled"]["mean"]["pearson"] > 0.8
    assert summary["measured"]["invariance_error"] < 1e-5
    assert summary["measured"]["parameters"] == sum(a.size for a in load_model(out).members[0].values())
    assert read_card(out)["versions"]["torch-geometric"]
    assert evaluate(load_model(out), dataset)["pooled"]["pearson"] > 0.8
    assert len(list((tmp_path / "runs").glob("symgnn-*.png"))) == 4


def test_labels_of_large_errors_count_little(dataset: Dataset) -> None:
    """Half of the labels are one eV too high; the mean prediction follows the others once these tell their errors."""
    off = {}
    for told in (False, True):
        wrong = []
        for c in dataset:
            half = np.arange(c.structure.n_atoms) % 2 == 0
            labels = {"barrier": c.label("barrier") + half}
            wrong.append(replace(c, labels=labels | ({"barrier_error": np.where(half, 1.0, 0.05)} if told else {})))
        model = bench_of(config(validation="none", epochs=10), Dataset(tuple(wrong), {})).fit(None, 0, Notes())
        off[told] = np.mean([predict(model, c.structure)["barrier"].values - c.label("barrier") for c in dataset])
    assert off[False] == pytest.approx(0.5, abs=0.05)
    assert off[True] == pytest.approx(0.0, abs=0.05)


def test_a_single_atom_is_refused(dataset: Dataset) -> None:
    one = Structure([[1.0, 1.0, 1.0]], [0], ("Cu", "Zr"), 20 * np.eye(3), True)
    alone = Configuration("alone", 9, one, np.arange(1), {"barrier": np.array([1.0])})
    with pytest.raises(GlassError, match="configuration 'alone' has one atom, of which no network learns"):
        bench_of(config(), Dataset((*dataset, alone), {})).fit(0, 0, Notes())


def test_the_learned_distributions_move(dataset: Dataset) -> None:
    chosen = config(architecture={**TINY, "symmetrisation": "learned"}, epochs=3, validation="none")
    before = bench_of(replace(chosen, settings={**chosen.settings, "epochs": 1}), dataset).fit(None, 0, Notes())
    after = bench_of(chosen, dataset).fit(None, 0, Notes())
    for name in ("edges.learned.location", "edges.learned.log_concentration"):
        assert np.abs(after.members[0][name] - before.members[0][name]).min() > 1e-6
    told = after.card.content["von_mises"][0]["reflections"]["β"]
    concentration = np.exp(after.members[0]["edges.learned.log_concentration"][1, 1])
    np.testing.assert_allclose(told, (after.members[0]["edges.learned.location"][1, 1], concentration), rtol=1e-5)


def test_muon_takes_the_matrices_of_hidden_layers(dataset: Dataset) -> None:
    bench = bench_of(config(optimizer="muon", learning_rate=1e-2), dataset)
    network = bench.architecture.build(2)
    optimiser = Optimiser(network, bench.settings)
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimiser.step(1e-2)
    by_muon = [
        name
        for (name, _), state in zip(network.named_parameters(), optimiser.state, strict=True)
        if "momentum_buffer" in state
    ]
    assert "layers.0.edge.weight" in by_muon
    assert not any(name.endswith("bias") or "attention" in name or name == "decoder.12.weight" for name in by_muon)
    change = (dict(network.named_parameters())["layers.0.edge.weight"] - before["layers.0.edge.weight"]).detach()
    sizes = torch.linalg.svdvals(change)
    assert sizes.min() > 0.5 * sizes.max()  # nearly orthogonal


def test_without_matplotlib_nothing_is_trained(
    tmp_path: pathlib.Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib is not installed; run: pip install .*\[train\]"):
        bench_of(config(), dataset).fit(None, 0, Notes(tmp_path / "run"))
    bench_of(config(epochs=1), dataset).fit(None, 0, Notes())


@pytest.mark.parametrize("package", ["torch", "torch_geometric"])
def test_a_missing_package_is_named_with_its_pip_line(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    name = package.replace("_", "-")
    with pytest.raises(MissingExtraError, match=rf"{name} is not installed; run: pip install .*\[graph\]"):
        bench_of(config(), dataset)


@pytest.mark.parametrize("name", NETWORKS)
def test_mixed_precision_of_every_network_repeats_itself(dataset: Dataset, name: str) -> None:
    kind, settings = NETWORKS[name]
    chosen = config(network=kind, architecture=settings, epochs=2, precision="bfloat16", validation="none")
    first, again = (weights(bench_of(chosen, dataset).fit(2, 0, Notes())) for _ in range(2))
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)


def test_more_members_than_groups_and_a_single_group(dataset: Dataset) -> None:
    model = bench_of(config(epochs=1, members=3), dataset).fit(2, 0, Notes())
    assert len(model.members) == 3
    assert np.abs(model.members[0]["decoder.0.weight"] - model.members[2]["decoder.0.weight"]).max() > 0
    alone = Dataset(tuple(c for c in dataset if c.group == 0))
    with pytest.raises(GlassError, match=r"no configurations are left to train on; .* validation: none"):
        bench_of(config(epochs=1), alone).fit(None, 0, Notes())
    assert bench_of(config(epochs=1, validation="none"), alone).fit(None, 0, Notes())


def test_left_out_groups_are_not_seen(dataset: Dataset) -> None:
    """Wrecking the labels of a left-out group changes nothing."""
    wrecked = tuple(replace(c, labels={"barrier": 9 - 5 * c.label("barrier")}) if c.group == 2 else c for c in dataset)
    models = [bench_of(config(epochs=2), data).fit(2, 0, Notes()) for data in (dataset, Dataset(wrecked))]
    np.testing.assert_array_equal(weights(models[0]), weights(models[1]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "symgn"}, "unknown network 'symgn'.*Did you mean 'symgnn'"),
        ({"learning_rat": 1}, "unknown key in settings of graph 'learning_rat'.*Did you mean 'learning_rate'"),
        ({"architecture": {"symetrisation": "none"}}, "Did you mean 'symmetrisation'"),
        ({"architecture": {"heads": []}}, "heads in architecture must have at least one entry"),
        ({"schedule": "cosine"}, "schedule in settings of graph must be 'one_cycle' or 'constant'"),
        ({"members": 0}, "members in settings of graph must be ≥ 1"),
    ],
)
def test_settings_are_checked_before_anything_is_computed(dataset: Dataset, changes: dict, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        bench_of(config(**changes), dataset)


@pytest.mark.parametrize("name", KINDS)
def test_every_network_of_the_table_is_there(name: str) -> None:
    network = Architecture.checked(name, {}, "settings").build(2)
    assert isinstance(network, torch.nn.Module)
    assert network.cutoff > 0


def test_a_network_is_no_model(dataset: Dataset) -> None:
    with pytest.raises(GlassError, match="symgnn is a graph network; write model: graph, and network: symgnn in"):
        bench_of(TrainingConfig("symgnn", FLAG), dataset)


def test_impossible_data_and_devices_are_refused(dataset: Dataset) -> None:
    with pytest.raises(GlassError, match="no device 'cuda'"):
        bench_of(config(), dataset, "cuda")
    flat = Dataset(tuple(replace(c, labels={"barrier": np.ones(c.structure.n_atoms)}) for c in dataset))
    with pytest.raises(GlassError, match="all labels are 1 eV"):
        bench_of(config(), flat).fit(None, 0, Notes())
    with pytest.raises(GlassError, match="no atom of configuration 'glass1' has a label 'energy'"):
        training.train(replace(config(), label="energy"), dataset, "m.safetensors")


def test_mixed_precision_gives_nearly_the_same(dataset: Dataset) -> None:
    plain = bench_of(config(epochs=2), dataset).fit(None, 0, Notes())
    mixed = bench_of(config(epochs=2, precision="bfloat16"), dataset).fit(None, 0, Notes())
    difference = np.abs(weights(plain) - weights(mixed))
    assert 0 < difference.mean() < 0.05 * np.abs(weights(plain)).mean()
