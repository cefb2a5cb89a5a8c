"""ASE's atoms as a ``Structure``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray

from glass_core import GlassError, Structure
from glass_core.species_map import as_species_map, is_number

SpeciesMap = Mapping[str, str] | str


def to_structure(atoms: Atoms, species_map: SpeciesMap | None = None) -> Structure:
    """The structure of ``atoms``; nothing of it is shared with them.

    Args:
        atoms: positions and cell in Å. Velocities, constraints and charges play no part.
        species_map: chemical symbol → species, ``{"H": "Cu"}`` or ``"H=Cu"``, for files whose numeric types
            became atomic numbers (ASE reads type 1 of a LAMMPS dump as H). A number, ``{"1": "Cu"}``, means
            that value of ``atoms.arrays["type"]``, which ASE keeps of such files. Symbols that are not
            in the map keep their name.

    Raises:
        GlassError: for positions that are not finite, a periodic cell without volume, or what is no species map.

    >>> from ase import Atoms
    >>> to_structure(Atoms("HHe", positions=[[0, 0, 0], [2, 0, 0]]), {"H": "Cu", "He": "Zr"}).species
    ('Cu', 'Zr')
    """
    mapping = as_species_map(species_map)
    distinct, inverse = np.unique(_species_keys(atoms, mapping), return_inverse=True)
    names = [mapping.get(_name(key), _name(key)) for key in distinct.tolist()]
    species, types = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    return Structure(
        atoms.get_positions(), types[inverse].astype(np.int32), species.tolist(), atoms.cell.array, atoms.pbc.tolist()
    )


def _species_keys(atoms: Atoms, species_map: Mapping[str, str]) -> NDArray[np.int64]:
    """Per atom the atomic number, or −1 − type where the map has an entry for the atom's numeric type."""
    keys = atoms.numbers.astype(np.int64)
    types = atoms.arrays.get("type")
    if types is None or not np.issubdtype(types.dtype, np.integer):
        return keys
    mapped = [int(key) for key in species_map if is_number(key)]
    return np.where(np.isin(types, mapped), -1 - types.astype(np.int64), keys)


def _name(key: int) -> str:
    if key < 0:
        return str(-1 - key)
    if key >= len(chemical_symbols):
        raise GlassError(f"atomic number {key} is no element; give a species map for numeric types such as {key}=Cu")
    return chemical_symbols[key]


def same_structure(a: Structure, b: Structure) -> bool:
    """Whether two structures are equal to the last bit."""
    return (
        a.species == b.species
        and a.pbc == b.pbc
        and np.array_equal(a.positions_nc, b.positions_nc)
        and np.array_equal(a.types_n, b.types_n)
        and np.array_equal(a.cell_cc, b.cell_cc)
    )
