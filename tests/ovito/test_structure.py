from __future__ import annotations

import numpy as np
import pytest
from ovito.data import DataCollection
from ovito.io import import_file

from glass_core import GlassError
from ovito_glass.structure import parse_species_map, to_structure

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
        (("copper", "Zr"), {"1": "Cu"}, ["Cu", "Zr", "Cu"]),
        (("", ""), {"1": "Cu", "2": "Cu"}, ["Cu", "Cu", "Cu"]),
        ((), {"1": "Cu", "2": "Zr"}, ["Cu", "Zr", "Cu"]),
    ],
)
def test_species(names, species_map, expected):
    assert to_structure(collection(names=names), species_map).symbols().tolist() == expected


def test_number_without_a_species_is_named_with_its_cure():
    with pytest.raises(GlassError, match=r"particle type 2 has no species.*'2=Cu'"):
        to_structure(collection(names=("Cu", "")))


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


@pytest.mark.parametrize(
    ("text", "table"),
    [("", {}), ("1=Cu,2=Zr", {"1": "Cu", "2": "Zr"}), (" 1 = Cu ;\n2=Zr, ", {"1": "Cu", "2": "Zr"})],
)
def test_species_map_text(text, table):
    assert parse_species_map(text) == table


@pytest.mark.parametrize("text", ["Cu", "1=", "=Cu", "1=Cu, 1=Zr"])
def test_species_map_mistakes(text):
    with pytest.raises(GlassError, match="species map"):
        parse_species_map(text)
