"""From a structure file to the header of a campaign: at a minimum, or relaxed to one."""

from __future__ import annotations

import math
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from glass_core.campaign.header import Header
from glass_core.campaign.label_file import is_label_file, read_labels
from glass_core.errors import GlassError
from glass_core.frame import Frame
from glass_core.paths import AnyPath, is_file
from glass_core.potentials.base import BoundPotential, Potential, SharedEnergy
from glass_core.saddle.counted import Counted
from glass_core.saddle.lanczos import Mode, lowest_mode
from glass_core.saddle.minimise import minimise
from glass_core.saddle.settings import ArtnSettings
from glass_core.structure import Floats, Structure, replace_fields
from glass_core.surface import Surface
from glass_core.versions import versions

_RELAXED = 0.5  # of the force that a minimum may have
_MOST = 20_000
_FALLS = 10  # relaxations from saddles
_VECTORS, _FEW = 60, 10  # Lanczos vectors for the lowest curvature of the whole, fewer where
_NUMBERS = 30_000_000  # numbers of all of them would be more than this
_SHAKEN, _SHAKE = "shaken_energy", 0.05  # Å
_SAME_ENERGY = 1e-3  # relative; calculators in single precision differ by less


@dataclass(frozen=True, eq=False)
class Beginning:
    """How to begin.

    Attributes:
        potential: of the searches.
        settings: of the searches.
        seed: of the campaign.
        relax: whether to relax a structure that is not at a minimum.
    """

    potential: Potential
    settings: ArtnSettings
    seed: int = 0
    relax: bool = False

    def __call__(self, frame: Frame, file: AnyPath, path: AnyPath) -> Header:
        """The header of a campaign; with the structure in the label file, if there is one.

        Args:
            frame: the structure as it was read.
            file: from where.
            path: of the label file.

        Raises:
            GlassError: for no atoms, a species that the potential lacks, a structure that is not at a minimum, or a
                label file of another structure or of a potential that gave other energies.
        """
        structure = frame.structure
        if not structure.n_atoms:
            raise GlassError(f"{file} holds no atoms; give another structure")
        if is_label_file(path) or is_file(path):
            known = read_labels(path).header
            known.require_structure(structure, str(path))
            bound = self.potential.bind(known.structure)
            if known.potential_digest == self.potential.digest:
                _require_same_energies(bound, known, str(path))
            energies = _energies(bound) if known.energy_n is None else known.energy_n
            return self._header(known.structure, frame, dict(known.source), energies)
        bound = self.potential.bind(structure)
        minimum = self._minimum(structure, bound, str(file))
        if minimum is not structure:
            bound = self.potential.bind(minimum)
        source: dict[str, Any] = {
            "file": pathlib.Path(file).name,
            "relaxed": minimum is not structure,
            "versions": versions("numpy", "numba"),
        }
        shaken = _shaken_energy(bound, minimum)
        if shaken is not None:
            source[_SHAKEN] = shaken
        return self._header(minimum, frame, source, _energies(bound))

    def _header(self, minimum: Structure, frame: Frame, source: dict[str, Any], energy_n: Floats | None) -> Header:
        name, digest = self.potential.name, self.potential.digest
        given = frame.structure.positions_nc
        return Header(minimum, frame.ids_n, name, digest, self.settings, self.seed, given, source, energy_n)

    def _minimum(self, structure: Structure, bound: BoundPotential, file: str) -> Structure:
        """The structure, relaxed if it has to be."""
        region = bound.region(0, None)
        positions = structure.positions_nc[region.moving_m]
        force_n = np.linalg.norm(region.surface.energy_forces(positions)[1], axis=1)
        most, cure = self.settings.minimum_force, "add --relax, or give the potential that it was made with"
        if force_n.max() > most and not self.relax:
            atom = int(region.moving_m[force_n.argmax()])
            raise GlassError(
                f"{file} is not at a minimum of {self.potential.name}: the force on atom {atom} is {force_n.max():.3g} "
                f"eV/Å, more than {most:g}; {cure}"
            )
        found = positions if force_n.max() <= most else self._relaxed(region.surface, positions, file)
        for _ in range(_FALLS):
            mode = self._softest(region.surface, found)
            if not mode.curvature < self.settings.climb.second_curvature:
                break
            if not self.relax:
                atom = int(region.moving_m[np.linalg.norm(mode.direction_nc, axis=1).argmax()])
                raise GlassError(
                    f"{file} is not at a minimum of {self.potential.name} but at a saddle: forces vanish, yet the "
                    f"energy falls along a direction in which atom {atom} moves most (curvature {mode.curvature:.3g} "
                    f"eV/Å²); {cure}"
                )
            found = self._relaxed(region.surface, self._off(region.surface, found, mode), file)
        else:
            raise GlassError(
                f"{file} still is at a saddle after {_FALLS} relaxations; relax it with LAMMPS or ASE first"
            )
        if found is positions:
            return structure
        relaxed = structure.positions_nc.copy()
        relaxed[region.moving_m] = found
        return replace_fields(structure, positions_nc=relaxed)

    def _relaxed(self, surface: Surface, positions_nc: Floats, file: str) -> Floats:
        """Where forces vanish, downhill from here."""
        force = _RELAXED * self.settings.minimum_force
        result = minimise(surface, positions_nc, force, _MOST, relax=self.settings.relax)
        if not result.converged:
            raise GlassError(
                f"{file} could not be relaxed: the largest force is still {result.force:.3g} eV/Å after {result.steps} "
                f"steps, more than {force:g}; relax it with LAMMPS or ASE first"
            )
        return result.positions_nc

    def _softest(self, surface: Surface, positions_nc: Floats) -> Mode:
        """The direction of lowest curvature, as far as some Lanczos vectors tell: no minimum seems to be a saddle."""
        forces = surface.energy_forces(positions_nc)[1]
        curvature = Counted(surface, self.settings.modes.difference).curvature(positions_nc, forces)
        vectors = min(positions_nc.size, _VECTORS, max(_FEW, _NUMBERS // positions_nc.size))
        start = np.random.default_rng(0).normal(size=positions_nc.shape)
        return lowest_mode(curvature, start, vectors, np.empty((0, positions_nc.size)), 0.0)

    def _off(self, surface: Surface, positions_nc: Floats, mode: Mode) -> Floats:
        """Down from a saddle along its mode, until forces pull away from it."""
        forces = surface.energy_forces(positions_nc)[1]
        down = math.copysign(self.settings.sides.push, float(np.vdot(forces, mode.direction_nc)))
        for length in range(1, self.settings.sides.pushes + 1):
            off = positions_nc + length * down * mode.direction_nc
            force_n = np.linalg.norm(surface.energy_forces(off)[1], axis=1)
            if force_n.max() > self.settings.minimum_force:
                break
        return off


def _shaken_energy(bound: BoundPotential, structure: Structure) -> float | None:
    """Energy of the structure with all atoms displaced a little at random, above that at rest, eV; None if it has none.

    Tells potentials apart whose digest is the same, as of an ASE calculator that reads its weights from a file.
    """
    region = bound.region(0, None)
    places = structure.positions_nc[region.moving_m]
    shaken = places + np.random.default_rng(0).normal(0, _SHAKE, places.shape)
    try:
        energy = float(region.surface.energy_forces(shaken)[0])
    except Exception:  # noqa: BLE001 - whatever a potential raises, which is no reason not to begin
        return None
    return energy if math.isfinite(energy) else None


def _require_same_energies(bound: BoundPotential, known: Header, path: str) -> None:
    before = known.source.get(_SHAKEN)
    now = None if before is None else _shaken_energy(bound, known.structure)  # None: a file of before, or no energy
    if before is None or now is None:
        return
    if not math.isclose(now, before, rel_tol=_SAME_ENERGY, abs_tol=_SAME_ENERGY):
        raise GlassError(
            f"{path} was begun with a {known.potential} that gave other energies (its atoms shaken by {_SHAKE} Å cost "
            f"{before:.6g} eV then, {now:.6g} eV now); restore the files that it reads, such as weights, or give "
            "another name with -o"
        )


def _energies(bound: BoundPotential) -> Floats | None:
    """Energy of each atom, eV; None from a potential that does not tell."""
    return bound.atom_energies() if isinstance(bound, SharedEnergy) else None
