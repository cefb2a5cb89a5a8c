"""``glass import``."""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

from glass_core.cli.show import as_json, number, table
from glass_core.errors import GlassError


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "import",
        help="public label files into our data set",
        description="Turns the public SymGNN pickles into one HDF5 data set. Nothing in the pickles is ever run.",
    )
    p.add_argument("files", nargs="+", type=pathlib.Path, help="pickles, one configuration each")
    p.add_argument("-o", "--out", type=pathlib.Path, required=True, help="HDF5 data set to write")
    p.add_argument("-s", "--species", default="Cu,Zr", help="species of types 1, 2, … [Cu,Zr]")
    p.add_argument("--groups", help="name=group,… for configurations that belong together [found by comparison]")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.dataset import write_dataset
    from glass_core.importers import import_symgnn
    from glass_core.paths import writable_file

    writable_file(args.out, inputs=args.files)
    species = [name.strip() for name in args.species.split(",")]
    dataset = import_symgnn(args.files, species, None if args.groups is None else _groups(args.groups))
    write_dataset(dataset, args.out)
    rows: list[dict[str, Any]] = [
        {"name": c.name, "group": c.group, "atoms": c.structure.n_atoms,
         "mean_ev": float(c.label("barrier").mean()), "std_ev": float(c.label("barrier").std())}
        for c in dataset
    ]  # fmt: skip
    if args.json:
        as_json({"out": str(args.out), "configurations": rows})
        return
    cells = [[r["name"], str(r["group"]), str(r["atoms"]), number(r["mean_ev"]), number(r["std_ev"])] for r in rows]
    table(cells, ["configuration", "group", "atoms", "mean eV", "std eV"])
    print(f"wrote {args.out}; configurations of one group are the same glass and are never split")


def _groups(text: str) -> dict[str, int]:
    groups = {}
    for pair in text.split(","):
        name, equals, number_ = pair.strip().partition("=")
        if not equals or not (number_.isascii() and number_.isdigit()):
            raise GlassError(f"groups must read like train0=0,train1=0,train2=1, got {text!r}")
        groups[name] = int(number_)
    return groups
