"""An OVITO data collection as a ``Structure``."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core import GlassError, Structure
from glass_core.lammps_files import dump_columns, is_data_file, missing_coordinates, type_names
from glass_core.species_map import SpeciesMap, species_of_type
from glass_core.structure import Floats

if TYPE_CHECKING:
    from ovito.data import DataCollection, SimulationCell

_RELATIVE_VOLUME_OF_A_FLAT_BOX = 1e-9
_THICKEST_2D_BOX = 1.0  # Å; LAMMPS takes -0.5 … 0.5 in two dimensions


def to_structure(data: DataCollection, species_map: SpeciesMap | None = None) -> Structure:
    """The particles of a data collection.

    OVITO keeps box vectors in columns, a ``Structure`` in rows. The origin of the box is dropped, since
    only differences of positions matter. In a 2D box the third direction is never periodic.

    Args:
        data: with particles that have types; a simulation cell is optional.
        species_map: particle type → species: by its name, or by its number if it has no name. A type without
            an entry keeps its name; one that has no name, or only a number for a name, must have an entry.
            OVITO numbers named types as they come in the file, so that the number of such a type says nothing.

    Raises:
        GlassError: without particles, their types or a coordinate; for a type without a species; or for the
            number of a named type with another species than the name's.
    """
    particles = data.particles
    if particles is None:
        raise GlassError("the input has no particles; load a file with atoms")
    cell, pbc = box(data.cell)
    if particles.count == 0:
        return Structure(np.empty((0, 3)), np.empty(0, dtype=np.int32), (), cell, pbc)
    source = source_of(data)
    symbols = species_of_particles(data, species_map or {}, source)
    return Structure.from_symbols(positions_of(data, source), symbols, cell, pbc)


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


def species_of_particles(data: DataCollection, species_map: SpeciesMap, source: str) -> NDArray[np.str_]:
    """Species of each particle, shape (n,).

    Args:
        data: with at least one particle.
        species_map: see ``to_structure``.
        source: path of the file that ``data`` came from, or what to call the data in errors.

    Raises:
        GlassError: if the particles have no types, or a type has no species or two.
    """
    types = data.particles.particle_types
    if types is None:
        raise GlassError(
            "the particles have no types, so their species are unknown; "
            "map a column of the file to 'Particle Type' or compute that property"
        )
    names = {entry.id: entry.name for entry in types.types}
    numbers, inverse = np.unique(np.array(types), return_inverse=True)
    species = []
    for number in numbers.tolist():
        name = names.get(number) or ""
        if species_map.get(str(number), name) != name and _guessed(number, name, source):
            name = ""
        species.append(species_of_type(str(number), name, species_map, source))
    return np.asarray(species, dtype=str)[inverse]


def _guessed(number: int, name: str, source: str) -> bool:
    """Whether OVITO made up the name: in LAMMPS data files, where types are numbers, it guesses from masses."""
    if not (pathlib.Path(source).is_file() and is_data_file(source)):
        return False
    return type_names(source).get(number) != name


def positions_of(data: DataCollection, source: str) -> Floats:
    """Positions in Å, shape (n, 3).

    Raises:
        GlassError: if there are none, or if the file is a LAMMPS dump that lacks a coordinate, for which OVITO
            puts 0. That is a box in two dimensions only where the box is as thin as LAMMPS makes it then.
    """
    positions = data.particles.positions
    if positions is None:
        raise GlassError(f"the particles of {source} have no positions; write x, y and z into the file")
    columns = dump_columns(source) if pathlib.Path(source).is_file() else None
    missing = missing_coordinates(columns or "xyz")
    flat = data.cell is not None and data.cell.is2D and abs(data.cell[2, 2]) <= _THICKEST_2D_BOX
    if missing and not (missing == "z" and flat):
        raise GlassError(f"{source} has no column for coordinate {', '.join(missing)}; add it to the dump")
    return np.array(positions, dtype=np.float64)


def source_of(data: DataCollection) -> str:
    """Path of the file that the data came from; "the input" where there is none."""
    return str(data.attributes.get("SourceFile", "the input"))
