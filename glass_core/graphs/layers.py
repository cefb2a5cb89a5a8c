"""What several networks are made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch_geometric.nn.models.schnet import GaussianSmearing

from glass_core.graphs.settings import DECODER, Normalisation

_EPSILON = 1e-5


class Renormalised(nn.Module):
    """Batch renormalisation (S. Ioffe, arXiv:1702.03275): in training as in prediction, over all configurations.

    ``y = γ (r (x − μ_B) / σ_B + d) + β``, with constants ``r = σ_B / σ`` and ``d = (μ_B − μ) / σ``: rows are normalised
    by mean μ_B and deviation σ_B of their own configuration, then by how these differ from the running μ and σ of
    all. ``1 / (1 + a) ≤ r ≤ 1 + a`` and ``|d| ≤ 2 a``: with a = 0 this is batch normalisation, which hides from a
    network how configurations differ as a whole; with a = ∞ it is what predictions do, in gradients as well.

    Attributes:
        freedom: a; no part of the state, who trains sets it.
        momentum: of running statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))
        self.freedom, self.momentum = 0.0, 0.1
        self._seen: list[tuple[Tensor, Tensor]] | None = None

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # it would compile again whenever the freedom changes
    def forward(self, rows: Tensor) -> Tensor:
        """Rows like those given."""
        if not self.training:
            if self._seen is not None:
                self._seen.append(self._statistics(rows))
            return self._usual(rows)
        with torch.no_grad():
            mean, variance = self._statistics(rows)
            usual = (self.running_var + _EPSILON).sqrt()
            r = ((variance + _EPSILON).sqrt() / usual).clamp(1 / (1 + self.freedom), 1 + self.freedom)
            d = ((mean - self.running_mean) / usual).clamp(-2 * self.freedom, 2 * self.freedom)
            self.running_var.lerp_(variance + (mean - self.running_mean) ** 2, self.momentum)
            self.running_mean.lerp_(mean, self.momentum)
        if math.isinf(self.freedom):
            return self._usual(rows)
        return batch_norm(rows, None, None, r * self.weight, d * self.weight + self.bias, True, eps=_EPSILON)

    @property
    def collecting(self) -> bool:
        """Whether evaluations note statistics."""
        return self._seen is not None

    def collect(self) -> None:
        """From now on, evaluations note mean and variance of what they are given."""
        self._seen = []

    def settle(self) -> float:
        """Mean and variance of all that was noted, configurations weighing the same, become the running ones.

        Returns:
            The largest change of μ, in units of σ, or relative one of σ².
        """
        means, variances = (torch.stack(noted) for noted in zip(*self._seen or (), strict=True))
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        moved = (mean - self.running_mean).abs() / (variance + _EPSILON).sqrt()
        changed = (variance - self.running_var).abs() / (variance + _EPSILON)
        self.running_mean.copy_(mean)
        self.running_var.copy_(variance)
        self._seen = None
        return float(torch.maximum(moved, changed).max())

    def _usual(self, rows: Tensor) -> Tensor:
        """Normalised by the running statistics, of which a step keeps those it was made with."""
        mean, variance = self.running_mean.clone(), self.running_var.clone()
        return batch_norm(rows, mean, variance, self.weight, self.bias, eps=_EPSILON)

    def _statistics(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance, taken by a batch normalisation, which has the fastest loops for them."""
        mean, variance = torch.zeros_like(self.running_mean), torch.ones_like(self.running_var)
        batch_norm(rows.detach(), mean, variance, self.weight.detach(), self.bias.detach(), True, 1.0)
        return mean, variance * (1 - 1 / len(rows))


def renormalised(network: nn.Module) -> list[Renormalised]:
    """Its batch renormalisations."""
    return [m for m in network.modules() if isinstance(m, Renormalised)]


def norm(kind: Normalisation, width: int) -> nn.Module:
    """Normalisation over the rows of a configuration ("batch", and "renorm", whose statistics become those of all
    training data while it goes on) or within each row ("layer")."""
    choices: dict[str, type[nn.Module]] = {"batch": nn.BatchNorm1d, "renorm": Renormalised, "layer": nn.LayerNorm}
    return choices[kind](width) if kind in choices else nn.Identity()


def smear(cutoff: float, radial: int) -> GaussianSmearing | None:
    """Gaussians of lengths up to the cutoff; None where there are to be none."""
    return GaussianSmearing(0.0, cutoff, radial) if radial else None


def in_one_piece(module: nn.Module) -> bool:
    """Whether rows must stay together: for a gradient, or for statistics over all of them."""
    collecting = any(m.collecting for m in renormalised(module))
    return torch.is_grad_enabled() or collecting or any(m.training for m in module.modules())


def decoder(width: int, kind: Normalisation) -> nn.Sequential:
    """Five linear layers with normalisation and PReLU between them, to one number."""
    layers: list[nn.Module] = []
    for _ in range(DECODER - 1):
        layers += [nn.Linear(width, width), norm(kind, width), nn.PReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 1))
