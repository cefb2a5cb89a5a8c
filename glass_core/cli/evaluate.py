"""``glass evaluate``."""

from __future__ import annotations

import argparse
import pathlib
import sys
from typing import Any

from glass_core.cli.options import add_device
from glass_core.cli.progress import progress
from glass_core.cli.show import as_json, number, print_coverage, table


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser("evaluate", help="score a model on a labelled data set")
    p.add_argument("model", help="name or path of a model")
    p.add_argument("data", type=pathlib.Path, help="HDF5 data set")
    p.add_argument("-s", "--species", default="", help="what the data set's species are to the model: 1=Cu,2=Zr")
    add_device(p)
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.dataset import read_dataset
    from glass_core.evaluation import evaluate
    from glass_core.model_file import load_model
    from glass_core.species_map import parse_species_map

    dataset = read_dataset(args.data).renamed(parse_species_map(args.species))
    model = load_model(args.model, args.device)
    with progress("evaluating", args.json) as tell:
        result = evaluate(model, dataset, tell)
    for doubt in result["doubts"]:
        print(f"warning: {doubt}", file=sys.stderr)
    if args.json:
        as_json(result)
        return
    keys = ("pearson", "spearman", "mean_error", "mae", "auc_top20", "average_precision", "base_rate")
    head = ["pearson", "spearman", "mean error eV", "MAE eV", "AUC top 20 %", "avg. precision", "base rate"]
    parts = {**result["per_configuration"], "mean": result["mean_per_configuration"], "pooled": result["pooled"]}
    rows = [[name, *(number(scores[k]) for k in keys)] for name, scores in parts.items()]
    if result["coverage"]:
        head += ["% in 68 % interval", "in 95 %"]
        inside = {**result["coverage"]["per_configuration"], "pooled": result["coverage"]["pooled"]}
        for row in rows:
            shares = [inside.get(row[0], {}).get(f"coverage_{share}") for share in (68, 95)]
            row += [number(share and 100 * share, 0) for share in shares]
    table(rows, [result["model"], *head])
    if result["pearson_ceiling"]:
        print_ceilings(result)
    if result["coverage"]:
        print_coverage(result["coverage"])
    flagged = {name: share for name, share in result["out_of_domain"].items() if share >= 0.005}
    strangers = [f"{name} {number(100 * share, 0)} %" for name, share in flagged.items()]
    if strangers:
        print(f"atoms unlike those that the model was trained on (out of domain): {', '.join(strangers)}")


def print_ceilings(result: dict[str, Any]) -> None:
    """What a perfect model would score, for people, and which errors of labels that rests on."""
    ceilings = {**result["pearson_ceiling"], "pooled": result["pearson_ceiling_pooled"]}
    most = ", ".join(f"{name} {number(value)}" for name, value in ceilings.items() if value is not None)
    print(f"noise of the labels limits the Pearson correlation even of a perfect model to: {most}")
    assumed = result["label_noise_assumed_ev"]
    if assumed:
        noise = next(iter(assumed.values()))
        print(f"(errors of {noise:g} eV assumed for labels without an error of their own, in {', '.join(assumed)})")
