"""Networks ready to predict, all members of a committee with one view of the structure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays
from glass_core.graphs import compiled
from glass_core.graphs.hops import Hops
from glass_core.graphs.networks import Architecture


class Evaluator(Protocol):
    """Members of one architecture.

    Attributes:
        hops, cutoff, self_edges, edge_numbers: see ``graphs.base.Network``.
    """

    hops: int
    cutoff: float
    self_edges: bool
    edge_numbers: int

    def columns(self, hops: Hops) -> Iterator[NDArray[np.float64]]:
        """What each member says, one number per centre."""


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
