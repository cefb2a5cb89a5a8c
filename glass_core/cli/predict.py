"""``glass predict``."""

from __future__ import annotations

import argparse
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glass_core.cli.options import add_device, add_reading
from glass_core.cli.progress import progress
from glass_core.cli.show import as_json, number, table
from glass_core.errors import GlassError, unknown
from glass_core.frame import Frame
from glass_core.outputs import PerAtom
from glass_core.paths import existing_file, writable_file

_DECIMALS = re.compile(r"(?<=\.\d{6})\d+")  # readers round coordinates differently


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "predict",
        help="predict per-atom barriers of a structure file",
        description="Reads what OVITO or ASE read (dump, data, extxyz, POSCAR, …), predicts, writes an annotated file.",
    )
    p.add_argument("file", type=pathlib.Path, help="structure file")
    p.add_argument("-m", "--model", default="barrier", help="name (see `glass models`) or path of a model [barrier]")
    p.add_argument("-o", "--out", type=pathlib.Path, help="annotated file: .extxyz, .xyz, .dump, .lammpstrj or .h5")
    add_reading(p)
    add_device(p)
    p.add_argument("--chunk", type=int, help="most atoms per model call, to bound memory")
    p.add_argument("--json", action="store_true", help="print the summary as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.model_file import load_model
    from glass_core.prediction import predict
    from glass_core.species_map import parse_species_map

    if args.out is not None:
        writer_of(args.out, inputs=[args.file, args.model])
    model = load_model(args.model, args.device)
    frame = read(args.file, parse_species_map(args.species), args.frame, args.reader)
    with progress("predicting", args.json) as tell:
        outputs = predict(model, frame.structure, progress=tell, chunk_centres=args.chunk)
    summary = summarise(frame, outputs, model.card.name or model.kind, model.card.sha256)
    if args.out is not None:
        info = {"glass_model": summary["model"], "glass_model_sha256": summary["model_sha256"]}
        writer_of(args.out)(args.out, frame, outputs, info)
        summary["out"] = str(args.out)
    if args.json:
        as_json(summary)
        return
    print_summary(summary)


def read(path: pathlib.Path, species: Mapping[str, str], index: int, reader: str | None) -> Frame:
    """The structure in a file, by the first reader that can read it."""
    from glass_core.registry import find, names

    existing_file(path, "structure file")
    if reader:
        find("reader", reader)  # an unknown one is no fault of the file
    candidates = [reader] if reader else sorted(names("reader"), reverse=True)
    failures = []
    for name in candidates:
        try:
            frame: Frame = find("reader", name)(path, species, index)
            return frame
        except GlassError as error:
            failures.append((name, error))
    raise _clearest(path, failures)


def _clearest(path: pathlib.Path, failures: list[tuple[str, GlassError]]) -> GlassError:
    from glass_core.errors import MissingExtraError

    tried = [(name, error) for name, error in failures if not isinstance(error, MissingExtraError)]
    reasons: dict[str, str] = {}
    for name, error in tried or failures:
        reason = str(error).removeprefix(f"{name.upper()} cannot read ").removeprefix(f"{path}: ")
        reasons.setdefault(_DECIMALS.sub("", reason), f"{reason} ({name})")
    if len(reasons) == 1:
        reason = reason if str(path) in reason else f"{path}: {reason}"
        return GlassError(reason)
    return GlassError(f"cannot read {path}: {'; '.join(reasons.values())}")


def writer_of(path: pathlib.Path, inputs: Sequence[str | pathlib.Path] = ()) -> Any:
    """The writer for a file's ending.

    Raises:
        GlassError: for an unknown ending, or a path that cannot be written or is one of the inputs.
    """
    from glass_core.registry import find, names

    if path.suffix not in names("writer"):
        raise unknown("file ending", path.suffix, names("writer"), f"(output {path})")
    writable_file(path, inputs)
    return find("writer", path.suffix)


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
