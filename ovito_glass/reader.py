"""Structure files of all formats that OVITO reads."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glass_core import GlassError, Structure
from glass_core.errors import missing_extra
from glass_core.frame import Frame
from glass_core.species_map import SpeciesMap
from ovito_glass.structure import box, positions_of, species_of_particles

if TYPE_CHECKING:
    from ovito.data import DataCollection, Particles


def read_frame(path: str | os.PathLike[str], species_map: SpeciesMap, index: int = -1) -> Frame:
    """One frame of a file.

    Args:
        path: file of any format that OVITO detects.
        species_map: type → species: by number for types that have numbers and no names, else by name.
        index: which frame; negative numbers count from the end.

    Returns:
        The frame; ``info`` holds "timestep" where the file gives one and "origin", the corner of the box
        in Å, where there is a box. Where a file only names its types, their numbers are OVITO's.

    Raises:
        GlassError: for a file that OVITO cannot read, a frame that it does not have, particles without
            types or a coordinate, a numeric type without a species, or the number of a named type with
            another species than the name's.
        MissingExtraError: without OVITO.
    """
    data = _load(path, index)
    particles = data.particles
    if particles is None:
        raise GlassError(f"{path} holds no particles; give a file with atoms")
    cell, pbc = box(data.cell)
    if particles.count == 0:
        structure = Structure(np.empty((0, 3)), np.empty(0, dtype=np.int32), (), cell, pbc)
    else:
        symbols = species_of_particles(data, species_map, str(path))
        structure = Structure.from_symbols(positions_of(data, str(path)), symbols, cell, pbc)
    return Frame(structure, _ids(particles), _info(data), _numbers(particles))


def _load(path: str | os.PathLike[str], index: int) -> DataCollection:
    try:
        from ovito.io import import_file
    except ModuleNotFoundError as error:
        raise missing_extra("ovito", "ovito") from error
    if not pathlib.Path(path).is_file():
        raise GlassError(f"{path} does not exist or is not a file")
    try:
        pipeline = import_file(os.fspath(path))
        count = max(1, pipeline.num_frames)
        if not -count <= index < count:
            raise GlassError(f"frame {index} of {path} does not exist; it has {count}, counted from 0")
        return pipeline.compute(index % count)
    except RuntimeError as error:  # OVITO's own, for a format it does not know or a damaged file
        reason = " ".join(str(error).split())
        raise GlassError(f"OVITO cannot read {path}: {reason}") from error


def _ids(particles: Particles) -> NDArray[np.int64]:
    identifiers = particles.identifiers
    if identifiers is None:
        return np.arange(1, particles.count + 1, dtype=np.int64)
    return np.array(identifiers, dtype=np.int64)


def _numbers(particles: Particles) -> NDArray[np.int64] | None:
    types = particles.particle_types
    return None if types is None else np.array(types, dtype=np.int64)


def _info(data: DataCollection) -> dict[str, Any]:
    info: dict[str, Any] = {}
    if "Timestep" in data.attributes:
        info["timestep"] = int(data.attributes["Timestep"])
    if data.cell is not None:
        info["origin"] = [float(x) for x in data.cell[:, 3]]
    return info
