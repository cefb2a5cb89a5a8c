"""Training on several devices: torch's distributed data parallel, started by ``torchrun``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray

from glass_core.errors import GlassError

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


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
        """The network with gradients averaged over the processes; on GPUs also statistics of batches.

        Batch renormalisation follows the configurations of the first process while it trains.
        """
        if self.size == 1:
            return network
        import torch

        if torch.device(device).type == "cuda":
            torch.cuda.set_device(device)
            network = torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return torch.nn.parallel.DistributedDataParallel(network, static_graph=True)

    def mean(self, value: float) -> float:
        """Mean over the processes."""
        if self.size == 1:
            return value
        import torch

        total = torch.tensor(value, dtype=torch.float64)
        torch.distributed.all_reduce(total)
        return float(total) / self.size

    def from_first(self, make: Callable[[], T]) -> T:
        """What ``make`` returns in the first process, in all of them, so that all decide alike.

        Raises:
            GlassError: in all processes, if ``make`` raises it in the first.
        """
        if self.size == 1:
            return make()
        import torch

        box: list[Any] = [None, None]
        if self.first:
            try:
                box[0] = make()
            except GlassError as error:
                box[1] = error
        torch.distributed.broadcast_object_list(box, device=torch.device("cpu"))
        if box[1] is not None:
            raise box[1]
        made: T = box[0]
        return made


def ranks() -> Ranks:
    """The processes that ``torchrun`` started (``RANK`` and ``WORLD_SIZE``), connected; one if it did not.

    Raises:
        GlassError: if they cannot be connected.
    """
    size = rank_count()
    if size == 1:
        return Ranks()
    import torch

    if not torch.distributed.is_initialized():
        try:
            torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        except (RuntimeError, ValueError) as error:
            raise GlassError(f"cannot connect {size} processes ({error}); start them with torchrun") from error
    return Ranks(torch.distributed.get_rank(), torch.distributed.get_world_size())


def is_first() -> bool:
    """Whether this process prints and writes: it is alone, or the first that ``torchrun`` started."""
    return rank_count() == 1 or os.environ.get("RANK") == "0"


def own_device(name: str) -> str:
    """The device of this process: under ``torchrun``, "cuda" is the card of its rank."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if name == "cuda" and "LOCAL_RANK" in os.environ else name


def rank_count() -> int:
    """How many processes ``torchrun`` started; 1 without it.

    Raises:
        GlassError: if ``WORLD_SIZE`` is no number.
    """
    size = os.environ.get("WORLD_SIZE", "1")
    if not size.isdecimal() or int(size) < 1:
        raise GlassError(f"WORLD_SIZE must be a number of processes, got {size!r}; unset it, or use torchrun")
    return int(size)
