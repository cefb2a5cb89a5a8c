"""How far work is: a function that long work calls with the share done."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]


def share_of(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Progress of a part of the work, which is everything from ``start`` to ``stop``."""
    return None if progress is None else lambda fraction: progress(start + (stop - start) * fraction)
