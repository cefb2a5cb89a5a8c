"""Barriers of a glass in an OVITO pipeline, and the atoms most likely to move.

pip install "glass-plugins[ovito]"
python examples/ovito_predict.py                          # the glass inside the package
python examples/ovito_predict.py glass.dump --species 1=Cu,2=Zr --picture glass.png
"""

from __future__ import annotations

import argparse
import pathlib
import sys

import numpy as np
from ovito.io import import_file

import glass_core
from glass_core.outputs import output
from ovito_glass.modifier import PredictBarriers

SHIPPED = pathlib.Path(glass_core.__file__).parent / "data" / "demo_Cu64Zr36.dump"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", nargs="?", type=pathlib.Path, default=SHIPPED, help="any file that OVITO reads")
    parser.add_argument("--species", default="", help="species of numeric types, 1=Cu,2=Zr")
    parser.add_argument("--picture", type=pathlib.Path, help="also draw the atoms into this .png")
    args = parser.parse_args()

    pipeline = import_file(args.file)
    pipeline.modifiers.append(PredictBarriers(species_map=args.species))
    data = pipeline.compute()

    barrier = np.array(data.particles[output("barrier").ovito])
    mean, unit = data.attributes["Glass.barrier.mean"], data.attributes["Glass.barrier.unit"]
    print(f"{data.particles.count} atoms, mean barrier {mean:.2f} {unit}")
    print(f"outside the training data: {data.attributes['Glass.barrier.out_of_domain_fraction']:.1%} of the atoms")
    for index in np.argsort(barrier)[:5]:
        print(f"easiest to move: particle {index}, {barrier[index]:.2f} {unit}")
    if args.picture:
        draw(args.file, args.species, args.picture)
    return check(barrier, mean)


def draw(file: pathlib.Path, species: str, picture: pathlib.Path) -> None:
    from glass_core import load_model, predict
    from glass_core.species_map import parse_species_map
    from ovito_glass.reader import read_frame
    from ovito_glass.render import render_picture

    frame = read_frame(file, parse_species_map(species))
    render_picture(frame, predict(load_model(), frame.structure), picture)
    print(f"drawn into {picture}")


def check(barrier: np.ndarray, mean: float) -> int:
    """0 if every atom has a plausible barrier (eV) and they differ, else 1."""
    good = np.isfinite(barrier).all() and np.ptp(barrier) > 0 and 0 < mean < 10
    if not good:
        print("the predicted barriers are implausible", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
