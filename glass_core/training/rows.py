"""Descriptor rows and labels of a data set, by configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Dataset
from glass_core.errors import GlassError
from glass_core.registry import find
from glass_core.training.config import TrainingConfig


@dataclass(frozen=True, eq=False)
class Rows:
    """Training table.

    Attributes:
        features_nf: raw descriptors, float32.
        labels_n: barriers, eV.
        configuration_n: index of the configuration of each row.
        atom_n: index of the atom within its configuration.
        names: names of the configurations.
        group_s: group of each configuration.
    """

    features_nf: NDArray[np.float32]
    labels_n: NDArray[np.float64]
    configuration_n: NDArray[np.int32]
    atom_n: NDArray[np.int64]
    names: tuple[str, ...]
    group_s: NDArray[np.int32]

    @property
    def groups(self) -> list[int]:
        """Groups that have rows, ascending."""
        return sorted(set(self.group_s[np.unique(self.configuration_n)].tolist()))

    def select(self, groups: Sequence[int]) -> Rows:
        """Rows of some groups."""
        keep = np.isin(self.group_s[self.configuration_n], list(groups))
        return Rows(
            self.features_nf[keep], self.labels_n[keep], self.configuration_n[keep], self.atom_n[keep],
            self.names, self.group_s,
        )  # fmt: skip

    def without(self, *groups: int) -> Rows:
        """Rows of all other groups."""
        return self.select([g for g in self.groups if g not in groups])


def make_descriptor(config: TrainingConfig, dataset: Dataset) -> Any:
    """The configured descriptor for the data set's species."""
    chosen = dict(config.descriptor)
    if "kind" not in chosen:
        raise GlassError("descriptor in the training configuration needs a kind, such as kind: scnn")
    cls = find("descriptor", chosen.pop("kind"))
    try:
        return cls(species=dataset.species, **chosen)
    except TypeError as error:
        raise GlassError(f"descriptor in the training configuration: {error}") from error


def make_rows(
    config: TrainingConfig, dataset: Dataset, progress: Callable[[float], None] | None = None
) -> tuple[Any, Rows]:
    """Descriptor and table of a data set."""
    descriptor = make_descriptor(config, dataset)
    labels = [c.label(config.label) for c in dataset]
    features = []
    for index, configuration in enumerate(dataset):
        features.append(descriptor(configuration.structure, dtype=np.float32))
        if progress:
            progress((index + 1) / len(dataset))
    counts = [len(values) for values in labels]
    return descriptor, Rows(
        np.concatenate(features),
        np.concatenate(labels),
        np.repeat(np.arange(len(dataset), dtype=np.int32), counts),
        np.concatenate([np.arange(n) for n in counts]),
        tuple(c.name for c in dataset),
        np.array([c.group for c in dataset], dtype=np.int32),
    )


def standardisation(features_nf: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation of each feature; a constant feature gets deviation 1."""
    mean = features_nf.mean(axis=0, dtype=np.float64)
    std = features_nf.std(axis=0, dtype=np.float64)
    std[std < 1e-8 * (1 + np.abs(mean))] = 1.0
    return mean.astype(np.float32), std.astype(np.float32)
