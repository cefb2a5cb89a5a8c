"""Descriptors written a second time, from their equations: scipy's spherical harmonics and plain loops."""

from __future__ import annotations

import numpy as np
from scipy.special import sph_harm_y

from glass_core import Structure
from tests.core.systems import brute_force

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def radial(n: int, r: np.ndarray, cutoff: float) -> np.ndarray:
    """R_n(r)."""
    return np.sqrt(2 / cutoff) * np.sin(n * np.pi * r / cutoff) / r


def coefficient(vectors: np.ndarray, l: int, m: int, n: int, cutoff: float) -> complex:  # noqa: E741
    """Σ_j R_n(r_j) Y_lm(r̂_j)."""
    x, y, z = vectors.T
    r = np.sqrt(x * x + y * y + z * z)
    harmonics = sph_harm_y(l, m, np.arccos(np.clip(z / r, -1, 1)), np.arctan2(y, x))
    return complex(np.sum(radial(n, r, cutoff) * harmonics))


def slow_scnn(structure: Structure, species, cutoff, n_max, l_max, shells, normalisation) -> np.ndarray:
    """[B⁰ B¹ … Q⁰ Q¹ …] of every atom."""
    pairs = brute_force(structure, cutoff)
    known = structure.symbols()
    densities = np.zeros((structure.n_atoms, len(species), n_max))
    orders = np.zeros((structure.n_atoms, l_max, n_max))
    for i in range(structure.n_atoms):
        neighbours, vectors = pairs[1][pairs[0] == i], pairs[2][pairs[0] == i]
        values = _radials(vectors, n_max, cutoff)
        for t, name in enumerate(species):
            densities[i, t] = values[known[neighbours] == name].sum(axis=0)
        if not len(vectors):
            continue
        total = np.abs(values.sum(axis=0)) if normalisation == "paper" else np.abs(values).sum(axis=0)
        for l in range(1, l_max + 1):  # noqa: E741
            for n in range(1, n_max + 1):
                q = [coefficient(vectors, l, m, n, cutoff) / total[n - 1] for m in range(-l, l + 1)]
                orders[i, l - 1, n - 1] = np.sqrt(4 * np.pi / (2 * l + 1) * np.sum(np.abs(q) ** 2))
    return _in_shells(densities, orders, pairs, cutoff, shells)


def slow_power_spectrum(structure: Structure, species, cutoff, n_max, l_max, shells) -> np.ndarray:
    """[B⁰ B¹ … P⁰ P¹ …] of every atom, P for pairs of species a ≤ b."""
    pairs = brute_force(structure, cutoff)
    known = structure.symbols()
    couples = [(a, b) for a in range(len(species)) for b in range(a, len(species))]
    densities = np.zeros((structure.n_atoms, len(species), n_max))
    powers = np.zeros((structure.n_atoms, len(couples), l_max, n_max))
    for i in range(structure.n_atoms):
        neighbours, vectors = pairs[1][pairs[0] == i], pairs[2][pairs[0] == i]
        by_species = [vectors[known[neighbours] == name] for name in species]
        for t, mine in enumerate(by_species):
            densities[i, t] = _radials(mine, n_max, cutoff).sum(axis=0)
        for l in range(1, l_max + 1):  # noqa: E741
            for n in range(1, n_max + 1):
                c = [[coefficient(mine, l, m, n, cutoff) for m in range(-l, l + 1)] for mine in by_species]
                for k, (a, b) in enumerate(couples):
                    p = 4 * np.pi / (2 * l + 1) * np.vdot(c[a], c[b])
                    assert abs(p.imag) < 1e-9
                    powers[i, k, l - 1, n - 1] = p.real
    return _in_shells(densities, powers, pairs, cutoff, shells)


def _radials(vectors: np.ndarray, n_max: int, cutoff: float) -> np.ndarray:
    """R_n of each vector, shape (p, n)."""
    r = np.linalg.norm(vectors, axis=1)
    return np.stack([radial(n, r, cutoff) for n in range(1, n_max + 1)], axis=1)


def _in_shells(first: np.ndarray, second: np.ndarray, pairs: Pairs, cutoff: float, shells: int) -> np.ndarray:
    parts = []
    for local in (first.reshape(len(first), -1), second.reshape(len(second), -1)):
        layers = [local]
        for _ in range(shells):
            layers.append(_averaged(layers[-1], pairs, cutoff))
        parts.extend(layers)
    return np.concatenate(parts, axis=1)


def _averaged(values: np.ndarray, pairs: Pairs, cutoff: float) -> np.ndarray:
    out = np.zeros_like(values)
    for i in range(len(values)):
        neighbours, vectors = pairs[1][pairs[0] == i], pairs[2][pairs[0] == i]
        weights = np.exp(-np.linalg.norm(vectors, axis=1) / cutoff)
        if len(weights):
            out[i] = weights @ values[neighbours] / weights.sum()
    return out
