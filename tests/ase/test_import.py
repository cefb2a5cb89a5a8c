"""Importing the package is quick; ASE comes in at first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ase_glass


def _fresh(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_package_and_plugin_imports_no_host():
    code = (
        "import sys, ase_glass, ase_glass.plugin\n"
        "print([m for m in ('ase', 'torch', 'numba', 'scipy', 'ovito') if m in sys.modules])"
    )
    assert _fresh(code) == "[]"


def test_using_the_calculator_imports_no_torch():
    pytest.importorskip("ase")
    code = (
        "import sys\nfrom ase_glass import GlassCalculator, annotate, ExtxyzWriter, to_structure\n"
        "print('torch' in sys.modules, 'ase' in sys.modules)"
    )
    assert _fresh(code) == "False True"


@pytest.mark.parametrize("line", ["from ase_glass import annotate", "import ase_glass.files"])
def test_missing_ase_gives_the_pip_line(line):
    code = (
        "import sys\nsys.modules['ase'] = None\nfrom glass_core.errors import MissingExtraError\n"
        f"try:\n    {line}\nexcept MissingExtraError as error:\n    print(error)"
    )
    assert 'pip install "glass-plugins[ase]"' in _fresh(code)


def test_readers_and_writers_are_registered():
    pytest.importorskip("ase")
    from glass_core import registry

    assert registry.find("reader", "ase").__module__ == "ase_glass.files"
    assert registry.find("writer", ".extxyz") is registry.find("writer", ".xyz")


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'Calculator'"):
        _ = ase_glass.Calculator
