"""Training of graph networks in several processes."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from glass_core.dataset import Dataset, write_dataset
from glass_core.evaluation import evaluate
from glass_core.model_file import load_model
from glass_core.training import parallel
from tests.training.conftest import dataset

__all__ = ["dataset"]


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


SHARED_NORM = """
import sys
import torch
from torch.distributed import all_reduce, is_initialized

plain = torch.nn.BatchNorm1d.forward

def shared(self, x):
    if self.training and is_initialized():
        all_reduce(torch.zeros(1))
    return plain(self, x)

torch.nn.BatchNorm1d.forward = shared
from glass_core.cli.main import main
sys.exit(main())
"""


def test_processes_meet_in_every_batch_norm(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """On GPUs statistics of batches are shared, in validation as well: no process may wait there for the others."""
    write_dataset(dataset, tmp_path / "data.h5")
    (tmp_path / "shared.py").write_text(SHARED_NORM)
    (tmp_path / "c.yaml").write_text(
        "model: graph\ndescriptor: {kind: power_spectrum, cutoff: 3.5, n_max: 2, l_max: 1, shells: 0}\n"
        "settings: {network: symgnn, epochs: 2, validation: rotate, architecture: {heads: [1], width: 4, "
        "head_width: 2, cutoff: 3.5, symmetrisation: length, normalisation: batch}}\nseeds: [0]\n"
    )
    command = [*TORCHRUN, "--master-port=29625", "shared.py", "compare", "c.yaml", "-d", "data.h5", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("2 processes share the configurations of each epoch") == 1


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
