"""The networks that SymGNN is compared with, from PyTorch Geometric's layers where it has them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.nn import GCNConv, GINEConv, MessagePassing
from torch_geometric.nn.models.schnet import GaussianSmearing, InteractionBlock

from glass_core.graphs.graph import Graph
from glass_core.graphs.layers import decoder, norm, smear
from glass_core.graphs.settings import AtomSettings, EdgeSettings, PlainSettings, SchNetSettings


class AtomMLP(nn.Module):
    """A network on the atom's species alone: what composition tells."""

    def __init__(self, settings: AtomSettings, species: int) -> None:
        super().__init__()
        self.hops, self.cutoff, self.self_edges, self.edge_numbers = 0, 1.0, False, 1  # it sees no edge
        self.atoms = nn.Embedding(species, settings.width)
        self.decoder = decoder(settings.width, settings.normalisation)

    def forward(self, graph: Graph) -> Tensor:
        """One number per centre."""
        return torch.as_tensor(self.decoder(self.atoms(graph.types_n))[:, 0])


class _Plain(nn.Module):
    """Embedding, layers with normalisation, ReLU and a skip connection, decoder."""

    def __init__(self, settings: PlainSettings, species: int, hops: int) -> None:
        super().__init__()
        w, kind = settings.width, settings.normalisation
        self.hops, self.cutoff, self.self_edges, self.edge_numbers = hops, settings.cutoff, False, 3 * w
        self.atoms = nn.Embedding(species, w)
        self.norms = nn.ModuleList(norm(kind, w) for _ in range(settings.layers))
        self.dropout = nn.Dropout(settings.dropout)
        self.decoder = decoder(w, kind)

    def skip(self, h: Tensor, new: Tensor, layer: int) -> Tensor:
        """``h + dropout(relu(norm(new)))`` of the atoms of ``new``."""
        return h[: len(new)] + torch.as_tensor(self.dropout(torch.relu(self.norms[layer](new))))


class GCN(_Plain):
    """Graph convolution (Kipf & Welling, ICLR 2017), ``h_i ← Σ_j W h_j / √(d_i d_j)``: topology and species only.

    The degrees of the outermost atoms need one more hop than there are layers.
    """

    def __init__(self, settings: PlainSettings, species: int) -> None:
        super().__init__(settings, species, settings.layers + 1)
        w = settings.width
        self.layers = nn.ModuleList(GCNConv(w, w, normalize=False) for _ in range(settings.layers))

    def forward(self, graph: Graph) -> Tensor:
        """One number per centre."""
        degrees = (graph.offsets[1:] - graph.offsets[:-1]).float().clamp_min(1.0)
        h = self.atoms(graph.types_n)[: graph.nodes[1]]
        for layer, convolution in enumerate(self.layers):
            atoms, edges = graph.nodes[layer + 2], graph.edges[layer + 2]
            index = graph.edge_index[:, :edges]
            weight = (degrees[index[0]] * degrees[index[1]]).rsqrt()
            h = self.skip(h, convolution(h, index, weight)[:atoms], layer)
        return torch.as_tensor(self.decoder(h)[:, 0])


class EdgeGCN(_Plain):
    """Convolution with edge features, ``h_i ← W (h_i + mean_j relu(h_j + U e_ij))``: not invariant.

    PyTorch Geometric's ``GINEConv`` (Hu et al., ICLR 2020) with the mean over neighbours; e_ij is the vector along
    the edge and, where asked for, Gaussians of its length.
    """

    def __init__(self, settings: EdgeSettings, species: int) -> None:
        super().__init__(settings, species, settings.layers)
        w, edge = settings.width, 3 + settings.radial
        self.edge_numbers += settings.radial
        self.smear = smear(settings.cutoff, settings.radial)
        self.layers = nn.ModuleList(
            GINEConv(nn.Linear(w, w), edge_dim=edge, aggr="mean") for _ in range(settings.layers)
        )

    def forward(self, graph: Graph) -> Tensor:
        """One number per centre."""
        h, seen = self.atoms(graph.types_n), graph.vectors_pc
        if self.smear is not None:
            seen = torch.cat([seen, self.smear(graph.lengths_p)], dim=1)
        for layer, convolution in enumerate(self.layers):
            atoms, edges = graph.nodes[layer + 1], graph.edges[layer + 1]
            new = convolution(h, graph.edge_index[:, :edges], seen[:edges])
            h = self.skip(h, new[:atoms], layer)
        return torch.as_tensor(self.decoder(h)[:, 0])


