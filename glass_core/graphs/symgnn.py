"""SymGNN: symmetrised edges, then graph attention that updates atoms and edges."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glass_core.graphs.egat import EGAT
from glass_core.graphs.graph import Graph
from glass_core.graphs.layers import decoder, norm
from glass_core.graphs.settings import SymGNNSettings
from glass_core.graphs.symmetrise import EdgeEncoder


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
