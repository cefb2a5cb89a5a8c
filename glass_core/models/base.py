"""What every model offers, and what all models on descriptors share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import Arrays, require_shape
from glass_core.descriptors.base import described
from glass_core.descriptors.rows import blocks_of_rows
from glass_core.errors import GlassError
from glass_core.models.domain import Domain
from glass_core.models.guard import Guard
from glass_core.neighbours import Finder, neighbour_blocks
from glass_core.outputs import PerAtom, output
from glass_core.progress import Progress
from glass_core.settings import conformed, field_types
from glass_core.structure import Ints, Structure

_MEMORY = 2.5e9
_ROWS = 8_000


@dataclass(frozen=True)
class ModelCard:
    """Where a model comes from. ``content`` is the JSON of the file's header (see ``model_file``)."""

    name: str = ""
    path: str = ""
    sha256: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Model(Protocol):
    """A frozen object that predicts per-atom quantities from edges.

    ``kind`` is the class's name in the registry. ``glass_core.testing.check_model`` tells whether a
    class keeps the contract.
    """

    kind: ClassVar[str]

    @property
    def card(self) -> ModelCard:
        """Where the model comes from."""

    @property
    def species(self) -> tuple[str, ...]:
        """Species that the model knows."""

    @property
    def cutoff(self) -> float:
        """Length of the longest edge, Å."""

    @property
    def receptive_field(self) -> float:
        """Distance in Å beyond which an atom cannot change a centre's prediction."""

    @property
    def outputs(self) -> dict[str, str]:
        """Names of the outputs and their units."""

    @property
    def chunk_centres(self) -> int:
        """Most centres to hand over in one call."""

    def __call__(
        self, structure: Structure, centres: Ints | None, find: Finder = ..., progress: Progress | None = None
    ) -> dict[str, PerAtom]:
        """Predictions for ``centres`` (ascending; None means all atoms), edges obtained from ``find``.

        Atoms come in any order; ``predict`` puts near ones next to each other.
        """

    def settings(self) -> dict[str, Any]:
        """Plain values that ``from_parts`` needs."""

    def tensors(self) -> Arrays:
        """Arrays that ``from_parts`` needs."""

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> Model:
        """The model again, from what a file holds."""


@runtime_checkable
class Calibrated(Protocol):
    """A model whose ``barrier_std`` can be a calibrated standard error."""

    @property
    def label_noise(self) -> float | None:
        """Deviation of labels from true barriers that its intervals were calibrated with, eV; None if they were not."""


@runtime_checkable
class OnDevice(Protocol):
    """A model that can compute elsewhere than on the processor."""

    @property
    def device(self) -> str:
        """ "cpu", "cuda", "cuda:1" …"""

    def on(self, device: str) -> Model:
        """The same model computing on another device."""


