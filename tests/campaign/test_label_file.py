"""Label files: what is written comes back; what is damaged or foreign is refused."""

from __future__ import annotations

import json
import math
import pathlib
from dataclasses import replace

import h5py
import numpy as np
import pytest

from glass_core.campaign.columns import decode, empty, encode
from glass_core.campaign.digests import settings_digest
from glass_core.campaign.journal import Kind, frame
from glass_core.campaign.label_file import is_label_file, journal_of, pack_header, pack_predicted, read_labels
from glass_core.campaign.label_hdf5 import write_hdf5
from glass_core.campaign.labels import Labels, Predicted
from glass_core.campaign.store import Store
from glass_core.errors import GlassError
from glass_core.saddle.records import SearchRecord, State
from glass_core.saddle.settings import ArtnSettings, Regions
from glass_core.structure import Structure
from tests.campaign.conftest import labels_of, same
from tests.campaign.fakes import fake_header, fake_record

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = [*sorted((ROOT / "examples/open_labels").glob("*.h5")), ROOT / "glass_core/data/demo_Cu64Zr36.h5"]


@pytest.fixture
def path(tmp_path: pathlib.Path, box: Structure) -> pathlib.Path:
    file = tmp_path / "labels.h5"
    write_hdf5(labels_of(box, 3), file)
    return file


def test_labels_come_back(path: pathlib.Path, box: Structure) -> None:
    labels = read_labels(path)
    assert same(labels, labels_of(box, 3))
    np.testing.assert_array_equal(labels["seconds"], labels_of(box, 3)["seconds"])
    assert labels.structure.species == box.species
    assert labels.structure.pbc == box.pbc
    assert labels.ids_n.tolist() == list(range(1, 33))
    assert labels.header.source == {"file": "glass.dump"}
    assert labels.predicted is None
    assert is_label_file(path)
    assert not is_label_file(path.with_name("none.h5"))


def test_elastic_errors_of_before_are_told_as_now(path: pathlib.Path, box: Structure) -> None:
    with h5py.File(path, "r+") as handle:
        handle["elastic_error"][...] *= 1.7
    assert same(read_labels(path), labels_of(box, 3))
    other = replace(fake_header(box), settings=ArtnSettings(regions=Regions(refine="box")))
    written = replace(labels_of(box, 3), header=other)
    write_hdf5(written, path)
    np.testing.assert_array_equal(read_labels(path)["elastic_error"], written["elastic_error"])


def test_events_are_at_hand(path: pathlib.Path, box: Structure) -> None:
    labels = read_labels(path)
    events = labels.events(5)
    assert (labels["atom"][events] == 5).all()
    assert sum(labels.states().values()) == len(labels) == 96
    assert labels.states()["accepted"] == len(labels.events()) == labels.accepted_r.sum()
    record = labels.record(int(events[0]))
    fresh = fake_record(0, 5, record.number, 32, 0.0)
    assert record.state is State.ACCEPTED
    np.testing.assert_array_equal(record.moved_d, fresh.moved_d)
    field = labels.displacements(int(events[0]))
    np.testing.assert_allclose(field[record.moved_d], fresh.saddle_dc, atol=1e-4)
    assert (np.delete(field, record.moved_d, axis=0) == 0).all()
    final = labels.configuration(int(events[0]), "final")
    moved = final.positions_nc - box.positions_nc
    np.testing.assert_allclose(moved[record.moved_d], fresh.final_dc, atol=1e-4)
    assert [r.number for r in labels.records()][:3] == [0, 1, 2]
    with pytest.raises(GlassError, match="search must lie in 0 … 95, got 96"):
        labels.record(96)
    with pytest.raises(GlassError, match="Did you mean 'barrier'"):
        labels["barier"]


