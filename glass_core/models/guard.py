"""Whether an atom's surroundings are strained more than any that a model was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.descriptors.anisotropy import Anisotropy
from glass_core.descriptors.base import described
from glass_core.descriptors.shells import Finder
from glass_core.errors import GlassError
from glass_core.models.arrays import require_shape
from glass_core.structure import Ints, Structure

_MARGIN = 1.1


@dataclass(frozen=True, eq=False)
class Guard:
    """Flags atoms of which a feature is larger than in the training glasses; it adds to a model's out-of-domain flag.

    Attributes:
        descriptor: ``Anisotropy``, or another one of which large features mean unusual surroundings.
        limits_f: largest usual value of each feature.
    """

    descriptor: Any
    limits_f: NDArray[np.float64]

    def __post_init__(self) -> None:
        require_shape("guard_limits_f", self.limits_f, len(self.descriptor.names()))
        if not (self.limits_f > 0).all():
            raise GlassError(f"limits of the guard must be > 0, got {self.limits_f.min()}")

    @classmethod
    def fit(cls, structures: Iterable[Structure], species: tuple[str, ...], quantile: float) -> Guard:
        """From training glasses: 1.1 times a quantile of each feature over their atoms."""
        descriptor = Anisotropy(species)
        features = np.concatenate([descriptor(structure) for structure in structures])
        return cls(descriptor, _MARGIN * np.quantile(features, quantile, axis=0))

    def __call__(self, structure: Structure, centres: Ints | None, find: Finder) -> NDArray[np.bool_]:
        """Whether each centre is flagged."""
        return np.asarray((self.descriptor(structure, centres, find=find) > self.limits_f).any(axis=1))

    def settings(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {"guard": described(self.descriptor)}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Arrays for a model file."""
        return {"guard_limits_f": self.limits_f}

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Guard | None:
        """From a model file; None if it has none."""
        if "guard" not in settings:
            return None
        from glass_core.registry import make

        return cls(make("descriptor", settings["guard"], "guard"), tensors["guard_limits_f"])
