"""Label files in a pipeline: read once, and matched to its particles."""

from __future__ import annotations

import functools
import pathlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glass_core import GlassError
from glass_core.campaign.label_file import journal_of, read_labels
from glass_core.campaign.labels import Labels
from glass_core.paths import existing_file, is_file
from glass_core.structure import Floats
from ovito_glass.structure import box, positions_of, source_of

if TYPE_CHECKING:
    from ovito.data import DataCollection

_SAME_PLACE = 0.01  # Å; dumps are rounded
_CURE = "load the structure that was labelled, or choose its label file"


class Matched(NamedTuple):
    """A label file and where its atoms are in the pipeline.

    Attributes:
        labels: the label file.
        particle_n: particle of each of its atoms, shape (n,).
        minimum_nc: places of the **particles** in the labelled minimum, nearest to where they are, Å, shape (n, 3).
    """

    labels: Labels
    particle_n: NDArray[np.int64]
    minimum_nc: Floats


def matched_labels(data: DataCollection, path: str) -> Matched:
    """The label file of the particles.

    Particles are told by their identifiers if they have some, else by their order. They may be at the minimum that
    was labelled or in the file from which it was relaxed.

    Raises:
        GlassError: without a file, for one that cannot be read, or one of another structure, naming what differs.
    """
    if not path:
        raise GlassError("no label file is chosen; set label_file to one made by `glass label`")
    if not is_file(journal_of(path)):
        existing_file(path, "label file", "make it with `glass label`")
    labels = _read(path, _state(path))
    if data.particles is None:
        raise GlassError("the input has no particles; load a file with atoms")
    particle_n = _particles(data, labels, path)
    _require_species(data, labels, particle_n, path)
    return Matched(labels, particle_n, _minimum(data, labels, particle_n, path))


@functools.lru_cache(maxsize=2)
def _read(path: str, state: tuple[object, ...]) -> Labels:
    """Read again only when the file or its journal has changed."""
    return read_labels(path)


def _state(path: str) -> tuple[object, ...]:
    files = [file for file in (pathlib.Path(path), journal_of(path)) if is_file(file)]
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files)


def _particles(data: DataCollection, labels: Labels, path: str) -> NDArray[np.int64]:
    n = labels.structure.n_atoms
    if data.particles.count != n:
        raise GlassError(f"{path} belongs to a structure of {n} atoms, the input has {data.particles.count}; {_CURE}")
    if data.particles.identifiers is None:
        return np.arange(n)
    identifiers = np.array(data.particles.identifiers, dtype=np.int64)
    order = np.argsort(identifiers)
    place = np.minimum(np.searchsorted(identifiers, labels.ids_n, sorter=order), n - 1)
    particle_n = order[place]
    strangers = labels.ids_n[identifiers[particle_n] != labels.ids_n]
    if strangers.size:
        raise GlassError(f"{path} has an atom with identifier {strangers[0]}, which no particle has; {_CURE}")
    return particle_n


def _require_species(data: DataCollection, labels: Labels, particle_n: NDArray[np.int64], path: str) -> None:
    """Compares the names of types, where they have names; a number for a name says nothing."""
    types = data.particles.particle_types
    if types is None:
        return
    names = {entry.id: entry.name for entry in types.types if entry.name and not entry.name.isdigit()}
    numbers, inverse = np.unique(np.array(types)[particle_n], return_inverse=True)
    mine = np.array([names.get(number, "") for number in numbers.tolist()], dtype=str)[inverse]
    theirs = labels.structure.symbols()
    other = np.flatnonzero((mine != theirs) & (mine != ""))
    if other.size:
        atom = int(other[0])
        raise GlassError(
            f"atom {atom} of {path} is {theirs[atom]}, particle {particle_n[atom]} is {mine[atom]}; {_CURE}"
        )


def _minimum(data: DataCollection, labels: Labels, particle_n: NDArray[np.int64], path: str) -> Floats:
    structure = labels.structure
    cell_cc, pbc = box(data.cell)
    periodic = np.array(structure.pbc)
    mine = np.zeros((3, 3)) if cell_cc is None else cell_cc
    if pbc != structure.pbc or not np.allclose(mine[periodic], structure.cell_cc[periodic], rtol=0, atol=_SAME_PLACE):
        raise GlassError(
            f"{path} belongs to a structure in the box {structure.cell_cc.round(3).tolist()} with periodicity "
            f"{structure.pbc}, the input has {mine.round(3).tolist()} and {pbc}; {_CURE}"
        )
    places_nc = positions_of(data, source_of(data))
    to_minimum_nc, to_given_nc = (
        _nearest(known.positions_nc - places_nc[particle_n], structure.cell_cc, periodic)
        for known in (structure, labels.header.given)
    )
    away_n = np.linalg.norm(to_minimum_nc, axis=1)
    if min(away_n.max(initial=0.0), np.linalg.norm(to_given_nc, axis=1).max(initial=0.0)) > _SAME_PLACE:
        atom = int(away_n.argmax())
        raise GlassError(
            f"atom {atom} of {path} is {away_n[atom]:.2g} Å away from particle {particle_n[atom]}, so this is another "
            f"configuration; {_CURE}"
        )
    minimum_nc = places_nc.copy()
    minimum_nc[particle_n] += to_minimum_nc
    return minimum_nc


def _nearest(vectors_nc: Floats, cell_cc: Floats, periodic: NDArray[np.bool_]) -> Floats:
    """Vectors less the lattice vectors nearest to them."""
    laps = np.round(vectors_nc @ np.linalg.inv(cell_cc)) * periodic
    return np.asarray(vectors_nc - laps @ cell_cc)
