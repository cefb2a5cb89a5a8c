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
_ID = "i_id_of_the_file"


@dataclass(frozen=True)
class Chunk:
    """Text of one frame: header lines, names of the columns, the fields of each atom."""

    header: list[str]
    columns: list[str]
    rows: list[list[str]]


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
    if (timestep := _integers(chunk.header[1:2])) is not None:
        atoms.info["timestep"] = int(timestep[0])
    for name in ("id", "type"):
        atoms.arrays.pop(name, None)
        if name in chunk.columns and (values := _integers(_column(chunk, name))) is not None:
            atoms.arrays[name] = values
    atoms.arrays.pop(_ID, None)
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
    rows = [line.split() for line in lines[place + 1 : place + 1 + n_atoms]]
    whole = len(rows) - int(bool(rows) and len(rows[-1]) < len(columns))
    if whole < n_atoms:
        raise GlassError(f"{source} is cut short: {whole} of {n_atoms} atoms; choose an earlier frame")
    return Chunk(lines[:place], columns, rows)


def _names(chunk: Chunk, source: str) -> NDArray[np.str_]:
    for name in ("element", "typelabel", "type"):
        if name in chunk.columns:
            return np.asarray(_column(chunk, name), dtype=str)
    raise GlassError(f"{source} has no column type or element, so the species are unknown; add one to the dump")


def _integers(values: list[str]) -> NDArray[np.int64] | None:
    """Whole numbers, or None where something else is among them (types may have labels)."""
    try:
        return np.array([int(value) for value in values], dtype=np.int64)
    except (ValueError, OverflowError):
        return None


def _column(chunk: Chunk, name: str) -> list[str]:
    column = chunk.columns.index(name)
    return [row[column] for row in chunk.rows]


def _build(chunk: Chunk) -> Atoms:
    """ASE's atoms. The column id goes by a name it does not sort by; names it cannot read are replaced."""
    columns = [_ID if name == "id" else name for name in chunk.columns]
    rows = chunk.rows
    if "element" in columns:
        elements = _column(chunk, "element")
        if not atomic_numbers.keys() >= set(elements):
            known = [name if name in atomic_numbers else "X" for name in elements]  # ASE's dummy
            rows = _with_column(rows, columns.index("element"), known)
    if "typelabel" in columns:
        column = columns.index("typelabel")
        rows = _with_column(rows, column, ["1"] * len(rows))
        columns[column] = "i_typelabel" if "type" in columns else "type"
    if "type" in chunk.columns and _integers(_column(chunk, "type")) is None:
        rows = _with_column(rows, columns.index("type"), ["1"] * len(rows))
    header = [_with_flags(line) for line in chunk.header]
    text = "\n".join([*header, " ".join(["ITEM: ATOMS", *columns]), *(" ".join(row) for row in rows)]) + "\n"
    with warnings.catch_warnings():
        if not rows:
            warnings.filterwarnings("ignore", "loadtxt: input contained no data")
        return read_lammps_dump_text(io.StringIO(text), index=0)


def _with_column(rows: list[list[str]], column: int, values: list[str]) -> list[list[str]]:
    return [[*row[:column], value, *row[column + 1 :]] for row, value in zip(rows, values, strict=True)]


def _with_flags(line: str) -> str:
    """A line of old dumps that does not tell what is periodic, read as OVITO reads it: everything is."""
    if line.startswith("ITEM: BOX BOUNDS") and line.split()[3:] in ([], ["xy", "xz", "yz"]):
        return f"{line.rstrip()} pp pp pp"
    return line


def _scaled(columns: list[str]) -> bool:
    """Whether ASE takes the scaled coordinates (it prefers x, xs, xu, xsu, in this order)."""
    first = next((name for name in ("x", "xs", "xu", "xsu") if name in columns), None)
    return first in ("xs", "xsu")
