"""Training of graph networks goes on after interruptions, with the same result, and stops when it should."""

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
from torch._inductor.exc import CppCompileError, InductorError

from glass_core.dataset import Dataset, write_dataset
from glass_core.errors import GlassError
from glass_core.metrics import pearson
from glass_core.model_file import load_model
from glass_core.training.bench import Notes, bench_of
from glass_core.training.checkpoint import best_epoch, read_checkpoint
from glass_core.training.compilation import compiler_errors
from glass_core.training.config import TrainingConfig
from glass_core.training.trainer import Trainer
from tests.graphs.tiny import TINY, config, weights
from tests.training.conftest import dataset

__all__ = ["dataset"]


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


def command(runs: str, out: str) -> list[str]:
    arguments = ["train", "c.yaml", "-d", "data.h5", "-o", out, "--runs", runs, "--json"]
    return [sys.executable, "-m", "glass_core.cli.main", *arguments]


def write_inputs(folder: pathlib.Path, dataset: Dataset, settings: str) -> None:
    """Data set and configuration of ``command``."""
    write_dataset(dataset, folder / "data.h5")
    architecture = "{heads: [2, 1], width: 8, head_width: 4, cutoff: 4.0, symmetrisation: length}"
    (folder / "c.yaml").write_text(
        f"model: graph\ndescriptor: {{kind: power_spectrum, cutoff: 3.5, n_max: 3, l_max: 2, shells: 0}}\n"
        f"settings: {{network: symgnn, {settings}, architecture: {architecture}}}\nseeds: [0]\n"
    )


def test_without_a_compiler_compiled_steps_are_refused_on_one_line(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    write_inputs(tmp_path, dataset, "epochs: 1, compile: true")
    without = {**os.environ, "CXX": "/nonexistent", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "compiled")}
    tried = subprocess.run(
        command("runs", "m.safetensors"), cwd=tmp_path, env=without, capture_output=True, text=True, check=False
    )
    assert tried.returncode == 2
    assert "install a C++ compiler, or set compile: false" in tried.stderr.splitlines()[-1]
    assert "Traceback" not in tried.stderr


def test_a_compiler_that_fails_is_told_from_other_failures() -> None:
    with pytest.raises(GlassError, match=r"no C\+\+ compiler works here"), compiler_errors():
        raise InductorError(CppCompileError(["c++"], "Python.h: no such file"), None)
    with pytest.raises(InductorError, match="not ours"), compiler_errors():
        raise InductorError(RuntimeError("not ours"), None)


def test_a_killed_process_goes_on(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """kill −9 after some epochs; the finished model is bit for bit that of a run that was left alone."""
    write_inputs(tmp_path, dataset, "epochs: 6")
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


def _key(path: pathlib.Path) -> str:
    from safetensors import safe_open

    with safe_open(f"{path}.checkpoint.safetensors", framework="pt") as handle:
        return json.loads(handle.metadata()["training"])["key"]


@pytest.mark.parametrize("factor", [100.0, float("inf")])
def test_divergence_stops_and_keeps_the_last_good_state(
    tmp_path: pathlib.Path, dataset: Dataset, factor: float
) -> None:
    """A loss may grow by orders of magnitude for epochs before it is no longer finite."""
    original = Trainer._loss

    def exploding(self, *arguments):
        poison = factor if len(list(tmp_path.glob("*.checkpoint.*"))) else 1.0
        return original(self, *arguments) * poison

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_loss", exploding)
        message = (
            r"epoch 2 \(loss .*, where .* has 0\.965\)\. Lower learning_rate \(0\.02\) or clip \(1\)"
            r".* kept as a model, .*last_good"
        )
        with pytest.raises(GlassError, match=message):
            bench_of(config(epochs=3), dataset).fit(None, 0, Notes(tmp_path / "run"))
    state = read_checkpoint(tmp_path / "run-m0.checkpoint.safetensors", _key(tmp_path / "run-m0"))
    assert state.epoch == 1
    assert all(torch.isfinite(t).all() for t in state.network.values())
    kept = load_model(tmp_path / "run-m0-last_good.safetensors")
    norms = ("running", "num_batches", "decoder")  # statistics are settled before it is kept, and the last bias
    learned = [name for name in kept.members[0] if not any(word in name for word in norms)]
    assert learned
    for name in learned:
        np.testing.assert_array_equal(kept.members[0][name], state.network[name].numpy())
    assert np.isfinite(kept(next(iter(dataset)).structure)["barrier"].values).all()


@pytest.mark.parametrize("kind", ["weights", "outlier"])
def test_a_large_loss_from_the_start_is_no_divergence(dataset: Dataset, kind: str) -> None:
    """Labels of small errors count more than one, and one strange configuration may raise the mean loss."""
    glasses = list(dataset)
    for k, c in enumerate(glasses):
        labels = dict(c.labels)
        if kind == "weights":
            labels["barrier_error"] = np.full(c.structure.n_atoms, 0.02)
        elif k == 0:
            labels["barrier"] = np.where(np.arange(c.structure.n_atoms) < 2, labels["barrier"] + 6, np.nan)
        glasses[k] = replace(c, labels=labels)
    settings = config(epochs=2, validation="none", misfit=0.02)
    bench = bench_of(settings, Dataset(tuple(glasses), {}))
    losses = []
    with pytest.MonkeyPatch.context() as patch:
        original = Trainer._step
        patch.setattr(Trainer, "_step", lambda *arguments: losses.append(original(*arguments)) or losses[-1])
        bench.fit(None, 0, Notes())
    assert np.mean(losses[: len(glasses)], axis=0)[0] > 10


@pytest.mark.parametrize("normalisation", ["batch", "renorm"])
def test_the_score_in_training_is_that_of_the_model(
    tmp_path: pathlib.Path, dataset: Dataset, normalisation: str
) -> None:
    """Statistics of normalisation lag behind the weights: scored with them, another epoch would be the best."""
    settings = config(epochs=4, validation="rotate", architecture={**TINY, "normalisation": normalisation})
    model = bench_of(settings, dataset).fit(None, 0, Notes(tmp_path / "run"))
    state = read_checkpoint(tmp_path / "run-m0.checkpoint.safetensors", _key(tmp_path / "run-m0"))
    held = [c for c in dataset if c.group == dataset.groups[0]]
    predicted = np.concatenate([model(c.structure)["barrier"].values for c in held])
    recorded = state.history[best_epoch(state.history) - 1]
    assert recorded["validation"] == pytest.approx(
        pearson(predicted, np.concatenate([c.label("barrier") for c in held]))
    )
    assert -1 <= recorded["training"] <= 1


def test_a_foreign_or_broken_checkpoint_is_refused(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    bench_of(config(epochs=1), dataset).fit(None, 0, Notes(tmp_path / "run"))
    with pytest.raises(GlassError, match=r"checkpoint of another model or data set .*choose another folder"):
        bench_of(config(epochs=2), dataset).fit(None, 0, Notes(tmp_path / "run"))
    path = tmp_path / "run-m0.checkpoint.safetensors"
    for content in (b"half", save({}, metadata={"training": "[]"}), save({}, metadata={"training": '{"key": "a"}'})):
        path.write_bytes(content)
        with pytest.raises(GlassError, match=r"is not a checkpoint of training .*delete it"):
            bench_of(config(epochs=1), dataset).fit(None, 0, Notes(tmp_path / "run"))
