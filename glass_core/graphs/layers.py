"""What several networks are made of."""

from __future__ import annotations

import torch
from torch import nn
from torch_geometric.nn.models.schnet import GaussianSmearing

from glass_core.graphs.settings import DECODER, Normalisation


def norm(kind: Normalisation, width: int) -> nn.Module:
    """Normalisation over the rows ("batch", whose statistics belong to the training data) or within each ("layer")."""
    choices: dict[str, type[nn.Module]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
    return choices[kind](width) if kind in choices else nn.Identity()


def smear(cutoff: float, radial: int) -> GaussianSmearing | None:
    """Gaussians of lengths up to the cutoff; None where there are to be none."""
    return GaussianSmearing(0.0, cutoff, radial) if radial else None


def in_one_piece(module: nn.Module) -> bool:
    """Whether rows must stay together: for a gradient, or for statistics over all of them."""
    return torch.is_grad_enabled() or any(m.training for m in module.modules())


def decoder(width: int, kind: Normalisation) -> nn.Sequential:
    """Five linear layers with normalisation and PReLU between them, to one number."""
    layers: list[nn.Module] = []
    for _ in range(DECODER - 1):
        layers += [nn.Linear(width, width), norm(kind, width), nn.PReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 1))
