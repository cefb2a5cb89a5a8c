"""A model that needs no file: how many neighbours an atom has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from glass_core import GlassError, PerAtom, Structure
from glass_core.arrays import Arrays
from glass_core.models.base import ModelCard
from glass_core.neighbours import Finder, neighbour_blocks
from glass_core.progress import Progress
from glass_core.structure import Ints


@dataclass(frozen=True)
class Coordination:
    """Number of neighbours within the cutoff, whatever their species.

    Attributes:
        species: species that are counted; any other is refused.
        cutoff: Å.
        card: origin, set when the model comes from a file.
    """

    kind: ClassVar[str] = "coordination"

    species: tuple[str, ...] = ("Cu", "Zr")
    cutoff: float = 3.8
    card: ModelCard = field(default_factory=ModelCard, compare=False)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.cutoff) and self.cutoff > 0):
            raise GlassError(f"cutoff must be > 0 Å, got {self.cutoff}")

    @property
    def receptive_field(self) -> float:
        """Only direct neighbours matter."""
        return self.cutoff

    @property
    def outputs(self) -> dict[str, str]:
        """One number without unit."""
        return {"coordination": ""}

    @property
    def chunk_centres(self) -> int:
        """Counting is cheap."""
        return 1_000_000

    def __call__(
        self,
        structure: Structure,
        centres: Ints | None = None,
        find: Finder = neighbour_blocks,
        progress: Progress | None = None,
    ) -> dict[str, PerAtom]:
        """Counts for ``centres`` (None: all atoms)."""
        counts = np.zeros(structure.n_atoms)
        for block in find(structure, self.cutoff, centres):
            counts[block.centres_m] = np.diff(block.offsets)
        if progress:
            progress(1.0)
        return {"coordination": PerAtom(counts if centres is None else counts[centres], "")}

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {"species": list(self.species), "cutoff": self.cutoff}

    def tensors(self) -> Arrays:
        """There is nothing learned."""
        return {}

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> Coordination:
        """From a model file."""
        return cls(tuple(settings["species"]), settings["cutoff"], card)
