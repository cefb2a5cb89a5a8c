"""Arrays of a model: whether they have the type and shape that the model computes with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.models.networks import Layers


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


def require_layers(layers: Layers, inputs: int, outputs: int | None, prefix: str = "") -> None:
    """Checks that the layers of a network follow each other.

    Args:
        layers: weight and bias of each, see ``networks``.
        inputs: features that go in.
        outputs: numbers that come out; None for any.
        prefix: in front of the names of the arrays.

    Raises:
        GlassError: if there are no layers, or one does not fit.
    """
    if not layers:
        raise GlassError(f"{prefix}layer0 is missing")
    width = inputs
    for index, (weight, bias) in enumerate(layers):
        last = index + 1 == len(layers)
        require_shape(f"{prefix}layer{index}.weight", weight, outputs if last else None, width)
        require_shape(f"{prefix}layer{index}.bias", bias, len(weight))
        width = len(weight)
