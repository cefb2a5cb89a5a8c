"""Training of graph networks: learns, resumes with the same result, stops early, refuses what cannot be."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from glass_core.dataset import Dataset, write_dataset
from glass_core.errors import GlassError, MissingExtraError
from glass_core.evaluation import evaluate
from glass_core.graphs.networks import NETWORKS as KINDS
from glass_core.graphs.networks import Architecture
from glass_core.model_file import load_model, read_card
from glass_core.models.graph import GraphBarrier
from glass_core.prediction import predict
from glass_core.training import parallel
from glass_core.training import run as training
from glass_core.training.bench import Notes, bench_of
from glass_core.training.checkpoint import best_epoch, read_checkpoint
from glass_core.training.config import TrainingConfig
from glass_core.training.optimiser import Optimiser
from glass_core.training.trainer import Trainer
from tests.graphs.small import NETWORKS
from tests.training.conftest import dataset

__all__ = ["dataset"]

FLAG = {"kind": "power_spectrum", "cutoff": 3.5, "n_max": 3, "l_max": 2, "shells": 0}
TINY = {"heads": [2, 1], "width": 8, "head_width": 4, "cutoff": 4.0, "dropout": 0.0, "normalisation": "layer"}


def config(**changes) -> TrainingConfig:
    settings = {"network": "symgnn", "architecture": {**TINY, "symmetrisation": "length"}, "epochs": 40,
                "learning_rate": 2e-2, **changes}  # fmt: skip
    return TrainingConfig("graph", FLAG, settings, seeds=(0,))


def weights(model: GraphBarrier) -> np.ndarray:
    return np.concatenate([a.ravel() for member in model.members for a in member.values()])


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


def interrupt(chosen: TrainingConfig, dataset: Dataset, notes: Notes, stop: int) -> None:
    """Trains some epochs of the first member."""
    original = Trainer.epoch
    done = []

    def failing(self, epoch: int) -> float:
        if len(done) == stop:
            raise KeyboardInterrupt
        done.append(epoch)
        return original(self, epoch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "epoch", failing)
        with pytest.raises(KeyboardInterrupt):
            bench_of(chosen, dataset).fit(1, 0, notes)


@pytest.mark.parametrize("stop", [1, 3])
@pytest.mark.parametrize(
    ("symmetrisation", "optimizer"), [("length", "adamw"), ("learned", "adamw"), ("learned", "muon")]
)
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    tmp_path: pathlib.Path, dataset: Dataset, stop: int, symmetrisation: str, optimizer: str
) -> None:
    architecture = {**TINY, "symmetrisation": symmetrisation}
    chosen = config(architecture=architecture, epochs=4, members=2, optimizer=optimizer)
    whole = bench_of(chosen, dataset).fit(1, 0, Notes())
    interrupt(chosen, dataset, Notes(tmp_path / "run"), stop)
    told: list[str] = []
    resumed = bench_of(chosen, dataset).fit(1, 0, Notes(tmp_path / "run", lambda what, share: told.append(what)))
    assert told[0].startswith(f"member 1/2, epoch {stop + 1}/4")
    np.testing.assert_array_equal(weights(resumed), weights(whole))


SLOW = pytest.mark.skipif("GLASS_TEST_COMPILE" not in os.environ, reason="minutes; set GLASS_TEST_COMPILE=1 to run it")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's compiler, from its own parts
@pytest.mark.parametrize("backend", ["eager", pytest.param("inductor", marks=SLOW)])
@pytest.mark.parametrize("symmetrisation", ["length", "learned"])
def test_an_interrupted_compiled_run_ends_as_if_it_had_not_been(
    tmp_path: pathlib.Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, backend: str, symmetrisation: str
) -> None:
    """Each run compiles for itself, as in a process of its own; "eager" traces the network, without new code for it."""
    original, compiled = torch.compile, []

    def compile_anew(network, **options):
        compiled.append(network)
        torch.compiler.reset()
        return original(network, backend=backend, **options)

    monkeypatch.setattr(torch, "compile", compile_anew)
    architecture = {**TINY, "heads": [1], "width": 4, "symmetrisation": symmetrisation}
    chosen = config(architecture=architecture, epochs=3, compile=True)
    whole = bench_of(chosen, dataset).fit(1, 0, Notes())
    interrupt(chosen, dataset, Notes(tmp_path / "run"), 1)
    resumed = bench_of(chosen, dataset).fit(1, 0, Notes(tmp_path / "run"))
    assert len(compiled) == 3
    np.testing.assert_array_equal(weights(resumed), weights(whole))


def test_a_killed_process_goes_on(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """kill −9 after some epochs; the finished model is bit for bit that of a run that was left alone."""
    write_dataset(dataset, tmp_path / "data.h5")
    architecture = "{heads: [2, 1], width: 8, head_width: 4, cutoff: 4.0, symmetrisation: length}"
    (tmp_path / "c.yaml").write_text(
        f"model: graph\ndescriptor: {{kind: power_spectrum, cutoff: 3.5, n_max: 3, l_max: 2, shells: 0}}\n"
        f"settings: {{network: symgnn, epochs: 6, architecture: {architecture}}}\nseeds: [0]\n"
    )

    def command(runs: str, out: str) -> list[str]:
        arguments = ["train", "c.yaml", "-d", "data.h5", "-o", out, "--runs", runs, "--json"]
        return [sys.executable, "-m", "glass_core.cli.main", *arguments]

    subprocess.run(command("whole", "whole.safetensors"), cwd=tmp_path, check=True, capture_output=True)
    victim = subprocess.Popen(command("cut", "cut.safetensors"), cwd=tmp_path, stdout=subprocess.DEVNULL)
    while not list((tmp_path / "cut").glob("*.checkpoint.safetensors")) and victim.poll() is None:
        pass
    victim.kill()
    victim.wait()
    assert not (tmp_path / "cut.safetensors").exists()
    subprocess.run(command("cut", "cut.safetensors"), cwd=tmp_path, check=True, capture_output=True)
    whole, cut = (load_model(tmp_path / f"{name}.safetensors") for name in ("whole", "cut"))
    np.testing.assert_array_equal(weights(whole), weights(cut))


def test_validation_keeps_the_best_epoch_and_stops(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    scores = iter([0.1, 0.5, 0.3, 0.4, 0.2, 0.9])
    original = Trainer.score

    def scripted(self, valid):
        assert original(self, valid) == pytest.approx(original(self, valid))
        return next(scores)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "score", scripted)
        model = bench_of(config(patience=3, epochs=6), dataset).fit(None, 0, Notes(tmp_path / "run"))
    state = read_checkpoint(tmp_path / "run-m0.checkpoint.safetensors", _key(tmp_path / "run-m0"))
    assert [entry["validation"] for entry in state.history] == [0.1, 0.5, 0.3, 0.4, 0.2]
    *others, (last, _) = model.members[0].items()
    assert last == "decoder.12.bias"  # set anew after training
    for name, tensor in others:
        np.testing.assert_array_equal(tensor, state.best[name].numpy())


def test_epochs_whose_score_is_not_defined_are_never_the_best(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """Constant predictions have no correlation, and NumPy's argmax takes nan for the largest number."""
    nan = float("nan")
    for scores, best in (
        ([nan, 0.1, 0.3, 0.2], 3),
        ([0.2, nan], 1),
        ([nan, nan], 2),
        ([None, None, None], 3),
        ([], 0),
    ):
        assert best_epoch([{"validation": s} for s in scores]) == best
    scripted = iter([nan, nan, 0.5, nan, 0.4, 0.9])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "score", lambda *_: next(scripted))
        bench_of(config(patience=2, epochs=6), dataset).fit(None, 0, Notes(tmp_path / "run"))
    state = read_checkpoint(tmp_path / "run-m0.checkpoint.safetensors", _key(tmp_path / "run-m0"))
    assert len(state.history) == 5
    assert best_epoch(state.history) == 3
    assert (tmp_path / "run-m0.png").stat().st_size > 5000


