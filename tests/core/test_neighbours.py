"""Neighbour lists against brute force, over boxes of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glass_core import GlassError, Structure, cell_list
from glass_core.neighbours import Neighbours, find_neighbours, neighbour_blocks
from tests.core.systems import SYSTEMS, brute_force, in_order, scattered


def assert_same_pairs(found: Neighbours, expected: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    i, j, vectors = in_order(found.i_p, found.j_p, found.vectors_pc)
    i_true, j_true, vectors_true = in_order(*expected)
    assert np.array_equal(i, i_true)
    assert np.array_equal(j, j_true)
    np.testing.assert_allclose(vectors, vectors_true, atol=1e-8)


def of(expected: tuple[np.ndarray, np.ndarray, np.ndarray], centres: np.ndarray) -> tuple[np.ndarray, ...]:
    mine = np.isin(expected[0], centres)
    return tuple(part[mine] for part in expected)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_pair_is_found_once(name: str) -> None:
    structure, cutoff = SYSTEMS[name]
    assert_same_pairs(find_neighbours(structure, cutoff), brute_force(structure, cutoff))


@pytest.mark.parametrize("name", SYSTEMS)
def test_some_centres_have_their_rows(name: str, random: np.random.Generator) -> None:
    structure, cutoff = SYSTEMS[name]
    centres = random.permutation(structure.n_atoms)[: max(1, structure.n_atoms // 4)]
    found = find_neighbours(structure, cutoff, centres)
    assert found.centres_m.tolist() == centres.tolist()
    assert_same_pairs(found, of(brute_force(structure, cutoff), centres))


@pytest.mark.parametrize("name", SYSTEMS)
def test_rows_of_some_centres_equal_rows_of_all_exactly(name: str, random: np.random.Generator) -> None:
    structure, cutoff = SYSTEMS[name]
    whole = find_neighbours(structure, cutoff)
    for centre in random.permutation(structure.n_atoms)[:4]:
        row = slice(whole.offsets[centre], whole.offsets[centre + 1])
        alone = find_neighbours(structure, cutoff, np.array([centre]))
        assert alone.j_p.tolist() == whole.j_p[row].tolist()
        np.testing.assert_allclose(alone.vectors_pc, whole.vectors_pc[row], atol=1e-8)


@pytest.mark.parametrize("name", ["triclinic-PPP", "plate-PFP", "no cell", "no atoms", "shuffled"])
@pytest.mark.parametrize("block_atoms", [1, 7, 1000])
def test_blocks_hold_every_centre_once(name: str, block_atoms: int) -> None:
    structure, cutoff = SYSTEMS[name]
    blocks = list(neighbour_blocks(structure, cutoff, block_atoms=block_atoms))
    assert max(len(block.centres_m) for block in blocks) <= block_atoms
    centres = np.concatenate([block.centres_m for block in blocks])
    assert sorted(centres.tolist()) == list(range(structure.n_atoms))
    pairs = [np.concatenate([getattr(b, part) for b in blocks]) for part in ("i_p", "j_p", "vectors_pc")]
    for part, expected in zip(in_order(*pairs), in_order(*brute_force(structure, cutoff)), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-8)


@pytest.mark.parametrize("pbc", [(False, False, False), (True, True, True), (True, True, False)])
def test_a_chain_with_more_cells_along_it_than_vesin_makes(pbc: tuple[bool, bool, bool]) -> None:
    n = 120_000
    positions = np.zeros((n, 3))
    positions[:, 2] = 3.0 * np.random.default_rng(0).permutation(n)
    found = find_neighbours(Structure(positions, np.zeros(n, int), ("Cu",), np.diag([4.5, 4.5, 3.0 * n]), pbc), 3.8)
    ends = 0 if pbc[2] else 2
    assert len(found.j_p) == 2 * n - ends
    np.testing.assert_allclose(np.abs(found.vectors_pc), np.broadcast_to([0, 0, 3.0], found.vectors_pc.shape))
    assert np.bincount(np.diff(found.offsets), minlength=3).tolist() == [0, ends, n - ends]


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.permutations([1.5, 40.0, 90.0]),
    tilt=st.floats(-0.4, 0.4),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    seed=st.integers(0, 1000),
)
def test_halves_of_a_long_box_give_the_whole(lengths, tilt, pbc, seed) -> None:
    cell = np.diag(lengths) + tilt * min(lengths) * np.tri(3, k=-1)
    structure = scattered(cell, pbc, count=300, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell_list, "_MOST_CELLS", 1000)
        assert_same_pairs(find_neighbours(structure, 1.2), brute_force(structure, 1.2))


def test_rows_are_ordered_by_neighbour_then_vector() -> None:
    structure, cutoff = SYSTEMS["two atoms, cutoff of four boxes"]
    found = find_neighbours(structure, cutoff)
    for row in range(2):
        part = slice(found.offsets[row], found.offsets[row + 1])
        keys = [(j, *v) for j, v in zip(found.j_p[part].tolist(), found.vectors_pc[part].tolist(), strict=True)]
        assert keys == sorted(keys)


def test_vectors_point_to_an_image_of_the_neighbour() -> None:
    structure, cutoff = SYSTEMS["far outside"]
    found = find_neighbours(structure, cutoff)
    apart = structure.positions_nc[found.j_p] - structure.positions_nc[found.i_p]
    turns = (found.vectors_pc - apart) @ np.linalg.inv(structure.cell_cc)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-8)
    np.testing.assert_allclose(found.distances_p, np.linalg.norm(found.vectors_pc, axis=1), rtol=1e-14)


@pytest.mark.parametrize("pbc", [False, True])
def test_coinciding_atoms_are_located(pbc: bool) -> None:
    positions = np.array([[0.0, 0, 0], [3, 3, 3], [6, 6, 6], [3, 3, 3 + 1e-9]])
    structure = Structure(positions, np.zeros(4, int), ("Cu",), np.eye(3) * 12, pbc)
    with pytest.raises(GlassError, match=r"two atoms coincide at \(3.0000, 3.0000, 3.0000\)"):
        find_neighbours(structure, 3.0)


def test_coinciding_across_a_face_is_an_error_too() -> None:
    structure = Structure([[0.0, 5, 5], [12.0, 5, 5]], [0, 0], ("Cu",), np.eye(3) * 12, True)
    with pytest.raises(GlassError, match="two atoms coincide at"):
        find_neighbours(structure, 3.0)


def test_coinciding_atoms_are_found_when_only_some_are_asked_for() -> None:
    positions = np.arange(60.0).reshape(20, 3)
    positions[19] = positions[17]
    structure = Structure(positions, np.zeros(20, int), ("Cu",))
    with pytest.raises(GlassError, match=r"two atoms coincide at \(51.0000, 52.0000, 53.0000\)"):
        find_neighbours(structure, 3.0, np.array([17]))


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_a_cutoff_must_be_a_length(cutoff: float, glass: Structure) -> None:
    with pytest.raises(GlassError, match="cutoff must be > 0"):
        find_neighbours(glass, cutoff)
    with pytest.raises(GlassError, match="cutoff must be > 0"):
        list(neighbour_blocks(glass, cutoff))


lengths = st.floats(1.5, 9.0)
tilts = st.floats(-6.0, 6.0)


@settings(max_examples=60, deadline=None)
@given(
    diagonal=st.tuples(lengths, lengths, lengths),
    tilt=st.tuples(tilts, tilts, tilts),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    fractional=st.lists(st.tuples(*[st.floats(-2.0, 2.0)] * 3), min_size=0, max_size=6),
    cutoff=st.floats(0.5, 6.0),
)
def test_any_box(diagonal, tilt, pbc, fractional, cutoff) -> None:
    cell = np.diag(diagonal)
    cell[np.tril_indices(3, -1)] = tilt
    positions = np.array(fractional, dtype=float).reshape(-1, 3) @ cell
    structure = Structure(positions, np.zeros(len(positions), int), ("Cu",), cell, pbc)
    expected = brute_force(structure, cutoff)
    apart = np.linalg.norm(expected[2], axis=1)
    if (apart < 1e-5).any() or (abs(apart - cutoff) < 1e-9).any():
        return
    assert_same_pairs(find_neighbours(structure, cutoff), expected)
