"""Versions of what results depend on, as model cards and label files keep them."""

from __future__ import annotations

import importlib.metadata
from contextlib import suppress

from glass_core import __version__


def versions(*packages: str) -> dict[str, str]:
    """Versions of this package, and of those that are installed."""
    installed = {"glass-plugins": __version__}
    for name in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            installed[name] = importlib.metadata.version(name)
    return installed
