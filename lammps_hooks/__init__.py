"""Predictions as per-atom properties of LAMMPS: ``fix property/atom d_glass_barrier`` and the other outputs.

Library mode, one line after the atoms exist::

    attach(lmp, species=("Cu", "Zr"), every=100)

Input script of an ``lmp`` binary with the PYTHON package, one line, from a file made once with
``python -m lammps_hooks --species Cu Zr --every 100 > glass.lmp``::

    include glass.lmp
"""

from __future__ import annotations

__all__ = ["attach", "open_lammps"]


def __getattr__(name: str) -> object:
    """Loads the public functions when first used; importing the package imports no host."""
    if name == "attach":
        from lammps_hooks.attachment import attach

        return attach
    if name == "open_lammps":
        from lammps_hooks.library import open_lammps

        return open_lammps
    raise AttributeError(f"module 'lammps_hooks' has no attribute {name!r}")
