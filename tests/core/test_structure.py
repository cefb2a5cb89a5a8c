"""What a Structure accepts, completes and refuses."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from glass_core import GlassError, Structure


def test_arrays_come_out_in_one_form() -> None:
    structure = Structure([[0, 0, 0], [1, 2, 3]], [1, 0], ["Cu", "Zr"], [10, 11, 12], True)
    assert structure.positions_nc.dtype == np.float64
    assert structure.types_n.dtype == np.int32
    assert structure.species == ("Cu", "Zr")
    assert structure.cell_cc.tolist() == [[10, 0, 0], [0, 11, 0], [0, 0, 12]]
    assert structure.pbc == (True, True, True)
    assert structure.symbols().tolist() == ["Zr", "Cu"]


@pytest.mark.parametrize(
    ("pbc", "expected"),
    [
        (False, (False,) * 3),
        (np.True_, (True,) * 3),
        (1, (True,) * 3),
        ((1, 0, 1), (True, False, True)),
        (np.array([True, False, False]), (True, False, False)),
    ],
)
def test_periodicity_in_every_form(pbc: Any, expected: tuple) -> None:
    assert Structure([[0, 0, 0]], [0], ("Cu",), np.eye(3), pbc).pbc == expected


def test_it_is_frozen() -> None:
    structure = Structure([[0, 0, 0]], [0], ("Cu",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        structure.species = ("Zr",)  # type: ignore[misc]


def test_from_symbols_sorts_species() -> None:
    structure = Structure.from_symbols(np.zeros((3, 3)), ["Zr", "Cu", "Zr"])
    assert structure.species == ("Cu", "Zr")
    assert structure.types_n.tolist() == [1, 0, 1]


def test_no_atoms_is_a_structure() -> None:
    structure = Structure(np.empty((0, 3)), np.empty(0, int), ())
    assert structure.n_atoms == 0
    assert structure.with_species(("Cu",)).species == ("Cu",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 0]], [0], ("Cu",)), r"positions must have shape \(atoms, 3\), got \(1, 2\)"),
        (([[0, 0, np.nan], [0, 0, 0]], [0, 0], ("Cu",)), "position of atom 0 is not finite"),
        (([[0, 0, 0]], [0, 0], ("Cu",)), r"types must have shape \(1,\)"),
        (([[0, 0, 0]], [0.5], ("Cu",)), "types must be integers, got float64"),
        (([[0, 0, 0]], [1], ("Cu",)), "type 1 of atom 0 has no species"),
        (([[0, 0, 0]], [-1], ("Cu",)), "type -1 of atom 0 has no species"),
        (([[0, 0, 0]], [0], ("Cu", "Cu")), "species must be different"),
        (([[0, 0, 0]], [0], "Cu"), r"species must be a sequence of names such as \('Cu',\), got the text 'Cu'"),
        (([[0, 0, 0]], [0], ("Cu",), np.eye(3), (True, True)), "pbc must be one or three booleans"),
        (([[0, 0, 0]], [0], ("Cu",), np.eye(3), "FFF"), "pbc must be one or three booleans, got 'FFF'"),
        (([[0, 0, 0]], [0], ("Cu",), np.eye(3), ("T", "F", "F")), "pbc must be one or three booleans"),
        (([[0, 0, 0]], [0], ("Cu",), np.eye(3), 2), "pbc must be one or three booleans, got 2"),
        (([[0, 0, 0]], [0], ("Cu",), np.eye(3), None), "pbc must be one or three booleans, got None"),
        (([[0, 0, 0]], [0], ("Cu",), np.eye(2)), r"cell must have shape \(3, 3\)"),
        (([[0, 0, 0]], [0], ("Cu",), np.diag([1, 1, np.inf])), "box vector 2 is not finite"),
        (([[0, 0, 0]], [0], ("Cu",), None, (False, True, False)), "box vector b is periodic but has zero length"),
        (([[0, 0, 0]], [0], ("Cu",), [[1, 0, 0], [2, 0, 0], [0, 0, 1]], True), "cell is singular"),
    ],
)
def test_bad_input_is_named(arguments: tuple, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        Structure(*arguments)


@pytest.mark.parametrize("rows", [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]])
def test_missing_box_vectors_become_unit_normals(rows: list[int], random: np.random.Generator) -> None:
    cell = random.normal(size=(3, 3)) * 5
    cell[rows] = 0
    completed = Structure([[0, 0, 0]], [0], ("Cu",), cell).cell_cc
    kept = [axis for axis in range(3) if axis not in rows]
    assert np.array_equal(completed[kept], cell[kept])
    for axis in rows:
        others = np.delete(completed, axis, axis=0)
        np.testing.assert_allclose(others @ completed[axis], 0, atol=1e-12)
        assert np.linalg.norm(completed[axis]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("cell", "given"),
    [(None, (False,) * 3), ([9, 9, 0], (True, True, False)), (np.eye(3) * 9, (True,) * 3)],
)
def test_it_knows_which_box_vectors_were_given(cell: Any, given: tuple) -> None:
    structure = Structure([[0, 0, 0]], [0], ("Cu",), cell)
    assert structure.given == given
    assert structure.subset(np.array([0])).with_species(("Zr", "Cu")).given == given


def test_with_species_counts_along_the_new_names() -> None:
    structure = Structure(np.zeros((3, 3)), [0, 1, 0], ("Zr", "Cu"))
    other = structure.with_species(("Al", "Cu", "Zr"))
    assert other.types_n.tolist() == [2, 1, 2]
    assert other.symbols().tolist() == structure.symbols().tolist()
    assert structure.with_species(("Zr", "Cu")) is structure


def test_a_species_without_atoms_may_be_unknown() -> None:
    structure = Structure(np.zeros((2, 3)), [0, 0], ("Cu", "Xx"))
    assert structure.with_species(("Cu",)).types_n.tolist() == [0, 0]


def test_unknown_species_are_named_with_the_cure() -> None:
    structure = Structure(np.zeros((3, 3)), [0, 1, 1], ("Cu", "Fe"))
    named = r"species 'Fe' \(2 atoms, first is atom 1\) is unknown to model, which knows Cu, Zr"
    with pytest.raises(GlassError, match=f"{named}; give a species map such as Fe=Cu, or choose another model$"):
        structure.with_species(("Cu", "Zr"))
    with pytest.raises(GlassError, match=f"{named}; name its type$"):
        structure.with_species(("Cu", "Zr"), cure="name its type")


def test_subset_keeps_order_and_box(glass: Structure) -> None:
    part = glass.subset(np.array([5, 2, 9]))
    assert np.array_equal(part.positions_nc, glass.positions_nc[[5, 2, 9]])
    assert part.species == glass.species
    assert part.cell_cc is glass.cell_cc
    assert part.pbc == glass.pbc
