"""``glass train``."""

from __future__ import annotations

import argparse
import pathlib
import shlex
import sys
from typing import Any

from glass_core.cli.options import add_data, add_runs
from glass_core.cli.progress import stages
from glass_core.cli.show import as_json, print_coverage, print_left_out, print_ranks, table, with_spread


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "train",
        help="train a model and score it on left-out groups",
        description="Cross-validates by leaving out groups of configurations, then trains on all and writes the model. "
        "Run the same command again after an interruption: finished folds, and states and "
        "learning curves of graph networks, are kept in --runs. Several GPUs: torchrun --nproc-per-node N "
        "-m glass_core.cli.main train … --device cuda",
    )
    p.add_argument("config", help="YAML file, or the name of a shipped one: barrier, linear, scnn, symgnn, schnet …")
    add_data(p)
    p.add_argument("-o", "--out", type=pathlib.Path, required=True, help="model to write (.safetensors)")
    add_runs(p)
    p.add_argument("--json", action="store_true", help="print the scores as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.dataset import read_dataset
    from glass_core.errors import GlassError
    from glass_core.paths import writable_file
    from glass_core.training.config import read_config
    from glass_core.training.parallel import is_first, own_device, rank_count
    from glass_core.training.run import train

    config = read_config(args.config, args.seeds)
    if args.out.suffix != ".safetensors":
        raise GlassError(f"model file must end in .safetensors, got {args.out}")
    writable_file(args.out, inputs=[args.data, args.config])
    dataset = read_dataset(args.data)
    chosen = ["--leave-out", ",".join(args.leave_out)] if args.leave_out else []
    chosen += ["--seeds", args.seeds] if args.seeds else []
    if is_first():
        print_ranks(rank_count())
    command = shlex.join(["glass", "train", args.config, "-d", args.data.name, "-o", args.out.name, *chosen])
    with stages(args.json or not is_first()) as tell:
        summary = train(config, dataset, args.out, args.runs, tell, command, own_device(args.device), args.leave_out)
    if not is_first():
        return
    if args.json:
        as_json(summary)
        return
    print_scores(summary)
    print(f"wrote {args.out}", file=sys.stderr)


def print_scores(summary: dict[str, Any]) -> None:
    """Cross-validation scores for people."""
    keys = ("pearson", "spearman", "mae", "auc_top20", "average_precision")
    rows = []
    for part, title in (("pooled", "pooled"), ("mean_per_configuration", "mean per configuration")):
        mean, spread = summary[part]["mean"], summary[part]["std_over_seeds"]
        rows.append([title, *(with_spread(mean[k], spread[k]) for k in keys)])
    table(rows, ["left-out groups", "pearson", "spearman", "MAE eV", "AUC top 20 %", "avg. precision"])
    if len(summary["seeds"]) > 1:
        print(f"± is the standard deviation over {len(summary['seeds'])} seeds")
    print_left_out(summary)
    if "coverage" in summary:
        print_coverage(summary["coverage"])
    if summary["out_of_domain_rate"] is not None:
        print(f"out of domain: {100 * summary['out_of_domain_rate']:.1f} % of left-out atoms")
