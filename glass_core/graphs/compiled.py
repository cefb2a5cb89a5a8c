"""SymGNN with gated messages in our own compiled loops: no torch, and a fraction of its time on a processor.

Batch normalisations are folded into the products before or after them. What belongs to edges is in single precision,
what belongs to atoms in double: so the order of atoms and edges hardly matters. Numbers of threads change
last digits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glass_core.arrays import Arrays
from glass_core.errors import require_package
from glass_core.graphs.folded import Affine, Doubles, Encoder, Floats, Layer, Member, member_of
from glass_core.graphs.hops import DENSITY, Hops, atoms_at_once, centres_of_cube
from glass_core.graphs.networks import Architecture
from glass_core.graphs.settings import GATE, LEAK, SymGNNSettings
from glass_core.graphs.shapes import weight_shapes
from glass_core.graphs.slabs import Slabs, slabs_of
from glass_core.graphs.sweep import sweep
from glass_core.graphs.weights import require_fit
from glass_core.neighbours import Finder
from glass_core.progress import Progress
from glass_core.structure import Ints, Structure
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
        self.hops, self.cutoff, self._self_edges = len(settings.heads), settings.cutoff, settings.self_edges
        shapes = weight_shapes(settings, species)
        self._members = []
        for c, arrays in enumerate(members):
            require_fit(shapes, arrays, c)
            self._members.append(member_of(arrays, settings, _elements(settings, arrays)))
        held = 2 * self.hops - 1  # slabs, behind and before the first centres of a periodic box
        self._most = int(atoms_at_once(self.cutoff, settings.width * len(members)) / held)

    @property
    def most_centres(self) -> int:
        """As many as lie in a cube whose slabs, as thin as they can be, hold as many atoms as are held at once."""
        return centres_of_cube((self._most / (DENSITY * self.cutoff)) ** 0.5, self.cutoff, self.hops)

    def __call__(self, structure: Structure, centres: Ints | None, find: Finder, progress: Progress | None) -> Doubles:
        """What each member says, shape (centres, members)."""
        # Half of what fits where the box allows it: as fast, and thicker slabs are held where a box is wide.
        most = max(1, self._most // 2)
        slabs = slabs_of(structure, self.cutoff, self.hops, most, centres, find, self._self_edges)
        found = np.empty((sum(len(own) for own in slabs.centres), len(self._members)))
        runs, done = [_Run(member, slabs) for member in self._members], 0
        hops: dict[int, Hops] = {}
        for slab, layer, free in sweep(slabs.around, self.hops):
            if layer == 1:
                hops[slab] = slabs.edges(slab)
            for run in runs:
                run.advance(slab, layer, hops.get(slab))
                run.forget(free)
            if layer == self.hops:
                found[slabs.centres[slab]] = np.stack([run.decoded(slab) for run in runs], axis=1)
                del hops[slab]
                done += 1
                if progress:
                    progress(done / len(slabs.around))
        return found


class _Run:
    """States of a member's atoms and edges on their way through the layers.

    Args:
        member: the network.
        slabs: of the structure.
    """

    def __init__(self, member: Member, slabs: Slabs) -> None:
        self._member, self._slabs = member, slabs
        self._h: dict[int, Doubles] = {}
        self._e: dict[int, Floats] = {}
        self._sent: dict[tuple[int, int], tuple[Floats, Floats]] = {}

    def advance(self, slab: int, layer: int, hops: Hops | None) -> None:
        """A layer for the atoms of a slab and the edges into them; layer 0 is what atoms begin with.

        Args:
            slab: its number.
            layer: the next one.
            hops: edges of the slab, but for layer 0.
        """
        known = self._slabs.nodes[slab][layer]
        if hops is None:
            self._h[slab] = self._member.atoms_sw[self._slabs.types[slab]]
        else:
            if layer == 1:
                self._e[slab] = _encoded(self._member.encoder, hops)
            own = self._member.layers[layer - 1]
            _advance(own, self._h[slab], self._e[slab], hops, known, *self._gathered(slab, layer - 1))
        if layer < len(self._member.layers):
            following, h = self._member.layers[layer], self._h[slab][:known]
            self._sent[slab, layer] = _transformed(following.source, h), _transformed(following.value, h)

    def _gathered(self, slab: int, layer: int) -> tuple[Floats, Floats]:
        """What atoms of the slab and of those around it sent after a layer, in the places that edges count through."""
        around = self._slabs.around[slab]
        if len(around) == 1:
            return self._sent[slab, layer]
        sizes = [len(self._slabs.types[other]) for other in around]
        ends = np.cumsum(sizes)
        found = []
        for kind in range(2):
            parts = [self._sent[other, layer][kind] for other in around]
            gathered = np.empty((ends[-1], parts[0].shape[1]), np.float32)
            for part, start in zip(parts, ends - sizes, strict=True):
                gathered[start : start + len(part)] = part
            found.append(gathered)
        return found[0], found[1]

    def decoded(self, slab: int) -> Doubles:
        """The network's output for the slab's centres, after the last layer; forgets the slab."""
        del self._e[slab]
        return _decoded(self._member, self._h.pop(slab)[: self._slabs.nodes[slab][-1]])

    def forget(self, sent: Sequence[tuple[int, int]]) -> None:
        """What nobody needs any more of that sent by slabs after layers."""
        for key in sent:
            del self._sent[key]


def _encoded(own: Encoder, hops: Hops) -> Floats:
    """First states of edges."""
    from glass_core.kernels import attention

    e = np.empty((len(hops.j_p), len(own.bias)), np.float32)
    for_ranges(
        lambda a, b: attention.encode(
            a, b, hops.offsets, hops.vectors_pc, own.centres_g, own.sharpness, own.of_length, own.of_vector,
            own.bias, *own.second, e,
        ),
        len(hops.offsets) - 1,
    )  # fmt: skip
    return e


def _advance(layer: Layer, h: Doubles, e: Floats, hops: Hops, atoms: int, source: Floats, value: Floats) -> None:
    """New states of the first atoms, and of the edges into them, in place of the old ones."""
    from glass_core.kernels import attention

    target = _transformed(layer.target, h[:atoms])
    for_ranges(
        lambda a, b: attention.advance(
            a, b, hops.offsets, hops.i_p, hops.j_p, target, source, value, layer.of_edge, layer.attention,
            layer.spread, np.float32(LEAK), np.float32(GATE), *layer.to_edge, layer.project.weight,
            layer.project.bias, e, h,
        ),
        atoms,
    )  # fmt: skip


def _transformed(affine: Affine, h: Doubles) -> Floats:
    from glass_core.kernels import attention

    out = np.empty((len(h), len(affine.bias)), np.float32)
    for_ranges(lambda a, b: attention.transform(a, b, h, affine.weight, affine.bias, out), len(h))
    return out


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
