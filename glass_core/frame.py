"""One configuration as read from a file: the structure, and what must survive into the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.structure import Structure


@dataclass(frozen=True, eq=False)
class Frame:
    """A structure with its atom ids.

    Attributes:
        structure: the atoms, in the order of the file.
        ids_n: identifiers as in the file, 1 … n where it has none, shape (n,).
        info: scalars worth keeping ("timestep" …).
    """

    structure: Structure
    ids_n: NDArray[np.int64]
    info: Mapping[str, Any] = field(default_factory=dict)


def species_names(types: NDArray[Any], species_map: Mapping[str, str], source: str) -> list[str]:
    """Species of numeric or named types, through the user's map.

    Args:
        types: type of each distinct species in the file, as numbers or names, shape (s,).
        species_map: type → species, ``{"1": "Cu", "2": "Zr"}``; names may be mapped too.
        source: what to call the file in errors.

    Raises:
        GlassError: for a number without an entry, as types are never guessed.
    """
    names = []
    for value in types.tolist():
        key = str(value)
        if key in species_map:
            names.append(species_map[key])
        elif key.lstrip("-").isdigit():
            raise GlassError(
                f"type {key} in {source} has no species; "
                f"say which with --species {key}=Cu (species_map={{'{key}': 'Cu'}})"
            )
        else:
            names.append(key)
    return names
