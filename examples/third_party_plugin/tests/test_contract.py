"""The shipped checks, and one number that is known."""

from __future__ import annotations

import numpy as np
import pytest
from glass_coordination.descriptor import RingCounts
from glass_coordination.model import Coordination

from glass_core import GlassError, Structure, load_model, predict
from glass_core.testing import check_descriptor, check_model


def test_descriptor_keeps_the_contract() -> None:
    check_descriptor(RingCounts(("Cu", "Zr")))


def test_model_keeps_the_contract() -> None:
    check_model(Coordination())


def test_fcc_has_twelve_neighbours() -> None:
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    crystal = Structure(3.6 * basis, np.zeros(4, int), ("Cu",), 3.6 * np.eye(3), True)
    assert predict(Coordination(cutoff=3.0), crystal)["coordination"].values.tolist() == [12.0] * 4
    assert (
        predict(load_model("coordination"), crystal)["coordination"].values.tolist() == [18.0] * 4
    )  # second shell: 3.6 Å


def test_bad_settings_are_named() -> None:
    with pytest.raises(GlassError, match="cutoff must be > 0 Å, got -1"):
        Coordination(cutoff=-1)
