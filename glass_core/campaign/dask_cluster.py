"""A Dask cluster that searches: started on this machine, or running elsewhere."""

from __future__ import annotations

import logging
import math
import queue
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from glass_core.campaign.interrupts import deaf_processes
from glass_core.campaign.results import Task
from glass_core.campaign.work import Work
from glass_core.errors import GlassError

_LOOK = 2.0  # s between looks at the workers
_CONNECT = 30  # s
_SILENT = logging.CRITICAL + 1  # what goes wrong is told once, by us; a client that leaves is critical to distributed
_QUIET = {
    "distributed.nanny.pre-spawn-environ.NUMBA_NUM_THREADS": 1,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "500ms",
}


class Cluster:
    """Takes blocks of searches; everything comes home into one queue.

    Args:
        work: what each worker gets.
        processes: how many to start on this machine, unless
        scheduler: is the address of a running scheduler, ``tcp://…``.
        home: gets each search (bytes) as soon as it is done, and the future of each block.

    Raises:
        GlassError: if no scheduler answers.
    """

    def __init__(self, work: Work, processes: int, scheduler: str, home: queue.SimpleQueue[Any]) -> None:
        from glass_core.campaign.search_plugin import SearchPlugin

        self._name, self._scheduler, self._home = f"glass-label-{uuid.uuid4().hex[:12]}", scheduler, home
        self._count, self._looked, self._processes = processes, -math.inf, 0 if scheduler else processes
        self._stack = ExitStack()
        with ExitStack() as stack:
            self._client = _connected(stack, scheduler) if scheduler else _started(stack, processes)
            self._client.subscribe_topic(self._name, lambda event: home.put(event[1]))
            self._client.register_plugin(SearchPlugin(self._name, work))
            stack.callback(self._client.unregister_worker_plugin, self._name)
            self._stack = stack.pop_all()

    def submit(self, block: Sequence[Task]) -> Any:
        """Has a block done; returns its future."""
        from glass_core.campaign.search_plugin import search_block

        future = self._client.submit(search_block, self._name, block, pure=False)
        future.add_done_callback(self._home.put)
        return future

    def count(self) -> int:
        """Workers there are, looked at now and then; those of this machine that Dask gave up are started again.

        Raises:
            GlassError: if the scheduler is gone.
        """
        if time.monotonic() > self._looked + _LOOK:
            try:
                if self._client.status != "running":
                    raise self.lost()
                self._count = len(self._client.nthreads())
                if self._count < self._processes:
                    # A worker that is not back from a crash after some time is closed for good, but still wanted.
                    self._client.cluster.scale(self._processes)
            except (OSError, TimeoutError) as error:
                raise self.lost() from error
            self._looked = time.monotonic()
        return self._count

    def lost(self) -> GlassError:
        """The error for a scheduler that is gone."""
        where = f"at {self._scheduler}" if self._scheduler else "of this machine"
        return GlassError(f"the Dask scheduler {where} is gone; finished searches are kept: run the same command again")

    def close(self, futures: Sequence[Any]) -> None:
        """Gives up what is not done, and lets the cluster go."""
        with suppress(OSError, TimeoutError):  # of a scheduler that is gone
            self._client.cancel(list(futures))
            self._stack.close()


def require_address(scheduler: str) -> None:
    """Checks that the address of a scheduler can be one.

    Raises:
        GlassError: if not.
    """
    from distributed.comm import addressing, registry

    try:
        kind, place = addressing.parse_address(scheduler)
        registry.get_backend(kind)
        if kind != "inproc":
            addressing.parse_host_port(place)
    except ValueError as error:
        raise GlassError(
            f"address of a Dask scheduler must read like tcp://10.0.0.1:8786, got {scheduler!r}"
        ) from error


def _connected(stack: ExitStack, scheduler: str) -> Any:
    import distributed

    connect: Callable[..., Any] = distributed.Client
    for handler in logging.getLogger("distributed").handlers:
        stack.callback(handler.setLevel, handler.level)
        handler.setLevel(_SILENT)
    try:
        return stack.enter_context(connect(scheduler, set_as_default=False, timeout=_CONNECT))
    except OSError as error:
        raise GlassError(
            f"no Dask scheduler answers at {scheduler} ({error}); start one, or leave out --scheduler"
        ) from error


def _started(stack: ExitStack, processes: int) -> Any:
    import dask
    import distributed

    start: Callable[..., Any] = distributed.LocalCluster
    connect: Callable[..., Any] = distributed.Client
    stack.enter_context(dask.config.set(_QUIET))
    with deaf_processes():
        cluster = stack.enter_context(
            start(
                n_workers=processes,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                memory_limit=0,
                silence_logs=_SILENT,
            )
        )
    return stack.enter_context(connect(cluster, set_as_default=False))
