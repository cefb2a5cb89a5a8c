"""Effective pair potentials fitted to glasses at rest, without knowing the potential that made them.

Forces vanish at a minimum of the energy, which fixes the shape of the pair functions; energies per atom fix
their scale. ``min_c Σ_i |F_i|² + w Σ_i (E_i − ½ Σ_j V(r_ij) − e_t)² +
p |D³c|²`` with ``F_i = Σ_j V'(r_ij) r̂_ij``: linear in the spline coefficients c and the constants e_t.
No label enters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Dataset
from glass_core.descriptors.elastic_response import ElasticResponse
from glass_core.descriptors.springs import SplinePairs, basis, pair_numbers
from glass_core.descriptors.stack import Stack
from glass_core.errors import GlassError
from glass_core.neighbours import neighbour_blocks
from glass_core.structure import Structure

Floats = NDArray[np.float64]
SMOOTHNESS = 3.0
_FINE, _COARSE, _SPLIT, _FIRST = 0.15, 0.25, 3.6, 1.6


def knots_up_to(cutoff: float) -> tuple[float, ...]:
    """Knots in Å, closer together where first neighbours are."""
    fine = np.arange(_FIRST, min(_SPLIT, cutoff - 0.1), _FINE)
    coarse = np.arange(max(_SPLIT, fine[-1] + _FINE), cutoff - 0.05, _COARSE)
    return tuple(np.round([*fine, *coarse, cutoff], 6).tolist())


def fitted_springs(dataset: Dataset, cutoff: float) -> SplinePairs:
    """Pair potentials of all configurations of a data set that have energies per atom, in eV.

    Raises:
        GlassError: if none has.
    """
    known = [c for c in dataset if "energy" in c.labels]
    if not known:
        raise GlassError(
            "springs are fitted to energies of atoms, which no configuration has; label the glasses with an "
            "embedded-atom or Lennard-Jones potential, or train spectra, which needs none"
        )
    knots, species = knots_up_to(cutoff), len(dataset.species)
    pairs = species * (species + 1) // 2
    size = pairs * (len(knots) - 1)
    matrix, right = np.zeros((size + species,) * 2), np.zeros(size + species)
    for configuration in known:
        energies = configuration.label("energy")
        for forces, half, atoms in _rows(configuration.structure, knots, cutoff):
            matrix[:size, :size] += forces.T @ forces
            told = np.isfinite(energies[atoms])
            half = half[told]
            matrix += half.T @ half
            right += half.T @ energies[atoms[told]]
    third = np.diff(np.eye(len(knots) - 1), 3, axis=0)
    matrix[:size, :size] += np.kron(np.eye(pairs), SMOOTHNESS * third.T @ third)
    matrix += 1e-6 * np.eye(len(matrix))
    coefficients = np.linalg.solve(matrix, right)[:size].reshape(pairs, -1)
    return SplinePairs(knots, tuple(tuple(np.round(line, 8).tolist()) for line in coefficients))


def with_fitted_springs(descriptor: Any, dataset: Dataset) -> Any:
    """The descriptor with springs of law "spline" fitted to the data set, unless they are known already."""
    if isinstance(descriptor, Stack):
        return replace(descriptor, parts=tuple(with_fitted_springs(part, dataset) for part in descriptor.parts))
    if isinstance(descriptor, ElasticResponse) and descriptor.law == "spline" and not descriptor.coefficients:
        springs = fitted_springs(dataset, descriptor.spring_cutoff)
        return replace(descriptor, knots=springs.knots, coefficients=springs.coefficients)
    return descriptor


def _rows(
    structure: Structure, knots: tuple[float, ...], cutoff: float
) -> Iterable[tuple[Floats, Floats, NDArray[np.int32]]]:
    """Force equations (three per atom), energy equations, and the atoms, block by block."""
    species = len(structure.species)
    numbers, functions = pair_numbers(species), len(knots) - 1
    size = (species * (species + 1) // 2) * functions
    for block in neighbour_blocks(structure, cutoff, block_atoms=4000):
        m, row = len(block.centres_m), np.repeat(np.arange(len(block.centres_m)), np.diff(block.offsets))
        r = block.distances_p
        unit = block.vectors_pc / r[:, None]
        pair = numbers[structure.types_n[block.i_p], structure.types_n[block.j_p]]
        forces, half = np.zeros((3, m, size)), np.zeros((m, size + species))
        for number in range(size // functions):
            mine = np.flatnonzero(pair == number)
            value, slope = basis(knots, r[mine], 0), basis(knots, r[mine], 1)
            for k in range(functions):
                column = number * functions + k
                half[:, column] = 0.5 * np.bincount(row[mine], value[:, k], m)
                for c in range(3):
                    forces[c, :, column] = np.bincount(row[mine], slope[:, k] * unit[mine, c], m)
        half[np.arange(m), size + structure.types_n[block.centres_m]] = 1.0
        yield forces.reshape(-1, size), half, block.centres_m
