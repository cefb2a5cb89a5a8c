"""What all graph networks have in common."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class Network(nn.Module):
    """What the networks have in common (a type; they need not derive from it).

    Attributes:
        hops: layers that look at neighbours.
        cutoff: Å.
        self_edges: whether the graph must have them.
        decoder: its last part, ending in a linear layer with one output.
        edge_numbers: numbers per edge that an evaluation holds at once, for the size of chunks.
    """

    hops: int
    cutoff: float
    self_edges: bool
    edge_numbers: int
    decoder: nn.Sequential

    def forward(self, graph: Any) -> Tensor:
        """One number per centre."""
        raise NotImplementedError
