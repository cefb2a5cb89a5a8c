"""Embedded-atom potentials whose local energy surfaces are exact and cost nothing for atoms far away."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glass_core.files import sha256
from glass_core.potentials.eam_file import EamFile, read_eam
from glass_core.potentials.local import BoundTables
from glass_core.potentials.splines import Radial, Spline
from glass_core.potentials.tables import PairFunctions, Tables, build_tables
from glass_core.structure import Floats, Structure

_NOTHING = 1e-12
_HARDEST = 1000.0
_INNERMOST = 0.1


@dataclass(frozen=True)
class EamPotential:
    """An embedded-atom potential from an ``eam/alloy`` or ``eam/fs`` file, in Å and eV.

    Tables are read as LAMMPS reads them and resampled so finely that energies agree to 1e-6 eV.

    Attributes:
        path: of the file.
    """

    path: str

    def __post_init__(self) -> None:
        """Refuses a bad file at once."""
        object.__setattr__(self, "path", str(self.path))
        _load(self.path, _state(self.path))

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.path).name

    @property
    def digest(self) -> str:
        """Hash of the file."""
        return sha256(self.path)

    @property
    def tables(self) -> Tables:
        """What the compiled loops look up."""
        return _load(self.path, _state(self.path))[1]

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols that the potential knows."""
        return _load(self.path, _state(self.path))[0]

    def bind(self, structure: Structure) -> BoundTables:
        """The potential for one structure.

        Raises:
            GlassError: for a species that the file lacks, or atoms that coincide.
        """
        species, tables = _load(self.path, _state(self.path))
        cure = "give a potential file that has it"
        return BoundTables.of(structure.with_species(species, f"the potential {self.name}", cure), tables)


def _state(path: str) -> tuple[int, int] | None:
    """Tells whether a file has changed since it was read."""
    try:
        state = Path(path).stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


@functools.lru_cache(maxsize=4)
def _load(path: str, state: tuple[int, int] | None) -> tuple[tuple[str, ...], Tables]:
    """Species and tables of a file; read again only when it has changed."""
    content = read_eam(path)
    return content.species, tables_of(content)


def tables_of(content: EamFile) -> Tables:
    """Tables for the compiled loops."""
    kinds = range(len(content.species))
    step = content.distance_step
    pair = [[_over_distance(Spline.through(content.pair_ttk[a, b], step)) for b in kinds] for a in kinds]
    density: list[list[Radial]] = [[Spline.through(content.density_ttk[b, a], step) for b in kinds] for a in kinds]
    pair_cut = np.array([[_end(content.pair_ttk[a, b], content) for b in kinds] for a in kinds])
    density_cut = np.array([[_end(content.density_ttk[b, a], content) for b in kinds] for a in kinds])
    inner = np.array([[_inner_end(content.pair_ttk[a, b], content) for b in kinds] for a in kinds])
    functions = PairFunctions(pair, density, pair_cut, density_cut, inner)
    embedding = np.stack([Spline.through(f_k, content.density_step).pieces_k4 for f_k in content.embedding_tk])
    return build_tables(functions, embedding, 1.0 / content.density_step)


def _over_distance(product: Spline) -> Radial:
    """φ from the table of r φ."""

    def function(distances: Floats) -> tuple[Floats, Floats]:
        values, slopes = product(distances)
        values = values / distances
        return values, (slopes - values) / distances

    return function


def _end(values_k: Floats, content: EamFile) -> float:
    """Distance at which a table has come to zero, at most the file's cutoff, Å."""
    within = min(len(values_k), int(np.ceil(content.cutoff / content.distance_step)) + 1)
    scale = min(float(np.abs(values_k[within // 4 : within]).max(initial=0.0)), 1.0)
    present = np.flatnonzero(np.abs(values_k[:within]) > _NOTHING * scale)
    # Between the last point that is not zero and three further ones the interpolation still is not.
    last = int(present[-1]) + 3 if present.size else 1
    return min(last * content.distance_step, content.cutoff)


def _inner_end(pair_k: Floats, content: EamFile) -> float:
    """Smallest distance at which the table is followed: above a tenth of the cutoff, and below 1000 eV, Å."""
    distances = np.arange(len(pair_k)) * content.distance_step
    hard = np.flatnonzero(np.abs(pair_k) > _HARDEST * distances)
    first = (int(hard[-1]) + 3) * content.distance_step if hard.size else 0.0
    return max(first, _INNERMOST * content.cutoff)
