"""Models of every network with random weights and statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from glass_core.descriptors.power_spectrum import PowerSpectrum
from glass_core.graphs.base import Network
from glass_core.graphs.graph import Graph
from glass_core.graphs.hops import hops_of
from glass_core.graphs.networks import Architecture
from glass_core.graphs.on_torch import weights_of
from glass_core.models.base import ModelCard
from glass_core.models.domain import Domain
from glass_core.models.graph import Flag, GraphBarrier
from glass_core.structure import Structure
from glass_core.testing import example_glass

SPECIES = ("Cu", "Zr")
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "length": ("symgnn", {"symmetrisation": "length", "heads": [2, 1], "width": 8, "head_width": 4}),
    "gated": (
        "symgnn",
        {"symmetrisation": "length", "heads": [2, 1], "width": 8, "head_width": 4, "messages": "gated"},
    ),
    "gated radial": (
        "symgnn",
        {"symmetrisation": "length", "heads": [2, 1], "width": 8, "messages": "gated", "radial": 6},
    ),
    "gated learned": (
        "symgnn",
        {"symmetrisation": "learned", "heads": [3, 1], "width": 8, "messages": "gated", "radial": 6, "test_samples": 3},
    ),
    "gated renorm": (
        "symgnn",
        {"symmetrisation": "length", "heads": [2, 1], "width": 8, "messages": "gated", "normalisation": "renorm"},
    ),
    "gated, no norm": (
        "symgnn",
        {"symmetrisation": "length", "heads": [2], "width": 8, "messages": "gated", "normalisation": "none"},
    ),
    "radial": ("symgnn", {"symmetrisation": "length", "heads": [2, 1], "width": 8, "head_width": 4, "radial": 8}),
    "layer norm": ("symgnn", {"symmetrisation": "length", "heads": [2], "width": 8, "normalisation": "layer"}),
    "no norm": ("symgnn", {"symmetrisation": "length", "heads": [1, 1], "width": 8, "normalisation": "none"}),
    "schnet": ("schnet", {"layers": 2, "width": 8, "gaussians": 10}),
    "egnn": ("egnn", {"layers": 2, "width": 8}),
    "schnet, batch norm": ("schnet", {"layers": 2, "width": 8, "gaussians": 10, "normalisation": "batch"}),
    "egnn radial": ("egnn", {"layers": 2, "width": 8, "radial": 6}),
    "gcn": ("gcn", {"layers": 2, "width": 8}),
    "species": ("species_mlp", {"width": 8}),
    "frame averaging": ("symgnn", {"symmetrisation": "frame_averaging", "heads": [2, 1], "width": 8, "head_width": 4}),
    "learned": ("symgnn", {"symmetrisation": "learned", "heads": [2, 1], "width": 8, "head_width": 4}),
    "uniform": ("symgnn", {"symmetrisation": "uniform", "heads": [2, 1], "width": 8, "head_width": 4}),
    "frames": ("symgnn", {"symmetrisation": "frames", "heads": [2, 1], "width": 8, "head_width": 4}),
    "augmentation": ("symgnn", {"symmetrisation": "augmentation", "heads": [2, 1], "width": 8, "head_width": 4}),
    "none": ("symgnn", {"symmetrisation": "none", "heads": [2, 1], "width": 8, "head_width": 4}),
    "no self-edges": (
        "symgnn",
        {"symmetrisation": "learned", "heads": [2, 1], "width": 8, "head_width": 4, "self_edges": False},
    ),
    "edge gcn": ("edge_gcn", {"layers": 2, "width": 8}),
    "edge gcn radial": ("edge_gcn", {"layers": 2, "width": 8, "radial": 6}),
}
INVARIANT = (
    "length",
    "gated",
    "gated radial",
    "gated, no norm",
    "gated renorm",
    "radial",
    "layer norm",
    "no norm",
    "schnet",
    "schnet, batch norm",
    "egnn",
    "egnn radial",
    "gcn",
    "species",
    "frame averaging",
)


def small_network(name: str, cutoff: float = 3.5, seed: int = 0) -> tuple[Architecture, Network]:
    """A network whose batch statistics come from a few steps on a glass."""
    kind, settings = NETWORKS[name]
    near = {} if kind == "species_mlp" else {"cutoff": cutoff}
    architecture = Architecture.checked(kind, {**settings, **near}, "settings")
    torch.manual_seed(seed)
    network = architecture.build(len(SPECIES))
    graph = small_graph(network)
    for _ in range(30):
        network(graph)
    return architecture, network


def small_graph(network: Network, structure: Structure | None = None) -> Graph:
    """The graph that a network wants of a small glass."""
    structure = structure or example_glass(SPECIES, cells=4, seed=11)
    return Graph.of(hops_of(structure, network.cutoff, network.hops, self_edges=network.self_edges))


def small_model(name: str, members: int = 1) -> GraphBarrier:
    """A complete model."""
    networks = [small_network(name, seed=seed) for seed in range(members)]
    weights = tuple(weights_of(n) for _, n in networks)
    descriptor = PowerSpectrum(SPECIES, 3.5, 3, 2, 1)
    features = descriptor(example_glass(SPECIES, cells=4, seed=11)).astype(np.float32)
    mean, std = features.mean(axis=0), features.std(axis=0) + 1e-3
    domain = Domain.fit((features - mean) / std, axes=4, quantile=0.9)
    flag = Flag(descriptor, mean, std, domain)
    return GraphBarrier(networks[0][0], SPECIES, weights, 1.6, 0.3, flag, ModelCard("small"))
