"""``glass demo``."""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

from glass_core.cli.predict import print_summary, summarise
from glass_core.cli.progress import progress
from glass_core.cli.show import as_json, number
from glass_core.errors import MissingExtraError
from glass_core.model_file import DEFAULT, load_model
from glass_core.outputs import output
from glass_core.structure_files import read_frame, writer_of

GLASS = pathlib.Path(__file__).parent.parent / "data" / "demo_Cu64Zr36.dump"
LABELS = GLASS.with_suffix(".h5")


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "demo",
        help="predict barriers of a shipped Cu-Zr glass and draw them",
        description="Writes glass_demo.extxyz (opens in OVITO and ASE) and glass_demo.png.",
    )
    p.add_argument("-m", "--model", default=DEFAULT, help=f"name or path of a model [{DEFAULT}]")
    p.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path(), help="folder to write into [.]")
    p.add_argument("--no-picture", action="store_true", help="skip the picture")
    p.add_argument("--json", action="store_true", help="print the summary as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.paths import make_folder
    from glass_core.prediction import predict

    target = make_folder(args.out) / "glass_demo.extxyz"
    write = writer_of(target)
    model = load_model(args.model)
    frame = read_frame(GLASS)
    with progress("predicting", args.json) as tell:
        outputs = predict(model, frame.structure, progress=tell)
    summary = summarise(frame, outputs, model.card.name or model.kind, model.card.sha256)
    info = {"glass_model": summary["model"], "glass_model_sha256": summary["model_sha256"]}
    write(target, frame, outputs, info)
    summary["out"] = str(target)
    if not args.no_picture:
        summary.update(_draw(frame, outputs, args.out / "glass_demo.png"))
    if "barrier" in outputs:
        summary["labels"] = _compared(model, outputs["barrier"].values)
    if args.json:
        as_json(summary)
        return
    print_summary(summary)
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


def _draw(frame: Any, outputs: Any, path: pathlib.Path) -> dict[str, str]:
    """Draws with OVITO if it can, else with matplotlib; returns which, and why not with OVITO."""
    from ovito_glass.render import RenderingUnavailableError, render_picture

    picture = {"picture": str(path), "drawn_by": "OVITO"}
    try:
        render_picture(frame, outputs, path)
    except (MissingExtraError, RenderingUnavailableError) as error:
        from glass_core.picture import draw_slice

        draw_slice(frame, outputs, path)
        return {**picture, "drawn_by": "matplotlib", "not_by_ovito": str(error)}
    return picture


def _explain(summary: dict[str, Any], frame: Any, outputs: Any) -> None:
    if "picture" in summary:
        why = f"; {summary['not_by_ovito']}" if "not_by_ovito" in summary else ""
        print(f"wrote {summary['picture']} (drawn by {summary['drawn_by']}{why})")
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
