"""Elastic response with dense matrices and explicit loops over images, independent of the compiled kernel."""

from __future__ import annotations

import itertools
import math

import numpy as np

from glass_core.descriptors.springs import SPACING, law_table, pair_numbers
from glass_core.structure import Structure

STRAINS = [np.zeros((3, 3)) for _ in range(6)]
for _e, (_a, _b) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
    STRAINS[_e][_a, _b] += 0.5
    STRAINS[_e][_b, _a] += 0.5


class SlowResponse:
    """The features of shell 0 of one atom."""

    def __init__(self, descriptor, structure: Structure) -> None:
        self.d, self.s = descriptor, structure
        radii = descriptor.radii or (0.0,) * len(descriptor.species)
        self.law = law_table(descriptor.law, radii, descriptor.steepness, descriptor.cutoff, None)
        self.pairs = pair_numbers(len(descriptor.species))

    def images(self, i: int, radius: float) -> list[tuple[int, np.ndarray]]:
        """Atoms within a radius of atom i, as index and vector."""
        widths = 1 / np.linalg.norm(np.linalg.inv(self.s.cell_cc), axis=0)
        reach = [math.ceil(radius / w) + 1 if p else 0 for w, p in zip(widths, self.s.pbc, strict=True)]
        found = []
        for shift in itertools.product(*[range(-n, n + 1) for n in reach]):
            vectors = self.s.positions_nc + np.array(shift) @ self.s.cell_cc - self.s.positions_nc[i]
            distance = np.linalg.norm(vectors, axis=1)
            found += [(j, vectors[j]) for j in np.flatnonzero((distance <= radius) & (distance > 1e-9)).tolist()]
        return found

    def spring(self, i: int, j: int, r: np.ndarray) -> np.ndarray:
        """k(r), shape (3, 3); zero beyond the cutoff."""
        distance = np.linalg.norm(r)
        if distance >= self.d.cutoff:
            return np.zeros((3, 3))
        table = self.law[self.pairs[self.s.types_n[i], self.s.types_n[j]]]
        grid = np.arange(len(table)) * SPACING
        k1, k2 = (np.interp(distance, grid, table[:, column]) for column in range(2))
        return k1 * np.eye(3) + k2 * np.outer(r, r)

    def felt(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Σ_j k, and the forces under the six strains, shape (6, 3)."""
        springs = [(self.spring(i, j, r), r) for j, r in self.images(i, self.d.cutoff)]
        stiff = sum((k for k, _ in springs), np.zeros((3, 3)))
        force = np.array([sum((k @ eta @ r for k, r in springs), np.zeros(3)) for eta in STRAINS])
        return stiff, force

    def features(self, i: int) -> dict[str, float]:
        """Those that the kernel computes by other means."""
        region = [*self.images(i, self.d.radius), (i, np.zeros(3))]
        n = len(region)
        hessian, forces = np.zeros((3 * n, 3 * n)), np.zeros((3 * n, 6))
        for a, (ia, xa) in enumerate(region):
            stiff, force = self.felt(ia)
            edge = max(0.0, float(np.linalg.norm(xa)) - (self.d.radius - 1))
            hessian[3 * a : 3 * a + 3, 3 * a : 3 * a + 3] = stiff + np.eye(3) * (
                self.d.softness + 2 * edge**2 / (1 - edge + 1e-6)
            )
            forces[3 * a : 3 * a + 3] = force.T
            for b, (ib, xb) in enumerate(region):
                if b != a:
                    hessian[3 * a : 3 * a + 3, 3 * b : 3 * b + 3] = -self.spring(ia, ib, xb - xa)
        assert np.linalg.eigvalsh(hessian).min() > 0.06, "the kernel stiffens regions that are not stable"
        green = np.linalg.inv(hessian)[:, -3:]
        moved = np.linalg.solve(hessian, forces).reshape(n, 3, 6)
        third = moved[:, :, :3].mean(axis=2)
        shears = ((moved[:, :, :3] - third[:, :, None]) ** 2).sum((1, 2)) + 2 * (moved[:, :, 3:] ** 2).sum((1, 2))
        spread = (green.reshape(n, 3, 3) ** 2).sum((1, 2))
        return {
            "compliance": math.log(np.trace(green[-3:])),
            "compliance_3": math.log(np.linalg.eigvalsh(green[-3:])[-1]),
            "spread": math.log(spread.sum()),
            "localisation": math.log((spread**2).sum() / spread.sum() ** 2),
            "shear": math.log(shears.sum()),
            "shear_centre": math.log(shears[-1]),
            "dilation": math.log((third**2).sum()),
            "shear_localisation": math.log((shears**2).sum() / shears.sum() ** 2),
            "strain_force": math.log(np.array([1, 1, 1, 2, 2, 2]) @ (self.felt(i)[1] ** 2).sum(axis=1)),
        }
