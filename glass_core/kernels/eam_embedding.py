"""Embedding energies: cubic pieces of the density."""

from __future__ import annotations

import numpy as np

from glass_core.kernels.eam_pointers import pointer, read
from glass_core.kernels.jit import njit, uint64


@njit(forceinline=True)
def embed(kind, rho, embedding, points, per_density):  # type: ignore[no-untyped-def]
    """F, F′ and F″ at a density; beyond the table F goes on as a straight line."""
    at = rho * per_density
    k = uint64(min(max(at, 0.0), points - 1.0))
    t = at - k
    beyond = max(t - 1.0, 0.0)
    t -= beyond
    piece = uint64(4) * (uint64(kind) * uint64(points) + k)
    c0, c1 = read(embedding, piece), read(embedding, piece + uint64(1))
    c2, c3 = read(embedding, piece + uint64(2)), read(embedding, piece + uint64(3))
    first = (3.0 * c3 * t + 2.0 * c2) * t + c1
    second = 0.0 if beyond > 0.0 else 6.0 * c3 * t + 2.0 * c2
    energy = ((c3 * t + c2) * t + c1) * t + c0 + first * beyond
    return energy, first * per_density, second * per_density * per_density


@njit(fast=True, error_model="numpy")
def embed_all(moving, touched, still, types, rho, embedding, per_density, slopes):  # type: ignore[no-untyped-def]
    """F′ at moving and touched sites; returns the sum of F, for the latter above that of the structure at rest."""
    table, points, energy = pointer(embedding), float(embedding.shape[1]), 0.0
    for s in range(uint64(moving)):
        e, slopes[s], _ = embed(types[s], rho[s], table, points, per_density)
        energy += e
    for q in range(uint64(len(touched))):
        s = uint64(touched[q])
        e, slopes[s], _ = embed(types[s], rho[s], table, points, per_density)
        energy += e - still[s]
    return energy


@njit()
def embeddings(types_n, density_n, embedding, per_density):  # type: ignore[no-untyped-def]
    """Embedding energy of each atom, eV."""
    energies, table = np.empty(len(types_n)), pointer(embedding)
    for i in range(len(types_n)):
        energies[i] = embed(types_n[i], density_n[i], table, embedding.shape[1], per_density)[0]
    return energies
