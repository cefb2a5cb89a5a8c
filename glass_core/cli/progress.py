"""How far long work is, on stderr: a bar on a terminal; elsewhere, as in a batch job's log, a line now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from glass_core.cli.pace import Pace, State, details, line

_FIRST, _EVERY = 15.0, 60.0  # s until the first line, and between lines
_LOOK, _LOOK_BAR = 1.0, 0.25  # s between looks at the work, for lines and for a bar


@contextmanager
def progress(title: str, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """Shows the fraction done, with which the callback is fed."""
    with _shown(quiet, State(title)) as tell:
        yield lambda fraction: tell(State(title, fraction, 1.0, fraction))


@contextmanager
def stages(quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """Shows what is being done, and the fraction done."""
    with _shown(quiet) as tell:
        yield lambda what, fraction: tell(State(what, fraction, 1.0, fraction))


@contextmanager
def counted(title: str, unit: str, quiet: bool = False) -> Iterator[Callable[[int, int, int, str], None]]:
    """Shows counts; fed with those done, the total, those of this run, and a note (see ``pace.State``)."""
    with _shown(quiet) as tell:
        yield lambda done, total, made, note: tell(State(title, done, total, made, unit, note))


class _Drawing(Protocol):
    def draw(self, state: State, gone: float, rate: float | None) -> None: ...

    def close(self, state: State, gone: float, rate: float | None) -> None: ...


@contextmanager
def _shown(quiet: bool, state: State | None = None) -> Iterator[Callable[[State], None]]:
    if quiet or sys.stderr is None:  # as after `2>&-`
        yield lambda state: None
        return
    terminal = sys.stderr.isatty()
    display = _Display(_Bar() if terminal else _Lines(), _LOOK_BAR if terminal else _LOOK, state)
    try:
        yield display.tell
    finally:
        display.close()


class _Display:
    """Draws what was told last, by a thread of its own: time goes on also where nothing is told for long."""

    def __init__(self, drawing: _Drawing, look: float, state: State | None) -> None:
        self._drawing, self._look, self._state = drawing, look, state
        self._begun, self._pace = time.monotonic(), Pace()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)
        self._thread.start()

    def tell(self, state: State) -> None:
        """Takes news; costs next to nothing."""
        self._state = state

    def close(self) -> None:
        """Draws no more."""
        self._ended.set()
        self._thread.join()
        self._show(self._drawing.close)

    def _watch(self) -> None:
        self._show(self._drawing.draw)
        while not self._ended.wait(self._look):
            self._show(self._drawing.draw)

    def _show(self, how: Callable[[State, float, float | None], None]) -> None:
        state, now = self._state, time.monotonic()
        if state is not None:
            with suppress(OSError):  # whoever read stderr is gone, which is no reason to stop working
                how(state, now - self._begun, self._pace.rate(now, state.made))


class _Lines:
    """A line after some seconds, then one every minute, and one in the end; none for short work."""

    def __init__(self) -> None:
        self._due, self._any = _FIRST, False

    def draw(self, state: State, gone: float, rate: float | None) -> None:
        if gone >= self._due:
            self._due, self._any = gone + _EVERY, True
            print(line(state, gone, rate), file=sys.stderr, flush=True)

    def close(self, state: State, gone: float, rate: float | None) -> None:
        if self._any:
            print(line(state, gone, rate), file=sys.stderr, flush=True)


class _Bar:
    """A bar of ``tqdm``, which vanishes in the end."""

    def __init__(self) -> None:
        self._bar: Any = None

    def draw(self, state: State, gone: float, rate: float | None) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=1.0, leave=False, dynamic_ncols=True, bar_format="{desc}")
        text = details(state, gone, rate).replace("{", "{{").replace("}", "}}")
        self._bar.bar_format = ("{l_bar}{bar}| " if state.total else "{desc}: ") + text
        self._bar.n, self._bar.desc = state.share, state.what
        self._bar.refresh()

    def close(self, state: State, gone: float, rate: float | None) -> None:
        if self._bar is not None:
            self._bar.close()
