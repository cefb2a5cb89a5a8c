"""The networks by name: what a training configuration and a model file say. Torch is imported when one is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from glass_core.errors import unknown
from glass_core.settings import checked

if TYPE_CHECKING:
    from glass_core.graphs.base import Network

_BASELINES = "glass_core.graphs.baselines"
# name → module, settings, network
NETWORKS: Mapping[str, tuple[str, str, str]] = {
    "symgnn": ("glass_core.graphs.symgnn", "SymGNNSettings", "SymGNN"),
    "schnet": (_BASELINES, "SchNetSettings", "SchNet"),
    "egnn": (_BASELINES, "PlainSettings", "EGNN"),
    "gcn": (_BASELINES, "PlainSettings", "GCN"),
    "edge_gcn": (_BASELINES, "PlainSettings", "EdgeGCN"),
    "species_mlp": (_BASELINES, "PlainSettings", "AtomMLP"),
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
        kind, _ = _classes(name)
        return cls(name, asdict(checked(kind, settings, where)))

    def build(self, species: int) -> Network:
        """The network with fresh weights, from torch's generator."""
        settings, network = _classes(self.name)
        built: Network = network(checked(settings, self.settings, f"settings of {self.name}"), species)
        return built


def _classes(name: str) -> tuple[type[Any], type[Any]]:
    """Classes of the settings and of the network."""
    place, settings, network = NETWORKS[name]
    module = importlib.import_module(place)
    return getattr(module, settings), getattr(module, network)
