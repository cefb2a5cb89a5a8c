"""Label files become data sets; atoms without a label are told."""

from __future__ import annotations

import json
import pathlib
from dataclasses import replace

import numpy as np
import pytest

from glass_core.campaign.columns import decode, encode
from glass_core.campaign.export import atom_labels
from glass_core.campaign.label_hdf5 import write_hdf5
from glass_core.campaign.labels import Labels, Predicted
from glass_core.campaign.results import Results
from glass_core.campaign.summary import summarise
from glass_core.cli.label_summary import print_summary
from glass_core.cli.main import main
from glass_core.dataset import read_dataset, write_dataset
from glass_core.dataset_schema import LABELS
from glass_core.errors import GlassError
from glass_core.importers import import_files
from glass_core.saddle.records import SearchRecord, State
from glass_core.saddle.settings import preset
from glass_core.structure import Structure, replace_fields
from glass_core.testing import example_glass
from tests.campaign.conftest import labels_of
from tests.campaign.fakes import fake_header


def test_labels_of_a_data_set(tmp_path: pathlib.Path, box: Structure) -> None:
    labels = labels_of(box, 6)
    write_hdf5(labels, tmp_path / "glass.h5")
    write_dataset(import_files([tmp_path / "glass.h5"]), tmp_path / "data.h5")
    dataset = read_dataset(tmp_path / "data.h5")
    (configuration,) = dataset
    assert configuration.name == "glass"
    assert configuration.structure.n_atoms == 32
    assert dataset.source["files"]["glass"]["settings"]["climb"]["force"] == 0.05
    for a in range(32):
        barriers = labels["barrier"][labels.events(a)]
        assert configuration.label("barrier")[a] == pytest.approx(barriers.mean())
        assert configuration.label("barrier_median")[a] == pytest.approx(np.median(barriers))
        assert configuration.label("barrier_q10")[a] == pytest.approx(np.quantile(barriers, 0.1))
        assert configuration.label("barrier_q90")[a] == pytest.approx(np.quantile(barriers, 0.9))
        assert configuration.labels["barrier_error"][a] == pytest.approx(barriers.std(ddof=1) / len(barriers) ** 0.5)
        assert configuration.label("accepted")[a] == len(barriers)
        assert configuration.label("searches")[a] == 6
    assert (configuration.label("barrier_shrunk_error") > 0).all()


def test_saddles_that_are_no_events_are_labels_where_they_have_a_barrier(box: Structure, capsys) -> None:
    records = [
        SearchRecord(3, 0, State.ACCEPTED, 2.0, 2.1),
        SearchRecord(3, 1, State.DISCONNECTED, 1.0, 1.1),
        SearchRecord(3, 2, State.DISCONNECTED, first_barrier=0.4),
        SearchRecord(4, 0, State.UNSPLIT, 1.5, 1.6),
    ]
    labels = Labels(fake_header(box), decode([encode(record) for record in records]))
    found = atom_labels(labels)
    assert found["barrier"][[3, 4]].tolist() == [1.5, 1.5]
    assert found["accepted"][[3, 4, 5]].tolist() == [2, 1, 0]
    assert found["searches"][[3, 4, 5]].tolist() == [3, 1, 0]
    assert labels.events().tolist() == [0]
    summary = summarise(labels)
    assert (summary["barriers"], summary["states"]["accepted"], summary["distinct_events"]) == (3, 1, 1)
    asked = np.bincount([3, 3, 3, 4], minlength=32)
    one_by_one = Results(32)
    for row in labels.table.rows_r:
        one_by_one.add(row)
    for results in (Results.of(labels), one_by_one):
        np.testing.assert_array_equal(results.moments(asked).mean_n, found["barrier"])
    print_summary({**summary, "out": "labels.h5"})
    assert "1 event, 1 distinct, and 2 other saddles that count around 2 atoms\n" in capsys.readouterr().out
    with pytest.raises(GlassError, match=r"search 2 around atom 3 ended disconnected and gave no barrier"):
        labels.displacements(2)
    with pytest.raises(GlassError, match=r"the displacements of search 1 around atom 3 were not kept"):
        labels.displacements(1)


