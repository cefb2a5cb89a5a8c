"""Weights of SymGNN as our compiled loops want them: batch normalisations folded into the products around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays
from glass_core.errors import GlassError
from glass_core.graphs.settings import DECODER, SymGNNSettings

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_EPSILON = 1e-5  # of torch's batch normalisation


@dataclass(frozen=True, eq=False)
class Affine:
    """``x ↦ x W + b``, with batch normalisations before and after folded in.

    Attributes:
        weight: shape (in, out).
        bias: shape (out,).
    """

    weight: Doubles
    bias: Doubles

    def __call__(self, x: Doubles) -> Doubles:
        """x W + b."""
        return np.asarray(x @ self.weight + self.bias)

    @property
    def single(self) -> tuple[Floats, Floats]:
        """Both for the loops over edges."""
        return single(self.weight), single(self.bias)


class _Weights:
    """A member's weights, by the names that torch gives them."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def __getitem__(self, name: str) -> Doubles:
        return np.asarray(self._arrays[name], dtype=np.float64)

    def norm(self, name: str, width: int) -> tuple[Doubles, Doubles]:
        """Factor and offset of a batch normalisation; 1 and 0 where there is none."""
        if f"{name}.weight" not in self:
            return np.ones(width), np.zeros(width)
        if self[f"{name}.running_var"].min() < 0:
            raise GlassError(f"{name}.running_var must be ≥ 0, got {self[f'{name}.running_var'].min()}")
        factor = self[f"{name}.weight"] / np.sqrt(self[f"{name}.running_var"] + _EPSILON)
        return factor, self[f"{name}.bias"] - factor * self[f"{name}.running_mean"]

    def affine(self, name: str, before: str = "", after: str = "") -> Affine:
        """A linear layer, with the normalisations of these names before and after it."""
        weight = self[f"{name}.weight"]
        bias = self[f"{name}.bias"] if f"{name}.bias" in self else np.zeros(len(weight))
        factor, offset = self.norm(before, weight.shape[1])
        weight, bias = weight * factor, bias + weight @ offset
        factor, offset = self.norm(after, len(weight))
        return Affine(np.ascontiguousarray((weight * factor[:, None]).T), bias * factor + offset)


@dataclass(frozen=True, eq=False)
class Encoder:
    """Arguments of ``kernels.attention.encode``, see there."""

    centres_g: Floats
    sharpness: np.float32
    of_length: Floats
    of_vector: Floats
    bias: Floats
    second: tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class Layer:
    """Arguments of ``kernels.attention.attend``, see there; and what follows it for atoms."""

    target: Affine
    source: Affine
    value: Affine
    of_edge: Floats
    attention: Floats
    spread: Floats
    to_edge: tuple[Floats, Floats]
    project: Affine


@dataclass(frozen=True, eq=False)
class Member:
    """A network.

    Attributes:
        atoms_sw: first state of an atom of each species.
        encoder, layers: see there.
        decoder: layers, each but the last followed by a PReLU of slope ``slopes[k]``.
    """

    atoms_sw: Doubles
    encoder: Encoder
    layers: tuple[Layer, ...]
    decoder: tuple[Affine, ...]
    slopes: tuple[float, ...]


def member_of(arrays: Arrays, settings: SymGNNSettings, elements_kcc: Doubles) -> Member:
    """A network from its weights.

    Args:
        arrays: by the names that torch gives them, all there.
        settings: of the network.
        elements_kcc: of O(3), that edges are averaged over; none for lengths.

    Raises:
        GlassError: if a variance is negative, or a folded weight not finite.
    """
    w = _Weights(arrays)
    decoder = [w.affine(f"decoder.{3 * k}", after=f"decoder.{3 * k + 1}") for k in range(DECODER)]
    slopes = [float(w[f"decoder.{3 * k + 2}.weight"][0]) for k in range(DECODER - 1)]
    layers = [
        _layer(w, f"layers.{k}", heads, settings.head_width, last=k + 1 == len(settings.heads))
        for k, heads in enumerate(settings.heads)
    ]
    return Member(_atoms(w), _encoder(w, settings, elements_kcc), tuple(layers), tuple(decoder), tuple(slopes))


def _atoms(w: _Weights) -> Doubles:
    factor, offset = w.norm("atoms.1", w["atoms.0.weight"].shape[1])
    hidden = np.maximum(w["atoms.0.weight"] * factor + offset, 0)
    return np.maximum(w.affine("atoms.3", after="atoms.4")(hidden), 0)


def _encoder(w: _Weights, settings: SymGNNSettings, elements_kcc: Doubles) -> Encoder:
    width = settings.width
    factor, offset = w.norm("edges.first_norm", width)
    lengths = settings.radial or (1 if settings.symmetrisation == "length" else 0)
    of_length = w["edges.of_length.weight"] if lengths else np.zeros((width, 0))
    turned = w["edges.of_vector.weight"] @ elements_kcc if len(elements_kcc) else np.zeros((0, width, 3))
    centres = w["edges.smear.offset"] if settings.radial else np.zeros(0)
    sharpness = -0.5 / (settings.cutoff / (settings.radial - 1)) ** 2 if settings.radial else 0.0
    return Encoder(
        single(centres),
        np.float32(sharpness),
        single((of_length * factor[:, None]).T),
        single((turned * factor[:, None]).transpose(0, 2, 1)),
        single(w["edges.bias"] * factor + offset),
        w.affine("edges.second", after="edges.second_norm").single,
    )


def _layer(w: _Weights, name: str, heads: int, channels: int, last: bool) -> Layer:
    joined = heads * channels
    owner = np.repeat(np.eye(heads), channels, axis=0)
    nothing = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
    return Layer(
        w.affine(f"{name}.target"),
        w.affine(f"{name}.source"),
        w.affine(f"{name}.value"),
        single(w.affine(f"{name}.edge").weight),
        single(owner * w[f"{name}.attention"].reshape(joined, 1)),
        single(owner.T),
        nothing if last else w.affine(f"{name}.edge_projection", before=f"{name}.edge_norm").single,
        w.affine(f"{name}.projection", before=f"{name}.norm"),
    )


def single(array: Doubles) -> Floats:
    """In single precision.

    Raises:
        GlassError: if a number is too large, or not finite.
    """
    if not (np.abs(array) < np.finfo(np.float32).max).all():
        raise GlassError("the network's weights are too large to compute with; copy or train the model again")
    return np.ascontiguousarray(array, dtype=np.float32)
