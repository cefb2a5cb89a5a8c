"""Edge encoder of SymGNN: a network on edge vectors, averaged over elements of O(3).

``e_ij = (1/2K) [Σ_k f(T_k x_ij) + Σ_k f(−T'_k x_ij)]`` with K rotations T_k and K non-rotations −T'_k
(Li, Zhang, Tang, Bauchy & Sun, ICML 2024, arXiv:2401.08627).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glass_core.graphs.elements import LearnedElements, elements_of
from glass_core.graphs.graph import Graph
from glass_core.graphs.layers import in_one_piece, norm, smear
from glass_core.graphs.settings import Normalisation, Symmetrisation

_BLOCK_EDGES = 2048


class EdgeEncoder(nn.Module):
    """Encodes edges as the average over elements of O(3) of a network on the transformed vectors.

    Args:
        width: of an edge state.
        kind: which elements. "learned": von Mises distributed, see ``LearnedElements``. "uniform": uniform
            over O(3). Both are drawn anew in each training step. "frames": fixed rotations with all three angles
            0, 1, 2, … radians, and their negatives, ``test_samples`` of each in training too. "frame_averaging":
            the eight reflections of the principal axes of each atom's own neighbourhood, exactly invariant (after
            Puny et al., ICLR 2022; their frame is that of the whole structure, which neither a periodic box nor a
            chunk of it has). "augmentation": one random element per training step, none in evaluation. "none":
            vectors as they are. "length": lengths only.
        samples: K in training.
        test_samples: K in evaluation.
        radial: Gaussians of the length that are appended to the vector (in place of the bare length for "length").
        cutoff: Å.
        normalisation: between the two layers.
    """

    def __init__(
        self,
        width: int,
        kind: Symmetrisation,
        samples: int,
        test_samples: int,
        radial: int,
        cutoff: float,
        normalisation: Normalisation,
    ) -> None:
        super().__init__()
        self.kind, self.samples, self.test_samples, self.cutoff = kind, samples, test_samples, cutoff
        self.learned = LearnedElements() if kind == "learned" else None
        self.smear = smear(cutoff, radial)
        lengths = radial or (1 if kind == "length" else 0)
        self.of_vector = None if kind == "length" else nn.Linear(3, width, bias=False)
        self.of_length = nn.Linear(lengths, width, bias=False) if lengths else None
        if self.of_vector is not None and lengths:
            # In Å, the random directions of the first steps would drown the lengths.
            self.of_vector.weight.data *= 0.5 / cutoff
        self.bias = nn.Parameter(torch.zeros(width))
        self.first_norm = norm(normalisation, width)
        self.second = nn.Linear(width, width)
        self.second_norm = norm(normalisation, width)

    def forward(self, graph: Graph) -> Tensor:
        """Edge states, shape (p, width)."""
        vectors = local_coordinates(graph) if self.kind == "frame_averaging" else graph.vectors_pc
        elements = self.elements().to(vectors)
        if in_one_piece(self):
            return self._encode(vectors, graph.lengths_p, elements)
        states = vectors.new_empty(len(vectors), len(self.bias))
        parts = (x.split(_BLOCK_EDGES) for x in (vectors, graph.lengths_p, states))
        for some, lengths, out in zip(*parts, strict=True):
            out[:] = self._encode(some, lengths, elements)
        return states

    def _encode(self, vectors: Tensor, lengths: Tensor, elements: Tensor) -> Tensor:
        hidden: Tensor = self.bias
        if self.of_length is not None:
            hidden = hidden + self.of_length(lengths[:, None] if self.smear is None else self.smear(lengths))
        if self.of_vector is not None:
            hidden = hidden + torch.einsum("pc,kwc->kpw", vectors, self.of_vector.weight @ elements)
        flat = torch.relu(self.first_norm(hidden.reshape(-1, hidden.shape[-1])))
        encoded = torch.relu(self.second_norm(self.second(flat))).reshape(hidden.shape)
        return encoded.mean(0) if encoded.ndim == 3 else encoded

    def elements(self) -> Tensor:
        """Elements of O(3) that vectors are transformed by, shape (k, 3, 3)."""
        samples = self.samples if self.training and self.kind != "frames" else self.test_samples
        return elements_of(self.kind, samples, self.learned, self.training)


def local_coordinates(graph: Graph) -> Tensor:
    """Edge vectors along the principal axes of the vectors into the same atom, shape (p, 3).

    Axes are known up to their sign, and not at all where two moments are equal (crystals): there the encoding of an
    edge depends on rounding.
    """
    x = graph.vectors_pc
    moments = x.new_zeros(graph.nodes[1], 9).index_add_(0, graph.i_p, (x[:, :, None] * x[:, None, :]).flatten(1))
    _, axes = torch.linalg.eigh(moments.view(-1, 3, 3))
    return torch.einsum("pc,pcd->pd", x, axes.index_select(0, graph.i_p))
