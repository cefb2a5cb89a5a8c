"""Which atoms to label, as a user writes it."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.structure import Ints, Structure

_RANGE = re.compile(r"(\d*):(\d*)(?::(\d+))?")
_RANDOM = re.compile(r"random:(\d+)(?::(\d+))?")
_FORMS = "all, a species, 0:100, 0:1000:10, 3,17,20 or random:200"


def chosen_atoms(text: str, structure: Structure, seed: int = 0) -> Ints:
    """Indices of atoms, ascending, counted from 0 in the order of the structure file.

    Args:
        text: "all"; a species; a range "first:end" or "first:end:step", end left out; indices "3,17,20";
            "random:K" for K atoms drawn with ``seed``, or "random:K:SEED". More random atoms of one seed hold the
            fewer ones.
        structure: the atoms.
        seed: of the campaign.

    Raises:
        GlassError: for a text that is none of these, or atoms that do not exist.

    >>> chosen_atoms("1:", Structure(np.zeros((4, 3)), [0, 0, 1, 1], ("Cu", "Zr"))).tolist()
    [1, 2, 3]
    >>> chosen_atoms("Zr", Structure(np.zeros((4, 3)), [0, 0, 1, 1], ("Cu", "Zr"))).tolist()
    [2, 3]
    """
    n, text = structure.n_atoms, text.strip()
    atoms: NDArray[np.integer]
    if text == "all":
        atoms = np.arange(n)
    elif text in structure.species:
        atoms = np.flatnonzero(structure.symbols() == text)
    elif match := _RANDOM.fullmatch(text):
        atoms = _random(int(match[1]), n, int(match[2] or seed))
    elif match := _RANGE.fullmatch(text):
        atoms = _range(text, n, int(match[1] or 0), int(match[2] or n), int(match[3] or 1))
    else:
        atoms = _listed(text, n, structure.species)
    if not len(atoms):
        raise GlassError(f"no atom is chosen by {text!r}; give {_FORMS}")
    return np.unique(atoms).astype(np.int32)


def _random(count: int, n: int, seed: int) -> Ints:
    if count > n:
        raise GlassError(f"cannot choose {count} random atoms of {n}; choose fewer, or all")
    return np.random.default_rng(seed).permutation(n)[:count].astype(np.int32)


def _range(text: str, n: int, first: int, end: int, step: int) -> Ints:
    if end > n or step < 1:
        raise GlassError(f"range of atoms must lie in 0:{n} with a step of at least 1, got {text!r}")
    return np.arange(first, end, step, dtype=np.int32)


def _listed(text: str, n: int, species: tuple[str, ...]) -> Ints:
    entries = [entry.strip() for entry in text.split(",")]
    if not all(entry.isascii() and entry.isdigit() for entry in entries):
        raise GlassError(f"atoms must be {_FORMS}, got {text!r}; species are {', '.join(species)}")
    atoms = [int(entry) for entry in entries]
    if max(atoms) >= n:
        raise GlassError(f"atom {max(atoms)} does not exist; indices run from 0 to {n - 1}")
    return np.array(atoms, dtype=np.int32)
