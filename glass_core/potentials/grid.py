"""Atoms sorted into bins, to list those near a place with all their periodic images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.cell_list import heights
from glass_core.structure import Floats, Ints, Structure

_MOST_BINS = 4_000_000


@dataclass(frozen=True, eq=False)
class Grid:
    """Atoms of a structure sorted into bins along the box vectors, so that images can be listed.

    Attributes:
        cell_cc: box vectors in rows, Å.
        inverse_cc: the inverse of that.
        periodic_c: whether each is periodic.
        low_c, extent_c: range of fractional places; 0 and 1 along periodic directions.
        wrapped_nc: positions, wrapped along periodic directions, Å, shape (n, 3).
        counts: bins along each box vector.
        starts, atoms_n: where each bin begins in ``atoms_n``.
    """

    cell_cc: Floats
    inverse_cc: Floats
    periodic_c: NDArray[np.bool_]
    low_c: Floats
    extent_c: Floats
    wrapped_nc: Floats
    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    atoms_n: Ints

    @classmethod
    def of(cls, structure: Structure, width: float) -> Grid:
        """With bins about as wide as asked for, Å."""
        inverse: Floats = np.linalg.inv(structure.cell_cc).astype(np.float64, copy=False)
        places = structure.positions_nc @ inverse
        periodic = np.array(structure.pbc)
        laps = np.floor(places) * periodic
        places -= laps
        low = np.where(periodic, 0.0, places.min(axis=0))
        extent = np.where(periodic, 1.0, np.maximum(np.ptp(places, axis=0), 1e-9))
        limit = max(int(min(_MOST_BINS, 8 * structure.n_atoms + 64) ** (1 / 3)), 1)
        counts = np.clip(np.floor(heights(structure.cell_cc) * extent / width), 1, limit).astype(np.int64)
        bins = np.clip(((places - low) / extent * counts).astype(np.int64), 0, counts - 1)
        number = np.ravel_multi_index(tuple(bins.T), tuple(counts))
        starts = np.zeros(int(counts.prod()) + 1, np.int64)
        np.cumsum(np.bincount(number, minlength=len(starts) - 1), out=starts[1:])
        order = np.argsort(number, kind="stable").astype(np.int32)
        wrapped = structure.positions_nc - laps @ structure.cell_cc
        return cls(
            np.ascontiguousarray(structure.cell_cc), inverse, periodic, low, extent, wrapped, counts, starts, order
        )

    def box(self, positions_mc: Floats, reach: float) -> tuple[Floats, Floats]:
        """Fractional corners of a box that holds everything within reach of some positions."""
        places = positions_mc @ self.inverse_cc
        margin = reach / heights(self.cell_cc)
        return places.min(axis=0) - margin, places.max(axis=0) + margin

    def images(
        self, middle_c: Floats, radius: float, corners: tuple[Floats, Floats], skip_n: NDArray[np.bool_]
    ) -> tuple[Ints, Floats]:
        """Images of atoms within a distance of a place, and within fractional corners or near these.

        Args:
            middle_c, radius: place and distance, Å.
            corners: lower and upper one.
            skip_n: atoms to leave out.

        Returns:
            Atoms, shape (s,), and positions, Å, shape (s, 3).
        """
        from glass_core.kernels.eam_sites import sites_within

        low, high = ((corner - self.low_c) / self.extent_c for corner in corners)
        grid = (self.counts, self.periodic_c, self.starts, self.atoms_n, self.wrapped_nc, self.cell_cc)
        atoms, sites = sites_within(middle_c, radius, low, high, *grid, skip_n)
        return atoms, sites
