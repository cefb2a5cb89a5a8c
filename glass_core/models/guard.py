"""Whether an atom's surroundings are strained more than any that a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.arrays import require_shape
from glass_core.descriptors.anisotropy import Anisotropy
from glass_core.descriptors.base import described
from glass_core.errors import GlassError
from glass_core.neighbours import Finder, neighbour_blocks
from glass_core.structure import Ints, Structure

_MARGIN = 1.1
_LEAST = 0.01  # of a limit; crystals at rest have no anisotropy at all
_BOND, _REACH = 1.31, 1.52  # 3.3 and 5.0 Å in Cu-Zr
_FARTHEST = 8.0  # Å


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
    def fit(cls, structures: Sequence[Structure], species: tuple[str, ...], quantile: float) -> Guard | None:
        """From training glasses: 1.1 times a quantile of each feature over their atoms.

        Bonds are those up to 1.31 times the median distance of nearest neighbours, a little beyond the first shell.
        None where there are none within 8 Å.
        """
        nearest = np.concatenate([_nearest(structure) for structure in structures])
        if not np.isfinite(np.median(nearest)):
            return None
        bond = round(_BOND * float(np.median(nearest)), 1)
        descriptor = Anisotropy(species, bond, round(_REACH * bond, 1))
        features = np.concatenate([descriptor(structure, dtype=np.float32) for structure in structures])
        return cls(descriptor, np.maximum(_MARGIN * np.quantile(features.astype(np.float64), quantile, axis=0), _LEAST))

    def __call__(self, structure: Structure, centres: Ints | None, find: Finder) -> NDArray[np.bool_]:
        """Whether each centre is flagged."""
        features = self.descriptor(structure, centres, find=find, dtype=np.float32)
        return np.asarray((features > self.limits_f).any(axis=1))

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


def _nearest(structure: Structure) -> NDArray[np.float64]:
    """Distance of each atom's nearest neighbour, Å; infinite beyond 8 Å."""
    nearest_n = np.full(structure.n_atoms, np.inf)
    for cutoff in (_FARTHEST / 2, _FARTHEST):
        left = np.flatnonzero(np.isinf(nearest_n)).astype(np.int32)
        for block in neighbour_blocks(structure, cutoff, left) if len(left) else ():
            np.minimum.at(nearest_n, block.i_p, block.distances_p)
    return nearest_n
