"""The worker's side of Dask: searches done and sent home one by one."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from typing import Any

from distributed import WorkerPlugin, get_worker

from glass_core.campaign.results import Task
from glass_core.campaign.work import BoundWork, Work
from glass_core.errors import plain_warning

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class SearchPlugin(WorkerPlugin):
    """What each worker of a cluster gets, also one that joins later: the work, prepared when first needed."""

    def __init__(self, name: str, work: Work) -> None:
        self.name, self._work = name, work

    def setup(self, worker: Any) -> None:
        """Called by Dask on each worker. Kernels use one thread."""
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        self._usual, warnings.formatwarning = warnings.formatwarning, plain_warning
        self._worker, self._lock, self._stopped = worker, threading.Lock(), False
        self._bound: BoundWork | None = None

    def teardown(self, worker: Any) -> None:
        """Called by Dask when the campaign ends: the block at work stops after its present search."""
        self._stopped = True
        warnings.formatwarning = self._usual

    def run(self, tasks: Sequence[Task]) -> None:
        """Searches one by one, also where Dask was given several threads; each goes home as an event."""
        with self._lock:
            bound = self._bound = self._bound or self._work.bound()
            for atom, number in tasks:
                if self._stopped:
                    return
                self._worker.log_event(self.name, bound(atom, number))


def search_block(name: str, tasks: Sequence[Task]) -> None:
    """The task that Dask runs."""
    plugin: Any = get_worker().plugins[name]
    plugin.run(tasks)
