"""An OVITO data collection as a ``Structure``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from glass_core import GlassError, Structure
from glass_core.structure import Floats, Ints

if TYPE_CHECKING:
    from ovito.data import DataCollection, Particles, SimulationCell

_RELATIVE_VOLUME_OF_A_FLAT_BOX = 1e-9


def parse_species_map(text: str) -> dict[str, str]:
    """Type → species from what a user types; commas, semicolons or line breaks separate the entries.

    Raises:
        GlassError: for an entry that is not ``type=species``, or a type that is given twice.

    >>> parse_species_map("1=Cu, 2=Zr")
    {'1': 'Cu', '2': 'Zr'}
    """
    table: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        key, equals, name = (part.strip() for part in entry.partition("="))
        if not (key and equals and name):
            raise GlassError(f"species map entry {entry!r} must read type=species, for example 1=Cu, 2=Zr")
        if table.setdefault(key, name) != name:
            raise GlassError(f"species map gives type {key} twice, as {table[key]} and {name}; keep one")
    return table


def to_structure(data: DataCollection, species_map: Mapping[str, str] | None = None) -> Structure:
    """The particles of a data collection.

    OVITO keeps box vectors in columns, a ``Structure`` in rows. The origin of the box is dropped, since
    only differences of positions matter. In a 2D box the third direction is never periodic.

    Args:
        data: with particles that have types; a simulation cell is optional.
        species_map: particle type (its name, or its number) → species. A type without an entry keeps its
            name; one that has no name, or only a number for a name, must have an entry.

    Raises:
        GlassError: without particles or their types, or for a type without a species.
    """
    particles = data.particles
    if particles is None:
        raise GlassError("the input has no particles; load a file with atoms")
    cell, pbc = box(data.cell)
    if particles.count == 0 or particles.positions is None:
        return Structure(np.empty((0, 3)), np.empty(0, dtype=np.int32), (), cell, pbc)
    keys, inverse = type_keys(particles, species_map or {})
    species, place = np.unique([_species(key, species_map or {}) for key in keys], return_inverse=True)
    return Structure(np.array(particles.positions), place[inverse], species.tolist(), cell, pbc)


def box(cell: SimulationCell | None) -> tuple[Floats | None, tuple[bool, bool, bool]]:
    """Box vectors in rows (Å) and periodic flags; ``(None, no flag)`` without a cell."""
    if cell is None:
        return None, (False, False, False)
    rows = np.array(cell[:, :3], dtype=np.float64).T
    periodic = np.array(cell.pbc, dtype=bool)
    if cell.is2D:
        rows[2] = 0.0
        periodic[2] = False
    lengths = np.linalg.norm(rows, axis=1)
    if abs(np.linalg.det(rows)) <= _RELATIVE_VOLUME_OF_A_FLAT_BOX * np.prod(lengths):
        rows[~periodic] = 0.0  # the bounding box of a flat cluster: these directions carry no meaning
    return rows, (bool(periodic[0]), bool(periodic[1]), bool(periodic[2]))


def type_keys(particles: Particles, species_map: Mapping[str, str]) -> tuple[list[str], Ints]:
    """What to look up in ``species_map`` for each distinct type, and each particle's place in that list.

    A type is known by its name, else by its number; its number also counts where the map names it.

    Raises:
        GlassError: if the particles have no types.
    """
    types = particles.particle_types
    if types is None:
        raise GlassError(
            "the particles have no types, so their species are unknown; "
            "map a column of the file to 'Particle Type' or compute that property"
        )
    names = {entry.id: entry.name for entry in types.types}
    ids, inverse = np.unique(np.array(types), return_inverse=True)
    keys = []
    for number in map(str, ids):
        name = names.get(int(number)) or number
        keys.append(number if number in species_map and name not in species_map else name)
    return keys, inverse.astype(np.int32)


def _species(key: str, species_map: Mapping[str, str]) -> str:
    if key in species_map:
        return species_map[key]
    if key.isdigit():
        raise GlassError(f"particle type {key} has no species; set the species map, for example '{key}=Cu'")
    return key
