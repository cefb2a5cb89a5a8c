"""Elements of O(3) as matrices: from Euler angles, or drawn uniformly."""

from __future__ import annotations

import torch
from torch import Tensor


def euler_matrices(angles: Tensor) -> Tensor:
    """``T = O_x1(α) O_x2(β) O_x3(γ)``: rotations about the three axes, one after the other.

    Args:
        angles: α, β, γ in radians, shape (…, 3).

    Returns:
        Rotations, shape (…, 3, 3).
    """
    c, s = torch.cos(angles), torch.sin(angles)
    zero, one = torch.zeros_like(c[..., 0]), torch.ones_like(c[..., 0])

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, dim=-1).reshape(*entries[0].shape, 3, 3)

    first = matrix(one, zero, zero, zero, c[..., 0], -s[..., 0], zero, s[..., 0], c[..., 0])
    second = matrix(c[..., 1], zero, s[..., 1], zero, one, zero, -s[..., 1], zero, c[..., 1])
    third = matrix(c[..., 2], -s[..., 2], zero, s[..., 2], c[..., 2], zero, zero, zero, one)
    return first @ second @ third


def uniform_rotations(normal: Tensor) -> Tensor:
    """Rotations distributed uniformly over SO(3) (Haar), from unit quaternions.

    Args:
        normal: independent normal numbers, shape (…, 4).
    """
    w, x, y, z = (normal / normal.norm(dim=-1, keepdim=True)).unbind(-1)
    entries = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    return torch.stack(entries, dim=-1).reshape(*w.shape, 3, 3)