def test_saddles_that_are_no_events_are_kept_with_their_atoms(tmp_path: pathlib.Path, box: Structure) -> None:
    moved, away = np.array([3, 8], np.int32), np.array([[0.5, 0, 0], [0, 0.25, 0]])
    record = SearchRecord(
        3, 0, State.UNSPLIT, 1.0, 1.1, moved_d=moved, saddle_dc=away, final_dc=np.full((2, 3), np.nan)
    )
    path = tmp_path / "labels.h5"
    write_hdf5(Labels(fake_header(box), decode([encode(record.displaced_beyond(0.01))])), path)
    labels = read_labels(path)
    np.testing.assert_array_equal(labels.displacements(0)[moved], away)
    np.testing.assert_array_equal(labels.configuration(0).positions_nc[3], box.positions_nc[3] + away[0])
    with pytest.raises(GlassError, match="ended unsplit and joins no other minimum"):
        labels.displacements(0, "final")
    assert len(record.displaced_beyond(0.3).moved_d) == 1
    assert len(record.displaced_beyond(np.inf).moved_d) == 0


def test_open_boxes_come_back(tmp_path: pathlib.Path) -> None:
    cluster = Structure([[0, 0, 0], [2.5, 0, 0]], [0, 1], ("Cu", "Zr"))
    slab = Structure([[0, 0, 0], [2.5, 0, 0]], [0, 1], ("Cu", "Zr"), np.diag([9.0, 9.0, 0]), (True, True, False))
    for structure in (cluster, slab):
        write_hdf5(Labels(fake_header(structure), labels_of(cluster, 0).table), tmp_path / "l.h5")
        back = read_labels(tmp_path / "l.h5").structure
        assert (back.pbc, back.given) == (structure.pbc, structure.given)
        np.testing.assert_array_equal(back.cell_cc, structure.cell_cc)


@pytest.mark.parametrize("kept", [None, 0.0, 0.02, math.inf])
def test_the_threshold_of_displacements_comes_back(tmp_path: pathlib.Path, box: Structure, kept: float | None) -> None:
    header = replace(fake_header(box), displacements=kept)
    json.loads(header.as_json(), parse_constant=pytest.fail)  # no Infinity, which JSON does not have
    write_hdf5(Labels(header, empty()), tmp_path / "l.h5")
    assert read_labels(tmp_path / "l.h5").header.displacements == kept


def test_a_journal_counts(path: pathlib.Path, box: Structure) -> None:
    header = fake_header(box)
    extra = [encode(fake_record(0, 31, k, 32)) for k in (3, 4)]
    model = Predicted("barrier", "abc", np.linspace(1, 2, 32), np.full(32, 0.1))
    parts = [frame(Kind.HEADER, pack_header(header)), frame(Kind.ATOMS, pack_predicted("prior", model))]
    parts += [frame(Kind.SEARCH, payload) for payload in extra]
    journal_of(path).write_bytes(b"".join(parts) + b"torn")
    labels = read_labels(path)
    assert len(labels) == 98
    assert labels["number"][-2:].tolist() == [3, 4]
    assert labels.prior is not None
    assert labels.prior.barrier_n[-1] == 2
    assert labels.posterior() is not None
    path.unlink()
    alone = read_labels(path)
    assert len(alone) == 2
    assert is_label_file(path)
    write_hdf5(alone, path)
    journal_of(path).unlink()
    back = read_labels(path).prior
    assert back is not None
    assert (back.model, back.sha256) == ("barrier", "abc")


def test_a_journal_of_another_campaign_is_refused(path: pathlib.Path, box: Structure) -> None:
    journal_of(path).write_bytes(frame(Kind.HEADER, pack_header(fake_header(box, seed=5))))
    with pytest.raises(GlassError, match="seed 0, not 5"):
        read_labels(path)


def change(path: pathlib.Path, name: str, values: object) -> None:
    with h5py.File(path, "r+") as handle:
        if name in handle:
            del handle[name]
            if values is not None:
                handle[name] = values
        else:
            handle.attrs[name] = values


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("schema", "glass-dataset", "no label file.*give another name"),
        ("version", 2, "reads up to 1; upgrade"),
        ("version", "one", "schema version 'one'"),
        ("header", "{}", "header of .* is damaged"),
        ("states", "[1", "not a readable label file"),
        ("offsets", np.arange(5), "offsets of .* do not fit"),
        ("moved", np.full(3, 10), "offsets of .* do not fit"),
        ("atom", np.full(96, 32), r"atom of .* must lie in 0 … 31, got 32"),
        ("number", None, ""),
        ("positions", None, "not a readable label file"),
        ("positions", np.zeros((4, 3)), "header of .* is damaged"),
    ],
)
def test_damage_is_one_clear_error(path: pathlib.Path, name: str, values: object, message: str) -> None:
    change(path, name, values)
    if not message:  # a column that is missing was not known yet
        assert (read_labels(path)["number"] == 0).all()
        return
    with pytest.raises(GlassError, match=message):
        read_labels(path)


