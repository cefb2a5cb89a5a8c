"""Registers what OVITO adds to the command line; imports nothing heavy."""

from __future__ import annotations

from glass_core.hookspecs import hookimpl


@hookimpl
def glass_readers() -> dict[str, str]:
    """The reader "ovito": every format that OVITO detects."""
    return {"ovito": "ovito_glass.reader:read_frame"}
