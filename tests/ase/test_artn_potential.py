"""Calculators of ASE as potentials of labelling campaigns."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

pytest.importorskip("ase", reason="ASE is not installed")

from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.mixing import SumCalculator
from ase.optimize import BFGS

from ase_glass import AsePotential, to_structure
from ase_glass.potential import to_atoms
from glass_core import GlassError, Structure
from glass_core.saddle.records import State
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import Kick, Regions, preset


def lennard_jones() -> LennardJones:
    return LennardJones(sigma=2.3, epsilon=0.4, rc=6.0, smooth=True)


def nothing() -> int:
    return 5


class Whole(EMT):
    """A calculator that knows energies of no atoms."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]


class Part(EMT):
    """A calculator whose energies of atoms lack something."""

    def get_potential_energies(self, atoms: Atoms | None = None) -> np.ndarray:
        return super().get_potential_energies(atoms) - 0.01


class Remembering(EMT):
    """A calculator whose energies depend a little on the calls before, as those that converge from the last result."""

    calls = 0

    def reset(self) -> None:
        super().reset()
        self.calls = 0

    def calculate(self, *arguments: object, **options: object) -> None:
        super().calculate(*arguments, **options)
        self.calls += 1
        for name in ("energy", "free_energy"):
            self.results[name] += 1e-8 * np.sin(self.calls)


def added_up() -> SumCalculator:
    return SumCalculator([Remembering()])


HERE = f"{__name__}:"


@pytest.fixture(scope="module")
def vacancy() -> Structure:
    """Copper that lacks an atom, beside atom 0, at a minimum."""
    atoms = bulk("Cu", a=3.59, cubic=True) * 2
    del atoms[0]
    atoms.calc = EMT()
    assert BFGS(atoms, logfile=None).run(fmax=0.005)
    return to_structure(atoms)


def test_energies_and_forces_are_those_of_the_calculator(vacancy: Structure) -> None:
    region = AsePotential("ase.calculators.emt:EMT").bind(vacancy).region(3, 4.0)
    distances = to_atoms(vacancy).get_distances(3, range(vacancy.n_atoms), mic=True)
    assert region.moving_m.tolist() == np.flatnonzero(distances <= 4.0).tolist()
    places = vacancy.positions_nc[region.moving_m]
    assert region.surface.energy_forces(places)[0] == 0.0
    energy, forces = region.surface.energy_forces(places + 0.1)
    atoms = to_atoms(vacancy)
    atoms.calc = EMT()
    start = atoms.get_potential_energy()
    atoms.positions[region.moving_m] += 0.1
    assert energy == pytest.approx(atoms.get_potential_energy() - start, abs=1e-12)
    np.testing.assert_allclose(forces, atoms.get_forces()[region.moving_m], atol=1e-12)


def test_energies_of_atoms_where_the_calculator_has_them(vacancy: Structure) -> None:
    energies = AsePotential("ase.calculators.emt:EMT").bind(vacancy).atom_energies()
    atoms = to_atoms(vacancy)
    atoms.calc = EMT()
    np.testing.assert_allclose(energies, atoms.get_potential_energies(), atol=1e-12)
    for name in ("Whole", "Part"):
        assert AsePotential(HERE + name).bind(vacancy).atom_energies() is None


def test_positions_outside_the_box_and_all_atoms(vacancy: Structure) -> None:
    bound = AsePotential(HERE + "lennard_jones").bind(vacancy)
    region = bound.region(0, None)
    assert region.moving_m.tolist() == list(range(31))
    places = vacancy.positions_nc + np.random.default_rng(0).normal(scale=0.05, size=(31, 3))
    shifts = np.random.default_rng(1).integers(-2, 3, size=(31, 3)) @ vacancy.cell_cc
    inside, outside = (region.surface.energy_forces(p) for p in (places, places + shifts))
    assert outside[0] == pytest.approx(inside[0], abs=1e-9)
    np.testing.assert_allclose(outside[1], inside[1], atol=1e-8)


