"""Forward passes of small networks in numpy: predictions start without importing torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
