"""The networks by name: what a training configuration and a model file say. Torch is imported when one is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from glass_core.errors import unknown
from glass_core.graphs.settings import AtomSettings, EdgeSettings, PlainSettings, SchNetSettings, SymGNNSettings
from glass_core.settings import checked

if TYPE_CHECKING:
    from glass_core.graphs.base import Network

_BASELINES = "glass_core.graphs.baselines"
# name → settings, module, network
NETWORKS: Mapping[str, tuple[type[Any], str, str]] = {
    "symgnn": (SymGNNSettings, "glass_core.graphs.symgnn", "SymGNN"),
    "schnet": (SchNetSettings, _BASELINES, "SchNet"),
    "egnn": (EdgeSettings, _BASELINES, "EGNN"),
    "gcn": (PlainSettings, _BASELINES, "GCN"),
    "edge_gcn": (EdgeSettings, _BASELINES, "EdgeGCN"),
    "species_mlp": (AtomSettings, _BASELINES, "AtomMLP"),
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

    @property
    def typed(self) -> Any:
        """The settings as their dataclass."""
        return checked(NETWORKS[self.name][0], self.settings, f"settings of {self.name}")

    def build(self, species: int) -> Network:
        """The network with fresh weights, from torch's generator."""
        _, module, name = NETWORKS[self.name]
        built: Network = getattr(importlib.import_module(module), name)(self.typed, species)
        return built
