from __future__ import annotations

import numpy as np
import pytest
from ovito.data import DataCollection
from ovito.io import import_file

from glass_core import GlassError
from ovito_glass.structure import to_structure

TRICLINIC = np.array([[10.0, 0.0, 0.0], [2.0, 9.0, 0.0], [-1.0, 3.0, 8.0]])


def collection(types=(1, 2, 1), names=("Cu", "Zr"), cell=None, pbc=(True, True, True), positions=None):
    """Three particles, box vectors in rows."""
    data = DataCollection()
    if cell is not None:
        data.create_cell(np.column_stack([np.asarray(cell).T, [5.0, 6.0, 7.0]]), pbc=pbc)
    particles = data.create_particles(count=len(types))
    particles.create_property("Position", data=np.eye(3)[: len(types)] if positions is None else positions)
    prop = particles.create_property("Particle Type", data=types)
    for number, name in enumerate(names, 1):
        prop.add_type_id(number, particles, name=name)
    return data


def test_columns_become_rows_and_the_origin_does_not_matter():
    structure = to_structure(collection(cell=TRICLINIC, pbc=(True, False, True)))
    np.testing.assert_allclose(structure.cell_cc, TRICLINIC)
    assert structure.pbc == (True, False, True)
    np.testing.assert_allclose(structure.positions_nc, np.eye(3))
    assert structure.symbols().tolist() == ["Cu", "Zr", "Cu"]


def test_file_gives_the_structure_that_was_written(dump_file, structure):
    read = to_structure(import_file(dump_file).compute())
    np.testing.assert_allclose(read.positions_nc, structure.positions_nc, atol=1e-6)
    np.testing.assert_allclose(read.cell_cc, structure.cell_cc)
    assert (read.symbols() == structure.symbols()).all()


def test_no_cell_is_not_periodic():
    assert to_structure(collection()).pbc == (False, False, False)


def test_2d_box_is_not_periodic_along_its_third_vector():
    data = collection(cell=np.diag([10.0, 10.0, 0.0]))
    data.cell_.is2D = True
    structure = to_structure(data)
    assert structure.pbc == (True, True, False)
    np.testing.assert_allclose(structure.cell_cc, np.diag([10.0, 10.0, 1.0]))


def test_flat_box_without_periodicity():
    structure = to_structure(collection(cell=np.diag([10.0, 10.0, 0.0]), pbc=(False, False, False)))
    assert np.linalg.det(structure.cell_cc) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("names", "species_map", "expected"),
    [
        (("Cu", "Zr"), {}, ["Cu", "Zr", "Cu"]),
        (("", ""), {"1": "Cu", "2": "Zr"}, ["Cu", "Zr", "Cu"]),
        (("1", "2"), {"1": "Zr", "2": "Cu"}, ["Zr", "Cu", "Zr"]),
        (("copper", "Zr"), {"copper": "Cu"}, ["Cu", "Zr", "Cu"]),
        (("Cu", "Zr"), {"1": "Cu", "2": "Zr"}, ["Cu", "Zr", "Cu"]),
        (("Cu", "Zr"), {"Cu": "Zr", "Zr": "Cu"}, ["Zr", "Cu", "Zr"]),
        (("", "Zr"), {"1": "Cu"}, ["Cu", "Zr", "Cu"]),
        (("", ""), {"1": "Cu", "2": "Cu"}, ["Cu", "Cu", "Cu"]),
        ((), {"1": "Cu", "2": "Zr"}, ["Cu", "Zr", "Cu"]),
    ],
)
def test_species(names, species_map, expected):
    assert to_structure(collection(names=names), species_map).symbols().tolist() == expected


def test_number_without_a_species_is_named_with_its_cure():
    with pytest.raises(GlassError, match=r"type 2 in the input has no species; say which: 2=Cu"):
        to_structure(collection(names=("Cu", "")))


@pytest.mark.parametrize("names", [("Zr", "Cu"), ("copper", "Zr")])
def test_the_number_of_a_named_type_must_agree_with_its_name(names):
    with pytest.raises(GlassError, match=rf"type 1 in the input is {names[0]} by its name .* and Cu by its number"):
        to_structure(collection(names=names), {"1": "Cu"})


DATA = """glass

2 atoms
2 atom types
0 9 xlo xhi
0 9 ylo yhi
0 9 zlo zhi

{labels}Masses

1 63.546 {comment}
2 91.224

Atoms # atomic

1 2 1 1 1
2 1 4 4 4
"""


@pytest.fixture
def data_file(tmp_path):
    """Writes a LAMMPS data file, whose types OVITO names after their masses."""

    def write(labels="", comment=""):
        path = tmp_path / "glass.data"
        path.write_text(DATA.format(labels=labels, comment=comment))
        return import_file(path).compute()

    return write


def test_names_guessed_from_masses_give_way_to_numbers(data_file):
    assert to_structure(data_file()).symbols().tolist() == ["Zr", "Cu"]
    assert to_structure(data_file(), {"1": "Zr", "2": "Cu"}).symbols().tolist() == ["Cu", "Zr"]


@pytest.mark.parametrize("names", [{"labels": "Atom Type Labels\n\n1 Cu\n2 Zr\n\n"}, {"comment": "# Cu"}])
def test_names_of_a_data_file_do_not(data_file, names):
    data = data_file(**names)
    assert to_structure(data, {"1": "Cu", "2": "Zr"}).symbols().tolist() == ["Zr", "Cu"]
    with pytest.raises(GlassError, match=r"type 1 in .*glass\.data is Cu by its name 'Cu' and Zr by its number"):
        to_structure(data, {"1": "Zr", "2": "Cu"})


def dumped(path, columns, box_z="0 9"):
    row = " ".join(str(k) for k in range(1, 1 + len(columns.split())))
    path.write_text(
        "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n"
        f"{box_z}\nITEM: ATOMS id element {columns}\n1 Cu {row}\n"
    )
    return import_file(path).compute()


@pytest.mark.parametrize(("columns", "missing"), [("x y", "z"), ("xs ys", "z"), ("x z", "y"), ("y", "x, z")])
def test_a_dump_without_a_coordinate_is_refused(tmp_path, columns, missing):
    with pytest.raises(GlassError, match=rf"a\.dump has no column for coordinate {missing}; add it"):
        to_structure(dumped(tmp_path / "a.dump", columns))


def test_a_dump_in_two_dimensions_is_not(tmp_path):
    structure = to_structure(dumped(tmp_path / "a.dump", "x y", "-0.5 0.5"))
    assert structure.positions_nc.tolist() == [[1, 2, 0]]
    assert structure.pbc == (True, True, False)


def test_no_positions():
    data = DataCollection()
    types = data.create_particles(count=1).create_property("Particle Type", data=[1])
    types.add_type_id(1, data.particles, name="Cu")
    with pytest.raises(GlassError, match="the particles of the input have no positions"):
        to_structure(data)


def test_zero_particles():
    assert to_structure(collection(types=(), positions=np.empty((0, 3)))).n_atoms == 0


def test_no_particles_object():
    with pytest.raises(GlassError, match="no particles"):
        to_structure(DataCollection())


def test_no_types():
    data = DataCollection()
    data.create_particles(count=1).create_property("Position", data=[[0, 0, 0]])
    with pytest.raises(GlassError, match="no types"):
        to_structure(data)
