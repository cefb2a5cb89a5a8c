"""Arrays of a model: whether they have the type and shape that the model computes with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError

Arrays = Mapping[str, NDArray[Any]]
"""Of a model, by name."""


def require_shape(name: str, array: NDArray[Any], *shape: int | None) -> None:
    """Checks one array.

    Args:
        name: as in a model file.
        array: what is there.
        shape: sizes; None for any but zero.

    Raises:
        GlassError: for another shape, or values that are no floating point numbers.
    """
    fits = array.ndim == len(shape) and all(
        got > 0 if want is None else got == want for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits or not np.issubdtype(array.dtype, np.floating):
        wanted = " × ".join("any" if size is None else str(size) for size in shape)
        raise GlassError(f"{name} must be {wanted} floating point numbers, got {array.dtype} of shape {array.shape}")
