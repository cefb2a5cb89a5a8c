"""Tables, numbers and JSON of all commands."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import Any


def table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> None:
    """Prints columns; numbers to the right, words to the left."""
    widths = [max(len(row[c]) for row in [head, *rows]) for c in range(len(head))]
    right = [all(_is_number(row[c]) for row in rows) for c in range(len(head))]
    for row in [head, *rows]:
        cells = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)]
        print("  ".join(cells).rstrip())


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).replace("±", "", 1).replace(" ", "").replace(".", "").isdigit()


def as_json(value: Any) -> None:
    """Prints JSON; a number that is not finite becomes null."""
    print(json.dumps(_plain(value), indent=2))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def number(value: float | None, digits: int = 3) -> str:
    """A number for a table; a dash where it is not defined."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def things(count: int, one: str, many: str = "") -> str:
    """A number of things.

    >>> things(1, "event"), things(2, "event"), things(0, "search", "searches")
    ('1 event', '2 events', '0 searches')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def with_spread(mean: float | None, spread: float | None) -> str:
    """A mean and its deviation over seeds for a table; the mean alone where there is one seed."""
    return number(mean) if spread is None else f"{number(mean)} ± {number(spread)}"


def print_ranks(size: int) -> None:
    """What several processes change in training."""
    if size > 1:
        print(
            f"note: {size} processes share the configurations of each epoch, so that the optimiser takes 1/{size} of "
            "the steps of one process, each with their mean gradient; set more epochs for the same score",
            file=sys.stderr,
        )


def print_left_out(summary: dict[str, Any]) -> None:
    """Whose groups a cross-validation scored, for people, where these are not all."""
    if summary["left_out"]:
        print(f"left out and scored: the groups of {', '.join(summary['left_out'])}")


def shares_inside(pooled: dict[str, Any]) -> str:
    """Shares of labels that the intervals of 68 and 95 % hold."""
    return " and ".join(f"{number(100 * pooled[key], 0)} %" for key in ("coverage_68", "coverage_95"))


def print_coverage(found: dict[str, Any]) -> None:
    """Shares of labels that intervals hold, for people."""
    inside = shares_inside(found["pooled"])
    print(
        f"68 and 95 % intervals of barrier ± √(barrier_std² + error of the label²) hold {inside} of the labels"
        f" (labels without an error of their own: {found['label_noise_ev']:g} eV)"
    )
