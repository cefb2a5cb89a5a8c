"""The shipped models on the shipped glass: what a user relies on beyond the contract."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core import load_model, predict
from glass_core.cli import predict as predict_command
from glass_core.cli.demo import GLASS
from glass_core.structure import Structure
from glass_core.training.rows import displaced


@pytest.fixture(scope="module")
def shipped() -> Structure:
    pytest.importorskip("ase")
    return predict_command.read(GLASS, {}, -1, None).structure


@pytest.mark.parametrize("displacement", [0.02, 0.05, 0.10])
def test_barriers_stay_sane_during_dynamics(shipped: Structure, displacement: float) -> None:
    # Trained on minima alone, the same model shifts by 1.6 eV at 0.1 Å.
    model = load_model("barrier")
    at_rest = predict(model, shipped)["barrier"].values
    moving = predict(model, displaced(shipped, displacement, 1))["barrier"].values
    assert abs(moving.mean() - at_rest.mean()) < 0.15
    assert 0.5 < moving.std() / at_rest.std() < 1.5
    if displacement <= 0.05:
        assert np.corrcoef(moving, at_rest)[0, 1] > 0.5


def test_high_barrier_atoms_of_both_models_agree(shipped: Structure) -> None:
    barrier = predict(load_model("barrier"), shipped)["barrier"].values
    logit = predict(load_model("scnn"), shipped)["logit"].values
    assert np.corrcoef(barrier, logit)[0, 1] > 0.5
