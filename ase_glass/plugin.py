"""Registers readers, writers and potentials."""

from __future__ import annotations

from glass_core.hookspecs import hookimpl


@hookimpl
def glass_readers() -> dict[str, str]:
    """Files of all formats that ASE reads."""
    return {"ase": "ase_glass.files:read_frame"}


@hookimpl
def glass_writers() -> dict[str, str]:
    """Extended XYZ."""
    return {".extxyz": "ase_glass.files:write_extxyz", ".xyz": "ase_glass.files:write_extxyz"}


@hookimpl
def glass_potentials() -> dict[str, str]:
    """Any calculator, by the function that makes it: ``ase:package.module:function``."""
    return {"ase": "ase_glass.potential:AsePotential"}
