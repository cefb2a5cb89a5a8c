"""Any network, evaluated by torch on any device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays
from glass_core.errors import require_package
from glass_core.graphs.hops import DENSITY, atoms_at_once, centres_of_cube, hops_of
from glass_core.graphs.networks import Architecture
from glass_core.graphs.weights import require_fit
from glass_core.neighbours import Finder
from glass_core.progress import Progress
from glass_core.structure import Ints, Structure

if TYPE_CHECKING:
    from glass_core.graphs.base import Network


class OnTorch:
    """See ``evaluation.Evaluator``."""

    def __init__(self, architecture: Architecture, species: int, members: Sequence[Arrays], device: str) -> None:
        require_torch()
        self._device = device
        self._networks = [loaded(architecture, species, arrays, c).to(device) for c, arrays in enumerate(members)]
        first = self._networks[0]
        self.hops, self.cutoff, self._self_edges = first.hops, first.cutoff, first.self_edges
        self._edge_numbers = first.edge_numbers

    @property
    def most_centres(self) -> int:
        """As many as keep the states of edges of a compact chunk and its surroundings in bounds."""
        side = (atoms_at_once(self.cutoff, self._edge_numbers) / DENSITY) ** (1 / 3)
        return centres_of_cube(side, self.cutoff, self.hops)

    def __call__(
        self, structure: Structure, centres: Ints | None, find: Finder, progress: Progress | None
    ) -> NDArray[np.float64]:
        """What each member says, shape (centres, members)."""
        import torch

        from glass_core.graphs.graph import Graph

        graph = Graph.of(hops_of(structure, self.cutoff, self.hops, centres, find, self._self_edges)).to(self._device)
        columns = []
        for network in self._networks:
            with torch.no_grad():
                columns.append(network(graph).cpu().numpy().astype(np.float64))
            if progress:
                progress(len(columns) / len(self._networks))
        return np.stack(columns, axis=1)


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
