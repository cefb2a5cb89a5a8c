"""Registers potentials; imports nothing heavy."""

from __future__ import annotations

from glass_core.hookspecs import hookimpl


@hookimpl
def glass_potentials() -> dict[str, str]:
    """A pair style, by a file of the commands that define it: ``lammps:my_potential.lmp``."""
    return {"lammps": "lammps_hooks.potential:lammps_potential"}
