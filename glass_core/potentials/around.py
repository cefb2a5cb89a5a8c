"""Which atoms of a region move, for potentials whose engine computes the whole box anyway."""

from __future__ import annotations

import numpy as np

from glass_core.errors import GlassError
from glass_core.neighbours import find_neighbours
from glass_core.structure import Ints, Structure


def atoms_around(structure: Structure, centre: int, radius: float | None) -> Ints:
    """An atom and all atoms that have an image within ``radius`` Å of it, ascending; all atoms if None, shape (m,).

    Raises:
        GlassError: if there is no such atom, or the radius is not positive.

    >>> row = Structure([[0, 0, 0], [2, 0, 0], [4, 0, 0]], [0, 0, 0], ("Cu",))
    >>> atoms_around(row, 0, 3.0).tolist(), atoms_around(row, 0, None).tolist()
    ([0, 1], [0, 1, 2])
    """
    if not 0 <= centre < structure.n_atoms:
        raise GlassError(f"centre must be an atom from 0 to {structure.n_atoms - 1}, got {centre}")
    if radius is None:
        return np.arange(structure.n_atoms, dtype=np.int32)
    if not radius > 0:
        raise GlassError(f"radius of the region must be > 0 Å, got {radius}")
    near = find_neighbours(structure, radius, np.array([centre])).j_p
    return np.union1d(near, [centre]).astype(np.int32)
