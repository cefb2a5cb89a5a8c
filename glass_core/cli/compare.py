"""``glass compare``."""

from __future__ import annotations

import argparse
from typing import Any

from glass_core.cli.options import add_data, add_runs
from glass_core.cli.progress import stages
from glass_core.cli.show import as_json, number, print_left_out, print_ranks, table, with_spread
from glass_core.errors import GlassError

_DEFAULT = (
    "barrier", "linear", "spectra", "ridge", "symgnn", "egat_length", "schnet", "egnn", "edge_gcn", "gcn",
    "species_mlp",
)  # fmt: skip


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "compare",
        help="one table of several training methods on left-out groups",
        description="Cross-validates each configuration by leaving out groups, as `glass train` does, and prints one "
        "table. Finished folds of either command are kept in --runs and used again.",
    )
    p.add_argument("configs", nargs="*", help=f"YAML files or names of shipped ones [{' '.join(_DEFAULT)}]")
    add_data(p)
    add_runs(p)
    p.add_argument("--json", action="store_true", help="print the numbers as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.dataset import read_dataset
    from glass_core.training.bench import bench_of
    from glass_core.training.config import read_config
    from glass_core.training.cross_validation import cross_validate
    from glass_core.training.parallel import is_first, own_device, rank_count

    configs = {name: read_config(name, args.seeds) for name in args.configs or _DEFAULT}
    dataset = read_dataset(args.data)
    benches = {name: bench_of(config, dataset, own_device(args.device)) for name, config in configs.items()}
    if is_first():
        print_ranks(rank_count())
    results: dict[str, dict[str, Any]] = {}
    failed: list[str] = []
    with stages(args.json or not is_first()) as tell:
        for index, (name, config) in enumerate(configs.items()):

            def part(what: str, share: float, name: str = name, index: int = index) -> None:
                tell(f"{name}: {what}", (index + share) / len(configs))

            try:
                found = cross_validate(config, dataset, args.runs, part, benches[name], args.leave_out)
            except GlassError as error:
                failed.append(f"{name}: {error}")
                continue
            results[name] = found.summary()
            results[name]["published"] = list(config.published)
    if is_first() and args.json:
        as_json(results)
    elif is_first() and results:
        print_table(results)
    if failed:
        raise GlassError("; ".join(failed))


def print_table(results: dict[str, dict[str, Any]]) -> None:
    """One row for each method."""
    rows = []
    for name, r in results.items():
        pooled, each, m = r["pooled"], r["mean_per_configuration"], r["measured"]
        published = " / ".join(number(p) for p in r["published"])
        rows.append([
            name, number(m["training_pearson"]),
            with_spread(pooled["mean"]["pearson"], pooled["std_over_seeds"]["pearson"]),
            with_spread(each["mean"]["pearson"], each["std_over_seeds"]["pearson"]),
            with_spread(pooled["mean"]["mae"], pooled["std_over_seeds"]["mae"]),
            f"{m['parameters']:.0f}", f"{m['training_seconds'] / 60:.1f}", f"{1e6 * m['seconds_per_atom']:.0f}",
            f"{1000 * m['invariance_error']:.2g}", published or "-",
        ])  # fmt: skip
    head = ["", "r train", "r pooled", "r per conf.", "MAE eV", "weights", "train min", "µs/atom", "O(3) meV", "paper"]
    table(rows, head)
    print_left_out(next(iter(results.values())))
    print(
        "r: Pearson on left-out groups (± standard deviation over seeds); train min: per fold; µs/atom: prediction, "
        "neighbour list included;\nO(3): spread of a prediction over rotations and reflections; paper: Pearson on its "
        "training / test graphs, other configurations than here"
    )
