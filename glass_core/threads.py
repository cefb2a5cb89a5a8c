"""Threads for compiled kernels that release the interpreter lock.

Python threads, not OpenMP: creating a LAMMPS instance sets OpenMP to one thread for the whole
process, and OVITO evaluates pipelines from several threads at once.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_MIN_ITEMS_PER_TASK = 256
_TASKS_PER_THREAD = 4
# Ranges start at multiples of this, so that an item falls into whole vectors or into the remainder
# after them (whose last bits may differ) whatever the number of threads.
_ALIGNED = 64


def thread_count() -> int:
    """Threads to use: ``OMP_NUM_THREADS`` if set to a positive number, else the cores allowed to us."""
    value = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if value.isdigit() and int(value) > 0:
        return int(value)
    return cores()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_ranges(kernel: Callable[[int, int], None], n_items: int) -> None:
    """Calls ``kernel(start, stop)`` over consecutive ranges that cover ``0 … n_items``, in threads."""
    threads = thread_count()
    if threads == 1 or n_items <= _MIN_ITEMS_PER_TASK:
        kernel(0, n_items)
        return
    tasks = min(threads * _TASKS_PER_THREAD, -(-n_items // _MIN_ITEMS_PER_TASK))
    bounds = [n_items * t // tasks // _ALIGNED * _ALIGNED for t in range(tasks)] + [n_items]
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(kernel, a, b) for a, b in itertools.pairwise(bounds)]:
            done.result()
