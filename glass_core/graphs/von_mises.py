"""Samples of von Mises distributions through which gradients reach location and concentration.

``p(θ; μ, κ) = exp(κ cos(θ − μ)) / (2π I₀(κ))``. A sample is ``θ = μ + F⁻¹(u; κ)`` with u uniform and F the
distribution function for μ = 0, so ``∂θ/∂μ = 1`` and, by implicit differentiation of ``F(θ; κ) = u``,
``∂θ/∂κ = −(∂F/∂κ) / p`` (Figurnov, Mohamed & Mnih, NeurIPS 2018). ``torch.distributions.VonMises`` has no such
``rsample``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

_NODES, _WEIGHTS = (torch.from_numpy(x) for x in np.polynomial.legendre.leggauss(128))
_BISECTIONS = 60


def _integral(theta: Tensor, kappa: Tensor, derivative: bool) -> Tensor:
    """``∫₀^θ p dt``, or its derivative by κ, ``∫₀^θ (cos t − I₁/I₀) p dt``: Gauss–Legendre, 128 nodes."""
    t = 0.5 * theta[..., None] * (_NODES + 1)
    i0, i1 = torch.special.i0e(kappa), torch.special.i1e(kappa)
    # i0e carries exp(−κ), so cos t − 1 replaces cos t and nothing overflows.
    density = torch.exp(kappa[..., None] * (torch.cos(t) - 1)) / (2 * math.pi * i0[..., None])
    factor = torch.cos(t) - 1 + ((i0 - i1) / i0)[..., None] if derivative else 1.0
    return torch.as_tensor(0.5 * theta * (density * factor * _WEIGHTS).sum(-1))


class _Quantile(torch.autograd.Function):
    """F⁻¹(u; κ) by bisection, with its derivative by κ."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, kappa: Tensor) -> Tensor:
        low, high = torch.full_like(u, -math.pi), torch.full_like(u, math.pi)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            below = _integral(middle, kappa, derivative=False) + 0.5 < u
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        theta = 0.5 * (low + high)
        ctx.save_for_backward(theta, kappa)
        return theta

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[None, Tensor]:
        theta, kappa = ctx.saved_tensors
        density = torch.exp(kappa * (torch.cos(theta) - 1)) / (2 * math.pi * torch.special.i0e(kappa))
        return None, gradients[0] * -_integral(theta, kappa, derivative=True) / density


def sample_von_mises(location: Tensor, concentration: Tensor, u: Tensor) -> Tensor:
    """Angles of von Mises distributions from uniform numbers, differentiable in both parameters.

    Args:
        location: μ in radians.
        concentration: κ > 0, of the same shape.
        u: uniform numbers in (0, 1), whose shape ends in that of μ.

    Returns:
        θ in radians, of the shape and device of ``u``, with the number type of ``location``.
    """
    kappa = concentration.to(device="cpu", dtype=torch.float64).expand(u.shape)
    centred: Tensor = _Quantile.apply(u.to(device="cpu", dtype=torch.float64), kappa)
    return torch.as_tensor(location + centred.to(location))
