"""Structures in which atoms have nothing to move against, or only images of themselves."""

from __future__ import annotations

import numpy as np

from glass_core.cell_list import heights
from glass_core.errors import GlassError
from glass_core.neighbours import neighbour_blocks
from glass_core.potentials.base import Potential
from glass_core.potentials.local import BoundTables
from glass_core.saddle.settings import ArtnSettings, Regions
from glass_core.structure import Ints, Structure

_NEAR = 4.0  # Å, within which nearly all atoms have neighbours: looked at first


def require_neighbours(structure: Structure, atoms_m: Ints, potential: Potential, file: str) -> None:
    """Checks that atoms to be labelled feel other atoms, periodic images of themselves apart.

    Args:
        structure: at its minimum.
        atoms_m: atoms to be labelled, shape (m,).
        potential: one that does not tell how far it reaches is not asked.
        file: of the structure, for errors.

    Raises:
        GlassError: naming the first one that does not.
    """
    if structure.n_atoms == 1:
        raise GlassError(f"{file} holds a single atom, which has nothing to move against; give a structure of several")
    alone = _alone(structure, atoms_m, _NEAR)
    bound = potential.bind(structure) if len(alone) else None
    if not isinstance(bound, BoundTables):
        return
    reach = bound.tables.cutoff
    alone = _alone(structure, alone, reach)
    if len(alone):
        more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
        raise GlassError(
            f"atom {alone[0]} of {file}{more} has no other atom within {reach:.1f} Å, the reach of {potential.name}, "
            "so that no event can start there; leave it out with --atoms, or check the box and the unit of lengths"
        )


def require_room(structure: Structure, settings: ArtnSettings, file: str) -> None:
    """Checks that an atom's region of search and its kick hold no images of each other.

    Raises:
        GlassError: if the box is too small for that.
    """
    height, search = _least_height(structure), settings.regions.search
    if settings.kick.atoms == "radius" and height <= settings.kick.radius:
        raise GlassError(
            f"the box of {file} is {height:.1f} Å high, no more than the radius of {settings.kick.radius:g} Å within "
            "which atoms are kicked, so that each would meet itself; repeat the box"
        )
    if search is not None and height < 2 * search:
        raise GlassError(
            f"the box of {file} is {height:.1f} Å high, less than the {2 * search:g} Å across which the atoms around "
            "a centre move; repeat the box, or let all atoms move and events feel their images "
            "(--set regions.search=null, into a file of their own)"
        )


def narrowness(structure: Structure, regions: Regions) -> float | None:
    """Height of the box in Å, in the direction in which atoms that move meet images of themselves; else None."""
    if regions.search is None:
        return None
    radius, height = regions.refine_radius if regions.refine == "radius" else regions.search, _least_height(structure)
    return None if height >= 2 * radius else height


def _least_height(structure: Structure) -> float:
    """Of the box, Å, in directions with periodicity; infinite without any."""
    return float(np.where(structure.pbc, heights(structure.cell_cc), np.inf).min())


def _alone(structure: Structure, atoms_m: Ints, reach: float) -> Ints:
    """Those that have no other atom within reach, ascending."""
    known = np.zeros(structure.n_atoms, dtype=bool)
    for block in neighbour_blocks(structure, reach, atoms_m):
        known[block.i_p[block.i_p != block.j_p]] = True
    return atoms_m[~known[atoms_m]]
