"""Several descriptors side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from glass_core.descriptors.base import Descriptor, Prepared, Walking
from glass_core.descriptors.rows import RowsOf, prepared_rows
from glass_core.descriptors.walks import walked
from glass_core.errors import GlassError
from glass_core.neighbours import Finder
from glass_core.progress import Progress, share_of
from glass_core.structure import Ints, Structure


@dataclass(frozen=True)
class Stack(Prepared):
    """The features of several descriptors, one after the other.

    Attributes:
        species: species told apart; all parts are made for them.
        parts: descriptors, or mappings of ``kind`` and settings.

    >>> Stack(("Cu", "Zr"), ({"kind": "scnn"}, {"kind": "power_spectrum"})).n_features
    984
    """

    kind: ClassVar[str] = "stack"

    species: tuple[str, ...]
    parts: tuple[Any, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", tuple(self.species))
        object.__setattr__(self, "parts", tuple(made(self.species, part) for part in self.parts))
        if not self.parts:
            raise GlassError("a stack needs at least one descriptor in parts, got none")

    @property
    def cutoff(self) -> float:
        """Largest cutoff of the parts, Å."""
        return max(float(part.cutoff) for part in self.parts)

    @property
    def receptive_field(self) -> float:
        """Largest of the parts, Å."""
        return max(float(part.receptive_field) for part in self.parts)

    @property
    def bytes_per_atom(self) -> float:
        """Of all parts together."""
        return sum(float(part.bytes_per_atom) for part in self.parts)

    @property
    def n_features(self) -> int:
        """Features per atom."""
        return sum(len(part.names()) for part in self.parts)

    def names(self) -> list[str]:
        """Names of the parts' features, the number of the part in front: ``1:B0(n=1,Cu)``."""
        return [f"{number}:{name}" for number, part in enumerate(self.parts, 1) for name in part.names()]

    def prepared(
        self,
        structure: Structure,
        centres: Ints | None,
        find: Finder,
        dtype: DTypeLike,
        progress: Progress | None = None,
    ) -> RowsOf:
        """What all parts prepare, walks over neighbours made together, and their rows side by side."""
        number = len(self.parts)
        walking = [k for k, part in enumerate(self.parts) if getattr(type(part), "prepared", None) is Walking.prepared]
        several = [self.parts[k].walks(structure, centres, dtype) for k in walking]
        parts = dict(
            zip(walking, walked(several, structure, find, share_of(progress, 0.0, len(walking) / number)), strict=True)
        )
        for k, part in enumerate(self.parts):
            if k not in parts:
                told = share_of(progress, len(parts) / number, (len(parts) + 1) / number)
                parts[k] = prepared_rows(part, structure, centres, find, dtype, told)
        return lambda some: np.concatenate([parts[k](some) for k in range(number)], axis=1)


def made(species: tuple[str, ...], part: Any) -> Descriptor:
    """A part as a descriptor: it may be one already, or a mapping of ``kind`` and settings."""
    from glass_core.registry import make

    descriptor: Descriptor = (
        make("descriptor", {"species": species, **part}, "a part of the stack") if isinstance(part, Mapping) else part
    )
    return descriptor