def test_a_campaign_finds_the_hop(vacancy: Structure) -> None:
    settings = replace(preset("bauchy2024"), kick=Kick(atoms="centre"), regions=Regions(search=5.0, refine="box"))
    potential = AsePotential("ase.calculators.emt:EMT")
    searcher = pickle.loads(pickle.dumps(Searcher(vacancy, potential, settings, seed=2)))
    records = [searcher.bound()(0, number) for number in range(2)]
    hops = [r for r in records if r.state is State.ACCEPTED and r.barrier < 1.0]
    assert hops
    for record in hops:
        assert 0.5 < record.barrier <= record.first_barrier + 0.01
        assert record.elastic_error == 0.0
    again = searcher.bound()(0, records.index(hops[0]))
    assert again.barrier == hops[0].barrier


@pytest.mark.parametrize("target", ["Remembering", "added_up"])
def test_searches_do_not_depend_on_those_before_them(vacancy: Structure, target: str) -> None:
    """Workers get searches in any order."""
    settings = replace(preset("bauchy2024"), kick=Kick(atoms="centre"), regions=Regions(search=None))
    searcher = Searcher(vacancy, AsePotential(HERE + target), settings, seed=2)
    one = searcher.bound()
    after = [one(atom, 0) for atom in (0, 5, 0)]
    alone = [searcher.bound()(atom, 0) for atom in (0, 5)]
    for a, b in zip(after, [*alone, alone[0]], strict=True):
        assert (a.state, a.calls, a.curvature) == (b.state, b.calls, b.curvature)
        np.testing.assert_array_equal([a.barrier, a.final_energy], [b.barrier, b.final_energy])


def test_name_and_digest() -> None:
    emt, lj = AsePotential("ase.calculators.emt:EMT"), AsePotential(HERE + "lennard_jones")
    assert emt.name == "ase.calculators.emt:EMT"
    assert emt.digest == AsePotential("ase.calculators.emt:EMT").digest
    assert len({emt.digest, lj.digest}) == 2
    assert len(emt.digest) == 64


def test_digest_covers_the_file_of_the_function(tmp_path, monkeypatch) -> None:
    import importlib

    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "glass_test_calculator.py"
    digests = []
    for sigma in (2.3, 2.4):
        module.write_text(
            f"from ase.calculators.lj import LennardJones\ndef make():\n    return LennardJones(sigma={sigma})\n"
        )
        importlib.invalidate_caches()
        digests.append(AsePotential("glass_test_calculator:make").digest)
    assert len(set(digests)) == 2


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("EMT", r"must be named 'package\.module:function', got 'EMT'"),
        ("no_such_package:EMT", "cannot import 'no_such_package'"),
        ("ase.calculators.emt:EMMT", "unknown function in emt.py 'EMMT'.*Did you mean 'EMT'"),
    ],
)
def test_targets_that_do_not_exist(target: str, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        AsePotential(target)


def test_structures_that_it_cannot_take(vacancy: Structure) -> None:
    with pytest.raises(GlassError, match=r"nothing must return an ASE calculator, got int"):
        AsePotential(HERE + "nothing").bind(vacancy)
    zirconium = replace_species(vacancy, "Zr")
    with pytest.raises(GlassError, match=r"EMT cannot compute these atoms .*Zr.*choose another potential"):
        AsePotential("ase.calculators.emt:EMT").bind(zirconium)
    with pytest.raises(GlassError, match="species 'A1' is no chemical symbol"):
        AsePotential("ase.calculators.emt:EMT").bind(replace_species(vacancy, "A1"))
    with pytest.raises(GlassError, match="centre must be an atom from 0 to 30, got 31"):
        AsePotential("ase.calculators.emt:EMT").bind(vacancy).region(31, 5.0)
    with pytest.raises(GlassError, match="radius of the region must be > 0"):
        AsePotential("ase.calculators.emt:EMT").bind(vacancy).region(0, 0.0)


def replace_species(structure: Structure, name: str) -> Structure:
    return Structure(structure.positions_nc, structure.types_n, (name,), structure.cell_cc, structure.pbc)


def test_cluster_without_a_box() -> None:
    cluster = Structure([[0, 0, 0], [2.6, 0, 0], [0, 2.6, 0]], [0, 0, 0], ("Cu",))
    atoms = to_atoms(cluster)
    assert not atoms.pbc.any()
    assert not atoms.cell.array.any()
    region = AsePotential(HERE + "lennard_jones").bind(cluster).region(0, None)
    assert region.surface.freedom == "rotation"
