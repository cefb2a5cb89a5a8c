"""What training configurations may say, and how mistakes in them are named."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import pytest

from glass_core.dataset import Dataset
from glass_core.errors import GlassError
from glass_core.settings import checked
from glass_core.training import bench, cross_validation
from glass_core.training.config import SHIPPED, read_config
from glass_core.training.rows import make_rows
from glass_core.training.scnn import SCNNSettings
from tests.training.quick import DESCRIPTOR, config


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_shipped_configurations_are_valid(name: str, dataset: Dataset) -> None:
    chosen = read_config(name)
    assert bench.bench_of(chosen, dataset)
    if chosen.model == "scnn":
        assert checked(SCNNSettings, chosen.settings, "x").hidden > 0


def test_mistakes_in_configurations_are_named(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    def write(text: str) -> pathlib.Path:
        path = tmp_path / "c.yaml"
        path.write_text(text)
        return path

    with pytest.raises(GlassError, match=r"unknown key in .*'modell'.*Did you mean 'model'"):
        read_config(write("modell: scnn\ndescriptor: {kind: scnn}"))
    with pytest.raises(GlassError, match="not valid YAML"):
        read_config(write("model: [scnn"))
    with pytest.raises(GlassError, match="does not exist"):
        read_config(tmp_path / "none.yaml")
    with pytest.raises(GlassError, match="must hold keys"):
        read_config(write("- 1"))
    with pytest.raises(GlassError, match=r"unknown model to train 'scn'.*Did you mean 'scnn'"):
        bench.bench_of(config("scn"), dataset)
    with pytest.raises(GlassError, match="Did you mean 'hidden'"):
        checked(SCNNSettings, {"hiden": 3}, "settings")
    with pytest.raises(GlassError, match="hidden in settings must be a whole number, got 'x'"):
        checked(SCNNSettings, {"hidden": "x"}, "settings")
    with pytest.raises(GlassError, match="replacement_rule in settings must be 'product' or 'cosine'"):
        checked(SCNNSettings, {"replacement_rule": "max"}, "settings")
    with pytest.raises(GlassError, match="needs a kind"):
        make_rows(config("ridge", descriptor={}), dataset)
    few = Dataset(dataset.configurations[:3])
    with pytest.raises(GlassError, match="at least 3 groups"):
        cross_validation.cross_validate(config("ridge"), few)


def test_a_configuration_says_what_differs_from_its_base(tmp_path: pathlib.Path) -> None:
    (tmp_path / "mine.yaml").write_text("base: symgnn\nsettings: {epochs: 7, architecture: {radial: 4}}\nseeds: [3]\n")
    (tmp_path / "of_mine.yaml").write_text("base: mine.yaml\nsettings: {epochs: 9}\n")
    base, found = read_config("symgnn"), read_config(tmp_path / "of_mine.yaml")
    architecture = {**base.settings["architecture"], "radial": 4}
    assert found.settings == {**base.settings, "epochs": 9, "architecture": architecture}
    assert (found.model, found.descriptor, found.seeds) == (base.model, base.descriptor, (3,))
    (tmp_path / "other.yaml").write_text("base: symgnn\nsettings: {network: schnet}\ndescriptor: {kind: scnn}\n")
    other = read_config(tmp_path / "other.yaml")
    kept = {key: value for key, value in base.settings.items() if key != "architecture"}
    assert (other.settings, other.descriptor) == ({**kept, "network": "schnet"}, {"kind": "scnn"})


def test_seeds_may_be_given_instead_of_those_of_a_configuration() -> None:
    assert read_config("symgnn", "4, 0").seeds == (4, 0)
    assert replace(read_config("symgnn", "4, 0"), seeds=read_config("symgnn").seeds) == read_config("symgnn")
    for seeds, message in (
        ("0,-1", "entry 1 of --seeds must be ≥ 0, got -1"),
        ("0,1.5", "entry 1 of --seeds must be a whole number, got '1.5'"),
        ("", "entry 0 of --seeds must be a whole number, got ''"),
        ("0,1,0", "--seeds must be distinct, got 0 twice"),
    ):
        with pytest.raises(GlassError, match=message):
            read_config("symgnn", seeds)


def test_numbers_are_written_as_anywhere(tmp_path: pathlib.Path) -> None:
    """YAML 1.1 takes 1e-3 for text."""
    (tmp_path / "mine.yaml").write_text("base: symgnn\nsettings: {learning_rate: 1e-3, weight_decay: .5e-4}\n")
    assert read_config(tmp_path / "mine.yaml").settings["learning_rate"] == 1e-3


def test_devices_that_do_not_exist_are_refused_for_every_method(dataset: Dataset) -> None:
    with pytest.raises(GlassError, match="no device 'blah' on this machine"):
        bench.bench_of(read_config("ridge"), dataset, "blah")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base: c.yaml", "is its own base"),
        ("base: other.yaml", "is its own base"),
        ("base: symgn", "Did you mean 'symgnn'"),
        ("3: 4", "unknown key in .* 3"),
        ("epocs: 3", "If you mean the trainer's epochs, it belongs under settings"),
        ("base: none", "unknown configuration 'none'; known: .*symgnn.*give the path of a YAML file"),
        ("base: 3", "base in .* must be a text"),
        ("base: ' '", "base in .* must be a shipped name or a path, got ' '"),
        ('base: "a\\0b"', "cannot be a path"),
        ("base: list.yaml", "list.yaml must hold keys and values"),
        ("base: typo.yaml", "unknown key in .*typo.yaml 'seds'.*Did you mean 'seeds'"),
        ("bse: symgnn", "Did you mean 'base'"),
        ("base: deep0.yaml", "is the base of more than 20 configurations"),
        ("base: symgnn\nsetings: {}", "Did you mean 'settings'"),
    ],
)
def test_mistakes_in_a_base_are_named(tmp_path: pathlib.Path, text: str, message: str) -> None:
    (tmp_path / "other.yaml").write_text("base: c.yaml\n")
    (tmp_path / "list.yaml").write_text("- 1\n")
    (tmp_path / "typo.yaml").write_text("base: symgnn\nseds: [1]\n")
    for k in range(30):
        (tmp_path / f"deep{k}.yaml").write_text(f"base: deep{k + 1}.yaml\n")
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(GlassError, match=message):
        read_config(tmp_path / "c.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: []", "seeds in .* must have at least one entry"),
        ("seeds: 3", "seeds in .* must be a list, got 3"),
        ("seeds: [a]", "entry 0 of seeds in .* must be a whole number, got 'a'"),
        ("seeds: [-1]", "entry 0 of seeds in .* must be ≥ 0"),
        ("seeds: [2, 0, 2]", "seeds in .* must be distinct, got 2 twice"),
        ("settings: []", "settings in .* must hold keys and values"),
        ("settings:", "settings in .* must hold keys and values, got None"),
        ("thermal: 0.05", "thermal in .* must be a list"),
        ("thermal: [-0.05]", "entry 0 of thermal in .* must be > 0"),
        ("domain_quantile: 2", "domain_quantile in .* must be ≥ 0 and ≤ 1"),
        ("model: ridge", "key 'model' twice"),
        ("label: [barrier]", "label in .* must be a text"),
    ],
)
def test_values_in_configurations_are_checked(tmp_path: pathlib.Path, text: str, message: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"model: ridge\ndescriptor: {{kind: scnn}}\n{text}\n")
    with pytest.raises(GlassError, match=message):
        read_config(path)


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("ridge", {"penalties": []}, "penalties in settings of ridge must have at least one entry"),
        ("ridge", {"penalties": 3}, "penalties in settings of ridge must be a list"),
        ("ridge", {"penalties": ["a"]}, "must be a number, got 'a'"),
        ("ridge", {"penalties": [float("nan")]}, "must be finite, got nan"),
        ("ridge", {"penalties": [-1000]}, "must be > 0, got -1000"),
        ("committee", {"linear": 0, "networks": 0}, "must not both be 0"),
        ("committee", {"linear": -1}, "linear in .* must be ≥ 0 and ≤ 1"),
        ("committee", {"networks": 0.5}, "networks in .* must be a whole number"),
        ("committee", {"networks": 0, "penalty": float("nan")}, "penalty in .* must be finite"),
    ],
)
def test_settings_of_trainers_are_checked(dataset: Dataset, model: str, settings: dict, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        bench.bench_of(config(model, settings=settings), dataset)


@pytest.mark.parametrize(
    ("descriptor", "message"),
    [
        ({}, "needs a kind"),
        (DESCRIPTOR | {"n_max": 2.5}, "n_max in descriptor .* must be a whole number, got 2.5"),
        (DESCRIPTOR | {"rcut": 3}, "unknown key in descriptor .*'rcut'.*Did you mean 'cutoff'"),
        (DESCRIPTOR | {"species": ["Cu"]}, "must not name species"),
    ],
)
def test_descriptors_in_configurations_are_checked(dataset: Dataset, descriptor: object, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        make_rows(config("ridge", descriptor=descriptor), dataset)
