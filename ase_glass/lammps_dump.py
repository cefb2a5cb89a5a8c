"""LAMMPS text dumps through ASE's reader, with ids, numeric types and cut files taken care of.

ASE's reader sorts the atoms by id and drops the ids, takes type 1 for hydrogen, guesses elements from
masses, and leaves the box's origin out of scaled coordinates.
"""

from __future__ import annotations

import gzip
import io
import os
import pathlib
import warnings
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io.lammpsrun import read_lammps_dump_text
from numpy.typing import NDArray

from glass_core import GlassError
from glass_core.lammps_files import missing_coordinates

_COUNT, _COLUMNS = "ITEM: NUMBER OF ATOMS", "ITEM: ATOMS"


@dataclass(frozen=True)
class Chunk:
    """Text of one frame: header lines, names of the columns, one line per atom."""

    header: list[str]
    columns: list[str]
    rows: list[str]


def is_dump(path: str | os.PathLike[str]) -> bool:
    """Whether the file begins as a LAMMPS text dump does."""
    with _open(path) as handle:
        return handle.read(5) == b"ITEM:"


def read_dump(path: str | os.PathLike[str], index: int) -> tuple[Atoms, NDArray[np.str_]]:
    """One frame of a dump, atoms in the order of the file.

    Args:
        path: dump, may be compressed (``.gz``).
        index: which frame; negative numbers count from the end.

    Returns:
        The atoms, with ids and numbers of types in ``arrays["id"]`` and ``arrays["type"]``, and per atom what the
        file calls its species: the element, else the type's number.

    Raises:
        GlassError: for a frame that does not exist, is cut short, gives neither types nor elements, or lacks a
            coordinate.
    """
    chunk = _split(_frame_text(path, index), f"frame {index} of {path}")
    names = _names(chunk, str(path))
    missing = missing_coordinates(chunk.columns)
    if missing:
        raise GlassError(f"{path} has no column for coordinate {', '.join(missing)}; add it to the dump")
    atoms = _build(chunk)
    # What ASE drops, or keeps in ways that depend on its version:
    timestep = chunk.header[1] if len(chunk.header) > 1 else ""
    if timestep.strip().isdecimal():
        atoms.info["timestep"] = int(timestep)
    for name in ("id", "type"):
        values = _column(chunk, name) if name in chunk.columns else [""]
        if all(value.isdecimal() for value in values):  # types may have labels
            atoms.arrays[name] = np.array(values, dtype=np.int64)
    if _scaled(chunk.columns):
        atoms.positions += atoms.get_celldisp().ravel()
    return atoms, names


def _open(path: str | os.PathLike[str]) -> BinaryIO:
    return gzip.open(path, "rb") if pathlib.Path(path).suffix == ".gz" else pathlib.Path(path).open("rb")  # type: ignore[return-value]


def _frame_text(path: str | os.PathLike[str], index: int) -> str:
    starts, end = [], 0
    with _open(path) as handle:
        for line in handle:
            if line.startswith(b"ITEM: TIMESTEP"):
                starts.append(end)
            end += len(line)
        if not -len(starts) <= index < len(starts):
            raise GlassError(f"frame {index} of {path} does not exist; it has {len(starts)}, counted from 0")
        number = index % len(starts)
        handle.seek(starts[number])
        return handle.read([*starts, end][number + 1] - starts[number]).decode()


def _split(text: str, source: str) -> Chunk:
    lines = text.splitlines()
    place = next((k for k, line in enumerate(lines) if line.startswith(_COLUMNS)), None)
    count = next((k for k, line in enumerate(lines) if line.startswith(_COUNT)), None)
    if place is None or count is None:
        raise GlassError(f"{source} is cut short: its header is incomplete; choose an earlier frame")
    n_atoms = int(lines[count + 1])
    columns = lines[place].split()[2:]
    rows = lines[place + 1 : place + 1 + n_atoms]
    whole = len(rows) - int(bool(rows) and len(rows[-1].split()) < len(columns))
    if whole < n_atoms:
        raise GlassError(f"{source} is cut short: {whole} of {n_atoms} atoms; choose an earlier frame")
    return Chunk(lines[:place], columns, rows)


def _names(chunk: Chunk, source: str) -> NDArray[np.str_]:
    for name in ("element", "type"):
        if name in chunk.columns:
            return np.asarray(_column(chunk, name), dtype=str)
    raise GlassError(f"{source} has no column type or element, so the species are unknown; add one to the dump")


def _column(chunk: Chunk, name: str) -> list[str]:
    column = chunk.columns.index(name)
    return [row.split()[column] for row in chunk.rows]


def _build(chunk: Chunk) -> Atoms:
    """ASE's atoms. The column id goes by the name i_id, which it does not sort by."""
    columns = ["i_id" if name == "id" else name for name in chunk.columns]
    rows = chunk.rows
    if "element" in columns and any(row.split()[columns.index("element")] not in atomic_numbers for row in rows):
        rows = [_without_element(row.split(), columns.index("element")) for row in rows]
    header = [_with_flags(line) for line in chunk.header]
    text = "\n".join([*header, " ".join(["ITEM: ATOMS", *columns]), *rows]) + "\n"
    with warnings.catch_warnings():
        if not rows:
            warnings.filterwarnings("ignore", "loadtxt: input contained no data")
        return read_lammps_dump_text(io.StringIO(text), index=0)


def _with_flags(line: str) -> str:
    """A line of old dumps that does not tell what is periodic, read as OVITO reads it: everything is."""
    if line.startswith("ITEM: BOX BOUNDS") and line.split()[3:] in ([], ["xy", "xz", "yz"]):
        return f"{line.rstrip()} pp pp pp"
    return line


def _without_element(fields: list[str], column: int) -> str:
    """A row whose element, a name that is no element's, has become ASE's dummy X."""
    return " ".join([*fields[:column], "X", *fields[column + 1 :]])


def _scaled(columns: list[str]) -> bool:
    """Whether ASE takes the scaled coordinates (it prefers x, xs, xu, xsu, in this order)."""
    first = next((name for name in ("x", "xs", "xu", "xsu") if name in columns), None)
    return first in ("xs", "xsu")
