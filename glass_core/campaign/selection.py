"""Which atoms to label, as a user writes it."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.structure import Ints, Structure

_RANGE = re.compile(r"(-?\d+)?:(-?\d+)?(?::(-?\d+))?", re.ASCII)
_RANDOM = re.compile(r"random:(\d+)(?::(\d+))?", re.ASCII)
_INDEX = re.compile(r"-?\d+", re.ASCII)
_FORMS = "all, a species, an index, a range 0:100 or 0:1000:10, random:200, or several of these with commas"


def chosen_atoms(text: str, structure: Structure, seed: int = 0) -> Ints:
    """Indices of atoms, ascending, counted from 0 in the order of the structure file.

    Args:
        text: entries with commas between them: "all"; a species; an index; a range "first:end" or "first:end:step",
            end left out; "random:K" for K atoms drawn with ``seed``, or "random:K:SEED". More random atoms of one
            seed hold the fewer ones.
        structure: the atoms.
        seed: of the campaign.

    Raises:
        GlassError: for a text that is none of these, or atoms that do not exist.

    >>> chosen_atoms("1:", Structure(np.zeros((4, 3)), [0, 0, 1, 1], ("Cu", "Zr"))).tolist()
    [1, 2, 3]
    >>> chosen_atoms("Zr, 0", Structure(np.zeros((4, 3)), [0, 0, 1, 1], ("Cu", "Zr"))).tolist()
    [0, 2, 3]
    """
    entries = [entry.strip() for entry in text.split(",")]
    if "" in entries and len(entries) > 1:
        raise GlassError(f"an entry is missing beside a comma of the atoms {text!r}; give {_FORMS}")
    return np.unique(np.concatenate([_entry(entry, structure, seed) for entry in entries])).astype(np.int32)


def _entry(text: str, structure: Structure, seed: int) -> NDArray[np.integer]:
    n = structure.n_atoms
    if text == "all":
        return np.arange(n)
    if text in structure.species:
        atoms = np.flatnonzero(structure.symbols() == text)
        if not len(atoms):
            raise GlassError(f"no atom is {text}; choose atoms that the structure has")
        return atoms
    if match := _RANDOM.fullmatch(text):
        return _random(int(match[1]), n, int(match[2] or seed))
    if match := _RANGE.fullmatch(text):
        first, end, step = (None if number is None else int(number) for number in match.groups())
        return _range(text, n, slice(first, end, step))
    if _INDEX.fullmatch(text):
        return _index(int(text), n)
    raise _unknown(text, structure.species)


def _random(count: int, n: int, seed: int) -> NDArray[np.integer]:
    if not 1 <= count <= n:
        raise GlassError(f"cannot choose {count} random atoms; choose from 1 to {n}")
    return np.random.default_rng(seed).permutation(n)[:count]


def _range(text: str, n: int, wanted: slice) -> NDArray[np.integer]:
    first, end = wanted.start or 0, n if wanted.stop is None else wanted.stop
    step = 1 if wanted.step is None else wanted.step
    if step < 1:
        raise GlassError(f"the step in the range {text!r} must be at least 1, got {step}")
    if first < 0 or end < 0:
        first, end, _ = wanted.indices(n)
        raise _from_the_end(f"the range {text!r}", f"{first}:{end}{f':{step}' if step > 1 else ''}", n, first < end)
    if first >= n or end > n:
        raise GlassError(f"the range {text!r} goes beyond the {n} atoms; it must lie in 0:{n}")
    if first >= end:
        raise GlassError(f"the range {text!r} holds no atom: its end must be greater than its start {first}")
    return np.arange(first, end, step)


def _index(atom: int, n: int) -> NDArray[np.integer]:
    if atom < 0:
        raise _from_the_end(f"atom {atom}", str(n + atom), n, n + atom >= 0)
    if atom >= n:
        raise GlassError(f"atom {atom} does not exist; indices run from 0 to {n - 1}")
    return np.array([atom])


def _from_the_end(what: str, cure: str, n: int, exists: bool) -> GlassError:
    """The error for negative numbers, with what Python would take them for, if there are such atoms."""
    hint = f"; for those from the end write {cure}" if exists else ""
    return GlassError(f"{what} is negative: atoms are counted from 0 to {n - 1}{hint}")


def _unknown(text: str, species: tuple[str, ...]) -> GlassError:
    near = next((name for name in ("all", *species) if name.lower() == text.lower()), "")
    hint = f". Did you mean {near!r}?" if near else ""
    return GlassError(f"atoms must be {_FORMS}, got {text!r}; species are {', '.join(species)}{hint}")
