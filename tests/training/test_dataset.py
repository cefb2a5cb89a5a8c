"""Data sets: round trip, schema, and what happens to damaged ones."""

from __future__ import annotations

import pathlib

import h5py
import numpy as np
import pytest

from glass_core.dataset import Configuration, Dataset, read_dataset, write_dataset
from glass_core.errors import GlassError


@pytest.fixture
def file(tmp_path: pathlib.Path, dataset: Dataset) -> pathlib.Path:
    path = tmp_path / "data.h5"
    write_dataset(dataset, path)
    return path


def test_round_trip(file: pathlib.Path, dataset: Dataset) -> None:
    again = read_dataset(file)
    assert [c.name for c in again] == [c.name for c in dataset]
    assert [c.group for c in again] == [c.group for c in dataset]
    assert again.source == dataset.source
    for a, b in zip(dataset, again, strict=True):
        np.testing.assert_array_equal(a.structure.positions_nc, b.structure.positions_nc)
        np.testing.assert_array_equal(a.structure.symbols(), b.structure.symbols())
        np.testing.assert_array_equal(a.structure.cell_cc, b.structure.cell_cc)
        np.testing.assert_array_equal(a.label("barrier"), b.label("barrier"))
        assert a.structure.pbc == b.structure.pbc


@pytest.mark.parametrize("field", ["offsets", "names", "group", "cell", "pbc", "positions", "types", "ids"])
def test_a_missing_field_is_named(file: pathlib.Path, field: str) -> None:
    with h5py.File(file, "a") as handle:
        del handle[field]
    with pytest.raises(GlassError, match=f"lacks the field '{field}'"):
        read_dataset(file)


def test_a_wrong_shape_is_named(file: pathlib.Path) -> None:
    with h5py.File(file, "a") as handle:
        short = handle["barrier"][:-3]
        del handle["barrier"]
        handle["barrier"] = short
    with pytest.raises(
        GlassError, match=r"field 'barrier' .* has shape \(1021,\), must have 1 dimensions and 1024 rows"
    ):
        read_dataset(file)


def test_a_position_that_is_not_finite_is_named(file: pathlib.Path) -> None:
    with h5py.File(file, "a") as handle:
        handle["positions"][300, 1] = np.nan
    with pytest.raises(GlassError, match=r"configuration 'glass2' .*position of atom 44 is not finite"):
        read_dataset(file)


def test_a_newer_version_and_foreign_files_are_refused(file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with h5py.File(file, "a") as handle:
        handle.attrs["version"] = 99
    with pytest.raises(GlassError, match="version 99"):
        read_dataset(file)
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as handle:
        handle["positions"] = np.zeros((3, 3))
    with pytest.raises(GlassError, match="no data set of this package"):
        read_dataset(foreign)
    (tmp_path / "cut.h5").write_bytes(file.read_bytes()[:1000])
    with pytest.raises(GlassError, match="not a readable HDF5 file"):
        read_dataset(tmp_path / "cut.h5")
    with pytest.raises(GlassError, match="does not exist"):
        read_dataset(tmp_path / "none.h5")


def test_labels_that_are_absent_or_not_finite_are_errors(dataset: Dataset) -> None:
    first = dataset.configurations[0]
    with pytest.raises(GlassError, match="no label 'energy'"):
        first.label("energy")
    broken = Configuration(
        "x", 0, first.structure, first.ids_n, {"barrier": np.where(np.arange(256) == 7, np.inf, 1.0)}
    )
    with pytest.raises(GlassError, match="barrier of atom 7 of configuration 'x' is not finite"):
        broken.label("barrier")


def test_failing_to_write_keeps_the_old_file(file: pathlib.Path, dataset: Dataset) -> None:
    before = file.read_bytes()
    twice = Dataset((dataset.configurations[0], dataset.configurations[0]))
    with pytest.raises(GlassError, match="different names"):
        write_dataset(twice, file)
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == ["data.h5"]
