"""What networks see of a structure, as tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from glass_core.graphs.hops import Hops


@dataclass(frozen=True, eq=False)
class Graph:
    """``Hops`` as tensors on a device; see there for the attributes."""

    types_n: Tensor
    i_p: Tensor
    j_p: Tensor
    vectors_pc: Tensor
    offsets: Tensor
    nodes: tuple[int, ...]
    edges: tuple[int, ...]

    @classmethod
    def of(cls, hops: Hops) -> Graph:
        """The same, sharing memory."""
        arrays = (hops.types_n, hops.i_p, hops.j_p, hops.vectors_pc, hops.offsets)
        types_n, i_p, j_p, vectors_pc, offsets = (torch.from_numpy(array) for array in arrays)
        return cls(types_n, i_p, j_p, vectors_pc, offsets, hops.nodes, hops.edges)

    @property
    def lengths_p(self) -> Tensor:
        """Length of each edge, Å."""
        return torch.as_tensor(torch.linalg.vector_norm(self.vectors_pc, dim=1))

    @property
    def edge_index(self) -> Tensor:
        """Sources and targets as PyTorch Geometric wants them, shape (2, p)."""
        return torch.stack([self.j_p, self.i_p])

    def to(self, device: torch.device | str) -> Graph:
        """The same on a device."""
        tensors = ("types_n", "i_p", "j_p", "vectors_pc", "offsets")
        return replace(self, **{name: getattr(self, name).to(device) for name in tensors})

    def with_vectors(self, vectors_pc: Tensor) -> Graph:
        """The same graph with other vectors along its edges."""
        return replace(self, vectors_pc=vectors_pc)

    def blocks(self, layer: int, edges: int) -> Iterator[tuple[int, int, int, int]]:
        """Ranges ``(first atom, last atom, first edge, last edge)`` of a layer with about ``edges`` edges each."""
        atoms, total = self.nodes[layer], self.edges[layer]
        step = max(1, edges * atoms // max(total, 1))
        for low in range(0, atoms, step):
            high = min(low + step, atoms)
            yield low, high, int(self.offsets[low]), int(self.offsets[high])
