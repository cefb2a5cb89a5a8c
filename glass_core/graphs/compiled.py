"""SymGNN with gated messages in our own compiled loops: no torch, and a fraction of its time on a processor.

Batch normalisations are folded into the products before or after them. What belongs to edges is in single precision,
what belongs to atoms in double: so the order of atoms and edges hardly matters. Numbers of threads change
last digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from glass_core.errors import require_package
from glass_core.graphs.folded import Doubles, Floats, Layer, Member, member_of
from glass_core.graphs.hops import Hops
from glass_core.graphs.networks import Architecture
from glass_core.graphs.settings import GATE, LEAK, SymGNNSettings
from glass_core.graphs.shapes import weight_shapes
from glass_core.graphs.weights import require_fit
from glass_core.models.base import Arrays
from glass_core.threads import for_ranges


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
        for atoms, layer in zip(hops.nodes[1:], member.layers, strict=True):
            h = self._layer(layer, h, e, hops, atoms)
        for affine, slope in zip(member.decoder, (*member.slopes, 1.0), strict=True):
            h = affine(h)
            h = np.where(h > 0, h, slope * h)
        return h[:, 0]

    def _layer(self, layer: Layer, h: Doubles, e: Floats, hops: Hops, atoms: int) -> Doubles:
        """New states of the first atoms; those of edges are overwritten."""
        from glass_core.kernels import attention

        states = layer.target(h[:atoms]), layer.source(h), layer.value(h)
        target, source, value = (x.astype(np.float32) for x in states)
        new = np.empty((atoms, layer.of_edge.shape[1]))
        for_ranges(
            lambda a, b: attention.attend(
                a, b, hops.offsets, hops.i_p, hops.j_p, target, source, value, layer.of_edge, layer.attention,
                layer.spread, np.float32(LEAK), np.float32(GATE), *layer.to_edge, e, new,
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
        with torch.random.fork_rng(devices=[]):
            learned = LearnedElements().eval()
        learned.load_state_dict({n: torch.tensor(arrays[f"edges.learned.{n}"]) for n in learned.state_dict()})
    with torch.no_grad():
        found = elements_of(settings.symmetrisation, settings.test_samples, learned, training=False)
    return np.asarray(found.numpy(), dtype=np.float64)
