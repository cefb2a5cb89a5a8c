"""Training on several devices: torch's distributed data parallel, started by ``torchrun``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray

from glass_core.errors import GlassError


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together.

    Attributes:
        rank: 0 … size − 1.
        size: processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def share(self, order: NDArray[Any]) -> Sequence[int]:
        """Entries of an epoch that this process works on; the first ones again where they do not come out even."""
        repeats = -(-len(order) // self.size) * self.size
        return [int(order[k % len(order)]) for k in range(self.rank, repeats, self.size)]

    def distributed(self, network: torch.nn.Module, device: str) -> Any:
        """The network with gradients averaged over the processes."""
        if self.size == 1:
            return network
        if torch.device(device).type == "cuda":
            network = torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return torch.nn.parallel.DistributedDataParallel(network, find_unused_parameters=True)

    def mean(self, value: float) -> float:
        """Mean over the processes."""
        if self.size == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64)
        if torch.distributed.get_backend() == "nccl":
            total = total.cuda()
        torch.distributed.all_reduce(total)
        return float(total) / self.size

    def wait(self) -> None:
        """Returns when all processes have come here."""
        if self.size > 1:
            torch.distributed.barrier()


def ranks() -> Ranks:
    """The processes that ``torchrun`` started (``RANK`` and ``WORLD_SIZE``), connected; one if it did not.

    Raises:
        GlassError: if they cannot be connected.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Ranks()
    if not torch.distributed.is_initialized():
        try:
            torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        except (RuntimeError, ValueError) as error:
            raise GlassError(f"cannot connect {size} processes ({error}); start them with torchrun") from error
    return Ranks(torch.distributed.get_rank(), torch.distributed.get_world_size())
