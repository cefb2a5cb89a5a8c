"""Long computations that leave the program responsive and can be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

Result = TypeVar("Result")
_POLL_SECONDS = 0.05


class Cancelled(Exception):  # noqa: N818 - a request, not an error
    """The user stopped the computation."""


class _Progress:
    """What the worker has done, and whether it shall go on."""

    def __init__(self) -> None:
        self.fraction = 0.0
        self.cancelled = False

    def __call__(self, fraction: float) -> None:
        self.fraction = float(fraction)
        if self.cancelled:
            raise Cancelled


def in_background(work: Callable[[Callable[[float], None]], Result]) -> Generator[float, None, Result]:
    """Runs ``work(progress)`` in a thread; yields the fraction done, returns the result.

    Closing the generator stops the work at its next call of ``progress``. Errors of ``work`` are raised
    here with their own type.
    """
    progress = _Progress()
    with ThreadPoolExecutor(1, thread_name_prefix="glass") as pool:
        future = pool.submit(work, progress)
        try:
            while wait([future], timeout=_POLL_SECONDS).not_done:
                yield progress.fraction
        finally:
            progress.cancelled = True
    return future.result()
