"""What turns gradients of a graph network into steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch_geometric.nn import Linear as GraphLinear

from glass_core.training.checkpoint import State, copied

if TYPE_CHECKING:
    from glass_core.training.graph import GraphSettings

_LEAST = 8


class Optimiser:
    """AdamW (AMSGrad) for all parameters, or Muon for the matrices of hidden layers and AdamW for the rest.

    Muon makes each step of a matrix orthogonal, so that all its directions learn at once (K. Jordan et al. 2024;
    lengths of steps as J. Liu et al., arXiv:2502.16982).

    Args:
        network: whose parameters are changed.
        settings: rates and which optimiser.
    """

    def __init__(self, network: nn.Module, settings: GraphSettings) -> None:
        self._parameters = list(network.parameters())
        matrices = _hidden(network) if settings.optimizer == "muon" else []
        chosen = {id(p) for p in matrices}
        rest = [p for p in self._parameters if id(p) not in chosen]
        rate, decay = settings.learning_rate, settings.weight_decay
        self._parts: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, rate, weight_decay=decay, amsgrad=True)]
        if matrices:
            muon = torch.optim.Muon(matrices, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            self._parts.append(muon)

    @property
    def rate(self) -> float:
        """Learning rate of the last step."""
        return float(self._parts[0].param_groups[0]["lr"])

    def forget(self) -> None:
        """Drops gradients."""
        for part in self._parts:
            part.zero_grad()

    def step(self, rate: float) -> None:
        """Changes parameters by their gradients at a learning rate."""
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()

    @property
    def state(self) -> tuple[State, ...]:
        """What is remembered of each parameter, in the order of the network's."""
        known = {id(p): values for part in self._parts for p, values in part.state.items()}
        return tuple(copied(known[id(p)]) for p in self._parameters)

    def load(self, state: Sequence[State]) -> None:
        """Goes on from what ``state`` told."""
        known = {id(p): values for p, values in zip(self._parameters, state, strict=True)}
        for part in self._parts:
            own = [p for group in part.param_groups for p in group["params"]]
            states = {index: dict(known[id(p)]) for index, p in enumerate(own)}
            part.load_state_dict({"state": states, "param_groups": part.state_dict()["param_groups"]})


def _hidden(network: nn.Module) -> list[torch.Tensor]:
    """Matrices between hidden layers: those of linear layers with at least eight numbers on both sides."""
    linear = (m.weight for m in network.modules() if isinstance(m, nn.Linear | GraphLinear))
    return [weight for weight in linear if min(weight.shape) >= _LEAST]
