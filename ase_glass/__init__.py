"""ASE: barrier predictions (calculator, annotation of ``Atoms``, extended XYZ trajectory) and saddle searches."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from glass_core.errors import missing_extra

if TYPE_CHECKING:
    from ase_glass.annotation import annotate
    from ase_glass.artn import ARTn
    from ase_glass.calculator import GlassCalculator
    from ase_glass.observer import ExtxyzWriter
    from ase_glass.potential import AsePotential
    from ase_glass.structure import to_structure
    from ase_glass.surface import AseSurface

__all__ = ["ARTn", "AsePotential", "AseSurface", "ExtxyzWriter", "GlassCalculator", "annotate", "to_structure"]

_PLACES = {
    "ARTn": "ase_glass.artn",
    "AsePotential": "ase_glass.potential",
    "AseSurface": "ase_glass.surface",
    "ExtxyzWriter": "ase_glass.observer",
    "GlassCalculator": "ase_glass.calculator",
    "annotate": "ase_glass.annotation",
    "to_structure": "ase_glass.structure",
}


def __getattr__(name: str) -> object:
    """Imports ASE when something is first used, so that listing plugins stays quick."""
    if name not in _PLACES:
        raise AttributeError(f"module 'ase_glass' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_PLACES[name]), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "ase":
            raise missing_extra("ase", "ase") from error
        raise
