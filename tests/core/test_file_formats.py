"""Writers of the core, read back by programs that are not ours."""

from __future__ import annotations

import json
import pathlib

import h5py
import numpy as np
import pytest

from glass_core import GlassError, PerAtom, Structure
from glass_core.file_formats import write_dump, write_hdf5
from glass_core.frame import Frame
from glass_core.registry import find
from tests.core.systems import BOXES

OUTPUTS = ("barrier", "out_of_domain", "my_score")


def frame(cell: np.ndarray, pbc: bool | tuple[bool, bool, bool] = True, origin: tuple = (0, 0, 0)) -> Frame:
    random = np.random.default_rng(3)
    positions = random.uniform(0.02, 0.98, (12, 3)) @ cell + origin
    structure = Structure(positions, random.integers(0, 2, 12), ("Cu", "Zr"), cell, pbc)
    return Frame(structure, np.arange(12)[::-1] + 5, {"timestep": 250, "origin": list(origin)})


def outputs(count: int = 12) -> dict[str, PerAtom]:
    values = np.linspace(0.1, 2, count)
    return {
        "barrier": PerAtom(values, "eV"),
        "out_of_domain": PerAtom((values > 1).astype(float), ""),
        "my_score": PerAtom(-values, ""),
    }


def distances(positions: np.ndarray, cell: np.ndarray, pbc: object) -> np.ndarray:
    """Shortest distances between all pairs: what no writer may change."""
    ase_geometry = pytest.importorskip("ase.geometry")
    return ase_geometry.get_distances(positions, cell=cell, pbc=pbc)[1]


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.filterwarnings("ignore")
def test_ase_reads_the_dump(name: str, tmp_path: pathlib.Path) -> None:
    io = pytest.importorskip("ase.io")
    original = frame(BOXES[name])
    path = tmp_path / "a.dump"
    write_dump(path, original, outputs(), {})
    atoms = io.read(path, format="lammps-dump-text", order=False)
    structure = original.structure
    assert atoms.get_chemical_symbols() == structure.symbols().tolist()
    assert atoms.get_pbc().all()
    assert atoms.get_volume() == pytest.approx(abs(np.linalg.det(structure.cell_cc)))
    np.testing.assert_allclose(
        distances(atoms.positions, atoms.cell.array, True),
        distances(structure.positions_nc, structure.cell_cc, True),
        atol=1e-6,
    )


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("origin", [(0, 0, 0), (-3.0, 5.0, 100.0)])
def test_ovito_reads_the_dump(name: str, origin: tuple, tmp_path: pathlib.Path) -> None:
    ovito_io = pytest.importorskip("ovito.io")
    original = frame(BOXES[name], (True, True, False), origin)
    path = tmp_path / "a.dump"
    write_dump(path, original, outputs(), {})
    data = ovito_io.import_file(str(path), sort_particles=False).compute()
    structure = original.structure
    assert data.attributes["Timestep"] == 250
    assert data.particles["Particle Identifier"][...].tolist() == original.ids_n.tolist()
    types = data.particles.particle_types
    assert [types.type_by_id(t).name for t in types[...]] == structure.symbols().tolist()
    np.testing.assert_allclose(data.particles["glass_barrier"][...], outputs()["barrier"].values, rtol=1e-8)
    np.testing.assert_allclose(data.particles["glass_my_score"][...], outputs()["my_score"].values, rtol=1e-8)
    assert data.cell.pbc == (True, True, False)
    cell = data.cell[:, :3].T
    inside = (data.particles.positions[...] - data.cell[:, 3]) @ np.linalg.inv(cell)
    expected = (structure.positions_nc - origin) @ np.linalg.inv(structure.cell_cc)
    np.testing.assert_allclose(inside, expected, atol=1e-6)


def test_box_bounds_of_a_triclinic_dump(tmp_path: pathlib.Path) -> None:
    """The example of https://docs.lammps.org/Howto_triclinic.html: bounds enclose the tilted box."""
    cell = np.array([[10.0, 0, 0], [-2.0, 9.0, 0], [3.0, -1.0, 8.0]])
    path = tmp_path / "a.dump"
    write_dump(path, frame(cell, (True, False, True), (1.0, 2.0, 3.0)), {}, {})
    lines = path.read_text().splitlines()
    assert lines[4] == "ITEM: BOX BOUNDS xy xz yz pp ff pp"
    bounds = np.array([line.split() for line in lines[5:8]], dtype=float)
    np.testing.assert_allclose(bounds, [[1 - 2, 11 + 3, -2], [2 - 1, 11, 3], [3, 11, -1]])
    assert lines[8] == "ITEM: ATOMS id type element x y z"


