"""Ctrl-C where a KeyboardInterrupt could get lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any


class Interrupts:
    """Keeps the first Ctrl-C (or polite kill, if it has a handler) until it is asked for; a second one acts at once.

    Python raises KeyboardInterrupt between any two instructions. Where that is a callback of the garbage collector
    (``distributed`` has one), it is printed and forgotten, and the campaign would go on.

    Used as a context manager. Does nothing outside the main thread.
    """

    def __init__(self) -> None:
        self._usual: dict[int, Callable[[int, Any], Any]] = {}
        self._kept = 0

    def __enter__(self) -> Interrupts:
        self._kept = 0
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                usual = signal.getsignal(number)
                if callable(usual):
                    self._usual[number] = usual
                    signal.signal(number, self._keep)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        for number, usual in self._usual.items():
            signal.signal(number, usual)
        if kind is None:
            self.check()
        self._usual.clear()

    def check(self) -> None:
        """Lets the signal that was kept act, once.

        Raises:
            KeyboardInterrupt: if there was one, with the usual handler.
        """
        if self._kept:
            number, self._kept = self._kept, 0
            self._usual[number](number, None)

    def _keep(self, number: int, frame: object) -> None:
        self.check()
        self._kept = number


@contextmanager
def deaf_processes() -> Iterator[None]:
    """Processes and threads started here get no Ctrl-C, nor do those that these start: whoever started them tells them.

    A terminal sends it to all processes of a command, and workers would end with a traceback each. Ours waits until
    the block is left.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # for starting it later would end the blocking
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
