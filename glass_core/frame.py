"""One configuration as read from a file: the structure, and what must survive into the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.structure import Structure


@dataclass(frozen=True, eq=False)
class Frame:
    """A structure with its atom ids.

    Attributes:
        structure: the atoms, in the order of the file.
        ids_n: identifiers as in the file, 1 … n where it has none, shape (n,).
        info: scalars worth keeping ("timestep" …).
        numbers_n: number of each atom's type as in the file, shape (n,); None where types are only names.
    """

    structure: Structure
    ids_n: NDArray[np.int64]
    info: Mapping[str, Any] = field(default_factory=dict)
    numbers_n: NDArray[np.int64] | None = None
