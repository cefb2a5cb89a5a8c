"""What the fixed atoms of a region have when the moving ones are where the structure has them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from glass_core.potentials.surroundings import Surroundings
from glass_core.potentials.tables import Tables
from glass_core.structure import Floats, Ints


@dataclass(frozen=True, eq=False)
class AtRest:
    """Densities of a structure at rest, and what moving atoms contribute to those of fixed ones.

    Attributes:
        tables: of the potential.
        density_n: of the structure.
        atoms_t: fixed atoms near moving ones, ascending, shape (t,).
        share_t: density that these have from the moving ones.
    """

    tables: Tables
    density_n: Floats
    atoms_t: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    share_t: Floats = field(default_factory=lambda: np.empty(0))

    def with_share(self, near: Surroundings, share_s: Floats) -> AtRest:
        """The same once it is known what moving atoms contribute to the sites of fixed atoms."""
        fixed = near.fixed()
        fixed = fixed[share_s[fixed] != 0]
        fixed = fixed[np.argsort(near.atoms_s[fixed])]
        return replace(self, atoms_t=near.atoms_s[fixed], share_t=share_s[fixed])

    def background(self, near: Surroundings) -> Floats:
        """Density of each site, and of one far away, without that of moving atoms; copies of sites have none."""
        background, fixed = np.zeros(len(near.atoms_s) + 1), near.fixed()
        background[fixed] = self.density_n[near.atoms_s[fixed]]
        sites = self.shared(near)
        background[sites] -= self.share_t[np.searchsorted(self.atoms_t, near.atoms_s[sites])]
        return background

    def shared(self, near: Surroundings) -> Ints:
        """Sites of the fixed atoms that have density from moving ones."""
        fixed = near.fixed()
        return fixed[np.isin(near.atoms_s[fixed], self.atoms_t)]

    def embedding(self, near: Surroundings) -> Floats:
        """Embedding energy of each site, eV."""
        from glass_core.kernels.eam_embedding import embeddings

        t = self.tables
        energies: Floats = embeddings(near.types_s, self.density_n[near.atoms_s], t.embedding_tk4, t.per_density)
        return energies
