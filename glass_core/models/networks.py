"""Forward passes of small networks in numpy: predictions start without importing torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import require_shape
from glass_core.errors import GlassError

Array = NDArray[np.floating]
Layers = Sequence[tuple[Array, Array]]
Activation = Literal["relu", "silu"]


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, 0)


def silu(x: Array) -> Array:
    """x / (1 + exp(−x))."""
    return np.asarray(x / (1 + np.exp(-np.clip(x, -80, 80))), dtype=x.dtype)


ACTIVATIONS = {"relu": relu, "silu": silu}


def forward(x: Array, layers: Layers, activation: str) -> Array:
    """Linear layers with an activation between them (none after the last)."""
    for index, (weight, bias) in enumerate(layers):
        x = x @ weight.T + bias
        if index + 1 < len(layers):
            x = ACTIVATIONS[activation](x)
    return x


def pack(layers: Layers, prefix: str = "") -> dict[str, NDArray[Any]]:
    """Arrays of a network for a model file."""
    named = {}
    for index, (weight, bias) in enumerate(layers):
        named[f"{prefix}layer{index}.weight"] = weight
        named[f"{prefix}layer{index}.bias"] = bias
    return named


def unpack(tensors: Mapping[str, NDArray[Any]], prefix: str = "") -> list[tuple[Array, Array]]:
    """The network again."""
    layers: list[tuple[Array, Array]] = []
    while f"{prefix}layer{len(layers)}.weight" in tensors:
        index = len(layers)
        layers.append((tensors[f"{prefix}layer{index}.weight"], tensors[f"{prefix}layer{index}.bias"]))
    return layers


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
