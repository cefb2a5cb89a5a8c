"""The store of a running campaign: nothing is lost, nothing is mixed."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import numpy as np
import pytest

from glass_core.campaign.columns import encode
from glass_core.campaign.header import Header
from glass_core.campaign.label_file import journal_of, read_labels
from glass_core.campaign.labels import Predicted
from glass_core.campaign.store import Store
from glass_core.dataset import write_dataset
from glass_core.errors import GlassError
from glass_core.saddle.settings import ArtnSettings, Climb, Kick
from glass_core.structure import Structure, replace_fields
from tests.campaign.conftest import labels_of, same
from tests.campaign.fakes import fake_header, fake_record


def fill(path: pathlib.Path, structure: Structure, searches: int, header: Header | None = None) -> None:
    labels = labels_of(structure, searches)
    with Store(path, header or fake_header(structure)) as store:
        for record in labels.records():
            store.append(encode(record))


def test_a_store_ends_as_a_file_without_journal(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    fill(path, box, 2)
    assert same(read_labels(path), labels_of(box, 2))
    assert [p.name for p in tmp_path.iterdir()] == ["l.h5"]
    before = path.stat().st_mtime_ns
    with Store(path, fake_header(box)) as store:
        assert len(store.results) == 64
        assert not store.append(encode(fake_record(0, 3, 1, 32)))
    assert path.stat().st_mtime_ns == before  # nothing new, nothing written
    fill(path, box, 4)
    assert same(read_labels(path), labels_of(box, 4))


def test_an_error_keeps_what_is_done(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    store = Store(path, fake_header(box))
    store.append(encode(fake_record(0, 3, 1, 32)))
    with pytest.raises(KeyboardInterrupt), store:
        raise KeyboardInterrupt
    assert len(read_labels(path)) == 1
    assert not journal_of(path).exists()


def test_a_torn_record_is_dropped(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    store = Store(path, fake_header(box))
    for k in range(3):
        store.append(encode(fake_record(0, 0, k, 32)))
    store._journal.close()
    journal = journal_of(path)
    journal.write_bytes(journal.read_bytes()[:-1])
    assert len(read_labels(path)) == 2
    with Store(path, fake_header(box)) as again:
        assert [again.results.has(0, k) for k in range(3)] == [True, True, False]
        again.append(encode(fake_record(0, 0, 2, 32)))
    assert len(read_labels(path)) == 3


def shifted(structure: Structure, by: float) -> Structure:
    positions = structure.positions_nc.copy()
    positions[7, 0] += by
    return replace_fields(structure, positions_nc=positions)


def other_species(structure: Structure) -> Structure:
    types = structure.types_n.copy()
    types[4] = 1 - types[4]
    return replace_fields(structure, types_n=types)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s: fake_header(s.subset(np.arange(31))), "structure of 32 atoms, not 31"),
        (lambda s: fake_header(shifted(s, 0.3)), r"atom 7 lies 0\.3 Å from its place"),
        (lambda s: fake_header(other_species(s)), "atom 4 is (Cu|Zr), not (Zr|Cu)"),
        (lambda s: fake_header(replace_fields(s, cell_cc=1.01 * s.cell_cc)), "in another box"),
        (
            lambda s: replace(fake_header(s), potential="new", potential_digest="e" * 64),
            "potential fake .*, not with new",
        ),
        (lambda s: fake_header(s, settings=ArtnSettings(climb=Climb(force=0.03))), r"climb\.force = 0\.05, not 0\.03"),
        (
            lambda s: fake_header(s, settings=ArtnSettings(kick=Kick(radius=3.4), cap=5.0)),
            r"kick\.radius = 3\.8, not 3\.4 \(2 settings differ\)",
        ),
        (lambda s: fake_header(s, seed=1), "seed 0, not 1"),
    ],
)
def test_mixing_is_refused(tmp_path: pathlib.Path, box: Structure, make, message: str) -> None:
    path = tmp_path / "l.h5"
    fill(path, box, 1)
    before = path.read_bytes()
    with pytest.raises(GlassError, match=f"l.h5 .*{message}.*another name with -o"):
        Store(path, make(box))
    assert path.read_bytes() == before
    assert not journal_of(path).exists()
    store = Store(tmp_path / "j.h5", fake_header(box))  # the same of a journal alone
    store.append(encode(fake_record(0, 0, 0, 32)))
    store._journal.close()
    with pytest.raises(GlassError, match=message):
        Store(tmp_path / "j.h5", make(box))
    assert len(read_labels(tmp_path / "j.h5")) == 1


def test_another_reader_of_the_same_file_is_no_other_structure(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    fill(path, box, 1)
    wrapped = shifted(box, 1e-7)
    wrapped = replace_fields(wrapped, positions_nc=wrapped.positions_nc + box.cell_cc[1] - 2 * box.cell_cc[2])
    turned = replace_fields(wrapped, types_n=1 - wrapped.types_n, species=wrapped.species[::-1])
    with Store(path, fake_header(turned)) as store:
        assert len(store.results) == 32
    np.testing.assert_array_equal(read_labels(path).structure.positions_nc, box.positions_nc)


def test_files_of_others_are_not_touched(tmp_path: pathlib.Path, box: Structure, dataset) -> None:
    path = tmp_path / "data.h5"
    write_dataset(dataset, path)
    before = path.read_bytes()
    with pytest.raises(GlassError, match="no label file"):
        Store(path, fake_header(box))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["data.h5"]
    with pytest.raises(GlassError, match="does not exist; make it first"):
        Store(tmp_path / "no" / "l.h5", fake_header(box))


def test_one_campaign_at_a_time(tmp_path: pathlib.Path, box: Structure) -> None:
    with Store(tmp_path / "l.h5", fake_header(box)) as store:
        store.append(encode(fake_record(0, 0, 0, 32)))
        with pytest.raises(GlassError, match="being written by another"):
            Store(tmp_path / "l.h5", fake_header(box))
    assert len(read_labels(tmp_path / "l.h5")) == 1


def model(digest: str) -> Predicted:
    return Predicted("barrier", digest, np.ones(32), np.full(32, 0.1))


def test_predictions_of_two_models_are_not_mixed(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    with Store(path, fake_header(box), predicted=model("a" * 64)) as store:
        store.append(encode(fake_record(0, 0, 0, 32), 1.5))
    with pytest.raises(GlassError, match=r"barrier \(aaaaaaaaaaaa\), not of barrier \(bbbbbbbbbbbb\)"):
        Store(path, fake_header(box), predicted=model("b" * 64))
    with Store(path, fake_header(box), prior=model("b" * 64)):
        pass
    labels = read_labels(path)
    assert labels.predicted is not None
    assert labels.prior is not None
    assert (labels.predicted.sha256, labels.prior.sha256) == ("a" * 64, "b" * 64)
    with Store(path, fake_header(box), prior=model("c" * 64)):
        pass
    replaced = read_labels(path).prior
    assert replaced is not None
    assert replaced.sha256 == "c" * 64


def test_a_full_disk_at_the_end_keeps_the_journal(
    tmp_path: pathlib.Path, box: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l.h5"

    def full(labels: object, path: pathlib.Path) -> None:
        raise GlassError(f"cannot write {path}: No space left on device; nothing was changed")

    monkeypatch.setattr("glass_core.campaign.store.write_hdf5", full)
    with pytest.raises(GlassError, match=r"No space left.*all searches are kept in .*l.h5.journal"):
        fill(path, box, 2)
    monkeypatch.undo()
    assert same(read_labels(path), labels_of(box, 2))
    with pytest.raises(ZeroDivisionError), Store(path, fake_header(box)):
        raise ZeroDivisionError
    assert not journal_of(path).exists()
    assert same(read_labels(path), labels_of(box, 2))