class SchNet(nn.Module):
    """SchNet (Schütt et al., NeurIPS 2017) of PyTorch Geometric's interaction blocks, with a per-atom output."""

    def __init__(self, settings: SchNetSettings, species: int) -> None:
        super().__init__()
        s = settings
        self.hops, self.cutoff, self.self_edges, self.edge_numbers = s.layers, s.cutoff, False, 4 * s.width
        self.atoms = nn.Embedding(species, s.width)
        self.smear = GaussianSmearing(0.0, s.cutoff, s.gaussians)
        self.layers = nn.ModuleList(InteractionBlock(s.width, s.gaussians, s.width, s.cutoff) for _ in range(s.layers))
        self.norms = nn.ModuleList(norm(s.normalisation, s.width) for _ in range(s.layers))
        self.dropout = nn.Dropout(s.dropout)
        self.decoder = nn.Sequential(nn.Linear(s.width, s.width), nn.SiLU(), nn.Linear(s.width, 1))

    def forward(self, graph: Graph) -> Tensor:
        """One number per centre."""
        h, lengths = self.atoms(graph.types_n), graph.lengths_p
        smeared = self.smear(lengths)
        for layer, (block, normalise) in enumerate(zip(self.layers, self.norms, strict=True), start=1):
            atoms, edges = graph.nodes[layer], graph.edges[layer]
            new = block(h, graph.edge_index[:, :edges], lengths[:edges], smeared[:edges])
            h = h[:atoms] + self.dropout(normalise(new[:atoms]))
        return torch.as_tensor(self.decoder(h)[:, 0])


class EGNNLayer(MessagePassing):
    """One layer of an E(n)-equivariant network (Satorras, Hoogeboom & Welling, ICML 2021).

    ``m_ij = φ_e(h_i, h_j, |x_ij|², a_ij)``, ``x_i ← x_i − mean_j x_ij φ_x(m_ij)`` with x_ij from i to j,
    ``h_i ← h_i + φ_h(h_i, Σ_j m_ij)``. Its attributes a_ij of edges are Gaussians of their
    lengths in the glass, before anything moves, or none.
    """

    def __init__(self, width: int, radial: int) -> None:
        super().__init__(aggr="sum")
        self.edge = nn.Sequential(
            nn.Linear(2 * width + 1 + radial, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        last = nn.Linear(width, 1, bias=False)
        nn.init.xavier_uniform_(last.weight, gain=0.001)  # as published: coordinates hardly move at first
        self.move = nn.Sequential(nn.Linear(width, width), nn.SiLU(), last)
        self.atom = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor, moved: Tensor, attributes: Tensor, graph: Graph, layer: int) -> tuple[Tensor, Tensor]:
        """New states and displacements (Å) of the first ``nodes[layer]`` atoms."""
        atoms, edges = graph.nodes[layer], graph.edges[layer]
        i, j = graph.i_p[:edges], graph.j_p[:edges]
        x = graph.vectors_pc[:edges] + moved[j] - moved[i]
        squared = (x * x).sum(1, keepdim=True)
        message = self.edge(torch.cat([h[i], h[j], squared / 25.0, attributes[:edges]], dim=1))
        together = torch.cat([message, -x * self.move(message)], dim=1)
        new = self.propagate(torch.stack([j, i]), together=together, size=(len(h), atoms))
        degree = (graph.offsets[1 : atoms + 1] - graph.offsets[:atoms]).clamp_min(1)[:, None]
        state = h[:atoms] + self.atom(torch.cat([h[:atoms], new[:, :-3] / degree.sqrt()], dim=1))
        return state, moved[:atoms] + new[:, -3:] / degree

    def message(self, together: Tensor) -> Tensor:
        """Messages and coordinate updates side by side."""
        return together


class EGNN(nn.Module):
    """EGNN with periodic edges; its coordinates start at the atoms' positions."""

    def __init__(self, settings: EdgeSettings, species: int) -> None:
        super().__init__()
        w = settings.width
        self.hops, self.cutoff, self.self_edges = settings.layers, settings.cutoff, False
        self.edge_numbers = 6 * w + settings.radial
        self.atoms = nn.Embedding(species, w)
        self.smear = smear(settings.cutoff, settings.radial)
        self.layers = nn.ModuleList(EGNNLayer(w, settings.radial) for _ in range(settings.layers))
        self.norms = nn.ModuleList(norm(settings.normalisation, w) for _ in range(settings.layers))
        self.dropout = nn.Dropout(settings.dropout)
        self.decoder = decoder(w, settings.normalisation)

    def forward(self, graph: Graph) -> Tensor:
        """One number per centre."""
        h = self.atoms(graph.types_n)
        moved = graph.vectors_pc.new_zeros(len(h), 3)
        attributes = moved.new_zeros(len(graph.i_p), 0) if self.smear is None else self.smear(graph.lengths_p)
        for layer, (egnn, normalise) in enumerate(zip(self.layers, self.norms, strict=True), start=1):
            h, moved = egnn(h, moved, attributes, graph, layer)
            h = self.dropout(normalise(h))
        return torch.as_tensor(self.decoder(h)[:, 0])
