"""Energies and forces against LAMMPS."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from glass_core.potentials.eam import EamPotential
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.saddle.records import State
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import ArtnSettings, Regions
from glass_core.structure import Structure
from glass_core.testing import example_glass
from tests.potentials.lammps_reference import lammps_reference
from tests.potentials.systems import (
    bumped,
    moved_alone,
    published_glass,
    shared_potential,
    wheel_glass,
    wheel_potential,
)

# The Cu-Cu table of these files is rounded so that LAMMPS's forces are rough by 4e-5 eV/Å themselves.
ENERGY, FORCE = 1e-6, 1e-4


def check_eam(structure: Structure, path: pathlib.Path, form: str, radius: float | None, centres: list[int]) -> None:
    """Gently and strongly displaced atoms around some centres."""
    bound = EamPotential(str(path)).bind(structure)
    frames, mine = [structure.positions_nc], []
    for seed, centre in enumerate(centres):
        region = bound.region(centre, radius)
        start = structure.positions_nc[region.moving_m]
        gentle = start + np.random.default_rng(seed).normal(0, 0.05, start.shape)
        for positions in (gentle, bumped(region, start, seed)):
            frames.append(moved_alone(structure, region, positions))
            mine.append((region, *region.surface.energy_forces(positions)))
    symbols = " ".join(structure.species)
    energies, forces, _ = lammps_reference(structure, form, [f"* * {path} {symbols}"], frames)
    for k, (region, energy, force) in enumerate(mine, start=1):
        assert energy == pytest.approx(energies[k] - energies[0], abs=ENERGY * max(1.0, len(region.moving_m) / 1000))
        np.testing.assert_allclose(force, forces[k][region.moving_m], atol=FORCE)


@pytest.mark.parametrize("radius", [10.0, 15.0, None])
def test_published_glass(radius: float | None) -> None:
    check_eam(published_glass(), shared_potential(), "eam/fs", radius, [5, 4321])


def test_a_saddle_that_a_search_found() -> None:
    glass, path = published_glass(), shared_potential()
    settings = ArtnSettings(regions=Regions(refine="none"))
    potential = EamPotential(str(path))
    bound = Searcher(glass, potential, settings).bound()
    record = next(found for number in range(20) if (found := bound(4321, number)).state is State.ACCEPTED)
    region = potential.bind(glass).region(4321, settings.regions.search)
    np.testing.assert_array_equal(region.moving_m, record.moved_d)
    at_saddle = glass.positions_nc[record.moved_d] + record.saddle_dc
    frames = [glass.positions_nc, moved_alone(glass, region, at_saddle)]
    symbols = " ".join(glass.species)
    energies, forces, _ = lammps_reference(glass, "eam/fs", [f"* * {path} {symbols}"], frames)
    assert record.barrier == pytest.approx(energies[1] - energies[0], abs=ENERGY)
    assert np.linalg.norm(forces[1][record.moved_d], axis=1).max() < settings.climb.force + FORCE
    assert np.linalg.norm(at_saddle - glass.positions_nc[record.moved_d], axis=1).max() > 0.3


def test_strong_bumps_reach_one_angstrom() -> None:
    glass = published_glass()
    region = EamPotential(str(shared_potential())).bind(glass).region(5, 10.0)
    start = glass.positions_nc[region.moving_m]
    moved = [np.linalg.norm(bumped(region, start, seed) - start, axis=1).max() for seed in range(4)]
    assert min(moved) > 0.99


@pytest.mark.parametrize("radius", [9.0, None])
def test_wheel_glass(radius: float | None) -> None:
    check_eam(wheel_glass(), wheel_potential("CuZr_mm.eam.fs"), "eam/fs", radius, [17, 2000])


@pytest.mark.parametrize("radius", [4.0, 10.0, None])
@pytest.mark.parametrize("cells", [2, 4])
def test_small_sheared_boxes(cells: int, radius: float | None) -> None:
    glass = example_glass(("Cu", "Zr"), cells=cells, seed=3)
    check_eam(glass, wheel_potential("CuZr_mm.eam.fs"), "eam/fs", radius, [0, glass.n_atoms - 1])


@pytest.mark.parametrize("name", ["NiAlH_jea.eam.alloy", "NiAlH_jea.eam.fs"])
@pytest.mark.parametrize("radius", [6.0, None])
def test_densities_that_depend_on_their_source(name: str, radius: float | None) -> None:
    metal = example_glass(("Al", "Ni"), cells=4, spacing=2.7, seed=5)
    check_eam(metal, wheel_potential(name), f"eam/{name.rpartition('.')[2]}", radius, [3])


@pytest.mark.parametrize("name", ["AlCu.eam.alloy", "CuNi.eam.alloy"])
def test_alloys(name: str) -> None:
    species = ("Al", "Cu") if name.startswith("AlCu") else ("Cu", "Ni")
    check_eam(example_glass(species, cells=4, spacing=2.6, seed=6), wheel_potential(name), "eam/alloy", 6.0, [3])


@pytest.mark.parametrize("pbc", [(True, True, False), (False, True, False), (False, False, False)])
@pytest.mark.parametrize("radius", [7.0, None])
def test_open_boundaries(pbc: tuple[bool, bool, bool], radius: float | None) -> None:
    glass = example_glass(("Cu", "Zr"), cells=4, seed=4)
    cell = np.diag(np.diag(glass.cell_cc)) + np.array([[0, 0, 0], [1.0, 0, 0], [0, 0, 0]])
    cell = cell if pbc == (True, True, False) else np.diag(np.diag(glass.cell_cc))
    wide = np.diag(cell) * 1.15
    slab = Structure(
        glass.positions_nc, glass.types_n, glass.species, cell - np.diag(np.diag(cell)) + np.diag(wide), pbc
    )
    check_eam(slab, wheel_potential("CuZr_mm.eam.fs"), "eam/fs", radius, [0, 100])


@pytest.mark.parametrize("shift", ["energy", "force"])
def test_lennard_jones(shift: str) -> None:
    glass = example_glass(("A", "B"), cells=4, spacing=1.05, seed=8)
    sigma, epsilon, cutoff = ((1.0, 0.8), (0.8, 0.88)), ((1.0, 1.5), (1.5, 0.5)), 2.5
    potential = LennardJonesPotential(epsilon, sigma, cutoff, ("A", "B"), shift)
    region = potential.bind(glass).region(7, 2.0)
    start = glass.positions_nc[region.moving_m]
    frames = [start + np.random.default_rng(k).normal(0, 0.02, start.shape) for k in range(3)]
    style = "lj/cut 2.5\npair_modify shift yes" if shift == "energy" else "lj/smooth/linear 2.5"
    pairs = [f"{a + 1} {b + 1} {epsilon[a][b]} {sigma[a][b]} {cutoff}" for a, b in ((0, 0), (0, 1), (1, 1))]
    all_frames = [glass.positions_nc, *(moved_alone(glass, region, f) for f in frames)]
    energies, forces, _ = lammps_reference(glass, style, pairs, all_frames)
    for k, frame in enumerate(frames, start=1):
        energy, force = region.surface.energy_forces(frame)
        size = np.abs(force).max()
        assert energy == pytest.approx(energies[k] - energies[0], abs=1e-6 * size)
        np.testing.assert_allclose(force, forces[k][region.moving_m], atol=1e-5 * size)
