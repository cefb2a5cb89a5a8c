"""Barrier in eV from two models that err differently: a linear one on descriptors, and graph networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays
from glass_core.errors import GlassError
from glass_core.models.base import ModelCard
from glass_core.models.graph import GraphBarrier
from glass_core.models.linear import LinearBarrier
from glass_core.neighbours import Finder, neighbour_blocks
from glass_core.outputs import PerAtom
from glass_core.progress import Progress, share_of
from glass_core.settings import Share, conformed
from glass_core.structure import Ints, Structure

_MOTION = "motion"
_LINEAR = 0.8  # of the time


@dataclass(frozen=True, eq=False)
class Blend:
    """``E = E_linear + (1 − g) s (E_graph − E_linear)``, g the linear model's share of the state of motion.

    Networks learn what minima look like, so atoms that vibrate are left to the linear model. Domain and standard error
    are those of the linear model as well; ``glass train`` prints how many labels the intervals hold.

    Attributes:
        linear: with its standard error and domain.
        graph: without a flag of its own.
        share: s.
        card: origin.

    Raises:
        GlassError: if the two know different species, or a number is out of bounds.
    """

    kind: ClassVar[str] = "blend"

    linear: LinearBarrier
    graph: GraphBarrier
    share: float
    card: ModelCard

    def __post_init__(self) -> None:
        conformed(self.share, Share, "share")
        if self.linear.species != self.graph.species:
            raise GlassError(
                f"the parts of a blend know different species: {self.linear.species}, {self.graph.species}"
            )

    @property
    def device(self) -> str:
        """Where the networks compute."""
        return self.graph.device

    def on(self, device: str) -> Blend:
        """The same model with its networks on another device."""
        return replace(self, graph=self.graph.on(device))

    @property
    def label_noise(self) -> float:
        """Deviation of the training labels from true barriers, eV."""
        return self.linear.label_noise

    @property
    def species(self) -> tuple[str, ...]:
        """Species that the model knows."""
        return self.linear.species

    @property
    def cutoff(self) -> float:
        """The longer one of both, Å."""
        return max(self.linear.cutoff, self.graph.cutoff)

    @property
    def receptive_field(self) -> float:
        """The larger one of both, Å."""
        return max(self.linear.receptive_field, self.graph.receptive_field)

    @property
    def outputs(self) -> dict[str, str]:
        """Those of the linear model."""
        return self.linear.outputs

    @property
    def chunk_centres(self) -> int:
        """What the linear model can take; the networks take it in chunks of their own."""
        return self.linear.chunk_centres

    @cached_property
    def _told(self) -> _ToldLinear:
        return _ToldLinear(**{f.name: getattr(self.linear, f.name) for f in fields(self.linear)})

    def __call__(
        self,
        structure: Structure,
        centres: Ints | None = None,
        find: Finder = neighbour_blocks,
        progress: Progress | None = None,
    ) -> dict[str, PerAtom]:
        """Predictions for ``centres`` (None: all atoms), in their order."""
        first, then = share_of(progress, 0.0, _LINEAR), share_of(progress, _LINEAR, 1.0)
        found = {name: of.values.copy() for name, of in self._told(structure, centres, find, first).items()}
        rest = self.share * (1 - found.pop(_MOTION))
        mine = np.flatnonzero(rest)
        if len(mine):
            some = mine.astype(np.int32) if centres is None else np.asarray(centres)[mine]
            everything = centres is None and len(mine) == len(rest)
            networks = self.graph(structure, None if everything else some, find, then)["barrier"].values
            found["barrier"][mine] += rest[mine] * (networks - found["barrier"][mine])
        elif then:
            then(1.0)
        return {name: PerAtom(values, self.outputs[name]) for name, values in found.items()}

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {"linear": self.linear.settings(), "graph": self.graph.settings(), "share": self.share}

    def tensors(self) -> Arrays:
        """Arrays of both."""
        parts = (("linear", self.linear), ("graph", self.graph))
        return {f"{part}.{name}": array for part, model in parts for name, array in model.tensors().items()}

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> Blend:
        """From a model file."""
        parts: dict[str, dict[str, NDArray[Any]]] = {"linear": {}, "graph": {}}
        for name, array in tensors.items():
            part, _, own = name.partition(".")
            parts[part][own] = array
        linear = LinearBarrier.from_parts(settings["linear"], parts["linear"], card)
        graph = GraphBarrier.from_parts(settings["graph"], parts["graph"], card)
        return cls(linear, graph, settings["share"], card)


class _ToldLinear(LinearBarrier):
    """The linear model that also tells g."""

    @property
    def outputs(self) -> dict[str, str]:
        return {**super().outputs, _MOTION: ""}

    def head(self, features_mf: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        return {**super().head(features_mf), _MOTION: self.openness(features_mf)}