def test_time_before_an_interruption_counts(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    notes = Notes(tmp_path / "run")
    first = bench_of(config(epochs=3), dataset).fit(0, 0, notes).card.content["training_seconds"]
    again = bench_of(config(epochs=3), dataset).fit(0, 0, notes).card.content["training_seconds"]
    assert 0 < first == again


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


def _key(path: pathlib.Path) -> str:
    from safetensors import safe_open

    with safe_open(f"{path}.checkpoint.safetensors", framework="pt") as handle:
        return json.loads(handle.metadata()["training"])["key"]


def test_left_out_groups_are_not_seen(dataset: Dataset) -> None:
    """Wrecking the labels of a left-out group changes nothing."""
    wrecked = tuple(replace(c, labels={"barrier": 9 - 5 * c.label("barrier")}) if c.group == 2 else c for c in dataset)
    models = [bench_of(config(epochs=2), data).fit(2, 0, Notes()) for data in (dataset, Dataset(wrecked))]
    np.testing.assert_array_equal(weights(models[0]), weights(models[1]))


def test_divergence_stops_and_keeps_the_last_good_state(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    original = Trainer._loss

    def exploding(self, *arguments):
        poison = float("inf") if len(list(tmp_path.glob("*.checkpoint.*"))) else 1.0
        return original(self, *arguments) * poison

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_loss", exploding)
        with pytest.raises(GlassError, match=r"diverged in epoch 2 .*Lower learning_rate \(0\.02\) or clip \(1\)"):
            bench_of(config(epochs=3), dataset).fit(None, 0, Notes(tmp_path / "run"))
    state = read_checkpoint(tmp_path / "run-m0.checkpoint.safetensors", _key(tmp_path / "run-m0"))
    assert state.epoch == 1
    assert all(torch.isfinite(t).all() for t in state.network.values())


def test_a_foreign_or_broken_checkpoint_is_refused(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    bench_of(config(epochs=1), dataset).fit(None, 0, Notes(tmp_path / "run"))
    with pytest.raises(GlassError, match=r"checkpoint of another model or data set .*choose another folder"):
        bench_of(config(epochs=2), dataset).fit(None, 0, Notes(tmp_path / "run"))
    path = tmp_path / "run-m0.checkpoint.safetensors"
    for content in (b"half", save({}, metadata={"training": "[]"}), save({}, metadata={"training": '{"key": "a"}'})):
        path.write_bytes(content)
        with pytest.raises(GlassError, match=r"is not a checkpoint of training .*delete it"):
            bench_of(config(epochs=1), dataset).fit(None, 0, Notes(tmp_path / "run"))


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


def test_each_process_knows_its_device_and_only_the_first_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    assert parallel.is_first()  # a scheduler may set RANK for a process that is alone
    assert parallel.own_device("cuda") == "cuda"
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not parallel.is_first()
    assert [parallel.own_device(name) for name in ("cuda", "cpu", "cuda:0")] == ["cuda:1", "cpu", "cuda:0"]


def test_shares_of_an_epoch_cover_it() -> None:
    order = np.array([4, 2, 0, 1, 3])
    shares = [parallel.Ranks(rank, 2).share(order) for rank in range(2)]
    assert shares == [[4, 0, 3], [2, 1, 4]]
    assert parallel.Ranks().share(order) == [4, 2, 0, 1, 3]


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]


def _torchrun(folder: pathlib.Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*TORCHRUN, f"--master-port={port}", "-m", "glass_core.cli.main", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=300)


def test_processes_agree_about_stopping_and_going_on(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """Statistics of batches differ between ranks, and so would their validation scores; files are read by one."""
    write_dataset(dataset, tmp_path / "data.h5")
    (tmp_path / "c.yaml").write_text(
        "model: graph\ndescriptor: {kind: power_spectrum, cutoff: 3.5, n_max: 2, l_max: 1, shells: 0}\n"
        "settings: {network: egnn, epochs: 6, patience: 2, members: 2, architecture: "
        "{width: 4, layers: 1, cutoff: 3.5}}\nseeds: [0]\n"
    )
    command = ("compare", "c.yaml", "-d", "data.h5", "--json")
    done = _torchrun(tmp_path, 29622, *command)
    assert done.returncode == 0, done.stderr
    assert "find_unused" not in done.stderr
    first = json.loads(done.stdout)  # of one process only
    fold, *_ = sorted((tmp_path / "runs").glob("*.npz"))
    fold.unlink()
    again = _torchrun(tmp_path, 29623, *command)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["c.yaml"]["pooled"] == first["c.yaml"]["pooled"]
    fold.unlink()
    for path in (tmp_path / "runs").glob("*.checkpoint.safetensors"):
        path.write_bytes(b"half")
    broken = _torchrun(tmp_path, 29624, *command)
    assert broken.returncode != 0
    assert "is not a checkpoint of training" in broken.stderr


def test_two_processes_train_one_model(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """torchrun with two ranks on the CPU: one model file, finite, which has learned the signal."""
    write_dataset(dataset, tmp_path / "data.h5")
    (tmp_path / "c.yaml").write_text(
        "model: graph\ndescriptor: {kind: power_spectrum, cutoff: 3.5, n_max: 3, l_max: 2, shells: 0}\n"
        "settings: {network: symgnn, epochs: 20, learning_rate: 0.02, validation: none, architecture: "
        "{heads: [2, 1], width: 8, head_width: 4, cutoff: 4.0, symmetrisation: length}}\nseeds: [0]\n"
    )
    done = _torchrun(tmp_path, 29621, "train", "c.yaml", "-d", "data.h5", "-o", "m.safetensors")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("left-out groups") == 1
    assert evaluate(load_model(tmp_path / "m.safetensors"), dataset)["pooled"]["pearson"] > 0.8
