"""Registers the potentials of this folder."""

from __future__ import annotations

from glass_core.hookspecs import hookimpl


@hookimpl
def glass_potentials() -> dict[str, str]:
    """Embedded-atom files and Lennard-Jones."""
    return {
        "eam": "glass_core.potentials.eam:EamPotential",
        "lj": "glass_core.potentials.lookup:lennard_jones",
    }
