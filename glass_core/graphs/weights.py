"""Weights of networks by name, as model files hold them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from glass_core.arrays import Arrays
from glass_core.errors import GlassError


def require_fit(wanted: Mapping[str, tuple[int, ...]], arrays: Arrays, member: int) -> None:
    """Checks names, types and shapes of a member's weights."""
    for name in sorted({*wanted, *arrays}):
        if name not in arrays:
            raise KeyError(f"member{member}.{name}")
        if name not in wanted:
            raise GlassError(f"member{member}.{name} belongs to no part of the network")
        if not np.issubdtype(arrays[name].dtype, np.floating):
            raise GlassError(f"member{member}.{name} must be floating point numbers, got {arrays[name].dtype}")
        if wanted[name] != arrays[name].shape:
            raise GlassError(f"member{member}.{name} must have shape {wanted[name]}, got {arrays[name].shape}")
