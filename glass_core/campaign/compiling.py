"""Compiling before the first search, in a process of its own."""

from __future__ import annotations

import os
import pathlib
import pickle
import subprocess
import sys
from dataclasses import replace

import glass_core.kernels
from glass_core.potentials.base import Potential
from glass_core.potentials.eam import EamPotential
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import preset
from glass_core.structure import Structure

# Until one goes through all phases.
_SEARCHES = """
import pickle, sys
search = pickle.load(sys.stdin.buffer).bound()
for number in range(10**6, 10**6 + 30):
    if search(0, number).state == "accepted":
        break
"""


def is_to_compile(potential: Potential) -> bool:
    """Whether a potential's surfaces are our own and no compiled code of these lies where numba looks first."""
    if not isinstance(potential, (EamPotential, LennardJonesPotential)):
        return False
    folder = os.environ.get("NUMBA_CACHE_DIR")
    place = pathlib.Path(folder) if folder else pathlib.Path(glass_core.kernels.__file__).parent / "__pycache__"
    return not any(place.rglob("eam_surface*.nbi"))


def compile_apart(structure: Structure, potential: Potential) -> None:
    """Does some searches in another process, to be called before this one computes anything.

    A process that compiles adds numbers in another order than one that loads compiled code, which changes last digits:
    results of the first campaign on a machine would differ from those of all later ones. What fails here fails again,
    and is told, where it counts.
    """
    searcher = Searcher(structure, potential, replace(preset("bauchy2024"), minimum_force=1e6))
    command = [sys.executable, "-c", _SEARCHES]
    subprocess.run(
        command, input=pickle.dumps(searcher), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
