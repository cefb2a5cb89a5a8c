"""Compiled loops (numba). Import a module of this package only when something is computed."""

from __future__ import annotations

import pathlib
from contextlib import suppress


def _drop_stale_code() -> None:
    """Deletes compiled code that is older than any of these files.

    numba compares compiled code with the file of its function alone, not with those of the functions that it calls.
    """
    folder = pathlib.Path(__file__).parent
    newest = max(file.stat().st_mtime for file in folder.glob("*.py"))
    for index in folder.glob("__pycache__/*.nbi"):
        with suppress(OSError):
            if index.stat().st_mtime < newest:
                index.unlink()


_drop_stale_code()
