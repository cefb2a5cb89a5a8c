"""A plugin from another package: installed, found by entry point, usable by name."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from glass_core.dataset import Dataset, write_dataset
from tests.training.conftest import labelled

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "third_party_plugin"
LIST_AND_PREDICT = """
import json, numpy as np
from glass_core import Structure, load_model, predict
from glass_core import model_file, registry
lone = Structure([[0, 0, 0], [3, 0, 0], [0, 3, 0]], [0, 0, 1], ("Cu", "Zr"))
print(json.dumps({
    "refused": registry.refused(),
    "descriptors": registry.names("descriptor"),
    "model classes": registry.names("model class"),
    "models": model_file.model_names(),
    "values": predict(load_model("coordination"), lone)["coordination"].values.tolist(),
}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables under which the example is installed (in a folder of its own)."""
    pytest.importorskip("setuptools", minversion="77", reason="the example is built with setuptools >= 77")
    folder = tmp_path_factory.mktemp("third_party")
    shutil.copytree(SOURCE, folder / "source")  # building leaves files beside the sources
    target = folder / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [*pip, "--disable-pip-version-check", "--target", str(target), str(folder / "source")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": str(target)}


def run(command: list[str], environment: dict[str, str], cwd: pathlib.Path) -> str:
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_listed_and_predicts(environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    found = json.loads(run([sys.executable, "-c", LIST_AND_PREDICT], environment, tmp_path))
    assert found["refused"] == {}
    assert "ring_counts" in found["descriptors"]
    assert "coordination" in found["model classes"]
    assert "coordination" in found["models"]
    assert found["values"] == [2, 1, 1]


def test_models_are_trained_on_it_and_loaded_again(environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    (tmp_path / "rings.yaml").write_text("model: ridge\ndescriptor: {kind: ring_counts, width: 1.0}\n")
    glasses = [labelled(seed, seed) for seed in range(3)]
    write_dataset(Dataset(tuple(glasses)), tmp_path / "d.h5")
    glass = [sys.executable, "-m", "glass_core.cli.main"]
    run([*glass, "train", "rings.yaml", "-d", "d.h5", "-o", "rings.safetensors"], environment, tmp_path)
    told = json.loads(run([*glass, "evaluate", "rings.safetensors", "d.h5", "--json"], environment, tmp_path))
    assert told["pooled"]["pearson"] > 0.5


def test_its_own_tests_pass(environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    tests = tmp_path / "tests"
    shutil.copytree(SOURCE / "tests", tests)
    run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)], environment, tmp_path)
