"""SymGNN: symmetrised edges, then graph attention that updates atoms and edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from glass_core.errors import GlassError
from glass_core.graphs.egat import EGAT
from glass_core.graphs.graph import Graph
from glass_core.graphs.layers import Normalisation, Size, decoder, norm
from glass_core.graphs.symmetrise import EdgeEncoder, Symmetrisation
from glass_core.settings import NotEmpty, Positive, Range, Share


@dataclass(frozen=True)
class SymGNNSettings:
    """Settings of SymGNN (arXiv:2401.08627); defaults as published but for ``head_width`` and ``symmetrisation``.

    Attributes:
        cutoff: length of the longest edge, Å.
        width: of atom and edge states.
        heads: attention heads of each layer.
        head_width: channels of each head; published 32.
        symmetrisation: see ``EdgeEncoder``; the published code runs "frames".
        samples: K rotations and K non-rotations in training.
        test_samples: K in evaluation.
        radial: Gaussians of the length given to the edge encoder, 0 or at least 2; published 0.
        messages: "attention" as published, or "gated", see ``EGAT``.
        normalisation: "batch" as published, "layer" or "none".
        dropout: probability of dropping a channel of an atom's state after each layer.
        edge_dropout: the same of an edge's state, None for the same probability; it takes a sixth of the time of a
            training step.
        self_edges: whether atoms have an edge to themselves, as in the published graphs.
    """

    cutoff: Positive = 5.0
    width: Size = 32
    heads: Annotated[tuple[Size, ...], NotEmpty()] = (8, 4, 2, 1)
    head_width: Size = 8
    symmetrisation: Symmetrisation = "learned"
    samples: Size = 2
    test_samples: Size = 8
    radial: Annotated[int, Range(least=0, most=1024)] = 0
    messages: Literal["attention", "gated"] = "attention"
    normalisation: Normalisation = "batch"
    dropout: Share = 0.25
    edge_dropout: Share | None = None
    self_edges: bool = True

    def __post_init__(self) -> None:
        if self.radial == 1:
            raise GlassError("radial must be 0 or at least 2 Gaussians, got 1")


class SymGNN(nn.Module):
    """Edge encoder, species embedding, EGAT layers, decoder of five linear layers."""

    def __init__(self, settings: SymGNNSettings, species: int) -> None:
        super().__init__()
        s, w, kind = settings, settings.width, settings.normalisation
        self.hops, self.cutoff, self.self_edges = len(s.heads), s.cutoff, s.self_edges
        self.edge_numbers = w
        self.atoms = nn.Sequential(
            nn.Embedding(species, w), norm(kind, w), nn.ReLU(), nn.Linear(w, w), norm(kind, w), nn.ReLU()
        )
        self.edges = EdgeEncoder(w, s.symmetrisation, s.samples, s.test_samples, s.radial, s.cutoff, kind)
        self.layers = nn.ModuleList(
            EGAT(w, heads, s.head_width, kind, s.messages == "gated", last=index + 1 == self.hops)
            for index, heads in enumerate(s.heads)
        )
        self.dropout = nn.Dropout(s.dropout)
        self.edge_dropout = nn.Dropout(s.dropout if s.edge_dropout is None else s.edge_dropout)
        self.decoder = decoder(w, kind)

    def forward(self, graph: Graph) -> Tensor:
        """One number per centre."""
        h, e = self.atoms(graph.types_n), self.edges(graph)
        for layer, egat in enumerate(self.layers, start=1):
            h, e = egat(h, e, graph, layer)
            h, e = self.dropout(h), self.edge_dropout(e)
        return torch.as_tensor(self.decoder(h)[:, 0])
