"""Elements of O(3) that SymGNN averages edges over."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glass_core.graphs.rotations import euler_matrices, uniform_rotations
from glass_core.graphs.settings import Symmetrisation
from glass_core.graphs.von_mises import sample_von_mises

_SEED = 20240721


class LearnedElements(nn.Module):
    """K rotations and K non-rotations, their Euler angles from six learned von Mises distributions.

    Attributes:
        location: μ of α, β, γ for rotations (row 0) and non-rotations (row 1), radians, shape (2, 3).
        log_concentration: ln κ of the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.location = nn.Parameter(torch.empty(2, 3).uniform_(-torch.pi, torch.pi))
        self.log_concentration = nn.Parameter(torch.zeros(2, 3))

    def forward(self, samples: int) -> Tensor:
        """Elements, shape (2 samples, 3, 3). In evaluation always the same: from a Sobol sequence."""
        if self.training:
            u = torch.rand(samples, 2, 3, dtype=torch.float64)
        else:
            u = torch.quasirandom.SobolEngine(6, scramble=True, seed=_SEED).draw(samples).reshape(samples, 2, 3)
        u = u.to(torch.float64).clamp(1e-6, 1 - 1e-6)
        angles = sample_von_mises(self.location, self.log_concentration.exp(), u)
        return both_signs(euler_matrices(angles)).flatten(0, 1)


def both_signs(rotations: Tensor) -> Tensor:
    """The second of two rotations along the axis before the last two becomes a non-rotation (determinant −1)."""
    return rotations * torch.tensor([1.0, -1.0], dtype=rotations.dtype, device=rotations.device)[:, None, None]


def elements_of(kind: Symmetrisation, samples: int, learned: LearnedElements | None, training: bool) -> Tensor:
    """Elements of a symmetrisation (see ``EdgeEncoder``), shape (k, 3, 3).

    Args:
        kind: the symmetrisation.
        samples: rotations, and non-rotations, of "learned", "uniform" and "frames".
        learned: distributions of "learned".
        training: whether they are drawn anew.
    """
    if learned is not None:
        return torch.as_tensor(learned(samples))
    if kind == "uniform":
        normal = torch.randn(samples, 2, 4) if training else _fixed_normal(samples)
        return both_signs(uniform_rotations(normal)).flatten(0, 1)
    if kind == "frames":
        turns = euler_matrices(torch.arange(samples)[:, None].expand(-1, 3).float())
        return torch.cat([turns, -turns])
    if kind == "frame_averaging":
        return torch.diag_embed(torch.cartesian_prod(*[torch.tensor([1.0, -1.0])] * 3))
    if kind == "augmentation" and training:
        return uniform_rotations(torch.randn(1, 4)) * (1.0 if torch.rand(()) < 0.5 else -1.0)
    return torch.eye(3)[None]


def _fixed_normal(samples: int) -> Tensor:
    return torch.randn(samples, 2, 4, generator=torch.Generator().manual_seed(_SEED))
