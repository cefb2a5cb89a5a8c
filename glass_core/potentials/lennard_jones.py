"""Lennard-Jones potentials of one or several species, on the same surfaces as embedded-atom ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glass_core.errors import GlassError
from glass_core.potentials.local import BoundTables
from glass_core.potentials.splines import Radial
from glass_core.potentials.tables import PairFunctions, Tables, build_tables
from glass_core.structure import Floats, Structure

Matrix = float | tuple[tuple[float, ...], ...]
_INNER = 0.6
_VERSION = 1


@dataclass(frozen=True)
class LennardJonesPotential:
    """``φ(r) = 4 ε [(σ/r)¹² − (σ/r)⁶]`` less what makes it end at the cutoff.

    Shift "energy" subtracts φ(cutoff): the energy is continuous, the force ends with a jump (LAMMPS ``lj/cut`` with
    ``pair_modify shift yes``). Shift "force" subtracts the tangent at the cutoff too: both are continuous (LAMMPS
    ``lj/smooth/linear``). Below 0.6 σ the energy goes on as a straight line in r².

    Units are those of the numbers given, Å and eV or reduced ones; lengths of the structure are in the same unit.

    Attributes:
        epsilon: ε, one number, or a symmetric matrix by species as tuples.
        sigma: σ, likewise.
        cutoff: likewise.
        species: names in the order of the matrices; any species if empty, which takes plain numbers.
        shift: "energy" or "force".

    >>> argon = LennardJonesPotential(0.0104, 3.40, 8.5)
    >>> dimer = Structure([[0, 0, 0], [3.40 * 2 ** (1 / 6), 0, 0]], [0, 0], ("Ar",))
    >>> energy, forces = argon.bind(dimer).region(0, None).surface.energy_forces(dimer.positions_nc)
    >>> energy
    0.0
    """

    epsilon: Matrix = 1.0
    sigma: Matrix = 1.0
    cutoff: Matrix = 2.5
    species: tuple[str, ...] = ()
    shift: Literal["energy", "force"] = "energy"

    def __post_init__(self) -> None:
        """Refuses numbers that make no potential."""
        for what in ("epsilon", "sigma", "cutoff"):
            values = self._matrix(what, max(len(self.species), 1))
            if not (np.isfinite(values).all() and (values > 0).all()):
                raise GlassError(f"{what} must be > 0, got {getattr(self, what)}")
        if (self._matrix("cutoff", 0) <= _INNER * self._matrix("sigma", 0)).any():
            raise GlassError(f"cutoff must be larger than {_INNER} sigma, got {self.cutoff} and {self.sigma}")
        if self.shift not in ("energy", "force"):
            raise GlassError(f"shift must be 'energy' or 'force', got {self.shift!r}")

    @property
    def name(self) -> str:
        """Lennard-Jones and the species."""
        return f"Lennard-Jones {'-'.join(self.species)}".strip()

    @property
    def digest(self) -> str:
        """Hash of the settings."""
        return hashlib.sha256(f"{_VERSION} {self!r}".encode()).hexdigest()

    def bind(self, structure: Structure) -> BoundTables:
        """The potential for one structure.

        Raises:
            GlassError: for an unknown species, or atoms that coincide.
        """
        species = self.species or structure.species
        cure = "give epsilon, sigma and cutoff for it"
        return BoundTables.of(
            structure.with_species(species, f"the potential {self.name}", cure), self._tables(len(species))
        )

    def _matrix(self, what: str, kinds: int) -> Floats:
        """One of the settings by species."""
        kinds = kinds or max(len(self.species), 1)
        values = np.asarray(getattr(self, what), dtype=np.float64)
        if values.ndim == 0:
            return np.full((kinds, kinds), float(values))
        if values.shape != (len(self.species),) * 2 or not np.array_equal(values, values.T):
            raise GlassError(
                f"{what} must be a number or a symmetric matrix by the {len(self.species)} species, "
                f"got {values.tolist()}"
            )
        return values

    def _tables(self, kinds: int) -> Tables:
        epsilon, sigma, cutoff = (self._matrix(what, kinds) for what in ("epsilon", "sigma", "cutoff"))
        pair = [
            [_function(epsilon[a, b], sigma[a, b], cutoff[a, b], self.shift == "force") for b in range(kinds)]
            for a in range(kinds)
        ]
        none = np.zeros((kinds, kinds))
        functions = PairFunctions(pair, None, cutoff, none, _INNER * sigma)
        return build_tables(functions, np.zeros((kinds, 1, 4)), 1.0)


def _function(epsilon: float, sigma: float, cutoff: float, tangent: bool) -> Radial:
    """φ and its derivative; zero from the cutoff on."""

    def plain(r: Floats) -> tuple[Floats, Floats]:
        six = (sigma / r) ** 6
        return 4.0 * epsilon * (six * six - six), -24.0 * epsilon * (2.0 * six * six - six) / r

    end, slope = (float(value[0]) for value in plain(np.array([cutoff])))
    slope = slope if tangent else 0.0

    def shifted(r: Floats) -> tuple[Floats, Floats]:
        energies, slopes = plain(r)
        # The last point of the grid may lie beyond the cutoff by rounding; it is the end of the last piece.
        inside = r <= cutoff * (1 + 1e-9)
        return np.where(inside, energies - end - slope * (r - cutoff), 0.0), np.where(inside, slopes - slope, 0.0)

    return shifted
