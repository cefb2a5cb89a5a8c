"""Embedded-atom potentials from the files that LAMMPS reads: ``eam/alloy`` and ``eam/fs`` (DYNAMO setfl)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glass_core.errors import GlassError
from glass_core.paths import AnyPath, existing_file
from glass_core.structure import Floats

_COMMENTS = 3
_HEADER_WORDS = 4
_GRID_WORDS = 5
_MOST_POINTS = 10_000_000
_FEWEST_POINTS = 5


@dataclass(frozen=True, eq=False)
class EamFile:
    """Tables of an embedded-atom potential ``E = Σ_i F_i(ρ_i) + Σ_{i<j} φ_ij(r)``, ``ρ_i = Σ_j ρ_ji(r)``.

    Suffix letters: t species, k point of a table, counted from zero distance or density.

    Attributes:
        species: chemical symbols.
        form: "alloy" (densities depend on their source alone) or "fs" (on source and receiver).
        density_step: between points of the embedding energy, unit of the density.
        distance_step: between points of the other tables, Å.
        cutoff: beyond which nothing interacts, Å.
        embedding_tk: F, eV.
        density_ttk: density that an atom of the first species makes at one of the second.
        pair_ttk: r φ, eV Å, symmetric in the species.
    """

    species: tuple[str, ...]
    form: str
    density_step: float
    distance_step: float
    cutoff: float
    embedding_tk: Floats
    density_ttk: Floats
    pair_ttk: Floats


@dataclass(frozen=True)
class _Header:
    """Lines 4 and 5."""

    species: tuple[str, ...]
    densities: int
    density_step: float
    distances: int
    distance_step: float
    cutoff: float

    def values(self, form: str) -> int:
        """How many numbers a file of that form holds after line 5, without the header of each element."""
        n = len(self.species)
        tables = n * (n if form == "fs" else 1) + n * (n + 1) // 2
        return n * self.densities + tables * self.distances


def read_eam(path: AnyPath) -> EamFile:
    """Reads an ``eam/alloy`` or ``eam/fs`` file; the number of values tells which of the two it is.

    Raises:
        GlassError: if the file is missing, damaged or of another kind.
    """
    file = existing_file(path, "potential file")
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    header = _read_header(file, lines)
    body = [line.split() for line in lines[_COMMENTS + 2 :]]
    form = _form(file, header, sum(map(len, body)))
    rows = iter(body)
    n, fs = len(header.species), form == "fs"
    embedding = np.empty((n, header.densities))
    density = np.empty((n, n, header.distances))
    pair = np.empty((n, n, header.distances))
    for a, name in enumerate(header.species):
        if len(next(rows, [])) < 2:
            raise GlassError(f"{file}: no line with number and mass of element {name}; {_CURE}")
        embedding[a] = _table(file, rows, header.densities, f"the embedding energy of {name}")
        for b in range(n if fs else 1):
            density[a, b] = _table(file, rows, header.distances, f"density {b + 1} of {name}")
        if not fs:
            density[a, 1:] = density[a, 0]
    for a in range(n):
        for b in range(a + 1):
            what = f"the pair energy of {header.species[a]} and {header.species[b]}"
            pair[a, b] = pair[b, a] = _table(file, rows, header.distances, what)
    if more := sum(map(len, rows)):
        raise GlassError(f"{file} is of another kind: it holds {more} values after those of eam/{form}; {_CURE}")
    steps = (header.density_step, header.distance_step, header.cutoff)
    return EamFile(header.species, form, *steps, embedding, density, pair)


_CURE = "get the file again, or give one of pair style eam/alloy or eam/fs"


def _read_header(file: Path, lines: list[str]) -> _Header:
    if len(lines) < _COMMENTS + 2:
        raise GlassError(f"{file} has {len(lines)} lines, which is no eam/alloy or eam/fs file; {_CURE}")
    names, grid = lines[_COMMENTS].split(), lines[_COMMENTS + 1].split()
    if not names or not names[0].isdecimal() or int(names[0]) != len(names) - 1 or len(names) < 2:
        text = lines[_COMMENTS][:60]
        raise GlassError(f"{file}: line 4 must hold the number of elements and their names, got {text!r}; {_CURE}")
    if len(set(names)) != len(names):
        raise GlassError(f"{file}: line 4 names an element twice: {' '.join(names[1:])}; {_CURE}")
    try:
        counts, steps = (int(grid[0]), int(grid[2])), (float(grid[1]), float(grid[3]), float(grid[4]))
    except (ValueError, IndexError):
        text = lines[_COMMENTS + 1][:60]
        raise GlassError(f"{file}: line 5 must hold Nrho drho Nr dr cutoff, got {text!r}; {_CURE}") from None
    if len(grid) > _GRID_WORDS and _is_number(grid[_GRID_WORDS]):
        text = lines[_COMMENTS + 1][:80]
        raise GlassError(
            f"{file} is of another kind: line 5 must hold Nrho drho Nr dr cutoff alone, got {text!r}; {_CURE}"
        )
    header = _Header(tuple(names[1:]), counts[0], steps[0], counts[1], steps[1], steps[2])
    if not all(_FEWEST_POINTS <= count <= _MOST_POINTS for count in counts):
        raise GlassError(f"{file}: tables must have 5 to {_MOST_POINTS} points, got {counts[0]} and {counts[1]}")
    if not all(np.isfinite(step) and step > 0 for step in steps):
        raise GlassError(f"{file}: steps and cutoff on line 5 must be > 0, got {steps}; {_CURE}")
    return header


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _form(file: Path, header: _Header, words: int) -> str:
    """Which form has as many values as the file; with one element both do, and mean the same."""
    n = len(header.species)
    slack = _HEADER_WORDS * n + min(header.distances, header.densities) // 2
    for form in ("alloy", "fs"):
        if 0 <= words - header.values(form) <= slack:
            return form
    likely = "fs" if "fs" in file.name.lower().split(".") else "alloy"
    state = "truncated" if words < header.values(likely) else "of another kind"
    expected = f"{header.values('alloy')} for eam/alloy or {header.values('fs')} for eam/fs"
    raise GlassError(f"{file} is {state}: it holds {words} values, expected {expected}; {_CURE}")


def _table(file: Path, rows: Iterator[list[str]], points: int, what: str) -> Floats:
    """The next ``points`` numbers; a table ends where a line ends."""
    words: list[str] = []
    while len(words) < points:
        row = next(rows, None)
        if row is None:
            raise GlassError(f"{file} ends within {what}; {_CURE}")
        words += row
    if len(words) > points:
        raise GlassError(f"{file}: {what} has more than {points} values; {_CURE}")
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise GlassError(f"{file}: {what} holds something that is no number ({str(error)[:80]}); {_CURE}") from None
    if not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise GlassError(f"{file}: value {bad + 1} of {what} is not finite: {values[bad]}; {_CURE}")
    return values
