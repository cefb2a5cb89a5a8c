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
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glass_core import predict
from glass_core.dataset import Dataset, read_dataset
from glass_core.errors import GlassError
from glass_core.files import replacing
from glass_core.metrics import pearson
from glass_core.models.blend import Blend
from glass_core.training.bench import Notes, bench_of
from glass_core.training.config import TrainingConfig, read_config
from glass_core.training.cross_validation import run_name

SHARES = np.round(np.arange(0, 1.01, 0.1), 1)
Parts = dict[str, NDArray[np.float64]]


def trained(config: TrainingConfig, training: Dataset, test: Dataset) -> Parts:
    """Labels of the test configurations and what both parts of a model predict; by name, shape (3, labelled atoms)."""
    model = bench_of(config, training).fit(None, config.seeds[0], Notes())
    assert isinstance(model, Blend)
    found = {}
    for c in test:
        atoms, labels = c.labelled(config.label)
        both = (predict(part, c.structure)["barrier"].values[atoms] for part in (model.linear, model.graph))
        found[c.name] = np.stack([labels, *both])
    return found


class Keep:
    """Results by name, in a file that grows with them (None: in memory alone).

    Attributes:
        parts: what is done.
    """

    def __init__(self, path: pathlib.Path | None, config: TrainingConfig, dataset: Dataset) -> None:
        self.parts: Parts = dict(np.load(path)) if path and path.exists() else {}
        self._path, self._of = path, run_name(config, dataset)
        if self.parts and str(self.parts.pop("of", "another run")) != self._of:
            raise GlassError(f"{path} holds results of another configuration or data set; name another file in --keep")

    def add(self, parts: Parts) -> None:
        """Keeps more results."""
        self.parts |= parts
        if self._path:
            with replacing(self._path) as path, path.open("wb") as file:
                np.savez(file, of=np.array(self._of), **self.parts)


def of_groups(dataset: Dataset, groups: list[int]) -> Dataset:
    """The configurations of some groups."""
    return replace(dataset, configurations=tuple(c for c in dataset if c.group in groups))


def asked(description: str | None) -> tuple[TrainingConfig, Dataset, Keep]:
    """A blend, data to train it on and what is done, from the command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", help="HDF5 data set")
    parser.add_argument("--config", default="barrier", help="a blend")
    parser.add_argument("--keep", type=pathlib.Path, help="file for what is done")
    arguments = parser.parse_args()
    config, dataset = read_config(arguments.config), read_dataset(arguments.data)
    return config, dataset, Keep(arguments.keep, config, dataset)


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
    config, dataset, keep = asked(__doc__)
    group = {c.name: c.group for c in dataset}
    for g in dataset.groups:
        if not {name for name in group if group[name] == g} <= set(keep.parts):
            others = of_groups(dataset, [other for other in dataset.groups if other != g])
            keep.add(trained(config, others, of_groups(dataset, [g])))
    parts = {name: keep.parts[name] for name in group}
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
