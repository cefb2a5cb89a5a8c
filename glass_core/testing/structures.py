"""Structures for checks, and the same atoms described in other ways."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from glass_core.structure import Floats, Ints, Structure, replace_fields

_FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def example_glass(species: Sequence[str], cells: int = 3, spacing: float = 2.8, seed: int = 0) -> Structure:
    """Periodic disordered atoms in a slightly sheared box: fcc with Gaussian noise, species at random.

    Args:
        species: species to draw from, in equal parts.
        cells: fcc cells along each box vector; 4 cells³ atoms.
        spacing: mean distance of nearest neighbours, Å.
        seed: for noise and species.

    >>> example_glass(("Cu", "Zr")).n_atoms
    108
    """
    random = np.random.default_rng(seed)
    shear = np.array([[1.0, 0.0, 0.0], [0.06, 1.0, 0.0], [-0.04, 0.05, 1.0]])
    lattice = spacing * np.sqrt(2) * shear
    corners = np.array(list(itertools.product(range(cells), repeat=3)))
    positions = (corners[:, None] + _FCC).reshape(-1, 3) @ lattice
    # Noise is held below a quarter of the spacing, so that no two atoms come close.
    noise = np.clip(random.normal(0, 0.08 * spacing, positions.shape), -0.12 * spacing, 0.12 * spacing)
    types = random.integers(0, len(species), len(positions))
    return Structure(positions + noise, types, species, cells * lattice, True)


def moved(structure: Structure, shift_nc: Floats) -> Structure:
    """Atoms displaced by ``shift_nc``, Å."""
    return replace_fields(structure, positions_nc=structure.positions_nc + shift_nc)


def doubled(structure: Structure, axis: int) -> Structure:
    """Two periods along one box vector: all atoms, then all their images."""
    cell = structure.cell_cc.copy()
    positions = np.concatenate([structure.positions_nc, structure.positions_nc + cell[axis]])
    cell[axis] *= 2
    return Structure(positions, np.tile(structure.types_n, 2), structure.species, cell, structure.pbc)


def ghost_cluster(structure: Structure, radius: float) -> tuple[Structure, Ints]:
    """What one rank of a parallel simulation sees: no periodic box, but images of atoms as ghosts.

    Returns:
        A structure without periodic directions, made of the atoms (wrapped into the box, in their order)
        and every image within ``radius`` Å of one of them; and the indices of the atoms that are owned.

    >>> cluster, owned = ghost_cluster(example_glass(("Cu",)), 5.0)
    >>> len(owned), cluster.n_atoms > 108, cluster.pbc
    (108, True, (False, False, False))
    """
    from scipy.spatial import cKDTree

    periodic = np.array(structure.pbc)
    inverse = np.linalg.inv(structure.cell_cc)
    turns = np.where(periodic, np.floor(structure.positions_nc @ inverse), 0.0)
    owned = structure.positions_nc - turns @ structure.cell_cc
    reach = np.where(periodic, np.ceil(radius * np.linalg.norm(inverse, axis=0)), 0).astype(int)
    tree = cKDTree(owned)
    positions, types = [owned], [structure.types_n]
    for steps in itertools.product(*(range(-r, r + 1) for r in reach)):
        if any(steps):
            images = owned + np.array(steps, dtype=float) @ structure.cell_cc
            near = np.isfinite(tree.query(images, distance_upper_bound=radius * (1 + 1e-9))[0])
            positions.append(images[near])
            types.append(structure.types_n[near])
    cluster = Structure(np.concatenate(positions), np.concatenate(types), structure.species)
    return cluster, np.arange(structure.n_atoms, dtype=np.int32)
