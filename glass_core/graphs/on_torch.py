"""Any network, evaluated by torch on any device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays
from glass_core.errors import require_package
from glass_core.graphs.hops import Hops
from glass_core.graphs.networks import Architecture
from glass_core.graphs.weights import require_fit

if TYPE_CHECKING:
    from glass_core.graphs.base import Network


class OnTorch:
    """See ``evaluation.Evaluator``."""

    def __init__(self, architecture: Architecture, species: int, members: Sequence[Arrays], device: str) -> None:
        require_torch()
        self._device = device
        self._networks = [loaded(architecture, species, arrays, c).to(device) for c, arrays in enumerate(members)]
        first = self._networks[0]
        self.hops, self.cutoff, self.self_edges = first.hops, first.cutoff, first.self_edges
        self.edge_numbers = first.edge_numbers

    def columns(self, hops: Hops) -> Iterator[NDArray[np.float64]]:
        """What each member says, one number per centre."""
        import torch

        from glass_core.graphs.graph import Graph

        graph = Graph.of(hops).to(self._device)
        for network in self._networks:
            with torch.no_grad():
                column = network(graph).cpu().numpy().astype(np.float64)
            yield column


def loaded(architecture: Architecture, species: int, arrays: Arrays, member: int) -> Network:
    """A network with these weights, ready to predict.

    Raises:
        GlassError: if weights do not fit the architecture.
        KeyError: if some are missing.
    """
    import torch

    network = architecture.build(species)
    require_fit({name: a.shape for name, a in weights_of(network).items()}, arrays, member)
    network.load_state_dict({n: torch.from_numpy(np.array(a)) for n, a in arrays.items()}, strict=False)
    return network.eval()


def require_torch() -> None:
    """Raises MissingExtraError without torch or PyTorch Geometric."""
    for package in ("torch", "torch_geometric"):
        require_package(package, "graph")


def weights_of(network: Network) -> dict[str, NDArray[np.float32]]:
    """Weights and statistics of a network by name; not the counters of batches that torch keeps beside them."""
    state = network.state_dict()
    return {name: t.detach().cpu().numpy().copy() for name, t in state.items() if t.is_floating_point()}
