"""Our open data set: glasses of three compositions, quenched at two rates, every atom labelled.

    pip install "glass-plugins[lammps,label]"
    python examples/open_labels.py --potential CuZr_Mendelev2009.eam.fs --out open_labels
    python examples/open_labels.py --potential CuZr_mm.eam.fs --out try --atoms 256 --rates 1e15 --searches 1 --label 3

Each glass takes about five minutes (10¹⁴ K/s) to half an hour (10¹³ K/s) of one core to make, and about two hours and a
half to label. The same command goes on after any interruption, and with ``--out examples/open_labels`` from what is
there. All glasses get a few searches per atom first, then more. It ends with one data set of all, ``OUT.h5``, beside
the folder.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys

ZR = (0.36, 0.50, 0.20)
SEED = 1
_STEP = 4


def run(*command: object) -> None:
    done = subprocess.run([sys.executable, *map(str, command)], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def make(out: pathlib.Path, zr: float, rate: str, args: argparse.Namespace) -> pathlib.Path:
    """A glass, unless it is there."""
    glass = out / f"Zr{round(100 * zr)}_{rate}.dump"
    if not glass.exists():
        script = pathlib.Path(__file__).parent / "make_glass.py"
        run(script, "--atoms", args.atoms, "--zr", zr, "--rate", rate, "--seed", SEED, "--melt-ps", args.melt_ps,
            "--potential", args.potential, "--out", glass)  # fmt: skip
    return glass


def label(glass: pathlib.Path, searches: int, args: argparse.Namespace) -> pathlib.Path:
    """Labels of a glass; searches that are there are not done again."""
    labels = glass.with_suffix(".h5")
    run("-m", "glass_core.cli.main", "label", glass, "-p", args.potential, "-o", labels, "--searches", searches,
        "--atoms", args.label, "--seed", SEED, "--relax", "--no-displacements", "--workers", args.workers)  # fmt: skip
    return labels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--potential", required=True, help="eam/fs file, elements Cu Zr")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder")
    parser.add_argument("--atoms", type=int, default=3000, help="of each glass, at least")
    parser.add_argument("--rates", nargs="+", default=["1e14", "1e13"], help="cooling rates, K/s")
    parser.add_argument("--melt-ps", type=float, default=20.0, help="time at 2000 K, ps")
    parser.add_argument("--searches", type=int, default=20, help="of each atom")
    parser.add_argument("--label", default="all", help="which atoms: all, random:200 …")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(exist_ok=True)
    glasses = [make(args.out, zr, rate, args) for rate in args.rates for zr in ZR]
    for searches in [*range(_STEP, args.searches, _STEP), args.searches]:
        files = [label(glass, searches, args) for glass in glasses]
    run("-m", "glass_core.cli.main", "import", *files, "-o", args.out.with_suffix(".h5"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
