"""Blocks of rows: the same numbers from any number of blocks, and from parts that know nothing of blocks."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core import Structure
from glass_core.descriptors.power_spectrum import PowerSpectrum
from glass_core.descriptors.rows import blocks_of_rows
from glass_core.descriptors.stack import Stack
from glass_core.neighbours import find_neighbours
from glass_core.testing import example_glass
from tests.core.test_testing import Counting

SPECIES = ("Cu", "Zr")
STACK = Stack(
    SPECIES,
    (
        PowerSpectrum(SPECIES, 3.4, 2, 2, 3),
        Counting(),
        {"kind": "elastic_response", "spring_cutoff": 4.2, "radius": 3.0, "shell_cutoff": 3.5, "shells": 2},
    ),
)


@pytest.fixture(scope="module")
def slab() -> Structure:
    """Larger than the receptive field, with open sides and a lone atom."""
    glass = example_glass(SPECIES, cells=7, seed=2)
    positions = np.vstack([glass.positions_nc, [[0.0, 0.0, 90.0]]])
    return Structure(positions, np.append(glass.types_n, 0), SPECIES, glass.cell_cc, (True, True, False))


@pytest.mark.parametrize("most", [37, 500, 10_000])
@pytest.mark.parametrize("some", [False, True])
def test_blocks_are_rows_of_the_whole(slab: Structure, most: int, some: bool) -> None:
    centres = np.flatnonzero(slab.positions_nc[:, 0] < 7.0).astype(np.int32) if some else None
    size = slab.n_atoms if centres is None else len(centres)
    found = np.full((size, STACK.n_features), np.nan)
    for places, rows in blocks_of_rows(STACK, slab, centres, dtype=np.float64, most=most):
        assert len(places) <= most
        found[places] = rows
    expected = STACK(slab) if centres is None else STACK(slab)[centres]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_averages_are_those_of_the_definition(slab: Structure) -> None:
    """By dense matrices, one for all shells: X^(k) = (D⁻¹ W)^k X."""
    chosen = PowerSpectrum(SPECIES, 3.4, 2, 2, 3)
    near = find_neighbours(slab, 3.4)
    weights = np.zeros((slab.n_atoms, slab.n_atoms))
    np.add.at(weights, (near.i_p, near.j_p), np.exp(-near.distances_p / 3.4))
    total = weights.sum(axis=1, keepdims=True)
    step = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    features, names = chosen(slab), chosen.names()
    column = [names.index(f"Q{k}(l=2,n=1,Cu-Zr)") for k in range(4)]
    for shell in range(1, 4):
        np.testing.assert_allclose(features[:, column[shell]], step @ features[:, column[shell - 1]], atol=1e-11)


def test_nearer_neighbours_are_those_of_a_shorter_list(slab: Structure) -> None:
    long, short = find_neighbours(slab, 5.0), find_neighbours(slab, 3.6)
    cut = long.within(3.6)
    assert np.array_equal(cut.offsets, short.offsets)
    np.testing.assert_allclose(np.sort(cut.distances_p), np.sort(short.distances_p), atol=1e-12)
    assert short.within(5.0) is short
