"""Directions in which a saddle search of ASE's atoms starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ase_glass.structure import to_structure
from glass_core import GlassError
from glass_core.errors import unknown
from glass_core.saddle.kick import gaussian_kick, kicked_atoms
from glass_core.saddle.settings import Kick
from glass_core.structure import Floats, Ints

KickLike = Kick | str | float | Sequence[int] | NDArray[np.generic] | None
_SHAPES: tuple[str, ...] = get_args(get_type_hints(Kick)["atoms"])


def kick_direction(
    atoms: Atoms,
    moving_m: Ints,
    kick: KickLike,
    centre: int | None,
    usual: Kick,
    rng: np.random.Generator,
) -> Floats:
    """The push of the moving atoms, shape (m, 3).

    Args:
        atoms: all atoms.
        moving_m: those that may move.
        kick: see ``ARTn``.
        centre: see ``ARTn``.
        usual: where ``kick`` is None.
        rng: for the centre, if that is None, and for the numbers.

    Raises:
        GlassError: for a kick or a centre that is none, or that moves fixed atoms alone.
    """
    around = _as_kick(kick, usual)
    if around is not None:
        return _random(_around(atoms, moving_m, around, centre, rng), moving_m, rng)
    given = np.asarray(kick)
    if given.shape == (len(atoms), 3):
        return _given_direction(given, moving_m)
    return _random(_given_atoms(given, len(atoms)), moving_m, rng)


def require_kick(kick: KickLike, centre: int | None, n_atoms: int) -> None:
    """Checks what can be checked before the atoms are in their place.

    Raises:
        GlassError: for what is no kick.
    """
    if _as_kick(kick, Kick()) is not None:
        return
    if centre is not None:
        raise GlassError(f"centre {centre} plays no part in a kick of given atoms or directions; leave it out")
    given = np.asarray(kick)
    if given.shape != (n_atoms, 3):
        _given_atoms(given, n_atoms)


def _as_kick(kick: KickLike, usual: Kick) -> Kick | None:
    """The kick by its shape around a centre; None if atoms or a direction are given."""
    if kick is None:
        return usual
    if isinstance(kick, Kick):
        return kick
    if isinstance(kick, str):
        if kick not in _SHAPES:
            raise unknown("kick", kick, _SHAPES)
        return replace(usual, atoms=kick)
    if isinstance(kick, float):
        if not kick > 0:
            raise GlassError(f"the radius of a kick must be > 0 Å, got {kick}")
        return Kick(atoms="radius", radius=kick)
    if isinstance(kick, (int, np.integer)):
        raise GlassError(f"kick must be a list of atoms [{kick}] or a radius {kick}.0 in Å, got the integer {kick}")
    return None


def _around(atoms: Atoms, moving_m: Ints, kick: Kick, centre: int | None, rng: np.random.Generator) -> Ints:
    chosen = int(rng.choice(moving_m)) if centre is None else int(centre)
    if chosen not in moving_m and 0 <= chosen < len(atoms):
        raise GlassError(f"centre {chosen} is held by FixAtoms; choose one of the {len(moving_m)} atoms that may move")
    return kicked_atoms(to_structure(atoms), chosen, kick)


def _random(kicked_k: Ints, moving_m: Ints, rng: np.random.Generator) -> Floats:
    """Gaussian numbers for those of the kicked atoms that may move."""
    places = np.flatnonzero(np.isin(moving_m, kicked_k))
    if not len(places):
        raise GlassError(f"FixAtoms holds all atoms of the kick ({kicked_k[:5].tolist()} …); kick others or free them")
    return gaussian_kick(places, len(moving_m), rng)


def _given_atoms(given: NDArray[np.generic], n_atoms: int) -> Ints:
    if given.dtype == bool and given.shape == (n_atoms,):
        given = np.flatnonzero(given)
    if given.ndim != 1 or not given.size or not np.issubdtype(given.dtype, np.integer):
        raise GlassError(
            f"kick must be None, one of {', '.join(_SHAPES)}, a radius in Å, a list of atoms or an array of shape "
            f"({n_atoms}, 3), got an array of {given.dtype} of shape {given.shape}"
        )
    outside = given[(given < 0) | (given >= n_atoms)]
    if outside.size:
        raise GlassError(f"atom {outside[0]} of the kick does not exist; the atoms are 0 … {n_atoms - 1}")
    return given.astype(np.int32)


def _given_direction(given: NDArray[np.generic], moving_m: Ints) -> Floats:
    direction = given.astype(np.float64)
    held = np.ones(len(direction), dtype=bool)
    held[moving_m] = False
    bad = np.flatnonzero(held & direction.any(axis=1))
    if bad.size:
        raise GlassError(f"the kick moves atom {bad[0]}, which FixAtoms holds; set its row to zero")
    return direction[moving_m]