def test_flags_are_written_as_integers(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.dump"
    write_dump(path, frame(BOXES["orthogonal"]), outputs(), {})
    lines = path.read_text().splitlines()
    column = lines[8].split().index("glass_out_of_domain") - 2
    assert {line.split()[column] for line in lines[9:]} == {"0", "1"}


def test_no_atoms(tmp_path: pathlib.Path) -> None:
    nobody = Structure(np.empty((0, 3)), np.empty(0, int), ("Cu",), np.eye(3), True)
    nothing = {"barrier": PerAtom(np.empty(0), "eV")}
    for name, write in (("a.dump", write_dump), ("a.h5", write_hdf5)):
        write(tmp_path / name, Frame(nobody, np.empty(0, dtype=np.int64)), nothing, {})
        assert (tmp_path / name).stat().st_size


def test_hdf5_holds_everything_with_units(tmp_path: pathlib.Path) -> None:
    original = frame(BOXES["triclinic"], (True, False, True))
    path = tmp_path / "a.h5"
    write_hdf5(path, original, outputs(), {"model": "small", "cutoff": 4.0})
    with h5py.File(path) as handle:
        assert handle.attrs["schema"] == "glass-prediction"
        assert handle.attrs["version"] == 1
        assert json.loads(handle.attrs["species"]) == ["Cu", "Zr"]
        assert handle.attrs["pbc"].tolist() == [True, False, True]
        assert json.loads(handle.attrs["info"]) == {"model": "small", "cutoff": 4.0}
        assert np.array_equal(handle["positions"], original.structure.positions_nc)
        assert np.array_equal(handle["types"], original.structure.types_n)
        assert np.array_equal(handle["ids"], original.ids_n)
        assert np.array_equal(handle["cell"], original.structure.cell_cc)
        units = {name: handle[name].attrs["unit"] for name in handle}
        for name, per_atom in outputs().items():
            assert np.array_equal(handle[f"glass_{name}"], per_atom.values)
    assert units["positions"] == "Å"
    assert units["glass_barrier"] == "eV"


@pytest.mark.parametrize("ending", [".dump", ".lammpstrj", ".h5"])
def test_writers_replace_files_only_when_they_succeed(ending: str, tmp_path: pathlib.Path) -> None:
    write = find("writer", ending)
    path = tmp_path / f"a{ending}"
    write(path, frame(BOXES["orthogonal"]), outputs(), {})
    before = path.read_bytes()
    with pytest.raises((IndexError, TypeError)):
        write(path, frame(BOXES["orthogonal"]), outputs(3), {"bad": object()})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with pytest.raises(GlassError, match="cannot write"):
        write(tmp_path / "absent" / path.name, frame(BOXES["orthogonal"]), outputs(), {})


def test_types_keep_the_numbers_of_the_input(tmp_path: pathlib.Path) -> None:
    original = frame(BOXES["orthogonal"])
    numbers = np.where(original.structure.symbols() == "Zr", 1, 7)
    write_dump(tmp_path / "a.dump", Frame(original.structure, original.ids_n, {}, numbers), {}, {})
    rows = [line.split()[1:3] for line in (tmp_path / "a.dump").read_text().splitlines()[9:]]
    assert {tuple(row) for row in rows} == {("1", "Zr"), ("7", "Cu")}


def bounds_of(path: pathlib.Path) -> tuple[str, np.ndarray]:
    lines = path.read_text().splitlines()
    return lines[4], np.array([line.split() for line in lines[5:8]], dtype=float)


def test_without_a_box_the_dump_is_as_wide_as_the_atoms(tmp_path: pathlib.Path) -> None:
    positions = np.array([[1.0, -2, 3], [4, 5, 3], [2, 0, 3]])
    structure = Structure(positions, [0, 1, 0], ("Cu", "Zr"))
    write_dump(tmp_path / "a.dump", Frame(structure, np.arange(3) + 1), {}, {})
    head, bounds = bounds_of(tmp_path / "a.dump")
    assert head == "ITEM: BOX BOUNDS ff ff ff"
    np.testing.assert_allclose(bounds, [[1, 4], [-2, 5], [2.5, 3.5]])
    nobody = Structure(np.empty((0, 3)), np.empty(0, int), ())
    write_dump(tmp_path / "b.dump", Frame(nobody, np.empty(0, dtype=np.int64)), {}, {})
    assert np.ptp(bounds_of(tmp_path / "b.dump")[1], axis=1).tolist() == [1, 1, 1]


@pytest.mark.parametrize("origin", [(0, 0, 0), (-1.0, 2.0, 10.0)])
def test_a_missing_box_vector_spans_the_atoms(tmp_path: pathlib.Path, origin: tuple) -> None:
    cell = np.array([[9.0, 0, 0], [2, 8, 0], [0, 0, 0]])
    positions = np.array([[1.0, 2, 13], [3, 4, 18]])
    structure = Structure(positions, [0, 1], ("Cu", "Zr"), cell, (True, True, False))
    write_dump(tmp_path / "a.dump", Frame(structure, np.arange(2) + 1, {"origin": list(origin)}), {}, {})
    head, bounds = bounds_of(tmp_path / "a.dump")
    assert head == "ITEM: BOX BOUNDS xy xz yz pp pp ff"
    x, y, _ = origin
    np.testing.assert_allclose(bounds, [[x, x + 11, 2], [y, y + 8, 0], [13, 18, 0]])


def test_hdf5_has_no_box_that_was_not_given(tmp_path: pathlib.Path) -> None:
    structure = Structure([[1.0, 2, 3]], [0], ("Cu",), [9, 0, 8], (True, False, False))
    write_hdf5(tmp_path / "a.h5", Frame(structure, np.array([1])), {}, {})
    with h5py.File(tmp_path / "a.h5") as handle:
        assert handle["cell"][()].tolist() == [[9, 0, 0], [0, 0, 0], [0, 0, 8]]


def test_links_stay_and_their_targets_are_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link.dump", tmp_path / "there/a.dump"
    link.symlink_to("there/a.dump")
    for _ in ("new", "existing"):
        write_dump(link, frame(BOXES["orthogonal"]), {}, {})
        assert link.is_symlink()
        assert target.read_text().startswith("ITEM: TIMESTEP")
        assert [p.name for p in target.parent.iterdir()] == [target.name]
