"""Settings of the networks; known without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from glass_core.errors import GlassError
from glass_core.settings import NotEmpty, Positive, Range, Share

Normalisation = Literal["batch", "renorm", "layer", "none"]
Symmetrisation = Literal["learned", "uniform", "frames", "frame_averaging", "augmentation", "none", "length"]
LEAK = 0.01  # slope of EGAT's leaky rectifiers below zero
GATE = 0.1  # of gated messages; keeps sums over some forty neighbours near one where nothing normalises them
DECODER = 5  # linear layers of the decoder
Size = Annotated[int, Range(least=1, most=1024)]  # a slip in a file must not ask for more memory than there is
Radial = Annotated[int, Range(least=0, most=1024)]


def _check_radial(radial: int) -> None:
    if radial == 1:
        raise GlassError("radial must be 0 or at least 2 Gaussians, got 1")


@dataclass(frozen=True)
class SymGNNSettings:
    """Settings of SymGNN (arXiv:2401.08627); defaults as published but for ``head_width`` and ``symmetrisation``.

    Attributes:
        cutoff: length of the longest edge, Å.
        width: of atom and edge states.
        heads: attention heads of each layer.
        head_width: channels of each head; published 32.
        symmetrisation: see ``EdgeEncoder``; the published code runs "frames".
        samples: K rotations and K non-rotations in training.
        test_samples: K in evaluation.
        radial: Gaussians of the length given to the edge encoder, 0 or at least 2; published 0.
        messages: "attention" as published, or "gated", see ``EGAT``.
        normalisation: "batch" as published, "renorm" (see ``Renormalised``: for configurations that differ as a
            whole, as compositions do), "layer" or "none".
        dropout: probability of dropping a channel of an atom's state after each layer.
        edge_dropout: the same of an edge's state, None for the same probability; it takes a sixth of the time of a
            training step.
        self_edges: whether atoms have an edge to themselves, as in the published graphs.
    """

    cutoff: Positive = 5.0
    width: Size = 32
    heads: Annotated[tuple[Size, ...], NotEmpty()] = (8, 4, 2, 1)
    head_width: Size = 8
    symmetrisation: Symmetrisation = "learned"
    samples: Size = 2
    test_samples: Size = 8
    radial: Radial = 0
    messages: Literal["attention", "gated"] = "attention"
    normalisation: Normalisation = "batch"
    dropout: Share = 0.25
    edge_dropout: Share | None = None
    self_edges: bool = True

    def __post_init__(self) -> None:
        _check_radial(self.radial)


@dataclass(frozen=True)
class AtomSettings:
    """Settings of a network on species alone.

    Attributes:
        width: of atom states.
        normalisation: "batch", "renorm", "layer" or "none".
    """

    width: Size = 32
    normalisation: Normalisation = "batch"


@dataclass(frozen=True)
class PlainSettings(AtomSettings):
    """Settings that the baselines on graphs share.

    Attributes:
        cutoff: length of the longest edge, Å.
        layers: how many.
        dropout: after each layer.
    """

    cutoff: Positive = 5.0
    layers: Size = 4
    dropout: Share = 0.0


@dataclass(frozen=True)
class EdgeSettings(PlainSettings):
    """Settings of baselines that see vectors along edges: those of all, and what else edges tell.

    Attributes:
        radial: Gaussians of its length that each edge has beside what it has as published, 0 or at least 2.
    """

    radial: Radial = 0

    def __post_init__(self) -> None:
        _check_radial(self.radial)


@dataclass(frozen=True)
class SchNetSettings(PlainSettings):
    """Settings of SchNet: those of all baselines, and its Gaussians.

    Attributes:
        gaussians: functions that lengths are expanded in.
        normalisation: of what each block adds to an atom; published none.
    """

    width: Size = 64
    normalisation: Normalisation = "none"
    gaussians: Annotated[int, Range(least=2, most=1024)] = 50