@dataclass(frozen=True, eq=False)
class DescriptorModel:
    """Base of models that are a function of one descriptor row: standardise, then ``head``.

    Attributes:
        descriptor: settings of the descriptor.
        mean_f: mean of each feature over the training atoms.
        std_f: deviation of each feature over the training atoms.
        domain: what the training atoms' features looked like, for the out-of-domain flag.
        card: origin.
        guard: tells strained surroundings, which also are out of domain; None for none.

    Raises:
        GlassError: if the arrays do not fit the descriptor, or a deviation is not positive.
    """

    kind: ClassVar[str]

    descriptor: Any
    mean_f: NDArray[np.float32]
    std_f: NDArray[np.float32]
    domain: Domain | None
    card: ModelCard
    guard: Guard | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        features = self.n_features
        require_shape("mean_f", self.mean_f, features)
        require_shape("std_f", self.std_f, features)
        if not (self.std_f > 0).all():
            raise GlassError(f"std_f must be > 0, got {self.std_f.min()}")
        if self.domain is not None:
            self.domain.require_features(features)

    @property
    def n_features(self) -> int:
        """Features per atom."""
        return len(self.descriptor.names())

    @property
    def species(self) -> tuple[str, ...]:
        """Species that the model knows."""
        return tuple(self.descriptor.species)

    @property
    def cutoff(self) -> float:
        """Longest cutoff of a descriptor, Å."""
        return max(float(descriptor.cutoff) for descriptor in self._descriptors)

    @property
    def receptive_field(self) -> float:
        """Largest receptive field of a descriptor, Å."""
        return max(float(descriptor.receptive_field) for descriptor in self._descriptors)

    @property
    def _descriptors(self) -> list[Any]:
        """That of the model and that of the guard."""
        return [self.descriptor, *([] if self.guard is None else [self.guard.descriptor])]

    @property
    def chunk_centres(self) -> int:
        """As many as keep the descriptor's working memory below 2.5 GB."""
        return max(1, int(_MEMORY / max(descriptor.bytes_per_atom for descriptor in self._descriptors)))

    @property
    def outputs(self) -> dict[str, str]:
        """Names of the outputs and their units."""
        names = [*self.head_outputs(), *(["out_of_domain"] if self.domain is not None else [])]
        return {name: output(name).unit for name in names}

    def head_outputs(self) -> list[str]:
        """Names of what ``head`` returns."""
        raise TypeError(f"{type(self).__name__} must define head_outputs")

    def head(self, features_mf: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """Outputs from standardised features."""
        raise TypeError(f"{type(self).__name__} must define head")

    def standardise(self, features_mf: NDArray[np.floating]) -> NDArray[np.float64]:
        """(X − mean) / std, in double precision so that predictions do not depend on how rows are grouped."""
        return np.asarray((features_mf.astype(np.float64) - self.mean_f) / self.std_f)

    def __call__(
        self,
        structure: Structure,
        centres: Ints | None = None,
        find: Finder = neighbour_blocks,
        progress: Progress | None = None,
    ) -> dict[str, PerAtom]:
        """Predictions for ``centres`` (None: all atoms), in their order."""
        wanted, places = (None, None) if centres is None else np.unique(centres, return_inverse=True)
        size = structure.n_atoms if wanted is None else len(wanted)
        values = {name: np.full(size, np.nan) for name in self.outputs}
        for block, features in blocks_of_rows(self.descriptor, structure, wanted, find, progress=progress):
            for start in range(0, len(features), _ROWS):
                rows = slice(start, start + _ROWS)
                for name, result in self.rows(features[rows]).items():
                    values[name][block[rows]] = result
        if self.guard is not None and self.domain is not None:
            values["out_of_domain"] = np.maximum(values["out_of_domain"], self.guard(structure, wanted, find))
        return {
            name: PerAtom(result if places is None else result[places], self.outputs[name])
            for name, result in values.items()
        }

    def rows(self, features_mf: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """All outputs from raw descriptor rows."""
        standard = self.standardise(features_mf)
        values = self.head(standard)
        if self.domain is not None:
            values["out_of_domain"] = self.outside(standard).astype(np.float64)
        return values

    def outside(self, standard_mf: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which standardised rows are out of domain; only of a model that has one."""
        if self.domain is None:
            raise TypeError(f"{type(self).__name__} has no domain")
        return self.domain.outside(standard_mf)

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        guard = {} if self.guard is None else self.guard.settings()
        return {"descriptor": described(self.descriptor), **guard}

    def tensors(self) -> Arrays:
        """Arrays for a model file."""
        domain = {} if self.domain is None else self.domain.tensors()
        guard = {} if self.guard is None else self.guard.tensors()
        return {"mean_f": self.mean_f, "std_f": self.std_f, **domain, **guard, **self.head_tensors()}

    def head_tensors(self) -> Arrays:
        """Arrays of the head."""
        raise TypeError(f"{type(self).__name__} must define head_tensors")

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Arrays, card: ModelCard) -> DescriptorModel:
        """The model again, from what a file holds."""
        raise TypeError(f"{cls.__name__} must define from_parts")

    @staticmethod
    def common_parts(settings: Mapping[str, Any], tensors: Arrays) -> dict[str, Any]:
        """Descriptor, standardisation, domain and guard from what a file holds."""
        from glass_core.registry import make

        return {
            "descriptor": make("descriptor", settings["descriptor"], "descriptor"),
            "mean_f": tensors["mean_f"],
            "std_f": tensors["std_f"],
            "domain": Domain.from_tensors(tensors),
            "guard": Guard.from_parts(settings, tensors),
        }

    @classmethod
    def plain_parts(cls, settings: Mapping[str, Any], *names: str) -> dict[str, Any]:
        """Fields of the class that are plain settings, checked against their annotations."""
        hints = field_types(cls)
        return {name: conformed(settings[name], hints.get(name, Any), name) for name in names}
