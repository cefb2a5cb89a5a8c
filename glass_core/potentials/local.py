"""A tabulated potential bound to a structure: exact energy surfaces of some atoms, all others being fixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glass_core.errors import GlassError
from glass_core.neighbours import neighbour_blocks
from glass_core.potentials.base import Region
from glass_core.potentials.grid import Grid
from glass_core.potentials.surface import LocalSurface
from glass_core.potentials.surroundings import Movers
from glass_core.potentials.tables import Tables
from glass_core.structure import Floats, Ints, Structure

_BINS_PER_CUTOFF = 2.0
# In tables: four numbers for each piece of φ; in ``dense``, φ comes before the density.
_PAIR, _DENSITY = 4, 4


@dataclass(frozen=True, eq=False)
class BoundTables:
    """A tabulated potential for one structure.

    Attributes:
        structure: its types counted as the tables count species.
        tables: of the potential.
        grid: where atoms are.
        density_n: of the structure.
    """

    structure: Structure
    tables: Tables
    grid: Grid
    density_n: Floats

    @classmethod
    def of(cls, structure: Structure, tables: Tables) -> BoundTables:
        """Sorts atoms and computes their densities.

        Raises:
            GlassError: if atoms coincide, or there are none.
        """
        if structure.n_atoms == 0:
            raise GlassError("the structure has no atoms; give one that has")
        return cls(
            structure, tables, Grid.of(structure, tables.cutoff / _BINS_PER_CUTOFF), _densities(structure, tables)
        )

    def region(self, centre: int, radius: float | None) -> Region:
        """The surface of the atoms within ``radius`` Å of an atom (or of one of its images); of all atoms if None.

        Raises:
            GlassError: if there is no such atom, or the radius is not positive.
        """
        n = self.structure.n_atoms
        if not 0 <= centre < n:
            raise GlassError(f"centre must be an atom from 0 to {n - 1}, got {centre}")
        if radius is None:
            moving, shift = np.arange(n, dtype=np.int32), np.zeros((n, 3))
        elif radius > 0:
            moving, shift = self._within(centre, radius)
        else:
            raise GlassError(f"radius of the region must be > 0 Å, got {radius}")
        movers = Movers(self.structure, self.grid, moving, shift)
        return Region(moving, LocalSurface(movers, self.tables, self.density_n))

    def atom_energies(self) -> Floats:
        """Energy of each atom of the structure, ``E_i = F_i(ρ_i) + ½ Σ_j φ_ij``, eV, shape (n,)."""
        from glass_core.kernels.eam_embedding import embeddings

        t = self.tables
        pairs = _pair_sums(self.structure, t, float(t.pair_cut_tt.max()), t.pair, _PAIR, 0)
        embedded: Floats = embeddings(self.structure.types_n, self.density_n, t.embedding_tk4, t.per_density)
        return embedded + 0.5 * pairs

    def _within(self, centre: int, radius: float) -> tuple[Ints, Floats]:
        """Atoms near a centre and the lattice vectors that bring their nearest images there."""
        position = self.structure.positions_nc[centre]
        nobody = np.zeros(self.structure.n_atoms, dtype=bool)
        reach = radius * (1 + 1e-12)
        atoms, sites = self.grid.images(position, reach, self.grid.box(position[None], reach), nobody)
        distance = ((sites - position) ** 2).sum(axis=1)
        near = np.lexsort((distance, atoms))
        moving, first = np.unique(atoms[near], return_index=True)
        return moving, sites[near[first]] - self.structure.positions_nc[moving]


def _densities(structure: Structure, tables: Tables) -> Floats:
    """Density at every atom."""
    if not tables.width:
        return np.zeros(structure.n_atoms)
    return _pair_sums(structure, tables, float(tables.density_cut_tt.max()), tables.dense, tables.width, _DENSITY)


def _pair_sums(structure: Structure, tables: Tables, cutoff: float, table: Floats, width: int, first: int) -> Floats:
    """Sum of a tabulated pair function over the neighbours of every atom (see ``kernels.eam_sites``)."""
    from glass_core.kernels.eam_sites import pair_sums

    sums = np.zeros(structure.n_atoms)
    t = (tables.bases_t, tables.columns_t, table, width, first, tables.per_area, tables.last)
    for near in neighbour_blocks(structure, cutoff):
        pair_sums(near.offsets, near.centres_m, near.j_p, near.vectors_pc, structure.types_n, *t, sums)
    return sums
