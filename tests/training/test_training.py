"""Trainers on a data set with a known signal: they find it, honestly, and survive interruption."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import numpy as np
import pytest

from glass_core.dataset import Configuration, Dataset
from glass_core.descriptors.springs import SplinePairs
from glass_core.errors import GlassError
from glass_core.evaluation import evaluate, trained_on
from glass_core.fingerprint import fingerprint, same
from glass_core.metrics import pearson
from glass_core.model_file import load_model, read_card
from glass_core.structure import Structure
from glass_core.testing import check_model, example_glass
from glass_core.training import bench, cross_validation
from glass_core.training import config as training_config
from glass_core.training import run as training
from glass_core.training.config import TrainingConfig
from glass_core.training.rows import make_rows
from glass_core.training.scnn import SAME_ENVIRONMENT
from tests.graphs.tiny import TINY
from tests.training.quick import QUICK, STATES, config, morse_energies, trainer


@pytest.mark.parametrize("model", list(QUICK))
def test_training_finds_the_signal_on_left_out_groups(tmp_path: pathlib.Path, dataset: Dataset, model: str) -> None:
    pytest.importorskip("torch")
    out = tmp_path / "m.safetensors"
    summary = training.train(config(model), dataset, out, tmp_path / "runs", command="glass train")
    assert summary["pooled"]["mean"]["auc_top20"] > 0.8
    card = read_card(out)
    assert card["training"]["configurations"] == ["glass1", "glass2", "glass3", "glass4"]
    assert card["scores"]["pooled"]["mean"]["auc_top20"] == summary["pooled"]["mean"]["auc_top20"]
    trained = load_model(out)
    result = evaluate(trained, dataset)
    assert result["trained_on"] == ["glass1", "glass2", "glass3", "glass4"]
    assert result["pooled"]["auc_top20"] > 0.8
    check_model(trained, dataset.configurations[0].structure)


def test_two_states_are_trained_and_springs_fitted(dataset: Dataset) -> None:
    labelled = [
        type(c)(c.name, c.group, c.structure, c.ids_n, {**c.labels, "energy": morse_energies(c.structure)})
        for c in dataset
    ]
    chosen = config("linear_barrier", descriptor=STATES, thermal=(0.02, 0.5), settings={"penalty": [3.0]})
    descriptor, rows = make_rows(chosen, Dataset(tuple(labelled)))
    springs = descriptor.parts[1]
    r = np.linspace(2.4, 3.2, 5)
    _, stiffness = SplinePairs(springs.knots, springs.coefficients).derivatives(r, 0)
    assert stiffness[0] > stiffness[-1]
    model = trainer("linear_barrier")(descriptor, rows, chosen, 0)
    still = rows.measured()
    assert pearson(model.rows(still.features_nf)["barrier"], still.labels_n) > 0.8
    moving = rows.displacement_n == 0.5
    state = rows.features_nf[moving][:, model.gate]
    assert (state > model.gate_high).mean() > 0.99
    with pytest.raises(GlassError, match="copies displaced by more than still"):
        trainer("linear_barrier")(descriptor, rows.measured(), chosen, 0)
    with pytest.raises(GlassError, match="springs are fitted to energies of atoms, which no configuration has"):
        make_rows(chosen, dataset)


LINEAR = config("linear_barrier", descriptor=STATES, thermal=(0.02, 0.5), settings={"penalty": [1.0, 3.0], "best": 1})
NETWORK = {"network": "symgnn", "architecture": {**TINY, "symmetrisation": "length"}, "epochs": 2}
BLEND = replace(LINEAR, model="blend", settings={"linear": LINEAR.settings, "graph": NETWORK})


@pytest.mark.parametrize("chosen", [config("ridge"), LINEAR, BLEND], ids=lambda c: c.model)
def test_left_out_predictions_do_not_see_their_group(dataset: Dataset, chosen: TrainingConfig) -> None:
    """Wrecking the labels of one group changes no prediction of that group."""
    if chosen.model == "blend":
        pytest.importorskip("torch_geometric")

    def predict(data: Dataset) -> dict[str, np.ndarray]:
        outputs = cross_validation.cross_validate(chosen, data, left_out=["glass3"]).outputs[0]["glass3"]
        return {name: np.asarray(values) for name, values in outputs.items()}

    known = [replace(c, labels={**c.labels, "energy": morse_energies(c.structure)}) for c in dataset]
    wrecked = [
        replace(c, labels={**c.labels, "barrier": np.flip(c.label("barrier")) * 7}) if c.group == 1 else c
        for c in known
    ]
    found, again = predict(Dataset(tuple(known))), predict(Dataset(tuple(wrecked)))
    assert found.keys() == again.keys()
    for name, values in found.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


def test_only_some_groups_are_left_out(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """The others are trained on in every fold; folds are the same ones as when all are left out."""
    whole = cross_validation.cross_validate(config("ridge"), dataset, tmp_path)
    names = [c.name for c in dataset if c.group in (0, 2)]
    some = cross_validation.cross_validate(config("ridge"), dataset, left_out=names[-1:])
    assert sorted(some.by_seed[0]) == sorted(c.name for c in dataset if c.group == 2) == sorted(some.labels)
    np.testing.assert_array_equal(some.by_seed[0][names[-1]], whole.by_seed[0][names[-1]])
    summary = training.train(config("ridge"), dataset, tmp_path / "m.safetensors", tmp_path, left_out=names)
    assert sorted(summary["per_configuration_pearson"]) == sorted(names)
    errors = summary["per_configuration_mean_error"]
    assert np.mean(list(errors.values())) == pytest.approx(summary["mean_per_configuration"]["mean"]["mean_error"])
    assert summary["left_out"] == tuple(names)
    with pytest.raises(GlassError, match=r"unknown configuration to leave out 'glas3'.*Did you mean"):
        cross_validation.cross_validate(config("ridge"), dataset, left_out=["glas3"])


def test_an_interrupted_run_goes_on(tmp_path: pathlib.Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    chosen = config("scnn")
    whole = cross_validation.cross_validate(chosen, dataset)
    calls = []
    original = cross_validation._fold

    def failing(*args):
        calls.append(args[4])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(cross_validation, "_fold", failing)
    with pytest.raises(KeyboardInterrupt):
        cross_validation.cross_validate(chosen, dataset, tmp_path)
    resumed = cross_validation.cross_validate(chosen, dataset, tmp_path)
    assert calls == [0, 1, 1, 2]
    for name, values in whole.by_seed[0].items():
        np.testing.assert_array_equal(values, resumed.by_seed[0][name])


@pytest.mark.parametrize("rule", ["cosine", "product"])
def test_scnn_constraints_are_embeddings_of_the_atoms_the_card_names(dataset: Dataset, rule: str) -> None:
    pytest.importorskip("torch")
    descriptor, rows = make_rows(config("scnn"), dataset)
    chosen = config("scnn", settings=QUICK["scnn"] | {"replacement_rule": rule})
    model = trainer("scnn")(descriptor, rows, chosen, 0)
    atoms = model.card.content["constraints"]
    assert len({(a["configuration"], a["atom"]) for a in atoms}) == 4
    for a in atoms:
        row = np.flatnonzero(
            (rows.configuration_n == rows.names.index(a["configuration"])) & (rows.atom_n == a["atom"])
        )
        z = model.embed(model.standardise(rows.features_nf[row]))
        expected = z[0] / np.linalg.norm(z[0]) if rule == "cosine" else z[0]
        np.testing.assert_allclose(expected, model.constraints_vz[a["constraint"]], rtol=1e-4, atol=1e-5)
        assert (rows.labels_n[row[0]] >= model.card.content["threshold_ev"]) == (a["constraint"] >= 2)
        assert rows.labels_n[row[0]] == pytest.approx(a["barrier"], abs=1e-4)


def test_constraints_of_a_glass_labelled_twice_are_different_environments(dataset: Dataset) -> None:
    pytest.importorskip("torch")
    twins = [c for c in dataset if c.group == 0][:1] * 2
    others = [c for c in dataset if c.group != 0]
    named = [type(c)(f"c{k}", c.group, c.structure, c.ids_n, c.labels) for k, c in enumerate([*twins, *others])]
    descriptor, rows = make_rows(config("scnn"), Dataset(tuple(named)))
    model = trainer("scnn")(descriptor, rows, config("scnn"), 0)
    atoms = [(a["configuration"], a["atom"]) for a in model.card.content["constraints"]]
    places = [
        int(np.flatnonzero((rows.configuration_n == rows.names.index(c)) & (rows.atom_n == n))[0]) for c, n in atoms
    ]
    x = model.standardise(rows.features_nf[places])
    units = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert (units @ units.T - np.eye(4)).max() < SAME_ENVIRONMENT


def test_ridge_is_the_closed_form(dataset: Dataset) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    descriptor, rows = make_rows(config("ridge"), dataset)
    model = trainer("ridge")(descriptor, rows, config("ridge", settings={"penalties": [3.0]}), 0)
    x = model.standardise(rows.features_nf)
    reference = linear_model.Ridge(alpha=3.0).fit(x, rows.labels_n).predict(x)
    np.testing.assert_allclose(model.rows(rows.features_nf)["barrier"], reference, atol=1e-5)


def test_a_fold_cut_short_is_computed_again(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    chosen = config("ridge")
    whole = cross_validation.cross_validate(chosen, dataset, tmp_path)
    first, second, third = sorted(tmp_path.iterdir())
    first.write_bytes(first.read_bytes()[:100])
    second.write_bytes(b"")
    np.savez(third, values=np.zeros(3))
    again = cross_validation.cross_validate(chosen, dataset, tmp_path)
    for name, values in whole.by_seed[0].items():
        np.testing.assert_array_equal(values, again.by_seed[0][name])
    assert min(path.stat().st_size for path in tmp_path.iterdir()) > 1000


def test_folds_of_other_data_in_memory_are_not_used(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """Data sets that were never in a file have no hash of one."""
    plain = Dataset(dataset.configurations)
    turned = Dataset(tuple(replace(c, labels={"barrier": 3 - c.label("barrier")}) for c in dataset))
    first, second = (
        cross_validation.cross_validate(config("ridge"), data, tmp_path).by_seed[0] for data in (plain, turned)
    )
    assert len(list(tmp_path.iterdir())) == 6
    np.testing.assert_allclose(second["glass1"], 3 - first["glass1"], atol=1e-5)


def test_folds_of_another_version_of_training_are_not_used(
    tmp_path: pathlib.Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Defaults in code stand in no configuration."""
    cross_validation.cross_validate(config("ridge"), dataset, tmp_path)
    monkeypatch.setattr(training_config, "VERSION", training_config.VERSION + 1)
    cross_validation.cross_validate(config("ridge"), dataset, tmp_path)
    assert len(list(tmp_path.iterdir())) == 6


