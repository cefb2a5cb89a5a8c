"""Networks ready to predict, all members of a committee with one view of the structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays
from glass_core.graphs import compiled
from glass_core.graphs.networks import Architecture
from glass_core.neighbours import Finder
from glass_core.progress import Progress
from glass_core.structure import Ints, Structure


class Evaluator(Protocol):
    """Members of one architecture.

    Attributes:
        hops, cutoff: see ``graphs.base.Network``.
    """

    hops: int
    cutoff: float

    @property
    def most_centres(self) -> int:
        """Centres, close together, that can be taken at once in bounded memory."""

    def __call__(
        self, structure: Structure, centres: Ints | None, find: Finder, progress: Progress | None
    ) -> NDArray[np.float64]:
        """What each member says, shape (centres, members); at least one centre, none twice."""


def evaluator(architecture: Architecture, species: int, members: Sequence[Arrays], device: str) -> Evaluator:
    """Our compiled loops where they know the network and the device is the processor, else torch.

    Raises:
        MissingExtraError: without torch or PyTorch Geometric, if they are needed.
        GlassError: if weights do not fit the architecture.
        KeyError: if some are missing.
    """
    if device == "cpu" and compiled.supports(architecture):
        return compiled.CompiledSymGNN(architecture, species, members)
    from glass_core.graphs.on_torch import OnTorch

    return OnTorch(architecture, species, members, device)
