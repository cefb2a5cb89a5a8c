"""Descriptor rows and labels of a data set, by configuration: one row for each atom with a label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Dataset
from glass_core.descriptors.base import described
from glass_core.errors import GlassError
from glass_core.registry import make
from glass_core.structure import Structure, replace_fields
from glass_core.training.config import TrainingConfig
from glass_core.training.springs import with_fitted_springs


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
        displacement_n: deviation in Å by which the row's copy was displaced; 0 for atoms as they are.
        noise_n: standard errors of the labels, eV; nan where the data set does not tell them.
    """

    features_nf: NDArray[np.float32]
    labels_n: NDArray[np.float64]
    configuration_n: NDArray[np.int32]
    atom_n: NDArray[np.int64]
    names: tuple[str, ...]
    group_s: NDArray[np.int32]
    displacement_n: NDArray[np.float64]
    noise_n: NDArray[np.float64]

    @property
    def groups(self) -> list[int]:
        """Groups that have rows, ascending."""
        return sorted(set(self.group_s[np.unique(self.configuration_n)].tolist()))

    def select(self, groups: Sequence[int]) -> Rows:
        """Rows of some groups."""
        return self._keep(np.isin(self.group_s[self.configuration_n], list(groups)))

    def measured(self) -> Rows:
        """Rows of atoms as they are, without displaced copies."""
        return self._keep(self.displacement_n == 0.0)

    def _keep(self, keep: NDArray[np.bool_]) -> Rows:
        per_row = ("features_nf", "labels_n", "configuration_n", "atom_n", "displacement_n", "noise_n")
        return replace(self, **{name: getattr(self, name)[keep] for name in per_row})

    def without(self, *groups: int) -> Rows:
        """Rows of all other groups."""
        return self.select([g for g in self.groups if g not in groups])


def make_descriptor(config: TrainingConfig, dataset: Dataset) -> Any:
    """The configured descriptor for the data set's species."""
    where = "descriptor in the training configuration"
    if "species" in config.descriptor:
        raise GlassError(f"{where} must not name species, which come from the data; remove the key")
    descriptor = make("descriptor", {**config.descriptor, "species": dataset.species}, where)
    described(descriptor)  # must be possible in the end
    return descriptor


def make_rows(
    config: TrainingConfig, dataset: Dataset, progress: Callable[[float], None] | None = None
) -> tuple[Any, Rows]:
    """Descriptor and table of a data set, thermally displaced copies included if the configuration asks for them.

    Atoms without a label have no row; they take part as neighbours.
    """
    descriptor = with_fitted_springs(make_descriptor(config, dataset), dataset)
    copies = (0.0, *config.thermal)
    parts = []
    for index, configuration in enumerate(dataset):
        atoms, labels = configuration.labelled(config.label)
        for displacement in copies:
            structure = displaced(configuration.structure, displacement, index)
            features, noise = features_of(descriptor, structure, atoms), configuration.noise(config.label)[atoms]
            parts.append((features, labels, index, atoms, displacement, noise))
        if progress:
            progress((index + 1) / len(dataset))
    counts = [len(part[0]) for part in parts]
    features_nf, labels_n, _, atom_n, _, noise_n = (list(column) for column in zip(*parts, strict=True))
    return descriptor, Rows(
        np.concatenate(features_nf),
        np.concatenate(labels_n),
        np.repeat(np.array([part[2] for part in parts], dtype=np.int32), counts),
        np.concatenate(atom_n),
        tuple(c.name for c in dataset),
        np.array([c.group for c in dataset], dtype=np.int32),
        np.repeat([part[4] for part in parts], counts),
        np.concatenate(noise_n),
    )


def features_of(descriptor: Any, structure: Structure, atoms_m: NDArray[np.intp]) -> NDArray[np.float32]:
    """Descriptors of some atoms, ascending; all of them are not asked for one by one, which can change last digits."""
    centres = None if len(atoms_m) == structure.n_atoms else atoms_m
    features: NDArray[np.float32] = descriptor(structure, centres, dtype=np.float32)
    return features


def displaced(structure: Structure, displacement: float, seed: int) -> Structure:
    """The atoms with Gaussian displacements of this deviation (Å, per component): a picture of vibrations."""
    if displacement == 0.0:
        return structure
    rng = np.random.default_rng([seed, round(1e6 * displacement)])
    return replace_fields(
        structure, positions_nc=structure.positions_nc + rng.normal(0, displacement, structure.positions_nc.shape)
    )


def standardisation(features_nf: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation of each feature; a constant feature gets deviation 1."""
    mean = features_nf.mean(axis=0, dtype=np.float64)
    std = features_nf.std(axis=0, dtype=np.float64)
    std[std < 1e-8 * (1 + np.abs(mean))] = 1.0
    return mean.astype(np.float32), std.astype(np.float32)
