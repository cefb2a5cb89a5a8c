"""Barriers that ``ARTn`` finds from random kicks, against the nudged elastic band of ASE: 1e-3 eV."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ase", reason="ASE is not installed")

from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.mep import NEB
from ase.optimize import BFGS, FIRE

from ase_glass import ARTn

AGREED = 1e-3  # eV


def relaxed(atoms: Atoms) -> Atoms:
    atoms.calc = EMT()
    assert BFGS(atoms, logfile=None).run(fmax=0.003, steps=300)
    return atoms


def copied(atoms: Atoms) -> Atoms:
    copy = atoms.copy()
    copy.calc = EMT()
    return copy


def band_barrier(first: Atoms, last: Atoms) -> float:
    """The barrier on the path between two minima by a climbing image, eV."""
    images = [first, *(copied(first) for _ in range(3)), last]
    band = NEB(images, climb=True, method="improvedtangent")
    band.interpolate(mic=True)
    assert FIRE(band, logfile=None).run(fmax=0.02, steps=500)
    return max(image.get_potential_energy() for image in images[1:-1]) - first.get_potential_energy()


def found_barriers(atoms: Atoms, centre: int, kick: str, seeds: range) -> np.ndarray:
    """Barriers of the searches that are accepted."""
    barriers = []
    for seed in seeds:
        artn = ARTn(copied(atoms), kick=kick, centre=centre, seed=seed, logfile=None)
        if artn.run(fmax=0.01):
            barriers.append(artn.barrier)
    return np.array(barriers)


def test_hop_of_an_adatom_on_cu100() -> None:
    slab = fcc100("Cu", (3, 3, 3), vacuum=6.0)
    add_adsorbate(slab, "Cu", 1.7, "hollow")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in slab]))
    slab = relaxed(slab)
    hopped = copied(slab)
    hopped.positions[-1] += hopped.cell[0] / 3
    expected = band_barrier(slab, relaxed(hopped))
    assert 0.4 < expected < 0.45
    barriers = found_barriers(slab, len(slab) - 1, "centre", range(4))
    assert len(barriers) >= 3
    assert np.median(barriers) == pytest.approx(expected, abs=AGREED)
    assert barriers.min() == pytest.approx(expected, abs=AGREED)


def test_hop_into_a_vacancy_of_copper() -> None:
    """The whole crystal moves: motion as a whole is neither kicked nor taken for a mode."""
    crystal = bulk("Cu", a=3.59, cubic=True) * (2, 2, 2)
    hopping = int(np.argsort(crystal.get_distances(0, range(len(crystal)), mic=True))[1])
    jump = crystal.get_distance(hopping, 0, mic=True, vector=True)
    del crystal[0]
    crystal, hopping = relaxed(crystal), hopping - 1
    hopped = copied(crystal)
    hopped.positions[hopping] += jump
    expected = band_barrier(crystal, relaxed(hopped))
    assert 0.6 < expected < 0.9
    barriers = found_barriers(crystal, hopping, "shell", range(6))
    assert len(barriers) >= 2
    assert np.abs(barriers - expected).min() < AGREED
    assert barriers.min() > expected - AGREED
