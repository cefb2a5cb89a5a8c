"""A descriptor: smooth counts of neighbours in rings around an atom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core import Structure
from glass_core.descriptors.rows import Features
from glass_core.neighbours import Finder, neighbour_blocks


@dataclass(frozen=True)
class RingCounts:
    """``G_i(k, t) = Σ_{j of species t} exp(−(r_ij − r_k)² / w²)`` with radii r_k = k w below the cutoff.

    The radial symmetry functions of Behler & Parrinello, PRL 98, 146401 (2007), without their cutoff
    function.

    Attributes:
        species: species told apart.
        cutoff: Å.
        width: w in Å.
    """

    kind: ClassVar[str] = "ring_counts"

    species: tuple[str, ...]
    cutoff: float = 5.0
    width: float = 0.5

    @property
    def receptive_field(self) -> float:
        """Only direct neighbours matter."""
        return self.cutoff

    def names(self) -> list[str]:
        """``G(r=2.5,Cu)``."""
        return [f"G(r={radius:g},{name})" for name in self.species for radius in self._radii()]

    @property
    def bytes_per_atom(self) -> float:
        """One row in single precision."""
        return 4.0 * len(self.names())

    def __call__(
        self,
        structure: Structure,
        centres: NDArray[np.integer] | None = None,
        find: Finder = neighbour_blocks,
        dtype: DTypeLike = np.float64,
    ) -> Features:
        """Features of ``centres`` (default: all atoms), in their order."""
        known = structure.with_species(self.species, owner=f"descriptor {self.kind!r}")
        wanted = np.arange(structure.n_atoms) if centres is None else np.asarray(centres)
        radii = self._radii()
        table = np.zeros((structure.n_atoms, len(self.species) * len(radii)), dtype)
        for block in find(known, self.cutoff, np.unique(wanted).astype(np.int32)):
            rings = np.exp(-(((block.distances_p[:, None] - radii) / self.width) ** 2))
            counts = np.zeros((len(block.centres_m), len(self.species), len(radii)))
            row_p = np.repeat(np.arange(len(block.centres_m)), np.diff(block.offsets))
            np.add.at(counts, (row_p, known.types_n[block.j_p]), rings)
            table[block.centres_m] = counts.reshape(len(counts), table.shape[1])
        return table[wanted]

    def _radii(self) -> np.ndarray:
        return np.arange(self.width, self.cutoff, self.width)
