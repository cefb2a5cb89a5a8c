"""Importing the packages imports neither a host nor anything heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "ovito", "ase", "lammps", "numba", "vesin", "scipy", "matplotlib", "h5py", "safetensors", "sklearn")
ACTIONS = {
    "glass_core": "import glass_core",
    "ovito_glass": "import ovito_glass",
    "ase_glass": "import ase_glass",
    "lammps_hooks": "import lammps_hooks",
    "registry": "from glass_core import registry; [registry.names(what) for what in registry._HOOKS]",
    "structure": "from glass_core import Structure; Structure([[0, 0, 0]], [0], ('Cu',))",
    "descriptor settings": "from glass_core.registry import find; find('descriptor', 'scnn')(('Cu',)).names()",
    "model classes": "from glass_core import registry as r; [r.find('model class', n) for n in r.names('model class')]",
    "graph networks": "from glass_core.graphs.networks import NETWORKS; list(NETWORKS)",
    "testing": "import glass_core.testing",
}


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_heavy_is_imported(action: str) -> None:
    code = f"{ACTIONS[action]}\nimport sys\nprint(*sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_public_surface_exists() -> None:
    import glass_core

    for name in glass_core.__all__:
        assert getattr(glass_core, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'predictions'"):
        glass_core.predictions  # noqa: B018
