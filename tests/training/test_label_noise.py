"""Labels that are known to be noisy count less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glass_core.dataset import Configuration, Dataset
from glass_core.metrics import pearson
from glass_core.training.rows import make_rows
from tests.training.test_training import STATES, config, morse_energies, trainer

LINEAR = config("linear_barrier", descriptor=STATES, thermal=(0.02, 0.5), settings={"penalty": [3.0]})


def with_noise(configuration: Configuration, told: bool) -> Configuration:
    """Half of the atoms get labels that are off by one eV."""
    random = np.random.default_rng(configuration.group)
    error = np.where(np.arange(configuration.structure.n_atoms) % 2 == 0, 0.05, 1.0)
    noisy = configuration.label("barrier") + error * random.normal(size=len(error))
    known = {"barrier": noisy, "energy": morse_energies(configuration.structure)}
    labels = known | ({"barrier_shrunk_error": error} if told else {})
    return replace(configuration, labels=labels)


def test_noisy_labels_do_less_harm_where_their_noise_is_told(dataset: Dataset) -> None:
    true = np.concatenate([c.label("barrier") for c in dataset])
    found = {}
    for told in (False, True):
        noisy = Dataset(tuple(with_noise(c, told) for c in dataset), {})
        descriptor, rows = make_rows(LINEAR, noisy)
        model = trainer("linear_barrier")(descriptor, rows, LINEAR, 0)
        found[told] = pearson(model.rows(rows.measured().features_nf)["barrier"], true)
    assert found[True] > found[False] + 0.05


def test_noise_is_the_shrunk_error_if_there_is_one(dataset: Dataset) -> None:
    first = next(iter(dataset))
    ones = np.ones(first.structure.n_atoms)
    assert np.isnan(first.noise("barrier")).all()
    plain = replace(first, labels={**first.labels, "barrier_error": ones})
    shrunk = replace(plain, labels={**plain.labels, "barrier_shrunk_error": 2 * ones})
    assert (plain.noise("barrier") == 1).all()
    assert (shrunk.noise("barrier") == 2).all()
    assert np.isnan(shrunk.noise("energy")).all()
