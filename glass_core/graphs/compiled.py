"""SymGNN with gated messages in our own compiled loops: no torch, and a fraction of its time on a processor.

Batch normalisations are folded into the products before or after them. What belongs to edges is in single precision,
what belongs to atoms in double: so the order of atoms and edges hardly matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import require_package
from glass_core.graphs.hops import Hops
from glass_core.graphs.networks import Architecture
from glass_core.graphs.settings import GATE, SymGNNSettings
from glass_core.graphs.weights import Arrays, require_fit
from glass_core.threads import for_ranges

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_EPSILON = 1e-5  # of torch's batch normalisation
_DECODER = 5


def supports(architecture: Architecture) -> bool:
    """Whether this network can be evaluated here."""
    if architecture.name != "symgnn":
        return False
    s: SymGNNSettings = architecture.typed
    return s.messages == "gated" and s.normalisation != "layer" and s.symmetrisation != "frame_averaging"


@dataclass(frozen=True, eq=False)
class _Affine:
    """``x ↦ x W + b``, with batch normalisations before and after folded in.

    Attributes:
        weight: shape (in, out).
        bias: shape (out,).
    """

    weight: Doubles
    bias: Doubles

    def __call__(self, x: Doubles) -> Doubles:
        return np.asarray(x @ self.weight + self.bias)

    @property
    def single(self) -> tuple[Floats, Floats]:
        """Both for the loops over edges."""
        return _single(self.weight), _single(self.bias)


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
        factor = self[f"{name}.weight"] / np.sqrt(self[f"{name}.running_var"] + _EPSILON)
        return factor, self[f"{name}.bias"] - factor * self[f"{name}.running_mean"]

    def affine(self, name: str, before: str = "", after: str = "") -> _Affine:
        """A linear layer, with the normalisations of these names before and after it."""
        weight = self[f"{name}.weight"]
        bias = self[f"{name}.bias"] if f"{name}.bias" in self else np.zeros(len(weight))
        factor, offset = self.norm(before, weight.shape[1])
        weight, bias = weight * factor, bias + weight @ offset
        factor, offset = self.norm(after, len(weight))
        return _Affine((weight * factor[:, None]).T, bias * factor + offset)


@dataclass(frozen=True, eq=False)
class _Encoder:
    """Arguments of ``kernels.attention.encode``, see there."""

    centres_g: Floats
    sharpness: np.float32
    of_length: Floats
    of_vector: Floats
    bias: Floats
    second: tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class _Layer:
    """Arguments of ``kernels.attention.attend``, see there; and what follows it for atoms."""

    target: _Affine
    source: _Affine
    value: _Affine
    of_edge: Floats
    attention: Floats
    spread: Floats
    to_edge: tuple[Floats, Floats]
    project: _Affine


@dataclass(frozen=True, eq=False)
class _Member:
    """A network.

    Attributes:
        atoms_sw: first state of an atom of each species.
        encoder, layers: see there.
        decoder: layers, each but the last followed by a PReLU of slope ``slopes[k]``.
    """

    atoms_sw: Doubles
    encoder: _Encoder
    layers: tuple[_Layer, ...]
    decoder: tuple[_Affine, ...]
    slopes: tuple[float, ...]


class CompiledSymGNN:
    """See ``evaluation.Evaluator``; for architectures that ``supports`` knows."""

    def __init__(self, architecture: Architecture, species: int, members: Sequence[Arrays]) -> None:
        settings: SymGNNSettings = architecture.typed
        self.hops, self.cutoff, self.self_edges = len(settings.heads), settings.cutoff, settings.self_edges
        self.edge_numbers = settings.width
        self._width = settings.width
        shapes = weight_shapes(settings, species)
        self._members = []
        for c, arrays in enumerate(members):
            require_fit(shapes, arrays, c)
            self._members.append(_member(_Weights(arrays), settings, _elements(settings, arrays)))

    def columns(self, hops: Hops) -> Iterator[Doubles]:
        """What each member says, one number per centre."""
        for member in self._members:
            yield self._evaluated(member, hops)

    def _evaluated(self, member: _Member, hops: Hops) -> Doubles:
        from glass_core.kernels import attention

        e, own = np.empty((len(hops.j_p), self._width), np.float32), member.encoder
        for_ranges(
            lambda a, b: attention.encode(
                a, b, hops.offsets, hops.vectors_pc, own.centres_g, own.sharpness, own.of_length, own.of_vector,
                own.bias, *own.second, e,
            ),
            len(hops.offsets) - 1,
        )  # fmt: skip
        h = member.atoms_sw[hops.types_n]
        for atoms, layer in zip(hops.nodes[1:], member.layers, strict=True):
            h = self._layer(layer, h, e, hops, atoms)
        for affine, slope in zip(member.decoder, (*member.slopes, 1.0), strict=True):
            h = affine(h)
            h = np.where(h > 0, h, slope * h)
        return h[:, 0]

    def _layer(self, layer: _Layer, h: Doubles, e: Floats, hops: Hops, atoms: int) -> Doubles:
        """New states of the first atoms; those of edges are overwritten."""
        from glass_core.kernels import attention

        target, source, value = (_single(x) for x in (layer.target(h[:atoms]), layer.source(h), layer.value(h)))
        new = np.empty((atoms, layer.of_edge.shape[1]))
        for_ranges(
            lambda a, b: attention.attend(
                a, b, hops.offsets, hops.i_p, hops.j_p, target, source, value, layer.of_edge, layer.attention,
                layer.spread, np.float32(GATE), *layer.to_edge, e, new,
            ),
            atoms,
        )  # fmt: skip
        return h[:atoms] + layer.project(new)


def _elements(settings: SymGNNSettings, arrays: Arrays) -> Doubles:
    """Elements of O(3) that edges are averaged over, shape (k, 3, 3); torch draws them, always the same."""
    if settings.symmetrisation == "length":
        return np.zeros((0, 3, 3))
    require_package("torch", "graph")
    import torch

    from glass_core.graphs.elements import LearnedElements, elements_of

    learned = None
    if settings.symmetrisation == "learned":
        learned = LearnedElements().eval()
        learned.load_state_dict({n: torch.tensor(arrays[f"edges.learned.{n}"]) for n in learned.state_dict()})
    with torch.no_grad():
        found = elements_of(settings.symmetrisation, settings.test_samples, settings.test_samples, learned, False)
    return np.asarray(found.numpy(), dtype=np.float64)


def _member(w: _Weights, settings: SymGNNSettings, elements_kcc: Doubles) -> _Member:
    decoder = [w.affine(f"decoder.{3 * k}", after=f"decoder.{3 * k + 1}") for k in range(_DECODER)]
    slopes = [float(w[f"decoder.{3 * k + 2}.weight"][0]) for k in range(_DECODER - 1)]
    layers = [
        _layer(w, f"layers.{k}", heads, settings.head_width, last=k + 1 == len(settings.heads))
        for k, heads in enumerate(settings.heads)
    ]
    return _Member(_atoms(w), _encoder(w, settings, elements_kcc), tuple(layers), tuple(decoder), tuple(slopes))


def _atoms(w: _Weights) -> Doubles:
    factor, offset = w.norm("atoms.1", w["atoms.0.weight"].shape[1])
    hidden = np.maximum(w["atoms.0.weight"] * factor + offset, 0)
    return np.maximum(w.affine("atoms.3", after="atoms.4")(hidden), 0)


def _encoder(w: _Weights, settings: SymGNNSettings, elements_kcc: Doubles) -> _Encoder:
    width = settings.width
    factor, offset = w.norm("edges.first_norm", width)
    lengths = settings.radial or (1 if settings.symmetrisation == "length" else 0)
    of_length = w["edges.of_length.weight"] if lengths else np.zeros((width, 0))
    turned = w["edges.of_vector.weight"] @ elements_kcc if len(elements_kcc) else np.zeros((0, width, 3))
    centres = w["edges.smear.offset"] if settings.radial else np.zeros(0)
    sharpness = -0.5 / (centres[1] - centres[0]) ** 2 if settings.radial else 0.0
    return _Encoder(
        _single(centres),
        np.float32(sharpness),
        _single((of_length * factor[:, None]).T),
        _single((turned * factor[:, None]).transpose(0, 2, 1)),
        _single(w["edges.bias"] * factor + offset),
        w.affine("edges.second", after="edges.second_norm").single,
    )


def _layer(w: _Weights, name: str, heads: int, channels: int, last: bool) -> _Layer:
    joined = heads * channels
    owner = np.repeat(np.eye(heads), channels, axis=0)
    nothing = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
    return _Layer(
        w.affine(f"{name}.target"),
        w.affine(f"{name}.source"),
        w.affine(f"{name}.value"),
        _single(w.affine(f"{name}.edge").weight),
        _single(owner * w[f"{name}.attention"].reshape(joined, 1)),
        _single(owner.T),
        nothing if last else w.affine(f"{name}.edge_projection", before=f"{name}.edge_norm").single,
        w.affine(f"{name}.projection", before=f"{name}.norm"),
    )


def _single(array: Doubles) -> Floats:
    return np.ascontiguousarray(array, dtype=np.float32)


def weight_shapes(settings: SymGNNSettings, species: int) -> dict[str, tuple[int, ...]]:
    """Shape of every weight of SymGNN by its name."""
    w, shapes = settings.width, {"atoms.0.weight": (species, settings.width), "edges.bias": (settings.width,)}

    def norm(name: str, width: int) -> None:
        if settings.normalisation != "none":
            kinds = ("weight", "bias", *(("running_mean", "running_var") if settings.normalisation == "batch" else ()))
            shapes.update({f"{name}.{kind}": (width,) for kind in kinds})

    def linear(name: str, inputs: int, outputs: int, bias: bool = True) -> None:
        shapes[f"{name}.weight"] = (outputs, inputs)
        if bias:
            shapes[f"{name}.bias"] = (outputs,)

    for name in ("atoms.1", "atoms.4", "edges.first_norm", "edges.second_norm"):
        norm(name, w)
    linear("atoms.3", w, w)
    linear("edges.second", w, w)
    if settings.symmetrisation != "length":
        linear("edges.of_vector", 3, w, bias=False)
    if settings.symmetrisation == "learned":
        shapes |= dict.fromkeys(("edges.learned.location", "edges.learned.log_concentration"), (2, 3))
    if settings.radial or settings.symmetrisation == "length":
        linear("edges.of_length", settings.radial or 1, w, bias=False)
    if settings.radial:
        shapes["edges.smear.offset"] = (settings.radial,)
    for k, heads in enumerate(settings.heads):
        name, joined = f"layers.{k}", heads * settings.head_width
        linear(f"{name}.target", w, joined)
        linear(f"{name}.source", w, joined, bias=False)
        linear(f"{name}.edge", w, joined, bias=False)
        linear(f"{name}.value", w, joined)
        shapes[f"{name}.attention"] = (heads, settings.head_width)
        norm(f"{name}.norm", joined)
        linear(f"{name}.projection", joined, w)
        if k + 1 < len(settings.heads):
            norm(f"{name}.edge_norm", joined)
            linear(f"{name}.edge_projection", joined, w)
    for k in range(_DECODER - 1):
        linear(f"decoder.{3 * k}", w, w)
        norm(f"decoder.{3 * k + 1}", w)
        shapes[f"decoder.{3 * k + 2}.weight"] = (1,)
    linear(f"decoder.{3 * (_DECODER - 1)}", w, 1)
    return shapes
