"""Where can an atom on a copper surface go? Saddle searches in ASE, with any calculator.

    pip install "glass-plugins[ase]"
    python examples/ase_artn.py                         # an adatom on Cu(100), effective medium theory
    python examples/ase_artn.py --searches 10 --out events.traj

Each search starts in a random direction and ends at a saddle of its own: the hop to the next hollow and, with luck,
the exchange with an atom of the surface. `events.traj` holds minimum, saddle and other minimum of each and opens in
ASE (`ase gui events.traj`) and OVITO.
"""

from __future__ import annotations

import argparse
import pathlib
import tempfile

import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.io import read
from ase.optimize import BFGS

from ase_glass import ARTn

HOP = 0.420  # eV, by the climbing nudged elastic band of ASE on the same slab


def adatom_on_copper() -> Atoms:
    """A slab of three layers, the lowest fixed, with one atom more, at a minimum."""
    atoms = fcc100("Cu", (3, 3, 3), vacuum=6.0)
    add_adsorbate(atoms, "Cu", 1.7, "hollow")
    atoms.set_constraint(FixAtoms(mask=[atom.tag == 3 for atom in atoms]))
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=0.005)
    return atoms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--searches", type=int, default=3, help="number of searches")
    parser.add_argument("--out", type=pathlib.Path, help="trajectory to write; default a temporary file")
    args = parser.parse_args()

    atoms = adatom_on_copper()
    adatom = len(atoms) - 1
    barriers = []
    with tempfile.TemporaryDirectory() as folder:
        out = args.out or pathlib.Path(folder) / "events.traj"
        for seed in range(args.searches):
            copy = atoms.copy()
            copy.calc = EMT()
            artn = ARTn(copy, kick="centre", centre=adatom, seed=seed, trajectory=out, append_trajectory=seed > 0)
            if artn.run(fmax=0.01):
                barriers.append(artn.barrier)
                moved = np.linalg.norm(artn.minima[1].positions - artn.minima[0].positions, axis=1)
                print(f"search {seed}: barrier {artn.barrier:.3f} eV, {int((moved > 0.5).sum())} atom(s) jump\n")
            else:
                print(f"search {seed}: {artn.state}\n")
        frames = read(out, ":")

    print(f"{len(frames) // 3} events; barriers {np.round(barriers, 3).tolist()} eV")
    assert len(frames) % 3 == 0
    assert min(barriers) > HOP - 0.002
    assert np.isclose(barriers, HOP, atol=0.002).any()
    print("ok: the hop has the barrier of the nudged elastic band")


if __name__ == "__main__":
    main()
