"""Workers by Dask: processes of this machine, or of a cluster whose scheduler is running.

Searches travel in blocks of a few seconds, so that scheduling costs next to nothing, but each is sent home the moment
it is done (as an event on Dask's open connections): killing the coordinator loses the search that each worker is at,
not its block. Blocks of a worker that dies go to others; searches that had come home already are then done twice
and kept once.

On a SLURM cluster, with ``pip install dask-jobqueue``, a script such as this holds the scheduler:

    from dask_jobqueue import SLURMCluster

    cluster = SLURMCluster(cores=1, processes=1, memory="2GB", walltime="04:00:00",
                           worker_extra_args=["--lifetime", "230m", "--lifetime-stagger", "10m"])
    cluster.scale(jobs=100)
    print(cluster.scheduler_address, flush=True)
    input("Enter stops it")

and ``glass label … --scheduler tcp://10.0.0.1:8786``, with the address that it printed, uses it. Workers may come and
go. They need this package, and the potential and models under the same paths. One scheduler takes about 2000 searches a
second home, by far most of its time for receiving them one by one (``tests.benchmarks.coordinator``).
"""

from __future__ import annotations

import math
import queue
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from glass_core.campaign.columns import row_of
from glass_core.campaign.dask_cluster import Cluster, require_address
from glass_core.campaign.interrupts import Interrupts
from glass_core.campaign.results import Task
from glass_core.campaign.work import Work
from glass_core.errors import GlassError, require_package

_BLOCK_SECONDS = 4.0
_LARGEST_BLOCK = 64
_FIRST_BLOCK = 4
_AHEAD = 2  # blocks per worker: one at work, one waiting
_LATE = 2.0  # s; searches may come home after the news that their block is done


class DaskWorkers:
    """Does searches on a cluster, which is started or connected to when the first one is asked for.

    Args:
        work: what each worker gets.
        processes: how many to start on this machine; or
        scheduler: address of a running scheduler, ``tcp://…``.

    Raises:
        MissingExtraError: if Dask is not installed.
        GlassError: for an address that cannot be one.
    """

    def __init__(self, work: Work, processes: int = 0, scheduler: str = "") -> None:
        require_package("distributed", "label")
        if scheduler:
            require_address(scheduler)
        self._work, self._processes, self._scheduler = work, processes, scheduler
        self._home: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._cluster: Cluster | None = None
        self._blocks: dict[Any, list[Task]] = {}
        self._interrupts = Interrupts()
        self.count = processes

    def __enter__(self) -> DaskWorkers:
        self._interrupts.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        try:
            if self._cluster is not None:
                self._cluster.close(list(self._blocks))
        finally:
            self._cluster = None
            self._interrupts.__exit__(*error)

    def arrived(self) -> list[bytes]:
        """Searches that have come home and were not given out yet."""
        found = []
        with suppress(queue.Empty):
            while True:
                item = self._home.get_nowait()
                if isinstance(item, bytes):
                    found.append(item)
        return found

    def __call__(self, tasks: Sequence[Task]) -> Iterator[bytes]:
        """Searches as they come home; b"" when none did for a while.

        Raises:
            GlassError: if a search fails, or kills its worker again and again, or the scheduler is lost.
            KeyboardInterrupt: after Ctrl-C, as soon as the search that came home last is given out.
        """
        if tasks and self._cluster is None:
            self._cluster = Cluster(self._work, self._processes, self._scheduler, self._home)
        todo = _Todo(tasks)
        while todo.missing:
            self._interrupts.check()
            self._submit(todo)
            item = self._next()
            if isinstance(item, bytes):
                todo.arrived(item)
            elif item is not None:
                self._finished(item, todo)
            yield item if isinstance(item, bytes) else b""

    def _next(self) -> Any:
        try:
            return self._home.get(timeout=_LATE / 4)
        except queue.Empty:
            return None

    def _submit(self, todo: _Todo) -> None:
        """Keeps every worker in blocks."""
        assert self._cluster is not None
        self.count = self._cluster.count()
        room = _AHEAD * max(1, self.count)
        while len(self._blocks) < room:
            block = todo.block(self.count, alone=not self._blocks)
            if not block:
                return
            self._blocks[self._cluster.submit(block)] = block

    def _finished(self, future: Any, todo: _Todo) -> None:
        """Looks how a block ended."""
        from distributed import KilledWorker

        assert self._cluster is not None
        block = self._blocks.pop(future, [])
        if future.status == "cancelled":
            raise self._cluster.lost()
        if future.status == "error":
            error = future.exception()
            if not isinstance(error, KilledWorker):
                raise error
            todo.suspect(block)
        else:  # done; or "lost" by now, when the worker that did it died: its searches have come home
            todo.later(block)


class _Todo:
    """Searches of a round on their way."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.missing = set(tasks)
        self._waiting = deque(tasks)
        self._late: deque[tuple[float, list[Task]]] = deque()
        self._suspects: deque[Task] = deque()
        self._guilty: list[Task] = []
        self._start, self._home = time.monotonic(), 0

    def arrived(self, payload: bytes) -> None:
        """A search has come home."""
        found = row_of(payload)
        self.missing.discard((int(found["atom"]), int(found["number"])))
        self._home += 1

    def later(self, block: list[Task]) -> None:
        """A block is done; what has not come home in a while is done again."""
        self._late.append((time.monotonic() + _LATE, block))

    def suspect(self, block: list[Task]) -> None:
        """A block whose workers died, or which waited behind such a one: its searches are tried alone, last."""
        left = [task for task in block if task in self.missing]
        alone = len(block) == 1 and not self._waiting
        (self._guilty if alone else self._suspects).extend(left)

    def block(self, workers: int, alone: bool) -> list[Task]:
        """The next searches for a worker: of a few seconds, fewer towards the end; none if there are none now.

        Args:
            workers: how many there are.
            alone: whether nothing else is on its way.

        Raises:
            GlassError: if a search is left that kills its workers.
        """
        while self._late and self._late[0][0] < time.monotonic():
            self._waiting.extend(task for task in self._late.popleft()[1] if task in self.missing)
        if not self._waiting:
            return self._suspected() if alone else []
        size = _FIRST_BLOCK
        if self._home:
            seconds = (time.monotonic() - self._start) * max(1, workers) / self._home
            size = min(_LARGEST_BLOCK, int(_BLOCK_SECONDS / seconds))
        size = max(1, min(size, math.ceil(len(self._waiting) / (_AHEAD * max(1, workers)))))
        return [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]

    def _suspected(self) -> list[Task]:
        """A search to be tried alone.

        Raises:
            GlassError: if only those are left that ended their workers although they were alone.
        """
        if self._suspects:
            return [self._suspects.popleft()]
        if self._guilty and not self._late:
            atom, number = self._guilty[0]
            raise GlassError(
                f"search {number} around atom {atom} ended its worker process several times (out of memory, or a "
                "crash of the potential); try it with --workers 1, or leave the atom out with --atoms"
            )
        return []
