"""SymGNN with gated messages in our own compiled loops: no torch, and a fraction of its time on a processor.

Batch normalisations are folded into the products before or after them. What belongs to edges is in single precision,
what belongs to atoms in double: so the order of atoms and edges hardly matters. Numbers of threads change
last digits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from glass_core.arrays import Arrays
from glass_core.errors import require_package
from glass_core.graphs.folded import Affine, Doubles, Floats, Layer, Member, member_of
from glass_core.graphs.hops import Hops
from glass_core.graphs.networks import Architecture
from glass_core.graphs.settings import GATE, LEAK, SymGNNSettings
from glass_core.graphs.shapes import weight_shapes
from glass_core.graphs.weights import require_fit
from glass_core.threads import for_ranges

_ROWS = 4096  # of atoms that are decoded at once


def supports(architecture: Architecture) -> bool:
    """Whether this network can be evaluated here."""
    if architecture.name != "symgnn":
        return False
    s: SymGNNSettings = architecture.typed
    return s.messages == "gated" and s.normalisation != "layer" and s.symmetrisation != "frame_averaging"


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
            self._members.append(member_of(arrays, settings, _elements(settings, arrays)))

    def columns(self, hops: Hops) -> Iterator[Doubles]:
        """What each member says, one number per centre."""
        for member in self._members:
            yield self._evaluated(member, hops)

    def _evaluated(self, member: Member, hops: Hops) -> Doubles:
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
        widest = max(layer.of_edge.shape[1] for layer in member.layers)
        room = np.empty((3, len(h) * widest), np.float32)  # of all layers: memory costs time when it is new
        for (known, atoms), layer in zip(itertools.pairwise(hops.nodes), member.layers, strict=True):
            _advance(layer, h[:known], e, hops, atoms, room)
        return _decoded(member, h[: hops.nodes[-1]])


def _advance(layer: Layer, h: Doubles, e: Floats, hops: Hops, atoms: int, room: Floats) -> None:
    """New states of the first atoms, and of the edges into them, in place of the old ones."""
    from glass_core.kernels import attention

    joined = layer.of_edge.shape[1]
    target, source, value = (part[: len(h) * joined].reshape(len(h), joined) for part in room)
    _transform(layer.target, h[:atoms], target)
    _transform(layer.source, h, source)
    _transform(layer.value, h, value)
    for_ranges(
        lambda a, b: attention.advance(
            a, b, hops.offsets, hops.i_p, hops.j_p, target, source, value, layer.of_edge, layer.attention,
            layer.spread, np.float32(LEAK), np.float32(GATE), *layer.to_edge, layer.project.weight,
            layer.project.bias, e, h,
        ),
        atoms,
    )  # fmt: skip


def _transform(affine: Affine, h: Doubles, out: Floats) -> None:
    from glass_core.kernels import attention

    for_ranges(lambda a, b: attention.transform(a, b, h, affine.weight, affine.bias, out), len(h))


def _decoded(member: Member, h: Doubles) -> Doubles:
    """The network's output, shape (n,)."""
    found = np.empty(len(h))
    for low in range(0, len(h), _ROWS):
        x = h[low : low + _ROWS]
        for affine, slope in zip(member.decoder, (*member.slopes, 1.0), strict=True):
            x = affine(x)
            x = np.where(x > 0, x, slope * x)
        found[low : low + _ROWS] = x[:, 0]
    return found


def _elements(settings: SymGNNSettings, arrays: Arrays) -> Doubles:
    """Elements of O(3) that edges are averaged over, shape (k, 3, 3); torch draws them, always the same."""
    if settings.symmetrisation == "length":
        return np.zeros((0, 3, 3))
    require_package("torch", "graph")
    import torch

    from glass_core.graphs.elements import LearnedElements, elements_of

    learned = None
    if settings.symmetrisation == "learned":
        with torch.random.fork_rng(devices=[]):
            learned = LearnedElements().eval()
        learned.load_state_dict({n: torch.tensor(arrays[f"edges.learned.{n}"]) for n in learned.state_dict()})
    with torch.no_grad():
        found = elements_of(settings.symmetrisation, settings.test_samples, learned, training=False)
    return np.asarray(found.numpy(), dtype=np.float64)