def test_files_that_count_other_saddles_are_told_apart(tmp_path: pathlib.Path, box: Structure, capsys) -> None:
    files = []
    for name, preset_name in (("a", "bauchy2024"), ("b", "strict")):
        labels = labels_of(box, 2)
        header = replace(labels.header, settings=preset(preset_name), structure=box)
        files.append(tmp_path / f"{name}.h5")
        write_hdf5(Labels(header, labels.table), files[-1])
    for given, noted in ((files[:1], False), (files, True)):
        assert main(["import", *map(str, given), "-o", str(tmp_path / "data.h5")]) == 0
        assert ("note: some label files count" in capsys.readouterr().out) == noted


def test_every_label_is_in_the_schema(box: Structure) -> None:
    labels = labels_of(box, 2)
    prior = Predicted("barrier", "a" * 64, np.full(32, 1.5), np.full(32, 0.1))
    assert set(atom_labels(Labels(labels.header, labels.table, prior=prior))) <= set(LABELS)


def test_a_posterior_is_a_label_of_every_atom(box: Structure) -> None:
    table = decode([])
    prior = Predicted("barrier", "a" * 64, np.full(32, 1.5), np.full(32, 0.1))
    labels = atom_labels(Labels(fake_header(box), table, prior=prior))
    np.testing.assert_allclose(labels["barrier_posterior"], 1.5)
    assert np.isnan(labels["barrier"]).all()


def test_atoms_without_a_label_are_nan(tmp_path: pathlib.Path, box: Structure) -> None:
    labels = labels_of(box, 4)
    some = labels["atom"] < 20
    partial = Labels(labels.header, decode([]))
    sizes = np.diff(labels.table.offsets)
    table = type(labels.table)(
        labels.table.rows_r[some], labels.table.offsets[: some.sum() + 1],
        *(getattr(labels.table, name)[: sizes[some].sum()] for name in ("moved_d", "saddle_dc", "final_dc")),
    )  # fmt: skip
    write_hdf5(Labels(partial.header, table), tmp_path / "some.h5")
    write_dataset(import_files([tmp_path / "some.h5"]), tmp_path / "data.h5")
    (configuration,) = read_dataset(tmp_path / "data.h5")
    assert configuration.labelled("barrier")[0].tolist() == list(range(20))
    assert np.isnan(configuration.label("barrier")[20:]).all()
    write_hdf5(partial, tmp_path / "none.h5")
    with pytest.raises(GlassError, match="holds no barrier"):
        import_files([tmp_path / "none.h5"])


def test_the_import_command(tmp_path: pathlib.Path, box: Structure, capsys: pytest.CaptureFixture[str]) -> None:
    other = example_glass(("Cu", "Zr"), cells=2, seed=5)
    moved = replace_fields(box, positions_nc=box.positions_nc + 0.01)
    for name, structure in (("a", box), ("b", other), ("c", moved)):
        write_hdf5(labels_of(structure, 3), tmp_path / f"{name}.h5")
    files = [str(tmp_path / f"{name}.h5") for name in "abc"]
    out = tmp_path / "data.h5"
    assert main(["import", *files, "-o", str(out), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["configurations"]
    assert [(r["name"], r["group"]) for r in rows] == [("a", 0), ("b", 1), ("c", 0)]
    assert rows[0]["atoms"] == 32
    assert main(["import", *files, "-o", str(out), "--groups", "a=0,b=1,c=2"]) == 0
    assert "labelled" in capsys.readouterr().out
    assert read_dataset(out).groups == [0, 1, 2]
    assert main(["import", *files, "-o", str(out), "--groups", "a=0,b=1"]) == 2
    assert "'c' has no group" in capsys.readouterr().err
