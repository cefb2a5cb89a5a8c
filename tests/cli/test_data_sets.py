"""Data sets on the command line: imported, trained on, evaluated."""

from __future__ import annotations

import json
import pathlib
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

from glass_core.cli.demo import GLASS
from glass_core.cli.main import main
from glass_core.dataset import Configuration, Dataset, write_dataset
from glass_core.model_file import read_card
from glass_core.structure import Structure
from glass_core.structure_files import read_frame
from tests.cli.test_commands import fails
from tests.training.conftest import dataset, labelled

__all__ = ["dataset"]


def test_import_train_evaluate(tmp_path: pathlib.Path, dataset, capsys) -> None:
    pytest.importorskip("torch")
    data, model = tmp_path / "d.h5", tmp_path / "m.safetensors"
    write_dataset(dataset, data)
    recipe = tmp_path / "c.yaml"
    recipe.write_text(
        "model: ridge\ndescriptor: {kind: power_spectrum, cutoff: 4.0, n_max: 3, l_max: 2, shells: 1}\nseeds: [0]\n"
    )
    assert main(["train", str(recipe), "-d", str(data), "-o", str(model), "--runs", str(tmp_path / "runs")]) == 0
    assert "pooled" in capsys.readouterr().out
    assert main(["evaluate", str(model), str(data), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["pooled"]) >= {"pearson", "spearman", "mae", "auc_top20", "average_precision"}
    assert set(result["per_configuration"]) == {"glass1", "glass2", "glass3", "glass4"}
    errors = [scores["mean_error"] for scores in result["per_configuration"].values()]
    assert result["pooled"]["mean_error"] == pytest.approx(np.mean(errors))
    assert main(["evaluate", str(model), str(data)]) == 0
    assert "show memory, not prediction" in capsys.readouterr().err
    for option, path in (("-o", tmp_path / "no" / "m.safetensors"), ("--runs", data)):
        command = ["train", recipe, "-d", data, "-o", model, option, path]
        assert "folder" in fails(command, capsys)
    assert "must end in .safetensors" in fails(["train", recipe, "-d", data, "-o", tmp_path / "m.bin"], capsys)


def test_seeds_are_chosen_for_one_command(tmp_path: pathlib.Path, dataset, capsys) -> None:
    """Instead of those of the configuration; the card says so."""
    data, model, runs = tmp_path / "d.h5", tmp_path / "m.safetensors", tmp_path / "runs"
    write_dataset(dataset, data)
    (tmp_path / "c.yaml").write_text("base: ridge\nseeds: [0]\n")
    common = [str(tmp_path / "c.yaml"), "-d", str(data), "--runs", str(runs), "--json"]
    assert main(["train", *common, "-o", str(model), "--seeds", "3,1"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["seeds"] == [3, 1]
    training = read_card(model)["training"]
    assert training["command"].endswith("--seeds 3,1")
    assert tuple(training["config"]["seeds"]) == (3, 1)
    assert main(["compare", *common, "--seeds", "3,1"]) == 0
    compared = json.loads(capsys.readouterr().out)[common[0]]
    assert (compared["seeds"], compared["pooled"]) == ([3, 1], trained["pooled"])
    for command in (["train", "-o", model], ["compare"]):
        assert "--seeds must be distinct, got 1 twice" in fails([*command, *common, "--seeds", "1,1"], capsys)


def test_evaluate_says_what_looks_wrong_and_mends_names_of_species(tmp_path: pathlib.Path, capsys) -> None:
    """A file made with another box scores nothing, and standardised labels have no errors in eV."""
    glass = read_frame(GLASS).structure
    labels = {"barrier": np.linspace(-1, 1, glass.n_atoms)}
    wide = Structure(glass.positions_nc, glass.types_n, ("1", "2"), glass.cell_cc * 1.05, True)
    write_dataset(Dataset((Configuration("wide", 0, wide, np.arange(glass.n_atoms), labels),)), tmp_path / "d.h5")
    assert "give a species map such as 2=Cu" in fails(["evaluate", "barrier", tmp_path / "d.h5"], capsys)
    assert main(["evaluate", "barrier", str(tmp_path / "d.h5"), "-s", "1=Cu,2=Zr", "--json"]) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)["doubts"]) == 2
    assert re.search(r"most atoms of wide \(\d+ %\) are unlike", err)
    assert "barriers below 0 eV in wide (2000)" in err


def test_evaluate_says_what_noise_of_labels_allows_and_which_was_assumed(tmp_path: pathlib.Path, capsys) -> None:
    configurations = [labelled(1, 0), labelled(2, 1)]
    error = {"barrier_error": np.full(configurations[0].structure.n_atoms, 0.1)}
    configurations[0] = replace(configurations[0], labels={**configurations[0].labels, **error})
    write_dataset(Dataset(tuple(configurations)), tmp_path / "d.h5")
    assert main(["evaluate", "linear", str(tmp_path / "d.h5")]) == 0
    out = capsys.readouterr().out
    assert re.search(r"even of a perfect model to: glass1 0\.\d+, glass2 0\.\d+, pooled 0\.\d+\n", out)
    assert "(errors of 0.14 eV assumed for labels without an error of their own, in glass2)" in out


def test_import_command(tmp_path: pathlib.Path, capsys) -> None:
    configuration = labelled(1, 0)
    cubic = np.linalg.norm(configuration.structure.cell_cc, axis=1)
    content = {
        "positions": configuration.structure.positions_nc, "types": configuration.structure.types_n + 1, "box": cubic,
        "trajectory_start_velocities": configuration.label("barrier").astype(np.float32),
    }  # fmt: skip
    source = tmp_path / "a.pickle"
    source.write_bytes(pickle.dumps(content))
    assert main(["import", str(source), "-o", str(tmp_path / "d.h5"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["configurations"][0]["atoms"] == 256
    before = (tmp_path / "d.h5").read_bytes()
    for groups, message in (
        ("a:1", "groups must read"),
        ("a=²", "groups must read"),
        ("a=99999999999", "must lie in"),
        ("a=1,typo=3", "unknown configuration with a group 'typo'"),
    ):
        assert message in fails(["import", source, "-o", tmp_path / "d.h5", "--groups", groups], capsys)
    assert "it is the input" in fails(["import", source, "-o", source], capsys)
    content["trajectory_start_velocities"][3] = np.inf
    source.write_bytes(pickle.dumps(content))
    assert "not finite in row 3" in fails(["import", source, "-o", tmp_path / "d.h5"], capsys)
    assert (tmp_path / "d.h5").read_bytes() == before
