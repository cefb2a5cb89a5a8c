"""Which ASE is installed, for what old ones cannot do."""

from __future__ import annotations

import importlib.metadata


def ase_before(major: int, minor: int) -> bool:
    """Whether an older ASE is installed."""
    try:
        found = importlib.metadata.version("ase").split(".")
    except importlib.metadata.PackageNotFoundError:
        return False
    return (int(found[0]), int(found[1])) < (major, minor)
