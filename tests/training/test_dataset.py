"""Data sets: round trip, schema, and what happens to damaged ones."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

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
    with pytest.raises(GlassError, match=r"'barrier' .* must be numbers of shape \(1024,\), got .* shape \(1021,\)"):
        read_dataset(file)


def put(name: str, value: Any) -> Callable[[h5py.File], None]:
    """Replaces a field; a function changes what is there."""

    def change(handle: h5py.File) -> None:
        new = value(handle[name][()]) if callable(value) else value
        del handle[name]
        handle[name] = new

    return change


def attribute(name: str, value: Any) -> Callable[[h5py.File], None]:
    """Replaces an attribute, or removes it (None)."""

    def change(handle: h5py.File) -> None:
        del handle.attrs[name]
        if value is not None:
            handle.attrs[name] = value

    return change


def group(handle: h5py.File) -> None:
    del handle["positions"]
    handle.create_group("positions")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (put("offsets", lambda o: o + 5), r"'offsets' .* must start at 0 and never fall, got 5, "),
        (put("offsets", lambda o: o[[0, 2, 1, 3, 4]]), "'offsets' .* must start at 0 and never fall"),
        (
            put("offsets", lambda o: o.astype(float)),
            r"'offsets' .* must be whole numbers of shape \(S \+ 1,\), got float64",
        ),
        (put("offsets", np.zeros(0, np.int64)), "holds no configurations"),
        (put("offsets", np.zeros(1, np.int64)), "holds no configurations"),
        (put("names", lambda n: n[:2]), r"'names' .* must be strings of shape \(4,\)"),
        (put("names", lambda n: np.append(n, n[:1])), r"'names' .* must be strings of shape \(4,\)"),
        (put("names", lambda n: n[[0, 1, 1, 2]]), "two configurations named 'glass2'"),
        (put("names", np.arange(4)), "'names' .* must be strings"),
        (put("names", np.array([b"a", b"\xff", b"c", b"d"])), "is not a readable HDF5 file"),
        (put("group", lambda g: g[:2]), r"'group' .* of shape \(4,\)"),
        (put("group", np.array([b"a"] * 4)), "'group' .* must be whole numbers"),
        (put("cell", lambda c: c[:, :, :2]), r"'cell' .* of shape \(4, 3, 3\)"),
        (put("pbc", lambda p: p[:, :2]), r"'pbc' .* of shape \(4, 3\)"),
        (put("positions", lambda p: p[:, :2]), r"'positions' .* of shape \(1024, 3\)"),
        (put("positions", lambda p: p.astype("S")), "'positions' .* must be numbers"),
        (group, "'positions' .* is a group"),
        (put("types", lambda t: t.astype(float)), "'types' .* must be whole numbers"),
        (put("types", lambda t: t + 9), "configuration 'glass1' .* has no species"),
        (put("barrier", lambda b: b.astype("S")), "'barrier' .* must be numbers"),
        (attribute("version", None), "has schema version None"),
        (attribute("version", "x"), "has schema version 'x'"),
        (attribute("species", None), "attribute 'species' .* is damaged"),
        (attribute("species", "Cu,Zr"), "attribute 'species' .* is damaged"),
        (attribute("species", "3"), "attribute 'species' .* must be a list"),
        (attribute("source", "{"), "attribute 'source' .* is damaged"),
        (attribute("schema", 3), "no data set of this package"),
    ],
)
def test_a_broken_schema_is_named(file: pathlib.Path, damage: Callable[[h5py.File], None], message: str) -> None:
    with h5py.File(file, "a") as handle:
        damage(handle)
    with pytest.raises(GlassError, match=f"(?s){message}"):
        read_dataset(file)


def test_damaged_numbers_are_refused(file: pathlib.Path) -> None:
    with h5py.File(file, "r") as handle:
        where = handle["positions"].id.get_chunk_info(0)
    data = bytearray(file.read_bytes())
    middle = where.byte_offset + where.size // 2
    data[middle : middle + 20] = bytes(20)
    file.write_bytes(data)
    with pytest.raises(GlassError, match="is not a readable HDF5 file"):
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


def test_labels_that_are_absent_or_infinite_are_errors(dataset: Dataset) -> None:
    first = dataset.configurations[0]
    with pytest.raises(GlassError, match=r"no atom of configuration 'glass1' has a label 'energy' \(labels: barrier\)"):
        first.label("energy")
    broken = Configuration(
        "x", 0, first.structure, first.ids_n, {"barrier": np.where(np.arange(256) == 7, np.inf, 1.0)}
    )
    with pytest.raises(GlassError, match="barrier of atom 7 of configuration 'x' is infinite"):
        broken.label("barrier")


def test_failing_to_write_keeps_the_old_file(file: pathlib.Path, dataset: Dataset) -> None:
    before = file.read_bytes()
    twice = Dataset((dataset.configurations[0], dataset.configurations[0]))
    with pytest.raises(GlassError, match="different names"):
        write_dataset(twice, file)
    first = dataset.configurations[0]
    far = Configuration("far", 99999999999, first.structure, first.ids_n, first.labels)
    for unfit, message in (
        (Dataset(()), "at least one configuration"),
        (Dataset((far,)), "group of configuration 'far' must lie in"),
    ):
        with pytest.raises(GlassError, match=message):
            write_dataset(unfit, file)
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == ["data.h5"]


def test_atoms_without_a_label_are_nan(dataset: Dataset) -> None:
    first = dataset.configurations[0]
    barrier = np.where(np.arange(256) % 3 == 1, first.label("barrier"), np.nan)
    some = Configuration("some", 0, first.structure, first.ids_n, {"barrier": barrier, "energy": np.full(256, np.nan)})
    atoms, values = some.labelled("barrier")
    assert atoms.tolist() == list(range(1, 256, 3))
    np.testing.assert_array_equal(values, first.label("barrier")[atoms])
    np.testing.assert_array_equal(np.isnan(some.label("barrier")), np.arange(256) % 3 != 1)
    assert list(some.labels) == ["barrier"]  # no atom has an energy
    atoms, values = first.labelled("barrier")
    np.testing.assert_array_equal(atoms, np.arange(256))
    np.testing.assert_array_equal(values, first.label("barrier"))


def test_labels_of_some_configurations_come_back_to_these(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    first, *others = dataset.configurations
    energies = {"energy": np.linspace(-5, -4, 256), "barrier": first.label("barrier")}
    mixed = Dataset((Configuration("first", 0, first.structure, first.ids_n, energies), *others))
    write_dataset(mixed, tmp_path / "mixed.h5")
    again = read_dataset(tmp_path / "mixed.h5").configurations
    assert [sorted(c.labels) for c in again] == [["barrier", "energy"], *[["barrier"]] * 3]
    np.testing.assert_array_equal(again[0].label("energy"), energies["energy"])
