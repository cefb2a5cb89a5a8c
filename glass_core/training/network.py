"""Small networks: building and training them (torch)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError, require_package
from glass_core.models.networks import Activation
from glass_core.settings import Count, NotNegative, Rate, Share

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]
Score = Callable[[NDArray[np.float64]], float]


@dataclass(frozen=True)
class NetworkSettings:
    """How a network is built and trained.

    Attributes:
        hidden: widths of the hidden layers.
        activation: "silu" or "relu".
        dropout: probability of dropping a hidden unit while training.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch: rows per step.
        epochs: at most this many passes.
        patience: with a validation set, stop after this many passes without a better score.
    """

    hidden: tuple[Count, ...] = (64,)
    activation: Activation = "silu"
    dropout: Share = 0.2
    learning_rate: Rate = 1e-3
    weight_decay: NotNegative = 1e-2
    batch: Count = 512
    epochs: Count = 60
    patience: Count = 8


def build(inputs: int, outputs: int, settings: NetworkSettings) -> torch.nn.Sequential:
    """Linear layers with activation and dropout between them."""
    require_package("torch", "train")
    from torch import nn

    activations = {"silu": nn.SiLU, "relu": nn.ReLU}
    layers: list[nn.Module] = []
    width = inputs
    for hidden in settings.hidden:
        layers += [nn.Linear(width, hidden), activations[settings.activation](), nn.Dropout(settings.dropout)]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def weights_of(network: torch.nn.Module) -> list[tuple[Array, Array]]:
    """Weight and bias of every linear layer as numpy arrays."""
    from torch import nn

    linear = [m for m in network.modules() if isinstance(m, nn.Linear)]
    return [(m.weight.detach().numpy().copy(), m.bias.detach().numpy().copy()) for m in linear]


def fit(
    network: torch.nn.Module,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    train: tuple[Array, Array],
    sample: Callable[[], NDArray[np.int64]],
    settings: NetworkSettings,
    valid: tuple[Array, Score] | None = None,
) -> int:
    """Trains ``network`` in place.

    Args:
        network: maps (rows, features) to (rows, 1).
        loss: of prediction and target.
        train: features and targets.
        sample: indices of the rows of one pass, in the order to use them.
        settings: see ``NetworkSettings``.
        valid: features, and a score of their predictions (larger is better): the network is left at its
            best pass. Without, it is left at its last.

    Returns:
        The number of passes of the network as it is left.

    Raises:
        GlassError: if the loss is no longer finite.
    """
    import torch

    x, y = torch.from_numpy(train[0]), torch.from_numpy(train[1])
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    best, best_epoch, best_state = -np.inf, settings.epochs, _state(network)
    for epoch in range(1, settings.epochs + 1):
        network.train()
        for rows in torch.from_numpy(sample()).split(settings.batch):
            optimizer.zero_grad()
            value = loss(network(x[rows])[:, 0], y[rows])
            value.backward()
            optimizer.step()
        if not torch.isfinite(value):
            raise GlassError(f"training diverged (loss {value.item()}); lower learning_rate {settings.learning_rate}")
        if valid is None:
            continue
        now = valid[1](predictions(network, torch.from_numpy(valid[0])))
        if now > best:
            best, best_epoch, best_state = now, epoch, _state(network)
        if epoch - best_epoch >= settings.patience:
            break
    if valid is not None:
        network.load_state_dict(best_state)
    return best_epoch


def predictions(network: torch.nn.Module, x: torch.Tensor) -> NDArray[np.float64]:
    """Output of the network in evaluation mode, shape (rows,)."""
    import torch

    network.eval()
    with torch.no_grad():
        return np.asarray(network(x)[:, 0].numpy(), dtype=np.float64)


def _state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def seed_torch(seed: Sequence[int]) -> None:
    """Seeds torch's generator from several integers (fold, member, seed)."""
    import torch

    torch.manual_seed(int(np.random.SeedSequence(list(seed)).generate_state(1)[0]))
