"""Atoms in every kind of box, and neighbours of them by brute force."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from glass_core.structure import Structure

TRICLINIC = np.array([[7.0, 0.0, 0.0], [5.5, 6.0, 0.0], [-4.5, 5.0, 6.5]])
BOXES = {
    "orthogonal": np.diag([7.0, 9.0, 8.0]),
    "triclinic": TRICLINIC,
    "rotated": TRICLINIC @ np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0],
    "left-handed": TRICLINIC[[1, 0, 2]],
    "needle": np.diag([2.1, 30.0, 2.3]),
    "plate": np.diag([20.0, 21.0, 1.7]),
}


def scattered(cell: np.ndarray, pbc: tuple[bool, bool, bool], count: int = 40, seed: int = 0) -> Structure:
    """Atoms anywhere in the box, no two closer than 0.3 Å except by chance across a face."""
    random = np.random.default_rng(seed)
    positions = random.uniform(0, 1, (count, 3)) @ cell
    return Structure(positions, random.integers(0, 2, count), ("Cu", "Zr"), cell, pbc)


def _all_systems() -> dict[str, tuple[Structure, float]]:
    everywhere = (True, True, True)
    systems = {}
    for name, cell in BOXES.items():
        for pbc in itertools.product((False, True), repeat=3):
            flags = "".join("FP"[p] for p in pbc)
            systems[f"{name}-{flags}"] = (scattered(cell, pbc), 4.1)
    random = np.random.default_rng(7)
    far = scattered(TRICLINIC, everywhere)
    turns = random.integers(-40, 41, (far.n_atoms, 3)) @ TRICLINIC
    systems["far outside"] = (Structure(far.positions_nc + turns, far.types_n, far.species, TRICLINIC, True), 4.1)
    open_far = Structure(
        far.positions_nc + np.array([0, 0, 5000.0]), far.types_n, far.species, TRICLINIC, (True, True, False)
    )
    systems["far outside along the open direction"] = (open_far, 4.1)
    order = random.permutation(far.n_atoms)
    systems["shuffled"] = (far.subset(order), 4.1)
    systems["no cell"] = (Structure(random.uniform(0, 9, (50, 3)), np.zeros(50, int), ("Cu",)), 3.0)
    systems["two dimensions"] = (_flat(random), 3.0)
    systems["one atom, many images"] = (Structure([[0.1, 0.2, 0.3]], [0], ("Cu",), np.eye(3) * 2.0, True), 5.1)
    systems["one atom alone"] = (Structure([[1.0, 2.0, 3.0]], [0], ("Cu",)), 5.0)
    systems["two atoms, cutoff of four boxes"] = (_two(), 13.3)
    systems["nobody near"] = (Structure(np.arange(9.0).reshape(3, 3) * 100, [0, 0, 0], ("Cu",)), 5.0)
    systems["no atoms"] = (Structure(np.empty((0, 3)), np.empty(0, int), ("Cu",), np.eye(3), True), 5.0)
    systems["fcc with atoms on faces"] = (_crystal(), 4.05)
    systems |= {f"huge and nearly empty, {name}": (structure, 3.8) for name, structure in _nearly_empty()}
    return systems


def _flat(random: np.random.Generator) -> Structure:
    positions = np.column_stack([random.uniform(0, 12, (30, 2)), np.zeros(30)])
    cell = [[12.0, 0, 0], [3.0, 11.0, 0], [0, 0, 0]]
    return Structure(positions, np.zeros(30, int), ("Cu",), cell, (True, True, False))


def _two() -> Structure:
    return Structure([[0, 0, 0], [1.4, 1.3, 1.2]], [0, 1], ("Cu", "Zr"), np.diag([3.0, 3.3, 3.1]), True)


def _crystal() -> Structure:
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    corners = np.array(list(itertools.product(range(3), repeat=3)))
    # A hair below zero, as rounding leaves it: such an atom lies on the box's far face once wrapped.
    positions = (corners[:, None] + basis).reshape(-1, 3) * 4.0 - 1e-17
    return Structure(positions, np.zeros(len(positions), int), ("Cu",), np.eye(3) * 12.0, True)


def _nearly_empty() -> Iterator[tuple[str, Structure]]:
    """A cluster and a few atoms far away, in boxes along some direction of which vesin found no cell and died."""
    random = np.random.default_rng(3)
    for name, lengths in {
        "needle": (20, 20, 3e6), "ruler": (4, 76, 38_000), "plate": (4, 1300, 1300), "cube": (1e7, 1e7, 1e7),
    }.items():  # fmt: skip
        cluster = random.uniform(0, np.minimum(lengths, 15), (40, 3))
        positions = np.concatenate([cluster, random.uniform(0, lengths, (12, 3))])
        for pbc in ((False, False, False), (True, True, True), (True, False, True)):
            flags = "".join("FP"[p] for p in pbc)
            yield f"{name}-{flags}", Structure(positions, np.zeros(52, int), ("Cu",), np.diag(lengths), pbc)


SYSTEMS = _all_systems()


def brute_force(structure: Structure, cutoff: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(i, j, vector) of all directed pairs up to the cutoff: every atom against every image of every atom."""
    positions, cell = structure.positions_nc, structure.cell_cc
    if not len(positions):
        return np.empty(0, int), np.empty(0, int), np.empty((0, 3))
    inverse = np.linalg.inv(cell)
    fractional = positions @ inverse
    whole = np.where(structure.pbc, np.floor(fractional), 0)
    wrapped = positions - whole @ cell
    reach = np.where(structure.pbc, np.ceil(cutoff * np.linalg.norm(inverse, axis=0)) + 1, 0).astype(int)
    found = []
    for steps in itertools.product(*(range(-r, r + 1) for r in reach)):
        vectors = wrapped[None, :, :] - wrapped[:, None, :] + np.array(steps) @ cell
        near = np.linalg.norm(vectors, axis=2) <= cutoff
        if not any(steps):
            near &= ~np.eye(len(positions), dtype=bool)
        i, j = np.nonzero(near)
        found.append((i, j, vectors[i, j]))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))  # type: ignore[return-value]


def in_order(i: np.ndarray, j: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs sorted by centre, neighbour, vector."""
    rounded = np.round(vectors, 5) + 0.0
    order = np.lexsort((rounded[:, 2], rounded[:, 1], rounded[:, 0], j, i))
    return i[order], j[order], vectors[order]
