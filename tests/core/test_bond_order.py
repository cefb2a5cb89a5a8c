"""With one shell of equidistant neighbours, Q(l, n) is Steinhardt's q_l for every n.

Steinhardt, Nelson & Ronchetti, PRB 28, 784 (1983), https://doi.org/10.1103/PhysRevB.28.784.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from glass_core import Structure
from glass_core.descriptors.scnn import SCNNDescriptor

GOLDEN = (1 + 5**0.5) / 2


def signs(vectors: list[tuple[float, float, float]]) -> np.ndarray:
    """All distinct sign changes and cyclic orders of some vectors, as unit vectors."""
    found = set()
    for x, y, z in vectors:
        for s in itertools.product((1, -1), repeat=3):
            for order in ((x, y, z), (y, z, x), (z, x, y)):
                found.add(tuple(round(a * b, 12) + 0.0 for a, b in zip(order, s, strict=True)))
    array = np.array(sorted(found))
    return array / np.linalg.norm(array[0])


# name: directions, q4, q6 (values as in table I of the reference, to the digits of exact evaluation)
SHELLS = {
    "simple cubic": (signs([(1, 0, 0)]), 0.763763, 0.353553),
    "fcc": (signs([(0, 1, 1)]), 0.190941, 0.574524),
    "bcc, eight neighbours": (signs([(1, 1, 1)]), 0.509175, 0.628539),
    "icosahedron": (signs([(0, 1, GOLDEN)]), 0.0, 0.663325),
}


@pytest.mark.parametrize("normalisation", ["robust", "paper"])
@pytest.mark.parametrize("name", SHELLS)
def test_perfect_shells(name: str, normalisation: str) -> None:
    directions, q4, q6 = SHELLS[name]
    positions = np.concatenate([np.zeros((1, 3)), 2.7 * directions])
    structure = Structure(positions, np.zeros(len(positions), int), ("Cu",))
    chosen = SCNNDescriptor(("Cu",), shells=0, normalisation=normalisation)
    row = dict(zip(chosen.names(), chosen(structure, np.array([0]))[0], strict=True))
    for n in range(1, 9):
        assert row[f"Q0(l=4,n={n})"] == pytest.approx(q4, abs=1e-6)
        assert row[f"Q0(l=6,n={n})"] == pytest.approx(q6, abs=1e-6)


def test_crystal_fcc_with_a_cutoff_behind_the_first_shell() -> None:
    a = 3.6
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    structure = Structure(basis * a, np.zeros(4, int), ("Cu",), np.eye(3) * a, True)
    chosen = SCNNDescriptor(("Cu",), cutoff=3.0, shells=2)
    features = dict(zip(chosen.names(), chosen(structure).T, strict=True))
    for k in range(3):  # averages over equal atoms change nothing
        np.testing.assert_allclose(features[f"Q{k}(l=6,n=1)"], 0.574524, atol=1e-6)
        np.testing.assert_allclose(features[f"Q{k}(l=3,n=1)"], 0.0, atol=1e-7)
    expected = 12 * np.sqrt(2 / 3.0) * np.sin(np.pi * a / np.sqrt(2) / 3.0) / (a / np.sqrt(2))
    np.testing.assert_allclose(features["B0(n=1,Cu)"], expected, rtol=1e-12)


@pytest.mark.parametrize("name", SHELLS)
def test_freud_agrees(name: str) -> None:
    freud = pytest.importorskip("freud")
    directions = SHELLS[name][0]
    positions = np.concatenate([np.zeros((1, 3)), 2.7 * directions])
    structure = Structure(positions, np.zeros(len(positions), int), ("Cu",))
    chosen = SCNNDescriptor(("Cu",), shells=0)
    row = dict(zip(chosen.names(), chosen(structure, np.array([0]))[0], strict=True))
    nobody = np.zeros(len(directions), dtype=np.uint32)
    points = np.arange(1, len(directions) + 1, dtype=np.uint32)
    bonds = freud.locality.NeighborList.from_arrays(1, len(positions), nobody, points, 2.7 * directions)
    for l in range(1, 10):  # noqa: E741
        steinhardt = freud.order.Steinhardt(l)
        steinhardt.compute((freud.box.Box.cube(50.0), positions), neighbors=bonds)
        assert row[f"Q0(l={l},n=1)"] == pytest.approx(float(steinhardt.particle_order[0]), abs=2e-4)


def test_freud_agrees_with_weights_in_a_glass(glass: Structure) -> None:
    """freud's weighted order, its weights set to |R_1| (which has one sign), is Q(l, 1)."""
    freud = pytest.importorskip("freud")
    from glass_core.neighbours import find_neighbours

    cutoff = 5.0
    found = find_neighbours(glass, cutoff)
    r = found.distances_p
    weights = np.sqrt(2 / cutoff) * np.sin(np.pi * r / cutoff) / r
    count = glass.n_atoms
    bonds = freud.locality.NeighborList.from_arrays(count, count, found.i_p, found.j_p, found.vectors_pc, weights)
    chosen = SCNNDescriptor(("Cu", "Zr"), cutoff, shells=0)
    ours = dict(zip(chosen.names(), chosen(glass).T, strict=True))
    lower, rotation = _lower(glass.cell_cc)
    box = freud.box.Box.from_matrix(lower.T)
    points = box.wrap(glass.positions_nc @ rotation - lower.sum(axis=0) / 2)
    for l in (2, 4, 6, 9):  # noqa: E741
        steinhardt = freud.order.Steinhardt(l, weighted=True)
        steinhardt.compute((box, points), neighbors=bonds)
        np.testing.assert_allclose(ours[f"Q0(l={l},n=1)"], steinhardt.particle_order, atol=2e-5)


def _lower(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    q, r = np.linalg.qr(cell.T)
    flip = np.sign(np.diag(r))
    return (r * flip[:, None]).T, q * flip
