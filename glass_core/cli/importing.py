"""``glass import``."""

from __future__ import annotations

import argparse
import pathlib
from typing import TYPE_CHECKING, Any

from glass_core.cli.show import as_json, number, table
from glass_core.errors import GlassError

if TYPE_CHECKING:
    from glass_core.dataset import Configuration, Dataset


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "import",
        help="label files, ours or the public ones, into a data set",
        description="Joins label files of `glass label`, the public SymGNN pickles and HDF5 data sets, in any mixture, "
        "into one HDF5 data set. Nothing in the pickles is ever run.",
    )
    p.add_argument("files", nargs="+", type=pathlib.Path, help="label files, pickles and data sets")
    p.add_argument("-o", "--out", type=pathlib.Path, required=True, help="HDF5 data set to write")
    p.add_argument(
        "-s", "--species", help="of numeric types: 1=Cu,2=Zr, or Cu,Zr for types 1, 2, …; [those of pickles: Cu,Zr]"
    )
    p.add_argument("--groups", help="name=group,… for configurations that belong together [found by comparison]")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.campaign.label_file import refuse_labels
    from glass_core.dataset import write_dataset
    from glass_core.importers import import_files
    from glass_core.paths import writable_file
    from glass_core.species_map import parse_type_names

    writable_file(args.out, inputs=args.files)
    refuse_labels(args.out)
    groups = None if args.groups is None else _groups(args.groups)
    species = None if args.species is None else parse_type_names(args.species)
    dataset = import_files(args.files, species, groups)
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
        print("note: atoms without a label are neighbours alone; training and scores use the others")
    if len(_counted(dataset)) > 1:
        print(
            "note: some label files count the barriers of accepted saddles alone, others those of all (`counted` of "
            "their settings): their means differ by some hundredths of an eV"
        )


def _counted(dataset: Dataset) -> set[str]:
    """Which saddles count in the label files of a data set."""
    files = dataset.source.get("files", {}).values()
    return {source["settings"].get("counted", "accepted") for source in files if "settings" in source}


def _row(configuration: Configuration) -> dict[str, Any]:
    """What the table says; a data set may hold configurations without barriers."""
    known = configuration.labelled("barrier")[1] if "barrier" in configuration.labels else None
    return {
        "name": configuration.name,
        "group": configuration.group,
        "atoms": configuration.structure.n_atoms,
        "labelled": 0 if known is None else len(known),
        "mean_ev": None if known is None else float(known.mean()),
        "std_ev": None if known is None else float(known.std()),
    }


def _groups(text: str) -> dict[str, int]:
    groups = {}
    for pair in text.split(","):
        name, equals, number_ = pair.strip().partition("=")
        if not equals or not (number_.isascii() and number_.isdigit()):
            raise GlassError(f"groups must read like train0=0,train1=0,train2=1, got {text!r}")
        groups[name] = int(number_)
    return groups
