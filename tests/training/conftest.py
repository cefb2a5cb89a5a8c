"""A labelled data set small enough to train on in seconds, with a signal that descriptors can see."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core.dataset import Configuration, Dataset
from glass_core.neighbours import find_neighbours
from glass_core.testing import example_glass


def labelled(seed: int, group: int) -> Configuration:
    """Barriers that fall with the number of Zr neighbours within 4 Å, plus noise."""
    structure = example_glass(("Cu", "Zr"), cells=4, seed=seed)
    near = find_neighbours(structure, 4.0)
    zr = np.bincount(near.i_p, weights=structure.types_n[near.j_p], minlength=structure.n_atoms)
    noise = np.random.default_rng(seed).normal(0, 0.05, structure.n_atoms)
    return Configuration(
        f"glass{seed}", group, structure, np.arange(1, structure.n_atoms + 1), {"barrier": 2 - 0.1 * zr + noise}
    )


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return Dataset(
        tuple(labelled(seed, group) for seed, group in ((1, 0), (2, 0), (3, 1), (4, 2))),
        {"made": "for tests"},
        "0" * 64,
    )
