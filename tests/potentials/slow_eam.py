"""The embedded-atom energy written down directly: all images, the file's tables through scipy's splines."""

from __future__ import annotations

import itertools
import pathlib

import numpy as np
from scipy.interpolate import CubicSpline

from glass_core.structure import Floats, Structure


class SlowEam:
    """An ``eam/fs`` or ``eam/alloy`` file with its header on lines 4 to 6 and four words before each element."""

    def __init__(self, path: pathlib.Path, form: str) -> None:
        lines = path.read_text(encoding="utf-8").splitlines()
        self.species = lines[3].split()[1:]
        n = len(self.species)
        counts = lines[4].split()
        rho_points, r_points = int(counts[0]), int(counts[2])
        rho, self.r = np.arange(rho_points) * float(counts[1]), np.arange(r_points) * float(counts[3])
        self.cutoff, words, at = float(counts[4]), " ".join(lines[5:]).split(), 0

        def table(x: Floats) -> CubicSpline:
            nonlocal at
            at += len(x)
            return CubicSpline(x, np.array(words[at - len(x) : at], float))

        self.embedding, self.density = [], []
        for _ in range(n):
            at += 4
            self.embedding.append(table(rho))
            tables = [table(self.r) for _ in range(n if form == "fs" else 1)]
            self.density.append(tables if form == "fs" else tables * n)
        self.pair = {(a, b): table(self.r) for a in range(n) for b in range(a + 1)}

    def energy(self, structure: Structure, positions_nc: Floats) -> float:
        """Of a structure whose atoms are at some positions, eV."""
        return float(self.energies(structure, positions_nc).sum())

    def energies(self, structure: Structure, positions_nc: Floats) -> Floats:
        """Of its atoms, each with half of its pairs, eV."""
        kinds = [self.species.index(symbol) for symbol in structure.symbols()]
        heights = 1 / np.linalg.norm(np.linalg.inv(structure.cell_cc), axis=0)
        extent = np.ptp(positions_nc, axis=0).max()
        reach = [
            int(np.ceil((self.cutoff + extent) / h)) if p else 0 for h, p in zip(heights, structure.pbc, strict=True)
        ]
        energies, density = np.zeros(structure.n_atoms), np.zeros(structure.n_atoms)
        for steps in itertools.product(*(range(-k, k + 1) for k in reach)):
            vectors = positions_nc[None] + np.array(steps) @ structure.cell_cc - positions_nc[:, None]
            distances = np.linalg.norm(vectors, axis=2)
            for i, j in np.argwhere((distances < self.cutoff) & (distances > 0)):
                a, b, r = kinds[i], kinds[j], distances[i, j]
                energies[i] += 0.5 * float(self.pair[max(a, b), min(a, b)](r)) / r
                density[i] += float(self.density[b][a](r))
        return energies + [float(self.embedding[a](rho)) for a, rho in zip(kinds, density, strict=True)]
