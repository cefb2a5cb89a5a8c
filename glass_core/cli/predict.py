"""``glass predict``."""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from glass_core.cli.options import add_device, add_reading
from glass_core.cli.progress import progress
from glass_core.cli.show import as_json, number, table
from glass_core.frame import Frame
from glass_core.model_file import DEFAULT, load_model
from glass_core.outputs import PerAtom
from glass_core.structure_files import read_frame, writer_of


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "predict",
        help="predict per-atom barriers of a structure file",
        description="Reads what OVITO or ASE read (dump, data, extxyz, POSCAR, …), predicts, writes an annotated file.",
    )
    p.add_argument("file", type=pathlib.Path, help="structure file")
    p.add_argument("-m", "--model", default=DEFAULT, help=f"name (see `glass models`) or path of a model [{DEFAULT}]")
    p.add_argument("-o", "--out", type=pathlib.Path, help="annotated file: .extxyz, .xyz, .dump, .lammpstrj or .h5")
    add_reading(p)
    add_device(p)
    p.add_argument("--chunk", type=int, help="most atoms per model call, to bound memory")
    p.add_argument("--json", action="store_true", help="print the summary as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.prediction import predict
    from glass_core.species_map import parse_species_map

    write = None if args.out is None else writer_of(args.out, inputs=[args.file, args.model])
    model = load_model(args.model, args.device)
    frame = read_frame(args.file, parse_species_map(args.species), args.frame, args.reader)
    with progress("predicting", args.json) as tell:
        outputs = predict(model, frame.structure, progress=tell, chunk_centres=args.chunk)
    summary = summarise(frame, outputs, model.card.name or model.kind, model.card.sha256)
    if write is not None:
        info = {"glass_model": summary["model"], "glass_model_sha256": summary["model_sha256"]}
        write(args.out, frame, outputs, info)
        summary["out"] = str(args.out)
    if args.json:
        as_json(summary)
        return
    print_summary(summary)


def summarise(frame: Frame, outputs: Mapping[str, PerAtom], model: str, digest: str) -> dict[str, Any]:
    """Numbers that describe a prediction."""
    structure = frame.structure
    counts = {s: int((structure.types_n == t).sum()) for t, s in enumerate(structure.species)}
    return {
        "model": model,
        "model_sha256": digest,
        "atoms": structure.n_atoms,
        "species": counts,
        "outputs": {name: _describe(p) for name, p in outputs.items() if len(p.values)},
    }


def _describe(per_atom: PerAtom) -> dict[str, Any]:
    v = per_atom.values
    low, middle, high = np.quantile(v, [0.05, 0.5, 0.95]).tolist()
    return {
        "unit": per_atom.unit,
        "mean": float(v.mean()),
        "std": float(v.std()),
        "q05": low,
        "median": middle,
        "q95": high,
    }


def print_summary(summary: Mapping[str, Any]) -> None:
    """The same for people."""
    species = ", ".join(f"{count} {name}" for name, count in summary["species"].items())
    print(f"{summary['atoms']} atoms ({species}), model {summary['model']} {summary['model_sha256'][:12]}")
    if summary["outputs"]:
        rows = [
            [name, d["unit"] or "-", *(number(d[key]) for key in ("mean", "std", "q05", "median", "q95"))]
            for name, d in summary["outputs"].items()
        ]
        table(rows, ["output", "unit", "mean", "std", "5 %", "median", "95 %"])
    outside = summary["outputs"].get("out_of_domain", {}).get("mean", 0.0)
    if outside > 0.05:
        print(f"note: {100 * outside:.0f} % of the atoms are unlike the training data; do not trust their predictions")
    if "out" in summary:
        print(f"wrote {summary['out']}")
