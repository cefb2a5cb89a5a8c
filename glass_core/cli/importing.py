"""``glass import``."""

from __future__ import annotations

import argparse
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from glass_core.cli.show import as_json, number, table
from glass_core.errors import GlassError

if TYPE_CHECKING:
    from glass_core.dataset import Configuration, Dataset


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "import",
        help="label files, ours or the public ones, into a data set",
        description="Turns label files of `glass label`, or the public SymGNN pickles, into one HDF5 data set. Nothing "
        "in the pickles is ever run.",
    )
    p.add_argument("files", nargs="+", type=pathlib.Path, help="label files or pickles, one configuration each")
    p.add_argument("-o", "--out", type=pathlib.Path, required=True, help="HDF5 data set to write")
    p.add_argument("-s", "--species", default="Cu,Zr", help="species of types 1, 2, … in pickles [Cu,Zr]")
    p.add_argument("--groups", help="name=group,… for configurations that belong together [found by comparison]")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.dataset import write_dataset
    from glass_core.paths import writable_file

    writable_file(args.out, inputs=args.files)
    dataset = _read(args)
    write_dataset(dataset, args.out)
    rows = [_row(configuration) for configuration in dataset]
    if args.json:
        as_json({"out": str(args.out), "configurations": rows})
        return
    counts = ("group", "atoms", "labelled")
    cells = [[r["name"], *(str(r[k]) for k in counts), number(r["mean_ev"]), number(r["std_ev"])] for r in rows]
    table(cells, ["configuration", *counts, "mean eV", "std eV"])
    print(f"wrote {args.out}; configurations of one group are the same glass and are never split")
    if any(r["labelled"] < r["atoms"] for r in rows):
        print("note: atoms without a label are nan, and their configurations cannot be trained on; see `glass label`")


def _read(args: argparse.Namespace) -> Dataset:
    from glass_core.campaign.export import import_labels
    from glass_core.campaign.label_file import is_label_file
    from glass_core.importers import import_symgnn

    groups = None if args.groups is None else _groups(args.groups)
    ours = [is_label_file(file) for file in args.files]
    if all(ours):
        return import_labels(args.files, groups)
    if any(ours):
        raise GlassError(f"{args.files[ours.index(True)]} is a label file, others are not; import them separately")
    return import_symgnn(args.files, [name.strip() for name in args.species.split(",")], groups)


def _row(configuration: Configuration) -> dict[str, Any]:
    barrier = configuration.labels["barrier"]
    known = barrier[np.isfinite(barrier)]
    return {
        "name": configuration.name,
        "group": configuration.group,
        "atoms": len(barrier),
        "labelled": len(known),
        "mean_ev": float(known.mean()),
        "std_ev": float(known.std()),
    }


def _groups(text: str) -> dict[str, int]:
    groups = {}
    for pair in text.split(","):
        name, equals, number_ = pair.strip().partition("=")
        if not equals or not (number_.isascii() and number_.isdigit()):
            raise GlassError(f"groups must read like train0=0,train1=0,train2=1, got {text!r}")
        groups[name] = int(number_)
    return groups
