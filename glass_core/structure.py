"""The atoms that every host hands to the core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glass_core.errors import GlassError

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

_MIN_RELATIVE_VOLUME = 1e-9


@dataclass(frozen=True, eq=False)
class Structure:
    """Atoms in a box that is periodic in none, some or all of its three directions.

    Suffix letters of array names, here and everywhere: ``n`` atom, ``m`` centre (an atom that a
    result is asked for), ``p`` pair, ``c`` Cartesian component, ``f`` feature.

    Attributes:
        positions_nc: positions in Å (or the length unit of the model), shape (n, 3). Atoms may lie
            outside the box; along a periodic direction they are equivalent to their image inside.
        types_n: index of each atom's species in ``species``, shape (n,), int32.
        species: names of the species, usually chemical symbols.
        cell_cc: box vectors in **rows**, shape (3, 3). Rows of non-periodic directions may be zero.
        pbc: whether each box vector is periodic.
        given: whether each box vector was given; one that was not, or was zero, is a unit vector in
            ``cell_cc`` that only completes the cell.

    Raises:
        GlassError: on wrong shapes, positions or a cell that are not finite, a type without a
            species, or periodic box vectors that do not span a volume.

    >>> Structure([[0, 0, 0], [2.5, 0, 0]], [0, 1], ("Cu", "Zr")).n_atoms
    2
    """

    positions_nc: Floats
    types_n: Ints
    species: tuple[str, ...]
    cell_cc: Floats
    pbc: tuple[bool, bool, bool]
    given: tuple[bool, bool, bool]

    def __init__(
        self,
        positions_nc: ArrayLike,
        types_n: ArrayLike,
        species: Sequence[str],
        cell_cc: ArrayLike | None = None,
        pbc: bool | Sequence[bool] = False,
    ) -> None:
        positions = np.ascontiguousarray(positions_nc, dtype=np.float64)
        if positions.ndim != 2 or positions.shape[1] != 3:
            raise GlassError(f"positions must have shape (atoms, 3), got {positions.shape}")
        _require_finite("position of atom", positions)
        types = np.ascontiguousarray(types_n)
        if types.shape != (len(positions),):
            raise GlassError(f"types must have shape ({len(positions)},), one per atom, got {types.shape}")
        if types.size and not np.issubdtype(types.dtype, np.integer):
            raise GlassError(f"types must be integers, got {types.dtype}")
        if isinstance(species, str):
            raise GlassError(f"species must be a sequence of names such as ({species!r},), got the text {species!r}")
        names = tuple(str(s) for s in species)
        if len(set(names)) != len(names):
            raise GlassError(f"species must be different from each other, got {names}")
        if types.size and (types.min() < 0 or types.max() >= len(names)):
            bad = int(np.flatnonzero((types < 0) | (types >= len(names)))[0])
            raise GlassError(f"type {types[bad]} of atom {bad} has no species; species are {names}")
        periodic = _three_flags(pbc)
        cell, given = _complete_cell(cell_cc, periodic)
        object.__setattr__(self, "positions_nc", positions)
        object.__setattr__(self, "types_n", types.astype(np.int32, copy=False))
        object.__setattr__(self, "species", names)
        object.__setattr__(self, "cell_cc", cell)
        object.__setattr__(self, "pbc", periodic)
        object.__setattr__(self, "given", given)

    @classmethod
    def from_symbols(
        cls,
        positions_nc: ArrayLike,
        symbols: Sequence[str],
        cell_cc: ArrayLike | None = None,
        pbc: bool | Sequence[bool] = False,
    ) -> Structure:
        """Structure from one symbol per atom; the species are the sorted distinct symbols."""
        names, types = np.unique(np.asarray(symbols, dtype=str), return_inverse=True)
        return cls(positions_nc, types.astype(np.int32), tuple(names.tolist()), cell_cc, pbc)

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.positions_nc)

    def symbols(self) -> NDArray[np.str_]:
        """One species name per atom, shape (n,)."""
        return np.asarray(self.species, dtype=str)[self.types_n]

    def with_species(self, species: Sequence[str], owner: str = "model", cure: str = "") -> Structure:
        """The same atoms with their types counted along ``species``, as a model wants them.

        Args:
            species: names to count along.
            owner: who knows only these, for errors.
            cure: what to do about an unknown species; default a species map, or another model.

        Raises:
            GlassError: if an atom is of a species that is not in ``species``.
        """
        if tuple(species) == self.species:
            return self
        table = np.full(len(self.species), -1, dtype=np.int32)
        for old, name in enumerate(self.species):
            if name in species:
                table[old] = list(species).index(name)
        types = table[self.types_n]
        if types.size and types.min() < 0:
            bad = int(np.argmin(types))
            name = self.species[self.types_n[bad]]
            count = int((self.types_n == self.types_n[bad]).sum())
            cure = cure or f"give a species map such as {name}={species[0]}, or choose another model"
            raise GlassError(
                f"species {name!r} ({count} atoms, first is atom {bad}) is unknown to {owner}, which knows "
                f"{', '.join(species)}; {cure}"
            )
        return replace_fields(self, types_n=types, species=tuple(species))

    def renamed(self, names: Mapping[str, str]) -> Structure:
        """The same atoms with other names of species; two may become one, and those without an entry keep theirs."""
        if not any(name in names for name in self.species):
            return self
        given = [names.get(name, name) for name in self.species]
        species = tuple(dict.fromkeys(given))
        table = np.array([species.index(name) for name in given], dtype=np.int32)
        return replace_fields(self, types_n=table[self.types_n], species=species)

    def subset(self, index_n: NDArray[np.integer]) -> Structure:
        """The atoms ``index_n`` (in that order) in the same box."""
        return replace_fields(
            self, positions_nc=self.positions_nc[index_n], types_n=self.types_n[index_n], species=self.species
        )


def replace_fields(structure: Structure, **changes: object) -> Structure:
    """A copy with fields replaced by arrays already known to be valid (no second check)."""
    new = object.__new__(Structure)
    for name in ("positions_nc", "types_n", "species", "cell_cc", "pbc", "given"):
        object.__setattr__(new, name, changes.get(name, getattr(structure, name)))
    return new


def _require_finite(what: str, values: Floats) -> None:
    rows = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if rows.size:
        bad = int(rows[0])
        raise GlassError(
            f"{what} {bad} is not finite: {values[bad].tolist()} ({rows.size} such rows); "
            "remove these atoms or repair the file"
        )


def _three_flags(pbc: bool | Sequence[bool]) -> tuple[bool, bool, bool]:
    flags = np.asarray(pbc)
    if flags.shape not in ((), (3,)) or flags.dtype.kind not in "biu" or not np.isin(flags, (0, 1)).all():
        raise GlassError(f"pbc must be one or three booleans, got {pbc!r}")
    a, b, c = np.broadcast_to(flags, 3).astype(bool).tolist()
    return a, b, c


def _complete_cell(cell: ArrayLike | None, pbc: tuple[bool, bool, bool]) -> tuple[Floats, tuple[bool, bool, bool]]:
    """The cell, its zero rows in non-periodic directions replaced by unit vectors normal to the rest.

    Returns:
        The cell, and which of its rows were not zero.
    """
    matrix = np.zeros((3, 3)) if cell is None else np.array(cell, dtype=np.float64)
    if matrix.shape == (3,):
        matrix = np.diag(matrix)
    if matrix.shape != (3, 3):
        raise GlassError(f"cell must have shape (3, 3) with box vectors in rows, got {matrix.shape}")
    _require_finite("box vector", matrix)
    lengths = np.linalg.norm(matrix, axis=1)
    for axis in range(3):
        if pbc[axis] and lengths[axis] == 0:
            raise GlassError(f"box vector {'abc'[axis]} is periodic but has zero length; set pbc to False there")
    for axis in np.flatnonzero(lengths == 0).tolist():
        others = matrix[np.linalg.norm(matrix, axis=1) > 0]
        matrix[axis] = _unit_normal(others)
    relative = abs(np.linalg.det(matrix)) / np.prod(np.linalg.norm(matrix, axis=1))
    if relative < _MIN_RELATIVE_VOLUME:
        raise GlassError(f"cell is singular (its vectors span no volume): {matrix.tolist()}; repair the box")
    a, b, c = (lengths > 0).tolist()
    return matrix, (a, b, c)


def _unit_normal(rows: Floats) -> Floats:
    """A unit vector normal to 0, 1 or 2 independent rows."""
    if len(rows) == 0:
        return np.array([1.0, 0.0, 0.0])
    null = np.linalg.svd(rows, full_matrices=True)[2][len(rows) :]
    # The axis of the null space closest to a Cartesian axis keeps simple boxes simple.
    overlap = np.abs(null).max(axis=0)
    axis = np.eye(3)[int(np.argmax(overlap))]
    projected = null.T @ (null @ axis)
    return np.asarray(projected / np.linalg.norm(projected), dtype=np.float64)