def test_no_file_and_no_hdf5(tmp_path: pathlib.Path) -> None:
    with pytest.raises(GlassError, match="does not exist; make it with `glass label`"):
        read_labels(tmp_path / "labels.h5")
    (tmp_path / "labels.h5").write_text("not HDF5")
    with pytest.raises(GlassError, match="not a readable label file"):
        read_labels(tmp_path / "labels.h5")
    assert not is_label_file(tmp_path / "labels.h5")


def test_headers_of_newer_versions_are_refused(path: pathlib.Path) -> None:
    with h5py.File(path, "r+") as handle:
        header = json.loads(handle.attrs["header"])
        handle.attrs["header"] = json.dumps({**header, "version": 9})
    with pytest.raises(GlassError, match=r"version 9.*upgrade"):
        read_labels(path)


def test_settings_of_an_older_file_that_lack_a_key(path: pathlib.Path, box: Structure) -> None:
    with h5py.File(path, "r+") as handle:
        header = json.loads(handle.attrs["header"])
        del header["settings"]["climb"]["force"], header["settings"]["counted"]
        header["settings_digest"] = settings_digest(header["settings"])
        handle.attrs["header"] = json.dumps(header)
    settings = read_labels(path).header.settings
    assert settings == replace(fake_header(box)).settings
    assert settings.counted == "accepted"  # as all did before there was a choice


def altered(path: pathlib.Path, what: str) -> None:
    with h5py.File(path, "r+") as handle:
        header = json.loads(handle.attrs["header"])
        if what == "settings":
            header["settings"]["climb"]["force"] = 0.03
        elif what == "species":
            header["species"].reverse()
        else:
            handle[what][1] += 0.001
        handle.attrs["header"] = json.dumps(header)


@pytest.mark.parametrize("what", ["settings", "species", "positions", "cell"])
def test_what_was_altered_is_refused(path: pathlib.Path, what: str) -> None:
    altered(path, what)
    named = "settings" if what == "settings" else "positions, species or box"
    with pytest.raises(GlassError, match=f"damaged: its {named} were altered since .*restore the file from a copy"):
        read_labels(path)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_files_are_what_they_were(file: pathlib.Path) -> None:
    assert read_labels(file).counted_r.any()


def test_events_found_twice_are_told_once(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    events = [r for r in (fake_record(0, 3, k, 32) for k in range(20)) if np.isfinite(r.barrier)][:2]
    with Store(path, fake_header(box)) as store:
        for number, event in enumerate([events[0], events[1], events[0]]):
            store.append(encode(replace(event, number=number)))
    labels = read_labels(path)
    assert labels["number"][labels.events(3)].tolist() == [0, 1, 2]
    assert labels["number"][labels.distinct_events(3)].tolist() == [0, 1]
    assert labels.distinct_events(4).tolist() == []
    assert labels.distinct_count() == 2


def test_distinct_events_of_all_atoms_add_up(tmp_path: pathlib.Path, box: Structure) -> None:
    """Found again, found with the same barrier by another way, found around another atom."""
    path = tmp_path / "l.h5"
    assert Labels(fake_header(box), empty()).distinct_count() == 0
    with Store(path, fake_header(box)) as store:
        for atom in (3, 7, 8):
            for number in range(12):
                record = fake_record(0, 3 + atom % 2, number % 5, 32)
                record = replace(record, final_dc=record.final_dc + (number >= 10)) if atom == 7 else record
                store.append(encode(replace(record, atom=atom, number=number)))
    labels = read_labels(path)
    each = [len(labels.distinct_events(atom)) for atom in range(32)]
    assert labels.distinct_count() == sum(each) < len(labels.events())
    assert each[7] > each[3]
