"""``glass demo``."""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

from glass_core.cli import predict as predict_command
from glass_core.cli.progress import progress
from glass_core.cli.show import as_json
from glass_core.errors import GlassError

GLASS = pathlib.Path(__file__).parent.parent / "data" / "glass_Cu64Zr36.dump"


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "demo",
        help="predict barriers of a shipped Cu-Zr glass and draw them",
        description="Writes glass_demo.extxyz (opens in OVITO and ASE) and glass_demo.png.",
    )
    p.add_argument("-m", "--model", default="barrier", help="name or path of a model [barrier]")
    p.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path(), help="folder to write into [.]")
    p.add_argument("--no-picture", action="store_true", help="skip the picture")
    p.add_argument("--json", action="store_true", help="print the summary as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.model_file import load_model
    from glass_core.prediction import predict

    target = args.out / "glass_demo.extxyz"
    write = predict_command.writer_of(target)
    model = load_model(args.model)
    frame = predict_command.read(GLASS, {}, -1, None)
    with progress("predicting", args.json) as tell:
        outputs = predict(model, frame.structure, progress=tell)
    summary = predict_command.summarise(frame, outputs, model.card.name or model.kind, model.card.sha256)
    info = {"glass_model": summary["model"], "glass_model_sha256": summary["model_sha256"]}
    write(target, frame, outputs, info)
    summary["out"] = str(target)
    if not args.no_picture:
        picture = args.out / "glass_demo.png"
        summary["picture"], summary["drawn_by"] = str(picture), _draw(frame, outputs, picture)
    if args.json:
        as_json(summary)
        return
    predict_command.print_summary(summary)
    _explain(summary, frame, outputs)


def _draw(frame: Any, outputs: Any, path: pathlib.Path) -> str:
    """Draws with OVITO if it can, else with matplotlib; returns which."""
    try:
        from ovito_glass.render import render_picture
    except ImportError:
        pass
    else:
        try:
            render_picture(frame, outputs, path)
        except (GlassError, RuntimeError):
            pass
        else:
            return "OVITO"
    from glass_core.picture import draw_slice

    draw_slice(frame, outputs, path)
    return "matplotlib"


def _explain(summary: dict[str, Any], frame: Any, outputs: Any) -> None:
    if "picture" in summary:
        print(f"wrote {summary['picture']} (drawn by {summary['drawn_by']})")
    if "barrier" in outputs:
        values = outputs["barrier"].values
        softest = values.argsort()[:5]
        ids = ", ".join(f"{frame.ids_n[i]} ({values[i]:.2f} eV)" for i in softest)
        print(f"softest atoms (id, barrier): {ids}")
    print(
        "open glass_demo.extxyz in OVITO and colour by glass_barrier, or ase.io.read it: atoms.arrays['glass_barrier']"
    )
