"""Local surfaces: exactness, derivatives, periodic images, far moves."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable

import numpy as np
import pytest

from glass_core.errors import GlassError
from glass_core.orthogonal import transformed
from glass_core.potentials.base import BoundPotential, Potential, Region
from glass_core.potentials.eam import EamPotential
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.structure import Floats, Structure
from glass_core.surface import CurvedSurface
from glass_core.testing import example_glass
from glass_core.testing.structures import doubled
from tests.potentials.slow_eam import SlowEam
from tests.potentials.systems import moved_alone, wheel_glass, wheel_potential


def cu_zr() -> EamPotential:
    return EamPotential(str(wheel_potential("CuZr_mm.eam.fs")))


def ni_al() -> EamPotential:
    return EamPotential(str(wheel_potential("NiAlH_jea.eam.alloy")))


def lennard_jones() -> LennardJonesPotential:
    return LennardJonesPotential(((0.4, 0.5), (0.5, 0.3)), 2.5, 6.0, ("Cu", "Zr"), "force")


SYSTEMS: dict[str, Callable[[], tuple[Potential, Structure]]] = {
    "fs": lambda: (cu_zr(), example_glass(("Cu", "Zr"), cells=5, spacing=3.1, seed=1)),
    "fs, small box": lambda: (cu_zr(), example_glass(("Cu", "Zr"), cells=2, spacing=3.1, seed=1)),
    "alloy": lambda: (ni_al(), example_glass(("Al", "Ni"), cells=4, spacing=2.7, seed=2)),
    "pairs alone": lambda: (lennard_jones(), example_glass(("Cu", "Zr"), cells=4, seed=3)),
}


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> tuple[BoundPotential, Structure]:
    potential, structure = SYSTEMS[request.param]()
    return potential.bind(structure), structure


def noisy(positions: Floats, seed: int, size: float = 0.1) -> Floats:
    return positions + np.random.default_rng(seed).normal(0, size, positions.shape)


@pytest.mark.parametrize("radius", [5.0, None])
def test_forces_are_minus_the_gradient(system: tuple[BoundPotential, Structure], radius: float | None) -> None:
    bound, structure = system
    region = bound.region(2, radius)
    positions = noisy(structure.positions_nc[region.moving_m], 0)
    forces = region.surface.energy_forces(positions)[1]
    for seed in range(5):
        direction = np.random.default_rng(seed).normal(size=positions.shape)
        direction /= np.linalg.norm(direction)
        ahead, behind = (region.surface.energy_forces(positions + h * direction)[0] for h in (1e-4, -1e-4))
        assert (behind - ahead) / 2e-4 == pytest.approx(float((forces * direction).sum()), abs=2e-5, rel=1e-6)


@pytest.mark.parametrize("radius", [5.0, None])
def test_products_are_derivatives_of_forces(system: tuple[BoundPotential, Structure], radius: float | None) -> None:
    bound, structure = system
    region = bound.region(2, radius)
    surface = region.surface
    assert isinstance(surface, CurvedSurface)
    positions = noisy(structure.positions_nc[region.moving_m], 1)
    curvature = surface.curvature(positions)
    one, two = (np.random.default_rng(seed).normal(size=positions.shape) for seed in (1, 2))
    product = curvature(one)
    step = 2e-7  # seldom takes a pair from one piece of a table to the next, where second derivatives jump
    ahead, behind = (surface.energy_forces(positions + h * one)[1] for h in (step, -step))
    np.testing.assert_allclose(product, (behind - ahead) / (2 * step), atol=5e-5 * np.abs(product).max())
    assert (two * product).sum() == pytest.approx((one * curvature(two)).sum(), rel=1e-9)
    np.testing.assert_array_equal(curvature(one), product)
    np.testing.assert_allclose(curvature(2 * one - two), 2 * product - curvature(two), atol=1e-8)


def test_products_outlive_other_calls() -> None:
    bound, structure = (
        cu_zr().bind(example_glass(("Cu", "Zr"), cells=4, seed=1)),
        example_glass(("Cu", "Zr"), 4, seed=1),
    )
    region = bound.region(0, 6.0)
    start = structure.positions_nc[region.moving_m]
    curvature = region.surface.curvature(start)
    direction = noisy(np.zeros_like(start), 1)
    product = curvature(direction)
    for size in (0.3, 4.0):
        region.surface.energy_forces(noisy(start, 5, size))
        np.testing.assert_array_equal(curvature(direction), product)
    region.surface.curvature(noisy(start, 6))
    np.testing.assert_allclose(region.surface.curvature(start)(direction), product, atol=1e-9)


@pytest.mark.parametrize("pbc", [True, (True, False, True), False])
def test_slow_reference(pbc: bool | tuple[bool, bool, bool]) -> None:
    path = wheel_potential("CuZr_mm.eam.fs")
    glass = example_glass(("Cu", "Zr"), cells=2, spacing=3.0, seed=4)
    structure = Structure(glass.positions_nc, glass.types_n, glass.species, glass.cell_cc * 1.1, pbc)
    slow, bound = SlowEam(path, "fs"), cu_zr().bind(structure)
    rest = slow.energy(structure, structure.positions_nc)
    for radius in (3.5, None):
        region = bound.region(1, radius)
        positions = noisy(structure.positions_nc[region.moving_m], 3)
        moved = slow.energy(structure, moved_alone(structure, region, positions))
        assert region.surface.energy_forces(positions)[0] == pytest.approx(moved - rest, abs=2e-6)


def test_the_structure_has_energy_zero(system: tuple[BoundPotential, Structure]) -> None:
    bound, structure = system
    for radius in (3.0, 6.0, None):
        region = bound.region(5, radius)
        assert (np.diff(region.moving_m) > 0).all()
        energy, forces = region.surface.energy_forces(structure.positions_nc[region.moving_m])
        assert energy == 0.0
        if radius == 6.0:
            part, all_moving = forces, region.moving_m
    np.testing.assert_allclose(part, forces[all_moving], atol=1e-9)


def test_a_region_is_part_of_the_whole() -> None:
    """Energies differ by nothing but what is fixed: a region within a larger one, moved alike."""
    glass = wheel_glass()
    bound = cu_zr().bind(glass)
    small = bound.region(11, 6.0)
    positions = noisy(glass.positions_nc[small.moving_m], 7)
    energy, forces = small.surface.energy_forces(positions)
    for radius in (9.0, None):
        large = bound.region(11, radius)
        other, more = large.surface.energy_forces(moved_alone(glass, small, positions)[large.moving_m])
        assert other == pytest.approx(energy, abs=1e-9)
        np.testing.assert_allclose(more[np.isin(large.moving_m, small.moving_m)], forces, atol=1e-9)


def test_moving_atoms_are_those_within_the_radius() -> None:
    glass = wheel_glass()
    moving = cu_zr().bind(glass).region(3, 8.0).moving_m
    vectors = glass.positions_nc - glass.positions_nc[3]
    length = glass.cell_cc[0, 0]
    distance = np.linalg.norm(vectors - length * np.rint(vectors / length), axis=1)
    np.testing.assert_array_equal(moving, np.flatnonzero(distance <= 8.0))


@pytest.mark.parametrize("pbc", [True, (True, False, True), False])
def test_far_moves_equal_a_fresh_surface(pbc: bool | tuple[bool, bool, bool]) -> None:
    glass = example_glass(("Cu", "Zr"), cells=5, seed=5)
    structure = Structure(glass.positions_nc, glass.types_n, glass.species, glass.cell_cc, pbc)
    bound = cu_zr().bind(structure)
    region = bound.region(40, 7.0)
    positions = structure.positions_nc[region.moving_m].copy()
    random = np.random.default_rng(0)
    for size in (0.01, 0.1, 0.2, 0.1, 0.4, 1.0, 3.0, 0.1, 10.0, 0.3, 60.0, 0.1):
        positions[random.integers(len(positions), size=3)] += random.normal(0, size, (3, 3))
        positions += random.normal(0, 0.02, positions.shape)
        fresh = bound.region(40, 7.0).surface.energy_forces(positions)
        energy, forces = region.surface.energy_forces(positions)
        scale = max(1.0, np.abs(fresh[1]).max())
        assert energy == pytest.approx(fresh[0], abs=1e-9 * scale * len(positions))
        np.testing.assert_allclose(forces, fresh[1], atol=1e-9 * scale)
    home = structure.positions_nc[region.moving_m]
    assert region.surface.energy_forces(home)[0] == pytest.approx(0.0, abs=1e-8)


def test_a_step_round_the_box_changes_nothing() -> None:
    glass = example_glass(("Cu", "Zr"), cells=4, seed=5)
    region = cu_zr().bind(glass).region(40, 5.0)
    positions = noisy(glass.positions_nc[region.moving_m], 1)
    energy, forces = region.surface.energy_forces(positions)
    positions[3] += glass.cell_cc[0] - 2 * glass.cell_cc[2]
    other, more = region.surface.energy_forces(positions)
    assert other == pytest.approx(energy, abs=1e-8)
    np.testing.assert_allclose(more, forces, atol=1e-8)


def test_rotated_cells() -> None:
    glass = example_glass(("Cu", "Zr"), cells=4, seed=6)
    matrix = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turned = transformed(glass, matrix)
    one, two = cu_zr().bind(glass).region(9, 7.0), cu_zr().bind(turned).region(9, 7.0)
    np.testing.assert_array_equal(one.moving_m, two.moving_m)
    positions = noisy(glass.positions_nc[one.moving_m], 2)
    energy, forces = one.surface.energy_forces(positions)
    other, more = two.surface.energy_forces(positions @ matrix.T)
    assert other == pytest.approx(energy, abs=1e-8)
    np.testing.assert_allclose(more, forces @ matrix.T, atol=1e-8)


def test_a_doubled_box_has_twice_the_energy() -> None:
    glass = example_glass(("Cu", "Zr"), cells=2, seed=6)
    twice = doubled(glass, 1)
    positions = noisy(glass.positions_nc, 2)
    steps = positions - glass.positions_nc
    energy, forces = cu_zr().bind(glass).region(0, None).surface.energy_forces(positions)
    other, more = cu_zr().bind(twice).region(0, None).surface.energy_forces(twice.positions_nc + np.tile(steps, (2, 1)))
    assert other == pytest.approx(2 * energy, abs=1e-8)
    np.testing.assert_allclose(more, np.tile(forces, (2, 1)), atol=1e-8)


def test_atoms_on_top_of_each_other_give_finite_numbers() -> None:
    glass = example_glass(("Cu", "Zr"), cells=4, seed=6)
    region = cu_zr().bind(glass).region(9, 5.0)
    positions = glass.positions_nc[region.moving_m].copy()
    for distance in (0.8, 0.3, 1e-3, 0.0):
        positions[1] = positions[0] + [distance, 0, 0]
        energy, forces = region.surface.energy_forces(positions)
        assert np.isfinite(energy)
        assert np.isfinite(forces).all()
        assert energy > 50
        assert distance < 0.1 or forces[1, 0] > 10
        assert np.isfinite(region.surface.curvature(positions)(positions)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_positions_that_are_no_numbers_give_nan(bad: float) -> None:
    glass = example_glass(("Cu", "Zr"), cells=4, seed=6)
    region = cu_zr().bind(glass).region(9, 5.0)
    home = glass.positions_nc[region.moving_m]
    positions = home.copy()
    positions[2, 1] = bad
    energy, forces = region.surface.energy_forces(positions)
    assert np.isnan(energy)
    assert np.isnan(forces).all()
    assert np.isnan(region.surface.curvature(positions)(home)).all()
    assert region.surface.energy_forces(home)[0] == 0.0
    assert np.isfinite(region.surface.curvature(home)(home)).all()


def test_forces_belong_to_the_caller() -> None:
    glass = example_glass(("Cu", "Zr"), cells=4, seed=6)
    region = cu_zr().bind(glass).region(9, 5.0)
    home = glass.positions_nc[region.moving_m]
    forces = region.surface.energy_forces(home)[1]
    kept = forces.copy()
    region.surface.energy_forces(home + 0.1)
    np.testing.assert_array_equal(forces, kept)
    forces[:] = 0
    np.testing.assert_array_equal(region.surface.energy_forces(home)[1], kept)


def test_any_layout_of_positions() -> None:
    glass = example_glass(("Cu", "Zr"), cells=4, seed=6)
    region = cu_zr().bind(glass).region(9, 5.0)
    positions = noisy(glass.positions_nc[region.moving_m], 2).astype(np.float32)
    expected = region.surface.energy_forces(positions.astype(np.float64))
    fixed = positions.astype(np.float64)
    fixed.flags.writeable = False
    for other in (positions, np.asfortranarray(positions), np.repeat(positions, 2, axis=0)[::2], fixed):
        energy, forces = region.surface.energy_forces(other)
        assert energy == expected[0]
        np.testing.assert_array_equal(forces, expected[1])
        np.testing.assert_array_equal(region.surface.curvature(other)(other), region.surface.curvature(fixed)(fixed))


def test_loops_are_compiled_once() -> None:
    """A second set of types would make a first call take seconds."""
    from glass_core.kernels.eam_curvature import prepare
    from glass_core.kernels.eam_product import product
    from glass_core.kernels.eam_surface import energy_forces

    for make in SYSTEMS.values():
        potential, structure = make()
        for radius in (4.0, None):
            region = potential.bind(structure).region(0, radius)
            home = structure.positions_nc[region.moving_m]
            region.surface.curvature(home)(home)
    for loop in (energy_forces, prepare, product):
        assert len(loop.signatures) == 1


def test_surfaces_in_threads() -> None:
    glass = wheel_glass()
    bound = cu_zr().bind(glass)

    def walk(centre: int) -> Floats:
        region = bound.region(centre, 6.0)
        positions = glass.positions_nc[region.moving_m]
        energies = []
        for seed in range(40):
            positions = noisy(positions, seed, 0.05)
            energies.append(region.surface.energy_forces(positions)[0])
            energies.append(float((region.surface.curvature(positions)(positions) ** 2).sum()))
        return np.array(energies)

    centres = range(0, 4000, 500)
    alone = [walk(centre) for centre in centres]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        np.testing.assert_array_equal(list(pool.map(walk, centres)), alone)


def test_few_atoms() -> None:
    potential = cu_zr()
    one = Structure([[0, 0, 0]], [0], ("Cu",))
    assert potential.bind(one).region(0, None).surface.energy_forces([[1.0, 2.0, 3.0]])[0] == 0.0
    pair = Structure([[0, 0, 0], [2.6, 0, 0]], [0, 1], ("Cu", "Zr"))
    region = potential.bind(pair).region(0, 1.0)
    assert region.moving_m.tolist() == [0]
    apart = region.surface.energy_forces([[-50.0, 0, 0]])[0]
    both = potential.bind(pair).region(0, None).surface.energy_forces([[-50.0, 0, 0], [2.6, 0, 0]])[0]
    assert apart == pytest.approx(both, abs=1e-12)
    assert apart > 1.0
    assert region.surface.energy_forces([[0.0, 0, 0]])[0] == 0.0


def test_requests_that_cannot_be_met() -> None:
    bound = cu_zr().bind(example_glass(("Cu", "Zr"), cells=2))
    with pytest.raises(GlassError, match="centre must be an atom from 0 to 31, got 32"):
        bound.region(32, 5.0)
    with pytest.raises(GlassError, match="radius of the region must be > 0"):
        bound.region(0, -1.0)
    with pytest.raises(GlassError, match=r"positions must have shape \(32, 3\), got \(31, 3\)"):
        bound.region(0, None).surface.energy_forces(np.zeros((31, 3)))
    curvature = bound.region(0, None).surface.curvature(bound.structure.positions_nc)
    with pytest.raises(GlassError, match=r"direction must have shape \(32, 3\)"):
        curvature(np.zeros((31, 3)))
    with pytest.raises(GlassError, match="no atoms"):
        cu_zr().bind(Structure(np.empty((0, 3)), np.empty(0, int), ("Cu",)))
    with pytest.raises(GlassError, match="coincide"):
        cu_zr().bind(Structure([[0, 0, 0], [0, 0, 0]], [0, 0], ("Cu",)))


def test_after_a_restart_nothing_depends_on_earlier_calls() -> None:
    """To the last bit: labels must not depend on which worker searched what before."""
    glass = wheel_glass()
    bound = cu_zr().bind(glass)

    def walk(region: Region) -> list[Floats]:
        region.surface.restart()
        positions, seen = glass.positions_nc[region.moving_m], []
        for seed in range(6):
            positions = noisy(positions, seed, 0.1)
            energy, forces = region.surface.energy_forces(positions)
            seen += [np.array([energy]), forces, region.surface.curvature(positions)(forces)]
        return seen

    expected = walk(bound.region(11, 7.0))
    region = bound.region(11, 7.0)
    home = glass.positions_nc[region.moving_m]
    for size in (0.05, 0.5, 3.0):
        region.surface.energy_forces(noisy(home, 99, size))
        for one, two in zip(walk(region), expected, strict=True):
            np.testing.assert_array_equal(one, two)
