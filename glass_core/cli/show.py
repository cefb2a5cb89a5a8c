"""Tables, JSON and progress bars of all commands."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def progress(title: str, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """A progress bar on stderr, fed with the fraction done; silent where stderr is not a terminal."""
    from tqdm import tqdm

    with tqdm(
        total=100,
        desc=title,
        disable=True if quiet else None,
        leave=False,
        bar_format="{l_bar}{bar}| {elapsed}<{remaining}",
    ) as bar:
        yield lambda fraction: bar.update(100 * fraction - bar.n) and None


@contextmanager
def stages(quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A progress bar whose title says what is being done."""
    from tqdm import tqdm

    with tqdm(
        total=100, disable=True if quiet else None, leave=False, bar_format="{l_bar}{bar}| {elapsed}<{remaining}"
    ) as bar:

        def tell(what: str, fraction: float) -> None:
            bar.set_description(what)
            bar.update(100 * fraction - bar.n)

        yield tell


def number(value: float | None, digits: int = 3) -> str:
    """A number for a table; a dash where it is not defined."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def with_spread(mean: float | None, spread: float | None) -> str:
    """A mean and its deviation over seeds for a table; the mean alone where there is one seed."""
    return number(mean) if spread is None else f"{number(mean)} ± {number(spread)}"
