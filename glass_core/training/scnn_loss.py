"""The loss of SCNN, term by term (arXiv:2401.03743, equations 12–17)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glass_core.errors import GlassError

if TYPE_CHECKING:
    import torch

CLASS_OF = (0, 0, 1, 1)
INITIAL_CLASSIFIER = ((1.0, 1.0, -0.5, -0.5), (-0.5, -0.5, 1.0, 1.0))


@dataclass(frozen=True)
class LossWeights:
    """λ1 … λ4."""

    cluster: float
    separation: float
    orthogonality: float
    class_separation: float


def embedding_loss(
    z: torch.Tensor,
    constraints: torch.Tensor,
    classifier: torch.Tensor,
    high: torch.Tensor,
    weights: LossWeights,
    rule: str,
) -> torch.Tensor:
    """``CE + λ1 Clst + λ2 Sep + λ3 Orth + λ4 SCSep``.

    Args:
        z: embeddings, shape (rows, 32).
        constraints: S in rows, shape (4, 32).
        classifier: W_h, shape (2, 4).
        high: class of each row, shape (rows,).
        weights: λ1 … λ4.
        rule: "min" or "max" over the constraints of the other class.
    """
    from torch import nn

    similarity = nn.functional.cosine_similarity(z[:, None], constraints[None], dim=2)
    total = nn.functional.cross_entropy(similarity @ classifier.T, high)
    total = total + weights.cluster * cluster(z, constraints, high)
    total = total + weights.separation * separation(z, constraints, high, rule)
    total = total + weights.orthogonality * orthogonality(constraints)
    return total + weights.class_separation * class_separation(constraints)


def _projections(z: torch.Tensor, constraints: torch.Tensor) -> torch.Tensor:
    """⟨Z_i, S_v⟩ / ‖Z_i‖, shape (rows, 4)."""
    norms: torch.Tensor = z.norm(dim=1, keepdim=True)
    return z @ constraints.T / norms.clamp_min(1e-8)


def _own(high: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.tensor(CLASS_OF, device=high.device)[None] == high[:, None]


def cluster(z: torch.Tensor, constraints: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """``Clst = mean_i min_{v of own class} (−⟨Z_i, S_v⟩ / ‖Z_i‖)``."""
    import torch

    values = (-_projections(z, constraints)).masked_fill(~_own(high), torch.inf)
    return values.min(dim=1).values.mean()


def separation(z: torch.Tensor, constraints: torch.Tensor, high: torch.Tensor, rule: str) -> torch.Tensor:
    """``Sep = mean_i min_{v of other class} ⟨Z_i, S_v⟩ / ‖Z_i‖`` ("min", as printed), or max ("max", ProtoPNet)."""
    import torch

    if rule not in ("min", "max"):
        raise GlassError(f"separation_rule must be 'min' or 'max', got {rule!r}")
    values, own = _projections(z, constraints), _own(high)
    if rule == "min":
        return values.masked_fill(own, torch.inf).min(dim=1).values.mean()
    return values.masked_fill(own, -torch.inf).max(dim=1).values.mean()


def orthogonality(constraints: torch.Tensor) -> torch.Tensor:
    """``Orth = Σ_c ‖S_cᵀ S_c − I‖_F²``, S_c the two constraints of class c in columns."""
    import torch

    pairs = (constraints[:2], constraints[2:])
    identity = torch.eye(2, device=constraints.device)
    return torch.stack([((s @ s.T - identity) ** 2).sum() for s in pairs]).sum()


def class_separation(constraints: torch.Tensor) -> torch.Tensor:
    """``SCSep = −(1/√2) ‖S_0 S_0ᵀ − S_1 S_1ᵀ‖_F²``, the distance between the subspaces of the classes."""
    low, high = constraints[:2], constraints[2:]
    return -((low.T @ low - high.T @ high) ** 2).sum() / math.sqrt(2)


def sparsity(classifier: torch.Tensor) -> torch.Tensor:
    """``|W_h[0,2]| + |W_h[0,3]| + |W_h[1,0]| + |W_h[1,1]|``: evidence against a class."""
    return classifier[0, 2:].abs().sum() + classifier[1, :2].abs().sum()
