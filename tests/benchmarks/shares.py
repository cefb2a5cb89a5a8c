"""What each part of the default model is worth, and what it scores where nothing of a left-out group is seen at all.

    python -m tests.benchmarks.shares DATA --keep shares.npz

Trains ``barrier`` on the data set without one group after the other: unlike in ``glass train``, the springs are not
fitted to the structures of the left-out group either. Prints scores by the network's share, and one for which the
share of each left-out group was chosen on the other groups. Some five minutes of one core for each group; those in
--keep are not trained again.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np
from numpy.typing import NDArray

from glass_core import predict
from glass_core.dataset import Dataset, read_dataset
from glass_core.files import replacing
from glass_core.metrics import pearson
from glass_core.models.blend import Blend
from glass_core.training.bench import Notes, bench_of
from glass_core.training.config import TrainingConfig, read_config

SHARES = np.round(np.arange(0, 1.01, 0.1), 1)
Parts = dict[str, NDArray[np.float64]]


def left_out(config: TrainingConfig, dataset: Dataset, group: int) -> Parts:
    """Labels, and what both parts predict, of the configurations of a group; by name, shape (3, labelled atoms)."""
    others = Dataset(tuple(c for c in dataset if c.group != group), dataset.source, dataset.sha256)
    model = bench_of(config, others).fit(None, config.seeds[0], Notes())
    assert isinstance(model, Blend)
    found = {}
    for c in (c for c in dataset if c.group == group):
        atoms, labels = c.labelled(config.label)
        both = (predict(part, c.structure)["barrier"].values[atoms] for part in (model.linear, model.graph))
        found[c.name] = np.stack([labels, *both])
    return found


def judged(parts: Parts, share: dict[str, float]) -> tuple[float, float]:
    """Pearson pooled, and mean per configuration, with each configuration's share."""
    predicted = {name: linear + share[name] * (graph - linear) for name, (_, linear, graph) in parts.items()}
    each = [pearson(predicted[name], parts[name][0]) for name in parts]
    pooled = pearson(np.concatenate(list(predicted.values())), np.concatenate([p[0] for p in parts.values()]))
    return pooled, float(np.mean(each))


def best_share(parts: Parts) -> float:
    """The share of the highest pooled score."""
    return float(max(SHARES, key=lambda share: judged(parts, dict.fromkeys(parts, share))[0]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", help="HDF5 data set")
    parser.add_argument("--config", default="barrier", help="a blend")
    parser.add_argument("--keep", type=pathlib.Path, help="file for what is done")
    arguments = parser.parse_args()
    config, dataset = read_config(arguments.config), read_dataset(arguments.data)
    group = {c.name: c.group for c in dataset}
    parts: Parts = dict(np.load(arguments.keep)) if arguments.keep and arguments.keep.exists() else {}
    for g in dataset.groups:
        if not {name for name in group if group[name] == g} <= set(parts):
            parts |= left_out(config, dataset, g)
            if arguments.keep:
                with replacing(arguments.keep) as path, path.open("wb") as file:
                    np.savez(file, **parts)
    parts = {name: parts[name] for name in group}
    print(f"{'share of the network':28s} {'pooled':>7s} {'per configuration':>18s}")
    for share in SHARES:
        row(f"{share:g}", *judged(parts, dict.fromkeys(parts, float(share))))
    chosen = {g: best_share({n: p for n, p in parts.items() if group[n] != g}) for g in dataset.groups}
    row("chosen on the other groups", *judged(parts, {name: chosen[group[name]] for name in parts}))
    print("these are", ", ".join(f"{share:g}" for share in chosen.values()))
    return 0


def row(title: str, pooled: float, each: float) -> None:
    """A line of the table."""
    print(f"{title:28s} {pooled:7.4f} {each:18.4f}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
