"""Atoms as structures, and annotation of atoms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ase")
from ase import Atoms

from ase_glass import annotate, to_structure
from ase_glass.annotation import attach
from glass_core import GlassError, load_model, predict
from glass_core.outputs import output


def test_structure_has_the_atoms_as_they_are(copper_zirconium):
    structure = to_structure(copper_zirconium)
    np.testing.assert_array_equal(structure.positions_nc, copper_zirconium.positions)
    np.testing.assert_array_equal(structure.cell_cc, copper_zirconium.cell.array)
    assert structure.symbols().tolist() == copper_zirconium.get_chemical_symbols()
    assert structure.pbc == (True, True, True)


def test_structure_shares_nothing(copper):
    structure = to_structure(copper)
    before = structure.positions_nc.copy(), structure.cell_cc.copy()
    copper.positions += 1
    copper.set_cell(copper.cell * 2)
    np.testing.assert_array_equal(structure.positions_nc, before[0])
    np.testing.assert_array_equal(structure.cell_cc, before[1])


def test_species_map_by_symbol_keeps_the_rest():
    atoms = Atoms("HZrH", positions=np.diag([1.0, 4.0, 8.0]))
    assert to_structure(atoms, {"H": "Cu"}).symbols().tolist() == ["Cu", "Zr", "Cu"]


def test_species_map_by_numeric_type():
    atoms = Atoms("HHeH", positions=np.diag([1.0, 4.0, 8.0]))
    atoms.set_array("type", np.array([1, 2, 1]))
    assert to_structure(atoms, {"1": "Zr", "2": "Cu"}).symbols().tolist() == ["Zr", "Cu", "Zr"]
    assert to_structure(atoms, {1: "Zr", 2: "Cu"}).symbols().tolist() == ["Zr", "Cu", "Zr"]
    assert to_structure(atoms, {"2": "Cu"}).symbols().tolist() == ["H", "Cu", "H"]


@pytest.mark.parametrize("species_map", ["H=Cu, He=Zr", {"H": "Cu", "He": "Zr", "²": "Cu"}])
def test_species_map_as_text_and_with_odd_keys(species_map):
    atoms = Atoms("HHe", positions=[[0, 0, 0], [3, 0, 0]])
    atoms.set_array("type", np.array([1, 2]))
    assert to_structure(atoms, species_map).symbols().tolist() == ["Cu", "Zr"]


@pytest.mark.parametrize("species_map", ["Cu", 3, {"H": None}])
def test_what_is_no_species_map(species_map):
    with pytest.raises(GlassError, match="species map"):
        to_structure(Atoms("H"), species_map)


def test_two_symbols_may_become_one_species():
    atoms = Atoms("HHe", positions=[[0, 0, 0], [3, 0, 0]])
    assert to_structure(atoms, {"H": "Cu", "He": "Cu"}).species == ("Cu",)


def test_empty_atoms_and_atomic_numbers_beyond_the_table():
    assert to_structure(Atoms()).n_atoms == 0
    with pytest.raises(GlassError, match="atomic number 200"):
        to_structure(Atoms(numbers=[200], positions=[[0, 0, 0]]))


def test_broken_atoms_are_refused(copper):
    copper.positions[5, 1] = np.nan
    with pytest.raises(GlassError, match="atom 5 is not finite"):
        to_structure(copper)
    with pytest.raises(GlassError, match="periodic but has zero length"):
        to_structure(Atoms("Cu", pbc=True))


@pytest.mark.parametrize("name", ["barrier", "scnn"])
def test_annotate_writes_what_the_core_predicts(copper_zirconium, name):
    model = load_model(name)
    expected = predict(model, to_structure(copper_zirconium))
    assert annotate(copper_zirconium, model=name) is None
    assert set(expected) == set(model.outputs)
    for quantity, per_atom in expected.items():
        np.testing.assert_array_equal(copper_zirconium.arrays[output(quantity).ase], per_atom.values)
    assert copper_zirconium.info["glass_model"] == name
    assert copper_zirconium.info["glass_model_sha256"] == model.card.sha256


def test_annotation_of_another_model_replaces_the_first(copper_zirconium):
    copper_zirconium.set_array("glass_mine", np.arange(32.0))
    annotate(copper_zirconium, "barrier")
    annotate(copper_zirconium, "scnn")
    ours = {name for name in copper_zirconium.arrays if name.startswith("glass_")}
    assert ours == {output(name).ase for name in load_model("scnn").outputs} | {"glass_mine"}


def test_annotation_replaces_that_of_a_plugin_model(copper_zirconium):
    """What the table of outputs does not know is known from the earlier annotation."""
    model = load_model("barrier")
    annotate(copper_zirconium, "scnn")
    attach(copper_zirconium, {"glass_my_score": np.arange(32.0)}, Renamed(model))
    assert "glass_model_sha256" not in copper_zirconium.info
    assert copper_zirconium.info["glass_outputs"] == "my_score"
    annotate(copper_zirconium)
    ours = {name for name in copper_zirconium.arrays if name.startswith("glass_")}
    assert ours == {output(name).ase for name in model.outputs}
    assert copper_zirconium.info["glass_outputs"] == "barrier,barrier_std,out_of_domain"


class Renamed:
    """A model with an output that is not in the table."""

    def __init__(self, model):
        self.card, self.kind, self.outputs = replace(model.card, sha256=""), model.kind, {"my_score": ""}


def test_annotation_survives_copy_and_slices(copper_zirconium):
    annotate(copper_zirconium)
    twin = copper_zirconium.copy()[3:7]
    np.testing.assert_array_equal(twin.arrays["glass_barrier"], copper_zirconium.arrays["glass_barrier"][3:7])


def test_errors_name_the_cure(copper):
    with pytest.raises(GlassError, match="Did you mean 'barrier'"):
        annotate(copper, "barier")
    with pytest.raises(GlassError, match="got int"):
        annotate(copper, 3)
    copper.symbols[4] = "Al"
    with pytest.raises(GlassError, match=r"'Al' \(1 atoms, first is atom 4\) is unknown to model"):
        annotate(copper)
    assert not [name for name in copper.arrays if name.startswith("glass_")]
    annotate(copper, species_map={"Al": "Zr"})
