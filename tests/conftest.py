"""Fixtures of all tests: small structures, small models, and the data that not every checkout has."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from glass_core.structure import Structure
from glass_core.testing import example_glass

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20240103)


@pytest.fixture(scope="session")
def glass() -> Structure:
    """256 disordered Cu and Zr atoms in a slightly sheared periodic box of about 16 Å."""
    return example_glass(("Cu", "Zr"), cells=4, seed=1)


@pytest.fixture(scope="session")
def small_glass() -> Structure:
    """The same with 32 atoms: a box smaller than twice the cutoff."""
    return example_glass(("Cu", "Zr"), cells=2, seed=2)


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """Folder of the measured barriers, which are not ours to pass on."""
    folder = SHARED / "data"
    if not (folder / "symgnn").is_dir():
        pytest.skip(f"the Cu-Zr barrier data set is not at {folder}")
    return folder
