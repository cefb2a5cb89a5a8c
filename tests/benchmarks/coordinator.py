"""How many searches a second the coordinator of a campaign can take home.

    python -m tests.benchmarks.coordinator --workers 150 --seconds 0.3

starts a Dask scheduler, one process that plays many workers (each with its own connection, sleeping as long as a search
takes), and a campaign of fake events with 150 displaced atoms each. Printed are searches a second, and the processor
time per search of the coordinator (its main thread: plan, journal) and of the scheduler: 1 / time is what each could
take with a core of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import distributed
import numpy as np
import psutil

from glass_core.campaign.dask_workers import DaskWorkers
from glass_core.campaign.plans import EachPlan
from glass_core.campaign.run import Campaign, Progress
from glass_core.campaign.work import Work
from glass_core.cli.show import number, table
from glass_core.saddle.records import SearchRecord, State
from glass_core.testing import example_glass
from tests.campaign.fakes import fake_header

ADDRESS = "tcp://127.0.0.1:8799"
_MOVED = 150


@dataclass(frozen=True)
class Sleeper:
    """Searches that do nothing for some seconds and find an event."""

    seconds: float

    def bound(self) -> Sleeper:
        return self

    def __call__(self, atom: int, number: int) -> SearchRecord:
        time.sleep(self.seconds)
        moved = np.arange(_MOVED, dtype=np.int32)
        away = np.random.default_rng([atom, number]).normal(size=(2, _MOVED, 3))
        return SearchRecord(atom, number, State.ACCEPTED, 1.5, moved_d=moved, saddle_dc=away[0], final_dc=away[1])


async def play_scheduler() -> None:
    await (await distributed.Scheduler(port=8799, host="127.0.0.1", dashboard=False)).finished()


async def play_workers(count: int) -> None:
    workers = [distributed.Worker(ADDRESS, nthreads=1, memory_limit=0, name=k) for k in range(count)]
    await asyncio.gather(*workers)
    await asyncio.gather(*(worker.finished() for worker in workers))


@contextmanager
def process(*arguments: object) -> Iterator[psutil.Process]:
    """This module in another role."""
    started = subprocess.Popen([sys.executable, "-m", __spec__.name, *map(str, arguments)], stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait()


def measure(workers: int, seconds: float, searches: int, scheduler: psutil.Process) -> list[float]:
    """Searches a second; milliseconds per search of coordinator, its main thread, scheduler."""
    glass = example_glass(("Cu", "Zr"), cells=8, seed=2)
    plan = EachPlan(np.arange(glass.n_atoms, dtype=np.int32), max(1, searches // glass.n_atoms))
    marks: list[tuple[float, ...]] = []

    def tell(progress: Progress) -> None:
        if progress.done >= 3 * workers and progress.total - progress.done >= 3 * workers:
            used = scheduler.cpu_times()
            times = (time.monotonic(), time.process_time(), time.thread_time(), used.user + used.system)
            marks[1:] = [(progress.done, *times)]  # the first one stays

    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(pathlib.Path(folder) / "l.h5", fake_header(glass), plan)
        campaign(DaskWorkers(Work(Sleeper(seconds), glass), scheduler=ADDRESS), tell)
    done, wall, *used = np.subtract(marks[-1], marks[0])
    return [done / wall, *(1000 * part / done for part in used)]


def main() -> None:
    """Prints one row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=0.3, help="per search")
    parser.add_argument("--searches", type=int, default=20_000)
    parser.add_argument("--play", choices=["scheduler", "workers"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.play:
        asyncio.run(play_scheduler() if args.play == "scheduler" else play_workers(args.workers))
        return
    with process("--play", "scheduler") as scheduler, process("--play", "workers", "--workers", args.workers):
        found = measure(args.workers, args.seconds, args.searches, scheduler)
    cells = [str(args.workers), number(args.workers / args.seconds, 0), number(found[0], 0)]
    head = ["workers", "wanted/s", "done/s", "coordinator ms", "of it main thread", "scheduler ms"]
    table([[*cells, *(number(value) for value in found[1:])]], head)


if __name__ == "__main__":
    main()
