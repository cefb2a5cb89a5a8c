"""``glass report``."""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

from glass_core.cli.options import add_data
from glass_core.cli.progress import stages
from glass_core.cli.show import as_json, number, table


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "report",
        help="draw the figures of the SCNN paper from our own runs",
        description="Draws the figures of the SCNN paper. Folds of scnn, classifier and linear "
        "that --runs lacks are trained first, which takes long.",
    )
    add_data(p)
    p.add_argument("-m", "--model", default="scnn", help="SCNN model, trained on that data set [scnn]")
    p.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path("report"), help="folder to write [report]")
    p.add_argument(
        "--runs", type=pathlib.Path, default=pathlib.Path("runs"), help="folder where finished folds are kept [runs]"
    )
    p.add_argument("--json", action="store_true", help="print the numbers as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.dataset import read_dataset
    from glass_core.model_file import load_model
    from glass_core.report.build import build

    model, dataset = load_model(args.model), read_dataset(args.data)
    with stages(args.json) as tell:
        numbers = build(model, dataset, args.out, args.runs, tell)
    if args.json:
        as_json(numbers)
        return
    rows = [[name, number(n["auc_top20"]), number(n["average_precision"])] for name, n in numbers.items()]
    table(rows, ["left-out groups", "AUC top 20 %", "avg. precision"])
    print(f"wrote {args.out / 'index.html'}")
