"""How far the bonds around an atom point in some directions more than in others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core.descriptors.base import Walking
from glass_core.descriptors.rows import Features, RowsOf
from glass_core.descriptors.shells import Columns, link_bytes, needed_atoms, shell_walk
from glass_core.descriptors.walks import Walks
from glass_core.errors import GlassError
from glass_core.neighbours import Neighbours
from glass_core.structure import Ints, Structure

_NUMBERS = 5  # of a symmetric traceless tensor


@dataclass(frozen=True)
class Anisotropy(Walking):
    """Norm of the fabric tensor of bonds, averaged over k shells before the norm is taken.

    ``A_i = Σ_j f(r_ij) (r̂r̂ᵀ − 1/3) / Σ_j f(r_ij)`` with ``f = (1 − r² / bond²)²`` below ``bond``;
    ``A_i^(k) = Σ_j w_ij A_j^(k−1) / Σ_j w_ij`` with ``w_ij = exp(−r_ij / cutoff)`` over neighbours within ``cutoff``
    (see ``shells``); features ``|A^(0)|, |A^(1)| …`` (Frobenius). Averages of a glass at rest are small, as bonds point
    everywhere; a strain of the box, which invariants of single atoms hardly see, adds the same to all. The fabric
    tensor is that of M. Satake, in: Deformation and Failure of Granular Materials (1982), with weights of distances.

    Attributes:
        species: species that structures may have; they are not told apart.
        bond: longest bond, Å: a little beyond the first shell.
        cutoff: of the neighbours that averages run over, and their decay length, Å.
        shells: how many times tensors are averaged.
    """

    kind: ClassVar[str] = "anisotropy"

    species: tuple[str, ...]
    bond: float = 3.3
    cutoff: float = 5.0
    shells: int = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", tuple(self.species))
        if not self.species:
            raise GlassError("species must name at least one species, got none")
        if not 0 < self.bond <= self.cutoff < np.inf:
            raise GlassError(f"bond must be > 0 Å and at most the cutoff of {self.cutoff} Å, got {self.bond}")
        if not 0 <= self.shells <= 16:
            raise GlassError(f"shells must lie in 0 … 16, got {self.shells}")

    @property
    def receptive_field(self) -> float:
        """bond + shells × cutoff, Å; neighbours are sought within the cutoff."""
        return max(self.cutoff, self.bond + self.shells * self.cutoff)

    @property
    def bytes_per_atom(self) -> float:
        """Memory held in single precision: tensors of all shells and one more, links and where they begin."""
        return 4.0 * _NUMBERS * (self.shells + 2) + link_bytes(self.cutoff) + 16.0

    @property
    def n_features(self) -> int:
        """Features per atom."""
        return self.shells + 1

    def names(self) -> list[str]:
        """``anisotropy0``, ``anisotropy1`` …, by shell."""
        return [f"anisotropy{k}" for k in range(self.shells + 1)]

    def walks(self, structure: Structure, centres: Ints | None, dtype: DTypeLike) -> Walks[RowsOf]:
        """One, for the tensors of all that ``centres`` (ascending; None: all atoms) need."""
        known = structure.with_species(self.species, owner=f"descriptor {self.kind!r}")
        needed = needed_atoms(known, centres, self.shells * self.cutoff)
        columns = Columns(_NUMBERS, 0, self.shells)

        def local(block: Neighbours, table: Features) -> Neighbours:
            table[block.centres_m] = _fabric(block, self.bond)
            return block

        tensors = yield from shell_walk(known, needed, self.cutoff, self.cutoff, columns, local, dtype)
        return lambda some: _norms(tensors.rows(some).reshape(-1, self.shells + 1, _NUMBERS))


def _fabric(block: Neighbours, bond: float) -> NDArray[np.float64]:
    """xx, yy, xy, xz, yz of A of each centre of a block, shape (m, 5); zero without a bond."""
    distances = block.distances_p
    near = np.flatnonzero(distances < bond)
    centre = np.repeat(np.arange(len(block.centres_m)), np.diff(block.offsets))[near]
    unit = block.vectors_pc[near] / distances[near, None]
    weight = (1 - (distances[near] / bond) ** 2) ** 2
    count = len(block.centres_m)
    total = np.bincount(centre, weight, count)
    bonded = total > 0
    total[~bonded] = 1.0
    sums = [
        np.bincount(centre, weight * unit[:, a] * unit[:, b], count)
        for a, b in ((0, 0), (1, 1), (0, 1), (0, 2), (1, 2))
    ]
    fabric = np.stack(sums, axis=1) / total[:, None]
    fabric[bonded, :2] -= 1 / 3
    return fabric


def _norms(tensors_mk5: Features) -> Features:
    """Frobenius norms."""
    xx, yy = tensors_mk5[..., 0], tensors_mk5[..., 1]
    off = (tensors_mk5[..., 2:] ** 2).sum(axis=-1)
    return np.asarray(np.sqrt(xx**2 + yy**2 + (xx + yy) ** 2 + 2 * off))
