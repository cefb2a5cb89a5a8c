"""Directions in which searches start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.neighbours import find_neighbours
from glass_core.saddle.settings import Kick
from glass_core.structure import Floats, Ints, Structure

_LEAST_FACE = 0.01  # of the largest face of the cell: smaller ones come and go with the last digit
_BINS, _SMOOTHED = 80, 5  # of distances within reach, and over how many of them counts are averaged
_SECOND_SHELL = 1.7  # lies within that many distances of the first


def kicked_atoms(structure: Structure, centre: int, kick: Kick) -> Ints:
    """The atoms that a kick moves, the centre first.

    Raises:
        GlassError: if the structure has no such atom, or Voronoi cells cannot be made.
    """
    if not 0 <= centre < structure.n_atoms:
        raise GlassError(f"atom {centre} does not exist; the structure has atoms 0 … {structure.n_atoms - 1}")
    if kick.atoms == "centre":
        return np.array([centre], dtype=np.int32)
    cutoff = kick.radius if kick.atoms == "radius" else kick.reach
    around = find_neighbours(structure, cutoff, np.array([centre]))
    if kick.atoms == "shell":
        near = around.distances_p <= _first_minimum(around.distances_p, kick.reach)
    elif kick.atoms == "voronoi":
        near = _shares_face(around.vectors_pc, centre)
    else:
        near = np.ones(len(around.j_p), dtype=bool)
    shell = np.unique(around.j_p[near])
    return np.concatenate([[centre], shell[shell != centre]]).astype(np.int32)


def gaussian_kick(atoms_k: NDArray[np.integer], n_atoms: int, rng: np.random.Generator) -> Floats:
    """Gaussian numbers for some atoms, zero for the others, of length 1 over all, shape (n_atoms, 3)."""
    kick = np.zeros((n_atoms, 3))
    kick[atoms_k] = rng.normal(size=(len(atoms_k), 3))
    return np.asarray(kick / np.linalg.norm(kick))


def _first_minimum(distances_p: Floats, reach: float) -> float:
    """Where distances are rarest between the first shell and the second, in smoothed bins."""
    counts, edges = np.histogram(distances_p, bins=_BINS, range=(0, reach))
    width = reach / _BINS
    density = np.convolve(counts / (edges[1:] ** 3 - edges[:-1] ** 3), np.ones(_SMOOTHED) / _SMOOTHED, mode="same")
    peak = int(np.argmax(density))
    second = int(_SECOND_SHELL * edges[peak] / width)
    valley = peak + int(np.argmin(density[peak : max(second, peak + 2)]))
    return float(edges[valley] + 0.5 * width)


def _shares_face(vectors_pc: Floats, centre: int) -> NDArray[np.bool_]:
    """Which neighbours share a face of the Voronoi cell with the centre (scipy's Qhull)."""
    from scipy.spatial import QhullError, Voronoi

    try:
        cells = Voronoi(np.concatenate([np.zeros((1, 3)), vectors_pc]))
    except (QhullError, ValueError) as error:
        raise GlassError(f"atom {centre} has no Voronoi cell: too few neighbours; use kick.atoms radius") from error
    areas = np.zeros(len(vectors_pc))
    for (a, b), corners in zip(cells.ridge_points, cells.ridge_vertices, strict=True):
        if 0 in (a, b) and -1 not in corners:
            areas[max(a, b) - 1] = _area(cells.vertices[corners])
    return np.asarray(areas > _LEAST_FACE * areas.max())


def _area(corners_kc: Floats) -> float:
    arms = corners_kc[1:] - corners_kc[0]
    return 0.5 * float(np.linalg.norm(np.cross(arms[:-1], arms[1:]).sum(axis=0)))