def test_a_missing_label_is_named_before_descriptors_are_computed(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "make_rows", lambda *_: pytest.fail("computed descriptors"))
    with pytest.raises(GlassError, match="no atom of configuration 'glass1' has a label 'energy'"):
        cross_validation.cross_validate(config("ridge", label="energy"), dataset)


def test_what_cannot_be_trained_or_written_is_refused_before_descriptors_are_computed(
    tmp_path: pathlib.Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "make_rows", lambda *_: pytest.fail("computed descriptors"))
    taken = tmp_path / "file"
    taken.write_text("")
    few = Dataset(dataset.configurations[:3])
    model, runs = tmp_path / "m.safetensors", tmp_path / "runs"
    for data, out, folder, message in (
        (few, model, runs, "at least 3 groups"),
        (dataset, tmp_path / "no" / "m.safetensors", runs, "folder .*no does not exist"),
        (dataset, tmp_path, runs, "it is a folder"),
        (dataset, model, taken, "file is not a folder"),
    ):
        with pytest.raises(GlassError, match=message):
            training.train(config("ridge"), data, out, folder)


def test_memory_is_noticed_in_any_data_set(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    """Atoms tell, not names, files, or the digits that positions are written with."""
    out = tmp_path / "m.safetensors"
    training.train(config("ridge"), dataset, out)
    known = dataset.configurations[0].structure
    order = np.random.default_rng(0).permutation(known.n_atoms)
    moved = np.round(known.positions_nc[order] + 7.0, 2)
    again = Structure(moved, known.types_n[order], ("Zr", "Cu"), known.cell_cc, True)
    other = example_glass(("Cu", "Zr"), cells=4, seed=99)
    found = Dataset(tuple(Configuration(n, 0, s, np.arange(s.n_atoms)) for n, s in (("a", again), ("b", other))))
    model = load_model(out)
    assert trained_on(model, found) == ["a"]
    del model.card.content["training"]["fingerprints"]  # as of a model trained before
    assert trained_on(model, found) == []
    assert "does not tell which atoms" in evaluate(model, dataset)["doubts"][0]


def test_fingerprints_tell_structures_and_not_perfect_crystals() -> None:
    glass = example_glass(("Cu", "Zr"), cells=4, seed=1)
    strained = Structure(
        glass.positions_nc * [1.04, 1, 1], glass.types_n, ("A", "B"), glass.cell_cc * [1.04, 1, 1], True
    )
    assert same(fingerprint(glass), fingerprint(strained))
    assert not same(fingerprint(glass), fingerprint(example_glass(("Cu", "Zr"), cells=4, seed=2)))
    assert not same(fingerprint(glass), fingerprint(glass.subset(np.arange(255))))
    sites = np.stack(np.meshgrid(*3 * [np.arange(4)]), -1).reshape(-1, 3) * 2.5
    crystal = fingerprint(Structure(sites, np.zeros(64, int), ("Cu",), np.eye(3) * 10, True))
    assert not same(crystal, crystal)
