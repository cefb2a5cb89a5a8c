"""Rate and time left of long work, and how both are written."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_SETTLING = 2.0  # s in which what earlier runs left is told, which says nothing of the rate
_MARK, _MARKS = 5.0, 60  # s between marks and their number: the rate is that of the last five minutes


@dataclass(frozen=True)
class State:
    """How far work is.

    Attributes:
        what: is being done.
        done: so far.
        total: in the end; 0 where nobody knows.
        made: of ``done``, by this run.
        unit: what is counted, in the plural; "" where only the share means something.
        note: more to tell.
    """

    what: str
    done: float = 0.0
    total: float = 0.0
    made: float = 0.0
    unit: str = ""
    note: str = ""

    @property
    def share(self) -> float:
        """``done / total``; 0 where nobody knows."""
        return min(1.0, self.done / self.total) if self.total else 0.0


class Pace:
    """How fast work goes on: over the last five minutes, so that workers may come and go.

    >>> pace = Pace()
    >>> [pace.rate(float(now), 100.0 + 3 * now) for now in (0, 1, 2, 12)]
    [None, None, 3.0, 3.0]
    """

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque(maxlen=_MARKS)
        self._begun: float | None = None

    def rate(self, now: float, made: float) -> float | None:
        """Units per second; None while there is none to tell.

        Args:
            now: s.
            made: units by now.
        """
        self._begun = now if self._begun is None else self._begun
        if not self._marks or now < self._begun + _SETTLING:
            self._marks.clear()
            self._marks.append((now, made))
            return None
        then, before = self._marks[0]
        if now >= self._marks[-1][0] + _MARK:
            self._marks.append((now, made))
        return (made - before) / (now - then) if now > then and made > before else None


def details(state: State, gone: float, rate: float | None) -> str:
    """What stands behind the share: counts, times, rate, note.

    Args:
        state: of the work.
        gone: s since it began.
        rate: units per second.

    >>> details(State("searching", 1234, 4000, 1200, "searches", "70 % accepted"), 720.0, 1.71)
    '1234 of 4000 after 12 min, 27 min left, 1.7 searches/s, 70 % accepted'
    """
    counts = f"{state.done:.0f} of {state.total:.0f} " if state.unit else ""
    parts = [f"{counts}after {duration(gone)}"]
    if rate is not None and state.done < state.total:
        parts.append(f"{duration((state.total - state.done) / rate)} left")
    if rate is not None and state.unit:
        parts.append(per_time(rate, state.unit))
    return ", ".join([*parts, state.note] if state.note else parts)


def line(state: State, gone: float, rate: float | None) -> str:
    """All in one line; arguments as for ``details``.

    >>> line(State("predicting", 0.31, 1.0), 125.0, 0.0025)
    'predicting: 31 %, after 2 min, 5 min left'
    """
    share = f"{int(100 * state.share)} %, " if state.total else ""
    return f"{state.what}: {share}{details(state, gone, rate)}"


def duration(seconds: float) -> str:
    """A time in the unit that suits it.

    >>> [duration(s) for s in (8.4, 100.0, 5400.0, 3e5)]
    ['8 s', '2 min', '1.5 h', '3.5 days']
    """
    for unit, length, most, digits in (("s", 1, 90, 0), ("min", 60, 5400, 0), ("h", 3600, 172800, 1)):
        if seconds < most:
            return f"{seconds / length:.{digits}f} {unit}"
    return f"{seconds / 86400:.1f} days"


def per_time(rate: float, unit: str) -> str:
    """A rate, given per second, as a number of at least one where possible.

    >>> per_time(0.25, "searches"), per_time(1150.0, "searches")
    ('15.0 searches/min', '1150 searches/s')
    """
    times = (("s", 1), ("min", 60), ("h", 3600))
    time, seconds = next((t for t in times if rate * t[1] >= 1), times[-1])
    return f"{rate * seconds:.{0 if rate * seconds >= 100 else 1}f} {unit}/{time}"
