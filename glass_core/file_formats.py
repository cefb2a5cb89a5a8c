"""Writers of annotated structures that need no host: LAMMPS dump and HDF5."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, TextIO

import numpy as np

from glass_core.files import replacing, replacing_hdf5
from glass_core.frame import Frame
from glass_core.hookspecs import hookimpl
from glass_core.outputs import PerAtom, output
from glass_core.structure import Floats

_THINNEST_BOX = 1e-3  # Å; where all atoms lie in a plane, the box gets 1 Å


@hookimpl
def glass_writers() -> dict[str, str]:
    """Endings of file names and the functions that write such files."""
    return {
        ".dump": "glass_core.file_formats:write_dump",
        ".lammpstrj": "glass_core.file_formats:write_dump",
        ".h5": "glass_core.file_formats:write_hdf5",
    }


def write_dump(
    path: str | os.PathLike[str], frame: Frame, outputs: Mapping[str, PerAtom], info: Mapping[str, Any]
) -> None:
    """LAMMPS text dump with columns id, type, element, x, y, z and one column per output (OVITO reads it).

    Types keep the numbers of the file they came from. Along a direction without a box vector, the box is as
    wide as the atoms.
    """
    structure = frame.structure
    numbers_n = structure.types_n + 1 if frame.numbers_n is None else frame.numbers_n
    integers = [output(name).integer for name in outputs]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as handle:
        timestep = int(frame.info.get("timestep", 0))
        handle.write(f"ITEM: TIMESTEP\n{timestep}\nITEM: NUMBER OF ATOMS\n{structure.n_atoms}\n")
        origin, cell, rotation = _restricted(frame)
        _write_box(handle, origin, cell, structure.pbc)
        names = [output(name).ase for name in outputs]
        handle.write(" ".join(["ITEM: ATOMS id type element x y z", *names]) + "\n")
        symbols = structure.symbols()
        positions = structure.positions_nc @ rotation
        columns = [outputs[name].values for name in outputs]
        template = " ".join(["%d %d %s %.9g %.9g %.9g", *("%d" if whole else "%.9g" for whole in integers)]) + "\n"
        for n in range(structure.n_atoms):
            row = (frame.ids_n[n], numbers_n[n], symbols[n], *positions[n], *(c[n] for c in columns))
            handle.write(template % row)


def _around_atoms(frame: Frame) -> tuple[Floats, Floats]:
    """Origin and cell, with box vectors that were not given as long as the atoms reach."""
    structure = frame.structure
    origin = np.array(frame.info.get("origin", np.zeros(3)), dtype=np.float64)
    cell = structure.cell_cc.copy()
    along_na = (structure.positions_nc - origin) @ np.linalg.inv(cell)
    for axis in np.flatnonzero(~np.array(structure.given)):
        low, high = (along_na[:, axis].min(), along_na[:, axis].max()) if structure.n_atoms else (0.0, 0.0)
        if high - low < _THINNEST_BOX:
            low, high = low - 0.5, high + 0.5
        origin += low * structure.cell_cc[axis]
        cell[axis] *= high - low
    return origin, cell


def _restricted(frame: Frame) -> tuple[Floats, Floats, Floats]:
    """Origin, cell in LAMMPS's lower triangular form, and the rotation that brings positions there."""
    origin, cell = _around_atoms(frame)
    if np.allclose(cell, np.tril(cell)) and (np.diag(cell) > 0).all():
        return origin, cell, np.eye(3)
    q, r = np.linalg.qr(cell.T)
    signs = np.sign(np.diag(r))
    lower = (r * signs[:, None]).T
    rotation = q * signs
    return origin @ rotation, lower, rotation


def _write_box(handle: TextIO, origin: Floats, cell: Floats, pbc: tuple[bool, bool, bool]) -> None:
    flags = " ".join("pp" if periodic else "ff" for periodic in pbc)
    low, high = origin, origin + np.diag(cell)
    if np.allclose(cell, np.diag(np.diag(cell))):
        handle.write(f"ITEM: BOX BOUNDS {flags}\n")
        handle.writelines(f"{low[c]:.12g} {high[c]:.12g}\n" for c in range(3))
        return
    xy, xz, yz = cell[1, 0], cell[2, 0], cell[2, 1]
    handle.write(f"ITEM: BOX BOUNDS xy xz yz {flags}\n")
    handle.write(f"{low[0] + min(0, xy, xz, xy + xz):.12g} {high[0] + max(0, xy, xz, xy + xz):.12g} {xy:.12g}\n")
    handle.write(f"{low[1] + min(0, yz):.12g} {high[1] + max(0, yz):.12g} {xz:.12g}\n")
    handle.write(f"{low[2]:.12g} {high[2]:.12g} {yz:.12g}\n")


def write_hdf5(
    path: str | os.PathLike[str], frame: Frame, outputs: Mapping[str, PerAtom], info: Mapping[str, Any]
) -> None:
    """HDF5: positions, types, ids, cell and one dataset ``glass_<name>`` per output, each with its unit.

    Rows of the cell that were not given are zero.
    """
    structure = frame.structure
    cell = structure.cell_cc * np.array(structure.given)[:, None]
    with replacing_hdf5(path) as handle:
        handle.attrs["schema"] = "glass-prediction"
        handle.attrs["version"] = 1
        handle.attrs["species"] = json.dumps(list(structure.species))
        handle.attrs["pbc"] = structure.pbc
        handle.attrs["info"] = json.dumps(dict(info))
        for name, values, unit in (
            ("positions", structure.positions_nc, "Å"),
            ("types", structure.types_n, ""),
            ("ids", frame.ids_n, ""),
            ("cell", cell, "Å"),
            *((output(name).ase, per_atom.values, per_atom.unit) for name, per_atom in outputs.items()),
        ):
            handle.create_dataset(name, data=values).attrs["unit"] = unit
