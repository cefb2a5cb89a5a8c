"""Local elastic response: how far atoms give way where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core.descriptors.base import Walking
from glass_core.descriptors.rows import Features, RowsOf
from glass_core.descriptors.shells import Columns, link_bytes, needed_atoms, shell_walk
from glass_core.descriptors.springs import SPACING, SplinePairs, law_table, pair_numbers
from glass_core.descriptors.walks import Walk, Walks
from glass_core.errors import GlassError
from glass_core.neighbours import Neighbours
from glass_core.structure import Ints, Structure
from glass_core.threads import for_ranges

_STIFFNESS = 0.2  # of the time

Fields = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
NAMES = (
    "rigidity_1", "rigidity_2", "rigidity_3", "virial", "shear_stress", "affine_modulus", "strain_force",
    "compliance", "compliance_1", "compliance_2", "compliance_3", "spread", "localisation",
    "dilation", "shear", "shear_centre", "dilation_centre", "strain_energy", "shear_localisation", "imbalance",
)  # fmt: skip


@dataclass(frozen=True)
class ElasticResponse(Walking):
    """Response of a centre and the atoms within ``radius`` to forces and strains, all others held fixed.

    Atoms are bound by pair springs (see ``springs.law_table``), H is the Hessian of the region, G = H⁻¹, and
    Ξ_η the forces that a uniform strain η causes. Features, each with its averages over shells of neighbours:

    | feature | meaning |
    |---|---|
    | rigidity | asinh of the eigenvalues of Σ_j k(r_ij): the centre moved alone |
    | virial, shear_stress | Σ V' r and the deviatoric norm of Σ V' r r̂ r̂ᵀ |
    | affine_modulus, strain_force | Σ_η Σ_j (ηr)·k(ηr), log Σ_η Ξ_η² at the centre; η orthonormal strains |
    | compliance | log of trace and eigenvalues of G at the centre: its mean-square displacement |
    | spread, localisation | log of Σ_a G_a,centre², and of its inverse participation |
    | shear, dilation | log Σ_a of the squared non-affine displacement G Ξ, over the region and at the centre |
    | strain_energy | log of the energy the centre releases under strain |
    | shear_localisation | log of the inverse participation of the non-affine field |
    | imbalance | log (Σ V' r̂)²: small at a minimum of the energy, large while atoms vibrate |

    Soft spots found by linear response predict rearrangements better than any static measure of structure
    (Richard et al., Phys. Rev. Materials 4, 113609 (2020)).

    Attributes:
        species: species told apart, any number.
        law: "contact", "morse" or "spline".
        spring_cutoff: length of the longest spring, Å.
        radius: of the region, Å.
        shells: how many times features are averaged over neighbours.
        shell_cutoff: of those neighbours, Å.
        radii: Å, one per species, for "morse": a spring is at rest at the sum of two.
        steepness: α of "morse", 1/Å.
        softness: eV/Å², added to the diagonal of H so that it can be inverted.
        knots, coefficients: of "spline"; see ``springs.SplinePairs``.
    """

    kind: ClassVar[str] = "elastic_response"

    species: tuple[str, ...]
    law: Literal["contact", "morse", "spline"] = "contact"
    spring_cutoff: float = 4.2
    radius: float = 5.0
    shells: int = 4
    shell_cutoff: float = 3.8
    radii: tuple[float, ...] = ()
    steepness: float = 1.5
    softness: float = 0.05
    knots: tuple[float, ...] = ()
    coefficients: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        for name in ("species", "radii", "knots"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "coefficients", tuple(tuple(line) for line in self.coefficients))
        if not self.species:
            raise GlassError("species must name at least one species, got none")
        if self.law not in ("contact", "morse", "spline"):
            raise GlassError(f"law must be contact, morse or spline, got {self.law!r}")
        for name, least in (("spring_cutoff", 1.0), ("radius", 1.0), ("shell_cutoff", 0.1), ("softness", 1e-6)):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= least):
                raise GlassError(f"{name} must be at least {least}, got {value}")
        if not 0 <= self.shells <= 16:
            raise GlassError(f"shells must lie in 0 … 16, got {self.shells}")
        if self.law == "morse" and len(self.radii) != len(self.species):
            raise GlassError(f"radii must be one per species {', '.join(self.species)}, got {self.radii}")

    @property
    def cutoff(self) -> float:
        """Length of the longest edge: a spring, or from a centre to the rim of its region, Å."""
        return max(self.spring_cutoff, self.radius, self.shell_cutoff)

    @property
    def receptive_field(self) -> float:
        """radius + spring_cutoff + shells × shell_cutoff, Å."""
        return self.radius + self.spring_cutoff + self.shells * self.shell_cutoff

    @property
    def bytes_per_atom(self) -> float:
        """Memory held in single precision: local features, links and where they begin; 248 for stiffness and force."""
        return 4.0 * len(NAMES) + link_bytes(self.shell_cutoff) + 16.0 + 248.0

    @property
    def n_features(self) -> int:
        """Features per atom."""
        return self._columns.width

    @property
    def _columns(self) -> Columns:
        return Columns(len(NAMES), 0, self.shells)

    def names(self) -> list[str]:
        """One name per feature, ``contact0(compliance)``: law, shell, quantity."""
        return [f"{self.law}{k}({name})" for k in range(self.shells + 1) for name in NAMES]

    def walks(self, structure: Structure, centres: Ints | None, dtype: DTypeLike) -> Walks[RowsOf]:
        """Two, for stiffness and then the response of all that ``centres`` (ascending; None: all atoms) need."""
        known = structure.with_species(self.species, owner=f"descriptor {self.kind!r}")
        needed = needed_atoms(known, centres, self.shells * self.shell_cutoff)
        law, reach = self._law(), max(self.radius, self.shell_cutoff)
        n = known.n_atoms
        fields = np.empty((n, 3, 3)), np.empty((n, 6, 3)), np.empty((n, 4))
        near = needed_atoms(known, needed, self.radius)
        yield Walk(self.spring_cutoff, near, lambda block: self._stiffness(known, block, law, fields), _STIFFNESS)

        def local(block: Neighbours, table: Features) -> Neighbours:
            self._respond(known, block.within(self.radius), law, fields, table)
            return block.within(self.shell_cutoff)

        shells = yield from shell_walk(known, needed, reach, self.shell_cutoff, self._columns, local, dtype)
        return shells.rows

    def _law(self) -> NDArray[np.float64]:
        spline = SplinePairs(self.knots, self.coefficients) if self.coefficients else None
        radii = self.radii or (0.0,) * len(self.species)
        return law_table(self.law, radii, self.steepness, self.spring_cutoff, spline)

    def _respond(
        self, structure: Structure, region: Neighbours, law: NDArray[np.float64], fields: Fields, table: Features
    ) -> None:
        """Local features of the centres of a block."""
        from glass_core.kernels import elastic

        pairs, flat, width = pair_numbers(len(self.species)), table.reshape(-1), table.shape[1]
        for_ranges(
            lambda a, b: elastic.respond(
                a, b, region.offsets, region.centres_m, region.j_p, region.vectors_pc, structure.types_n, pairs,
                law, SPACING, self.spring_cutoff, self.radius, self.softness, *fields, flat, width,
            ),
            len(region.centres_m),
        )  # fmt: skip

    def _stiffness(self, structure: Structure, block: Neighbours, law: NDArray[np.float64], fields: Fields) -> None:
        """Per-atom sums over all neighbours, of the centres of a block."""
        from glass_core.kernels import elastic

        pairs = pair_numbers(len(self.species))
        for_ranges(
            lambda a, b: elastic.local_stiffness(
                a, b, block.offsets, block.centres_m, block.j_p, block.vectors_pc, structure.types_n, pairs,
                law, SPACING, *fields,
            ),
            len(block.centres_m),
        )  # fmt: skip
