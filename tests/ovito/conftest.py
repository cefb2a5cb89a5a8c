"""Random Cu-Zr crystals and files of them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("ovito", reason="OVITO is not installed")

from glass_core import Structure, load_model
from glass_core.file_formats import write_dump
from glass_core.frame import Frame
from glass_core.outputs import output

LATTICE = 3.9


def alloy(cells: int = 4, seed: int = 0, zr: float = 0.36) -> Structure:
    """A periodic fcc solid solution with thermal noise, ``4 cells³`` atoms."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    positions = LATTICE * (grid + basis).reshape(-1, 3)
    positions += rng.normal(scale=0.1, size=positions.shape)
    types = (rng.random(len(positions)) < zr).astype(np.int32)
    return Structure(positions, types, ("Cu", "Zr"), [LATTICE * cells] * 3, True)


def xyz_text(structure: Structure) -> str:
    """Extended XYZ with element names."""
    lattice = " ".join(f"{x:.12g}" for x in structure.cell_cc.ravel())
    flags = " ".join("T" if periodic else "F" for periodic in structure.pbc)
    head = f'{structure.n_atoms}\nLattice="{lattice}" pbc="{flags}" Properties=species:S:1:pos:R:3\n'
    atoms = zip(structure.symbols(), structure.positions_nc, strict=True)
    return head + "".join(f"{symbol} {x:.10f} {y:.10f} {z:.10f}\n" for symbol, (x, y, z) in atoms)


@pytest.fixture(scope="session")
def structure() -> Structure:
    return alloy()


@pytest.fixture(scope="session")
def main_property() -> str:
    """Property name of the default model's first output."""
    return output(next(iter(load_model().outputs))).ovito


@pytest.fixture
def xyz_file(tmp_path: pathlib.Path, structure: Structure) -> pathlib.Path:
    """One frame with element names."""
    path = tmp_path / "alloy.xyz"
    path.write_text(xyz_text(structure))
    return path


@pytest.fixture
def dump_file(tmp_path: pathlib.Path, structure: Structure) -> pathlib.Path:
    """A LAMMPS dump with element names, shuffled ids and a shifted box."""
    rng = np.random.default_rng(1)
    ids = rng.permutation(structure.n_atoms) + 1
    path = tmp_path / "alloy.dump"
    write_dump(path, Frame(structure, ids, {"timestep": 40, "origin": np.array([-1.0, 2.0, 3.0])}), {}, {})
    return path


@pytest.fixture
def numeric_dump(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """Writes frames as a LAMMPS dump whose types are only numbers: 1 for Cu, 2 for Zr."""

    def write(*frames: Structure) -> pathlib.Path:
        path = tmp_path / "numeric.dump"
        path.write_text("".join(_numeric_frame(step, frame) for step, frame in enumerate(frames)))
        return path

    return write


def _numeric_frame(step: int, structure: Structure) -> str:
    box = "".join(f"0 {length:.10g}\n" for length in np.diag(structure.cell_cc))
    head = f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{structure.n_atoms}\nITEM: BOX BOUNDS pp pp pp\n{box}"
    rows = zip(structure.types_n + 1, structure.positions_nc, strict=True)
    atoms = "".join(f"{n} {t} {x:.10f} {y:.10f} {z:.10f}\n" for n, (t, (x, y, z)) in enumerate(rows, 1))
    return f"{head}ITEM: ATOMS id type x y z\n{atoms}"


# Beside other tests' threads OVITO now and then sees one frame of several, so test_ovito_own_process.py
# runs this folder in a process of its own (which sets the variable).
collect_ignore_glob = [] if "GLASS_OVITO_TESTS" in os.environ else ["test_*.py"]
