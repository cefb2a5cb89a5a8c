"""Surroundings hold every atom that matters; chunks hold every centre once."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core import Structure
from glass_core.domains import Surroundings, chunks, in_bins
from tests.core.systems import SYSTEMS, brute_force

FILLED = [name for name in SYSTEMS if SYSTEMS[name][0].n_atoms]


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize("radius", [0.7, 4.0, 11.0])
def test_around_misses_nobody(name: str, radius: float, random: np.random.Generator) -> None:
    structure, _ = SYSTEMS[name]
    i, j, _ = brute_force(structure, radius)
    for count in (1, 3):
        centres = random.permutation(structure.n_atoms)[:count].astype(np.int32)
        inside, rows = Surroundings.within(structure, radius)(centres)
        assert (np.diff(inside) > 0).all()
        assert inside[rows].tolist() == centres.tolist()
        assert set(j[np.isin(i, centres)].tolist()) <= set(inside.tolist())


def test_around_leaves_out_what_is_far() -> None:
    line = Structure(np.arange(300.0).reshape(100, 3), np.zeros(100, int), ("Cu",))
    inside, _ = Surroundings.within(line, 9.0)(np.array([50]))
    assert len(inside) < 10


@pytest.mark.parametrize("radius", [2.0, 4.0, 6.0])
def test_around_in_a_crystal_whose_bins_end_on_atoms(radius: float) -> None:
    structure, _ = SYSTEMS["fcc with atoms on faces"]
    i, j, _ = brute_force(structure, radius + 1e-12)
    for centre in range(structure.n_atoms):
        inside, _ = Surroundings.within(structure, radius)(np.array([centre]))
        assert set(j[i == centre].tolist()) <= set(inside.tolist())


@pytest.mark.parametrize("radius", [1.0, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("spacing", [0.1, 0.3, 1 / 3, 0.7])
def test_around_on_a_line_of_exact_distances(radius: float, spacing: float) -> None:
    count = 200
    positions = np.zeros((count, 3))
    positions[:, 0] = np.arange(count) * spacing
    structure = Structure(positions, np.zeros(count, int), ("Cu",), np.diag([count * spacing, 9.0, 9.0]), True)
    for centre in range(0, count, 7):
        apart = np.abs(positions[:, 0] - positions[centre, 0])
        apart = np.minimum(apart, count * spacing - apart)
        inside, _ = Surroundings.within(structure, radius)(np.array([centre]))
        assert set(np.flatnonzero(apart <= radius + 1e-12).tolist()) <= set(inside.tolist())


@pytest.mark.parametrize("name", FILLED)
@pytest.mark.parametrize("most", [1, 5, 13, 1000])
def test_chunks_partition_the_centres(name: str, most: int, random: np.random.Generator) -> None:
    structure, cutoff = SYSTEMS[name]
    centres = np.sort(random.permutation(structure.n_atoms)[: max(1, structure.n_atoms * 3 // 4)])
    parts = list(chunks(structure, centres, most, cutoff))
    assert all(0 < len(part) <= most for part in parts)
    assert all((np.diff(part) > 0).all() for part in parts)
    assert sorted(np.concatenate(parts).tolist()) == centres.tolist()
    assert len(parts) <= 2 * -(-len(centres) // most)


def test_chunks_are_compact(random: np.random.Generator) -> None:
    cloud = Structure(random.uniform(0, 40, (2000, 3)), np.zeros(2000, int), ("Cu",))
    for part in chunks(cloud, np.arange(2000), 250, 1.0):
        assert np.ptp(cloud.positions_nc[part], axis=0).max() < 25


@pytest.mark.parametrize("name", SYSTEMS)
def test_bins_hold_every_atom_once(name: str) -> None:
    structure, _ = SYSTEMS[name]
    np.testing.assert_array_equal(np.sort(in_bins(structure, 3.0)), np.arange(structure.n_atoms))


def test_neighbours_in_the_box_are_neighbours_in_bins(random: np.random.Generator) -> None:
    structure = Structure(40 * random.random((4000, 3)), np.zeros(4000, int), ("Cu",), 40 * np.eye(3), True)

    def apart(s: Structure) -> float:
        return float(np.median(np.linalg.norm(np.diff(s.positions_nc, axis=0), axis=1)))

    assert apart(structure.subset(in_bins(structure, 5.0))) < 0.25 * apart(structure)
