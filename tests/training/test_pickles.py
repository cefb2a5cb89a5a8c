"""Importing public pickles: restricted and checked."""

from __future__ import annotations

import os
import pathlib
import pickle

import numpy as np
import pytest

from glass_core.errors import GlassError
from glass_core.importers import import_files
from glass_core.pickles import load_arrays


def content(seed: int = 0, n: int = 64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "positions": rng.uniform(-6, 6, (n, 3)),
        "types": rng.integers(1, 3, n).astype(np.int32),
        "box": np.array([12, 12, 12], np.float32),
        "trajectory_start_velocities": rng.normal(1.5, 0.3, n).astype(np.float32),
        "pot": rng.normal(-5, 0.1, n).astype(np.float32),
        "pos": np.arange(1, n + 1, dtype=np.uint16)[:, None],
    }


def write(path: pathlib.Path, value: object) -> pathlib.Path:
    path.write_bytes(pickle.dumps(value))
    return path


def test_fields_are_read(tmp_path: pathlib.Path) -> None:
    source = content()
    dataset = import_files([write(tmp_path / "a.pickle", source)])
    configuration = next(iter(dataset))
    assert configuration.name == "a"
    np.testing.assert_allclose(configuration.label("barrier"), source["trajectory_start_velocities"])
    np.testing.assert_array_equal(configuration.structure.types_n, source["types"] - 1)
    assert configuration.structure.pbc == (True, True, True)


def test_fields_may_be_columns_boxes_matrices_and_labels_partial(tmp_path: pathlib.Path) -> None:
    source = content()
    barriers = np.where(np.arange(64) < 5, np.nan, source["trajectory_start_velocities"])
    columns = {"trajectory_start_velocities": barriers[:, None], "types": source["types"][None], "box": np.eye(3) * 12}
    (plain,) = import_files([write(tmp_path / "a.pickle", source)])
    (other,) = import_files([write(tmp_path / "b.pickle", {**source, **columns, "pos": source["pos"][:, 0]})])
    np.testing.assert_array_equal(other.structure.cell_cc, plain.structure.cell_cc)
    np.testing.assert_array_equal(other.structure.types_n, plain.structure.types_n)
    np.testing.assert_array_equal(other.labelled("barrier")[0], np.arange(5, 64))
    np.testing.assert_array_equal(other.ids_n, plain.ids_n)


def test_any_types_are_given_species(tmp_path: pathlib.Path) -> None:
    source = content()
    path = write(tmp_path / "a.pickle", {**source, "types": source["types"] - 1})
    (configuration,) = import_files([path], {"0": "Zr", "1": "Cu"})
    assert configuration.structure.symbols().tolist() == [("Zr", "Cu")[t - 1] for t in source["types"]]


class Malicious:
    def __init__(self, target: pathlib.Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: {"positions": m}, lambda m: {**content(), "extra": [m]}])
def test_a_malicious_pickle_is_refused_and_nothing_runs(tmp_path: pathlib.Path, wrap) -> None:
    mark = tmp_path / "ran"
    with pytest.raises(GlassError, match="refused, nothing was run"):
        load_arrays(write(tmp_path / "bad.pickle", wrap(Malicious(mark))))
    assert not mark.exists()


def test_object_arrays_do_not_smuggle_code(tmp_path: pathlib.Path) -> None:
    mark = tmp_path / "ran"
    array = np.empty(1, dtype=object)
    array[0] = Malicious(mark)
    with pytest.raises(GlassError, match="refused"):
        load_arrays(write(tmp_path / "bad.pickle", {"positions": array}))
    assert not mark.exists()


@pytest.mark.parametrize("state", [{"__defaults__": ()}, (None, {"__defaults__": ("x",)}), 3])
def test_functions_cannot_be_changed(tmp_path: pathlib.Path, state: object) -> None:
    from numpy._core import numeric

    before = numeric._frombuffer.__defaults__, dict(vars(numeric._frombuffer))
    path = tmp_path / "bad.pickle"
    path.write_bytes(b"\x80\x04cnumpy._core.numeric\n_frombuffer\n" + pickle.dumps(state, 4)[2:-1] + b"b.")
    with pytest.raises(GlassError, match="change a function of numpy; refused"):
        load_arrays(path)
    assert before == (numeric._frombuffer.__defaults__, dict(vars(numeric._frombuffer)))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_read(tmp_path: pathlib.Path, protocol: int) -> None:
    path = tmp_path / "a.pickle"
    source = {**content(), "step": np.float64(3.0)}
    path.write_bytes(pickle.dumps(source, protocol))
    again = load_arrays(path)
    assert again.keys() == source.keys()
    for name, array in source.items():
        np.testing.assert_array_equal(again[name], array)


@pytest.mark.parametrize("name", ["builtins.eval", "builtins.getattr", "numpy.load", "numpy.f2py.compile"])
def test_other_globals_are_refused(tmp_path: pathlib.Path, name: str) -> None:
    module, _, attribute = name.rpartition(".")
    path = tmp_path / "bad.pickle"
    path.write_bytes(f"c{module}\n{attribute}\n.".encode())
    with pytest.raises(GlassError, match=f"load {name}"):
        load_arrays(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"types": None}, "has no key 'types'"),
        ({"box": np.zeros(2)}, r"box has shape \(2,\)"),
        ({"positions": np.full((64, 3), np.nan)}, r"positions are not finite in row 0 \(64 such rows\)"),
        ({"positions": [[0, 0, 0], [1, 1]]}, "positions is no array"),
        ({"positions": np.empty((0, 3))}, "holds no atoms"),
        ({"trajectory_start_velocities": np.where(np.arange(64) == 3, np.inf, 1.5)}, "not finite in row 3"),
        ({"box": np.ones((3, 3))}, "cell is singular"),
        ({"box": [[1], [2, 3]]}, "box is no array"),
        ({"types": np.full(64, 1.7)}, "types must be whole numbers, got 1.7 in row 0"),
        ({"types": np.full(64, np.nan)}, "types must be whole numbers, got nan"),
        ({"pos": np.full((64, 1), 1e300)}, r"pos must be whole numbers, got 1e\+300"),
        ({"types": np.full(64, 3, np.int32)}, "has the types 3, but species are 1=Cu,2=Zr; .* --species 3=…"),
        ({"box": np.array([12.0, 0.0, 12.0])}, "box lengths must be > 0"),
        ({"box": np.array([12.0, -12.0, 12.0])}, "box lengths must be > 0"),
        ({"trajectory_start_velocities": np.array(["x"] * 64)}, "must be numbers"),
    ],
)
def test_broken_content_is_named(tmp_path: pathlib.Path, change: dict, message: str) -> None:
    broken = {k: v for k, v in {**content(), **change}.items() if v is not None}
    with pytest.raises(GlassError, match=message):
        import_files([write(tmp_path / "a.pickle", broken)])


@pytest.mark.parametrize("data", [b"", b"not a pickle", pickle.dumps([1, 2])])
def test_other_files_are_refused(tmp_path: pathlib.Path, data: bytes) -> None:
    path = tmp_path / "a.pickle"
    path.write_bytes(data)
    with pytest.raises(GlassError, match=r"not a readable pickle|holds a list"):
        load_arrays(path)
