"""Hashes by which a label file, and whoever trained on it, knows structure and settings again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from glass_core.errors import GlassError
from glass_core.structure import Structure


def structure_digest(structure: Structure) -> str:
    """Hash of positions, species, box and periodicity, whatever the order of species."""
    content = hashlib.sha256(json.dumps([structure.symbols().tolist(), structure.pbc, structure.given]).encode())
    for array in (structure.positions_nc, structure.cell_cc):
        content.update(array.astype("<f8").tobytes())
    return content.hexdigest()


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Hash of all settings, given as a dictionary, whether a number was written 1 or 1.0."""
    return hashlib.sha256(json.dumps(_numbers(settings), sort_keys=True).encode()).hexdigest()


def require_digest(what: str, stored: str, found: str) -> None:
    """Checks that what a file holds is what its hash was made of.

    Raises:
        GlassError: if it was altered since.
    """
    if stored != found:
        raise GlassError(f"{what} were altered since it was written (hash {stored[:12]} then, {found[:12]} now)")


def _numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _numbers(entry) for key, entry in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
