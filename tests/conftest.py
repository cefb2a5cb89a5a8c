"""Fixtures of all tests: small structures, small models, and the data that not every checkout has."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

from glass_core.structure import Structure
from glass_core.testing import example_glass
from tests.ase.versions import ase_before

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Old versions of ASE leave log files to the garbage collector."""
    if ase_before(3, 25):
        config.addinivalue_line("filterwarnings", "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")


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


def _minor_version(binary: str) -> str:
    """Version of the Python inside an ``lmp``, "" if there is none."""
    script = 'python version here """\nimport sys\nprint("minor=%d.%d" % sys.version_info[:2])\n"""\n'
    command = [binary, "-log", "none"]
    result = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60, check=False)
    return result.stdout.partition("minor=")[2].split("\n")[0]


@pytest.fixture(scope="session")
def lmp_binary() -> str:
    """An ``lmp`` with the PYTHON package and this Python's minor version (that of the wheel has no such package)."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin"]
    binaries = dict.fromkeys(path for folder in folders if (path := shutil.which("lmp", path=folder)))
    found = {binary: _minor_version(binary) for binary in binaries}
    for binary, version in found.items():
        if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
            return binary
    pytest.skip(f"no lmp with the PYTHON package and Python {sys.version_info[:2]} (apt install lammps); found {found}")


def lmp_environment() -> dict[str, str]:
    """For a system ``lmp`` started from here."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    return environment | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
