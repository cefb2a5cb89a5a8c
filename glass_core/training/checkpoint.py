"""State of a training run between epochs: one safetensors file, nothing is ever unpickled."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from glass_core.errors import GlassError
from glass_core.files import replacing

State = Mapping[str, torch.Tensor]


def copied(state: State) -> dict[str, torch.Tensor]:
    """Tensors of their own."""
    return {name: tensor.detach().clone() for name, tensor in state.items()}


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the rest of a run depends on, with the seed.

    Attributes:
        epoch: epochs done.
        network: its weights.
        optimizer: per parameter, in the order of the network's, the tensors of the optimiser.
        best: weights of the best epoch so far; those of the last without validation.
        history: per epoch done, training loss (in units of the labels' variance), Pearson correlations in training and
            of the validation group (None without validation), last learning rate, and seconds.
    """

    epoch: int
    network: State
    optimizer: tuple[State, ...]
    best: State
    history: tuple[Mapping[str, float | None], ...]

    def write(self, path: pathlib.Path, key: str) -> None:
        """Replaces the file when the new one is complete."""
        from safetensors.torch import save

        tensors = {f"network/{name}": t for name, t in self.network.items()}
        tensors |= {f"best/{name}": t for name, t in self.best.items()}
        tensors |= {f"optimizer/{k}/{n}": t for k, state in enumerate(self.optimizer) for n, t in state.items()}
        header = {"key": key, "epoch": self.epoch, "history": self.history}
        plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
        with replacing(path) as temporary:
            temporary.write_bytes(save(plain, metadata={"training": json.dumps(header)}))


def read_checkpoint(path: pathlib.Path, key: str) -> Checkpoint | None:
    """The state of an interrupted run; None if there is none.

    Raises:
        GlassError: for a file that cannot be read, or one of another run.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as handle:
            header = json.loads((handle.metadata() or {})["training"])
            found, epoch, history = header["key"], int(header["epoch"]), tuple(header["history"])
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise GlassError(f"{path} is not a checkpoint of training ({error}); delete it to start again") from error
    if found != key:
        raise GlassError(
            f"{path} is the checkpoint of another model or data set ({found}, wanted {key}); "
            "choose another folder with --runs, or delete it to start again"
        )
    optimizer: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        if part == "optimizer":
            index, _, entry = rest.partition("/")
            optimizer.setdefault(int(index), {})[entry] = tensor
    return Checkpoint(
        epoch,
        _part(tensors, "network"),
        tuple(optimizer[index] for index in sorted(optimizer)),
        _part(tensors, "best"),
        history,
    )


def best_epoch(history: Sequence[Any]) -> int:
    """The epoch (from 1) with the highest validation score; the last without validation.

    The correlation of constant predictions is nan: such an epoch is the best only while there is no other.
    """
    scores = np.array([entry["validation"] for entry in history], dtype=float)
    return int(np.nanargmax(scores)) + 1 if np.isfinite(scores).any() else len(scores)


def _part(tensors: State, part: str) -> dict[str, torch.Tensor]:
    return {name.partition("/")[2]: tensor for name, tensor in tensors.items() if name.startswith(f"{part}/")}
