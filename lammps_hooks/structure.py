"""A LAMMPS instance as the core sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glass_core.errors import GlassError
from glass_core.structure import Structure
from lammps_hooks.instance import Instance

_ANGSTROM_UNITS = ("metal", "real")


def names_of_types(species: Sequence[str]) -> tuple[str, ...]:
    """``species`` as a tuple.

    Raises:
        GlassError: if it is no sequence of names.
    """
    sequence = isinstance(species, (Sequence, np.ndarray)) and not isinstance(species, str)
    if not sequence or not all(isinstance(name, str) for name in species):
        raise GlassError(f"species must be one name per atom type, such as ('Cu', 'Zr'), got {species!r}")
    return tuple(str(name) for name in species)


def require_readable(instance: Instance, species: Sequence[str]) -> None:
    """Checks that the instance has a three-dimensional box in Å, atoms, and a species for every atom type.

    Args:
        instance: on one rank.
        species: species of type 1, 2 …; several types may be of one species.

    Raises:
        GlassError: naming what is wrong and the cure.
    """
    if not instance.setting("box_exist"):
        raise GlassError("LAMMPS has no simulation box yet; place the hook after create_box or read_data")
    if not instance.setting("nlocal"):
        raise GlassError("LAMMPS has no atoms yet; place the hook after create_atoms or read_data")
    units = instance.units()
    if units not in _ANGSTROM_UNITS:
        raise GlassError(f"units must be {' or '.join(_ANGSTROM_UNITS)} (lengths in Å, as in the models), got {units}")
    if instance.setting("dimension") != 3:
        raise GlassError("the models are for three dimensions, this run has dimension 2")
    types = instance.setting("ntypes")
    if len(species) != types:
        raise GlassError(
            f"LAMMPS has {types} atom types, species has {len(species)} names ({', '.join(species)}); "
            "give one per type, in the order of the types"
        )


def read_structure(instance: Instance, species: Sequence[str]) -> Structure:
    """The local atoms and the box, as copies. On one rank the local atoms are all atoms.

    Args:
        instance: in ``units metal`` or ``real``.
        species: species of type 1, 2 …

    Returns:
        Atoms in their present order in LAMMPS, which changes when it sorts or exchanges them.
    """
    names = tuple(dict.fromkeys(species))
    index_of_type = np.array([names.index(name) for name in species], dtype=np.int32)
    cell, periodic = instance.box()
    return Structure(instance.positions(), index_of_type[instance.types() - 1], names, cell, periodic)
