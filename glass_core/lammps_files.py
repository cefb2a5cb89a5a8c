"""What LAMMPS text files say before their atoms: columns of a dump, names of the atom types of a data file."""

from __future__ import annotations

import gzip
import os
import pathlib
import re
from collections.abc import Collection
from typing import TextIO, cast

from glass_core.errors import GlassError

AnyPath = str | os.PathLike[str]

_HEADER_CHARACTERS = 20_000
_ATOM_COUNT = re.compile(r"^\s*\d+\s+atoms\s*(#.*)?$", re.MULTILINE)
_BOX = re.compile(r"\bxlo\s+xhi\b|\bavec\b")
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_GZIP = b"\x1f\x8b"
_COORDINATE_FORMS = ("", "s", "u", "su")


def missing_coordinates(columns: Collection[str]) -> str:
    """Those of x, y and z that no column of a dump gives, plain, scaled or unwrapped.

    >>> missing_coordinates(["id", "type", "xs", "ys"])
    'z'
    """
    return "".join(axis for axis in "xyz" if not any(axis + form in columns for form in _COORDINATE_FORMS))


def dump_columns(path: AnyPath) -> list[str] | None:
    """Names of the columns of a text dump's first frame; None for any other file."""
    head = _head(path)
    if not head.startswith("ITEM:"):
        return None
    lines = (line for line in head.splitlines() if line.startswith("ITEM: ATOMS"))
    return next(lines, "").split()[2:] or None


def is_data_file(path: AnyPath) -> bool:
    """Whether the file begins as a LAMMPS data file does: a number of atoms, and a box."""
    head = _head(path).partition("\n")[2]  # the first line is a comment
    return bool(_ATOM_COUNT.search(head) and _BOX.search(head))


def type_names(path: AnyPath) -> dict[int, str]:
    """Names that a LAMMPS data file gives to its atom types before its atoms.

    These are type labels, and comments behind masses that read like a chemical symbol (``1 63.546  # Cu``).
    """
    names: dict[int, str] = {}
    section = ""
    with _open(path) as handle:
        handle.readline()
        for line in handle:
            text, _, comment = line.partition("#")
            words = text.split()
            if words and words[0][0].isalpha() and words[-1][0].isalpha():
                section = " ".join(words)
            if section == "Atoms":
                break
            if len(words) != 2 or not words[0].isdecimal():
                continue
            if section == "Atom Type Labels":
                names[int(words[0])] = words[1]
            elif section == "Masses" and _SYMBOL.fullmatch(comment.strip()):
                names.setdefault(int(words[0]), comment.strip())
    return names


def _head(path: AnyPath) -> str:
    try:
        with _open(path) as handle:
            return handle.read(_HEADER_CHARACTERS)
    except (OSError, EOFError) as error:
        raise GlassError(f"cannot read {path}: {error}; is it complete?") from error


def _open(path: AnyPath) -> TextIO:
    with pathlib.Path(path).open("rb") as handle:
        compressed = handle.read(len(_GZIP)) == _GZIP
    if compressed:
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8", errors="replace"))
    return pathlib.Path(path).open(encoding="utf-8", errors="replace")
