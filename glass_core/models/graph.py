"""Barrier in eV from graph networks: one, or a committee of several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays, require_shape
from glass_core.descriptors.base import described
from glass_core.descriptors.rows import blocks_of_rows
from glass_core.domains import Surroundings, chunks
from glass_core.errors import GlassError
from glass_core.graphs.evaluation import Evaluator, evaluator
from glass_core.graphs.networks import Architecture
from glass_core.graphs.out_of_memory import memory_errors
from glass_core.models.base import ModelCard
from glass_core.models.calibration import Committee, SpreadError
from glass_core.models.devices import require_device
from glass_core.models.domain import Domain
from glass_core.models.guard import Guard
from glass_core.neighbours import Finder, narrowed, neighbour_blocks
from glass_core.outputs import PerAtom, output
from glass_core.progress import Progress, share_of
from glass_core.settings import Positive, conformed
from glass_core.structure import Ints, Structure

_MEMORY = 2e9


@dataclass(frozen=True, eq=False)
class Flag:
    """Tells atoms unlike the training atoms, by descriptors that the network does not use.

    Attributes:
        descriptor: of few features.
        mean_f, std_f: their mean and deviation over the training atoms.
        domain: what the standardised features looked like there.
    """

    descriptor: Any
    mean_f: NDArray[np.float32]
    std_f: NDArray[np.float32]
    domain: Domain

    def __post_init__(self) -> None:
        features = len(self.descriptor.names())
        require_shape("mean_f", self.mean_f, features)
        require_shape("std_f", self.std_f, features)
        if not (self.std_f > 0).all():
            raise GlassError(f"std_f must be > 0, got {self.std_f.min()}")
        self.domain.require_features(features)

    def __call__(self, structure: Structure, centres: Ints | None, find: Finder) -> NDArray[np.float64]:
        """1 for each centre out of domain, else 0."""
        wanted, places = (None, None) if centres is None else np.unique(centres, return_inverse=True)
        outside = np.empty(structure.n_atoms if wanted is None else len(wanted))
        for block, features in blocks_of_rows(self.descriptor, structure, wanted, find):
            outside[block] = self.domain.outside((features - self.mean_f) / self.std_f)
        return outside if places is None else outside[places]

    def tensors(self) -> Arrays:
        """Arrays for a model file."""
        return {"mean_f": self.mean_f, "std_f": self.std_f, **self.domain.tensors()}

    @classmethod
    def from_parts(cls, descriptor: Any, tensors: Arrays) -> Flag:
        """From a model file."""
        from glass_core.registry import make

        domain = Domain.from_tensors(tensors)
        if domain is None:
            raise KeyError("domain_limits")
        return cls(make("descriptor", descriptor, "descriptor"), tensors["mean_f"], tensors["std_f"], domain)


@dataclass(frozen=True, eq=False)
class GraphBarrier(Committee):
    """Mean (and standard error, when there are several) of networks ``E_i = centre + scale · f_c(graph around i)``.

    Attributes:
        architecture: the network and its settings.
        species: that the network tells apart.
        members: weights of each network by name, float32.
        centre: eV.
        scale: eV.
        flag: out-of-domain flag; None where another model tells it (see ``Blend``).
        card: origin.
        device: "cpu", "cuda", "cuda:1" …
        guard: tells strained surroundings, which the flag then flags too; None for none.
        error: of several networks; None: ``barrier_std`` is their deviation.

    Raises:
        GlassError: if weights do not fit the architecture, or the device is not there.
    """

    kind: ClassVar[str] = "graph_barrier"

    architecture: Architecture
    species: tuple[str, ...]
    members: tuple[Arrays, ...]
    centre: float
    scale: float
    flag: Flag | None
    card: ModelCard
    device: str = "cpu"
    guard: Guard | None = None
    error: SpreadError | None = None

    def __post_init__(self) -> None:
        if not self.members:
            raise GlassError("a graph model needs at least one member")
        self.require_spread()
        require_device(self.device)
        _ = self._evaluator  # refuses weights that do not fit

    def on(self, device: str) -> GraphBarrier:
        """The same model computing on another device."""
        return replace(self, device=device)

    @cached_property
    def _evaluator(self) -> Evaluator:
        return evaluator(self.architecture, len(self.species), self.members, self.device)

    @property
    def cutoff(self) -> float:
        """Length of the longest edge, Å."""
        return float(max([self._evaluator.cutoff, *(d.cutoff for d in self._descriptors)]))

    @property
    def receptive_field(self) -> float:
        """Layers × cutoff, or what the flag sees if that is more, Å."""
        network = self._evaluator
        flagged = [d.receptive_field for d in self._descriptors]
        return float(max([network.hops * network.cutoff, *flagged, self.cutoff]))

    @property
    def _descriptors(self) -> list[Any]:
        """Those of the flag and the guard, if there are any."""
        return [part.descriptor for part in (self.flag, self.guard) if part is not None]

    @property
    def outputs(self) -> dict[str, str]:
        """Names of the outputs and their units."""
        names = ["barrier", *(["barrier_std"] if len(self.members) > 1 else [])]
        names += ["out_of_domain"] if self.flag is not None else []
        return {name: output(name).unit for name in names}

    @property
    def chunk_centres(self) -> int:
        """As many as keep what the flags hold below 2 GB; networks take them in chunks of their own."""
        flags = sum(d.bytes_per_atom for d in self._descriptors)
        return max(1000, int(_MEMORY / flags)) if flags else self._evaluator.most_centres

    def __call__(
        self,
        structure: Structure,
        centres: Ints | None = None,
        find: Finder = neighbour_blocks,
        progress: Progress | None = None,
    ) -> dict[str, PerAtom]:
        """Predictions for ``centres`` (None: all atoms), in their order."""
        known = structure.with_species(self.species, owner=f"model {self.card.name or self.kind!r}")
        values = self._barriers(known, centres, find, progress)
        if self.flag is not None:
            values["out_of_domain"] = self.flag(known, centres, find)
            if self.guard is not None:
                strained = self.guard(known, centres, find)
                values["out_of_domain"] = np.maximum(values["out_of_domain"], strained)
        return {name: PerAtom(values[name], unit) for name, unit in self.outputs.items()}

    def _barriers(
        self, structure: Structure, centres: Ints | None, find: Finder, progress: Progress | None
    ) -> dict[str, NDArray[np.float64]]:
        """What the networks say of ``centres``, in chunks that they can take."""
        everything, network = np.arange(structure.n_atoms, dtype=np.int32), self._evaluator
        wanted, places = (everything, slice(None)) if centres is None else np.unique(centres, return_inverse=True)
        values_mc = np.empty((len(wanted), len(self.members)))
        with memory_errors("predict in smaller chunks (--chunk, chunk_centres)"):
            if structure.n_atoms > network.most_centres:
                self._fill(values_mc, structure, wanted, find, progress)
            elif len(wanted):
                values_mc[:] = network(structure, None if centres is None else wanted, find, progress)
        values_mc = values_mc[places] * self.scale
        values_mc += self.centre
        return self.told(values_mc, axis=1)

    def _fill(
        self,
        values_mc: NDArray[np.float64],
        structure: Structure,
        wanted: Ints,
        find: Finder,
        progress: Progress | None,
    ) -> None:
        """What the networks say of these atoms (ascending, none twice), a compact chunk of them at a time."""
        network, total, done = self._evaluator, max(1, len(wanted)), 0
        surroundings = Surroundings.within(structure, network.hops * network.cutoff)
        for block in chunks(structure, wanted, network.most_centres, network.cutoff):
            part, rows, _ = narrowed(structure, surroundings, block, find)
            told = share_of(progress, done / total, (done + len(block)) / total)
            if len(block):
                values_mc[np.searchsorted(wanted, block)] = network(part, rows, find, told)
            done += len(block)

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        own = {
            "network": self.architecture.name,
            "architecture": dict(self.architecture.settings),
            "species": list(self.species),
            "centre": self.centre,
            "scale": self.scale,
            **self.error_settings(),
        }
        if self.flag is not None:
            own["descriptor"] = described(self.flag.descriptor)
        return own if self.guard is None else {**own, **self.guard.settings()}

    def tensors(self) -> Arrays:
        """Weights of all members, and the arrays of the flag."""
        weights = {f"member{c}.{name}": a for c, arrays in enumerate(self.members) for name, a in arrays.items()}
        parts = [part.tensors() for part in (self.flag, self.guard) if part is not None]
        return {**weights, **{name: array for tensors in parts for name, array in tensors.items()}}

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> GraphBarrier:
        """From a model file."""
        return cls(
            architecture(settings),
            conformed(settings["species"], tuple[str, ...], "species"),
            tuple(_members(tensors)),
            conformed(settings["centre"], float, "centre"),
            conformed(settings["scale"], Positive, "scale"),
            Flag.from_parts(settings["descriptor"], tensors) if "descriptor" in settings else None,
            card,
            guard=Guard.from_parts(settings, tensors),
            error=SpreadError.from_settings(settings),
        )


def architecture(settings: Mapping[str, Any]) -> Architecture:
    """Network and its settings, from ``network`` and ``architecture`` of a model file or a training configuration.

    Raises:
        GlassError: for unknown names or wrong values.
    """
    return Architecture.checked(
        conformed(settings["network"], str, "network"),
        conformed(settings["architecture"], Mapping[str, Any], "architecture"),
        "architecture",
    )


def _members(tensors: Arrays) -> Iterator[dict[str, NDArray[Any]]]:
    c = 0
    while any(name.startswith(f"member{c}.") for name in tensors):
        yield {n.partition(".")[2]: a for n, a in tensors.items() if n.startswith(f"member{c}.")}
        c += 1
