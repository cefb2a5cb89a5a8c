"""``glass demo``."""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

from glass_core.cli import predict as predict_command
from glass_core.cli.progress import progress
from glass_core.cli.show import as_json, number
from glass_core.errors import GlassError
from glass_core.outputs import output

GLASS = pathlib.Path(__file__).parent.parent / "data" / "demo_Cu64Zr36.dump"
LABELS = GLASS.with_suffix(".h5")


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
    if "barrier" in outputs:
        summary["labels"] = _compared(model, outputs["barrier"].values)
    if args.json:
        as_json(summary)
        return
    predict_command.print_summary(summary)
    _explain(summary, frame, outputs)


def _compared(model: Any, barrier_n: Any) -> dict[str, Any]:
    """Predictions beside the barriers that saddle searches found around some of the atoms."""
    from glass_core.campaign.export import read_label_data
    from glass_core.evaluation import trained_on
    from glass_core.metrics import pearson, pearson_ceiling

    data = read_label_data(LABELS)
    (glass,) = data
    atoms, labels = glass.labelled("barrier")
    predicted, errors = barrier_n[atoms], glass.noise("barrier")[atoms]
    return {
        "atoms": len(atoms),
        "searches": int(glass.labels["searches"].sum()),
        "predicted_mean": float(predicted.mean()),
        "label_mean": float(labels.mean()),
        "pearson": pearson(predicted, labels),
        "pearson_ceiling": pearson_ceiling(labels, errors),
        "trained_on": bool(trained_on(model, data)) if "training" in model.card.content else None,
    }


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
        found = summary["labels"]
        seen = {True: ", which the model was trained on,", False: ", which the model has not seen,"}
        print(
            f"{found['searches']} saddle searches around {found['atoms']} of these atoms"
            f"{seen.get(found['trained_on'], '')} found a mean barrier of {found['label_mean']:.2f} eV, where the "
            f"model predicts {found['predicted_mean']:.2f} eV;\nPearson correlation {number(found['pearson'], 2)}, "
            f"where the noise of the searches allows {number(found['pearson_ceiling'], 2)}"
        )
    array = output(next(iter(outputs))).ase
    print(f"open glass_demo.extxyz in OVITO and colour by {array}, or ase.io.read it: atoms.arrays['{array}']")
