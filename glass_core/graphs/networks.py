"""The networks by name: what a training configuration and a model file say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn

from glass_core.errors import unknown
from glass_core.graphs import baselines, symgnn
from glass_core.settings import checked

NETWORKS: Mapping[str, tuple[type[Any], type[Any]]] = {
    "symgnn": (symgnn.SymGNNSettings, symgnn.SymGNN),
    "schnet": (baselines.SchNetSettings, baselines.SchNet),
    "egnn": (baselines.PlainSettings, baselines.EGNN),
    "gcn": (baselines.PlainSettings, baselines.GCN),
    "edge_gcn": (baselines.PlainSettings, baselines.EdgeGCN),
    "species_mlp": (baselines.PlainSettings, baselines.AtomMLP),
}


@dataclass(frozen=True)
class Architecture:
    """A network's name and complete settings.

    Attributes:
        name: one of ``NETWORKS``.
        settings: plain values of its settings dataclass.
    """

    name: str
    settings: Mapping[str, Any]

    @classmethod
    def checked(cls, name: str, settings: Mapping[str, Any], where: str) -> Architecture:
        """With defaults filled in.

        Raises:
            GlassError: for an unknown network or setting (the nearest is offered), or a wrong value.
        """
        if name not in NETWORKS:
            raise unknown("network", name, NETWORKS)
        return cls(name, asdict(checked(NETWORKS[name][0], settings, where)))

    def build(self, species: int) -> Network:
        """The network with fresh weights, from torch's generator."""
        settings, network = NETWORKS[self.name]
        built: Network = network(checked(settings, self.settings, f"settings of {self.name}"), species)
        return built


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
