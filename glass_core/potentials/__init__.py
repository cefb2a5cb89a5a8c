"""Interatomic potentials that give energy surfaces of parts of a structure."""

from __future__ import annotations

from glass_core.potentials.lookup import potential_of

__all__ = ["potential_of"]
