"""The table that a saddle search logs, in the manner of ASE's optimisers."""

from __future__ import annotations

import io
import math
import time
from typing import Any

from glass_core.saddle.records import Outcome, State, Step

_COLUMNS = (("Step", 10), ("Time", 8), ("Phase", 7), ("Energy", 15), ("fmax", 12), ("Curvature", 12), ("Calls", 6))


class SearchLog:
    """Writes a line per step.

    Args:
        stream: what ASE made of its ``logfile``; None writes nothing.
        reference: energy of the minimum, eV.
    """

    def __init__(self, stream: Any, reference: float) -> None:
        self._stream, self._reference = stream, reference

    def start(self, force: float) -> None:
        """The head of the table and the minimum.

        Args:
            force: largest on an atom, eV/Å.
        """
        self._write(" ".join(f"{title:>{width}s}" for title, width in _COLUMNS))
        self._row(0, "minimum", 0.0, force, math.nan, 0)

    def step(self, number: int, step: Step) -> None:
        """A step of the search."""
        self._row(number, step.phase.value, step.energy, step.force, step.curvature, step.calls)

    def end(self, outcome: Outcome) -> None:
        """How the search ended."""
        found = f"barrier {outcome.barrier:.6f} eV, " if outcome.state is State.ACCEPTED else ""
        self._write(f"ARTn: {outcome.state.value}, {found}{outcome.total_calls} force calls")

    def _row(self, number: int, phase: str, energy: float, force: float, curvature: float, calls: int) -> None:
        total, clock = self._reference + energy, time.strftime("%H:%M:%S")
        self._write(f"ARTn: {number:4d} {clock} {phase:>7s} {total:15.6f} {force:12.6f} {curvature:12.4f} {calls:6d}")

    def _write(self, line: str) -> None:
        if self._stream is None:
            return
        self._stream.write(line + "\n")
        if isinstance(self._stream, io.IOBase):  # before ASE 3.28, which flushes by itself
            self._stream.flush()
