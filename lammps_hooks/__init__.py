"""Predictions as per-atom properties of LAMMPS: ``fix property/atom d_glass_barrier`` and the other outputs.

Library mode, one line after the atoms exist::

    attach(lmp, species=("Cu", "Zr"), every=100)

Input script of an ``lmp`` binary with the PYTHON package, one line, from a file made once with
``python -m lammps_hooks --species Cu Zr --every 100 > glass.lmp``::

    include glass.lmp

For saddle searches, pair styles as potentials::

    LammpsPotential("pair_style eam/fs\\npair_coeff * * CuZr_mm.eam.fs Cu Zr", ("Cu", "Zr"))
"""

from __future__ import annotations

__all__ = ["LammpsPotential", "LammpsSurface", "attach", "open_lammps"]


def __getattr__(name: str) -> object:
    """Loads the public functions when first used; importing the package imports no host."""
    if name == "attach":
        from lammps_hooks.attachment import attach

        return attach
    if name == "open_lammps":
        from lammps_hooks.library import open_lammps

        return open_lammps
    if name in ("LammpsPotential", "LammpsSurface"):
        from lammps_hooks import potential

        return getattr(potential, name)
    raise AttributeError(f"module 'lammps_hooks' has no attribute {name!r}")
