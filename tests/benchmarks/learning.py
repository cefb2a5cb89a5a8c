"""Learning curves of the default model: how its scores grow with glasses and with labelled atoms. Run by hand.

    python -m tests.benchmarks.learning DATA --keep learning.npz

Leaves every group of glasses out in turn and trains ``barrier`` on all other groups, on the two and three that follow
it, and on a random quarter and sixteenth of the atoms of all others. As in ``tests.benchmarks.shares``, nothing of the
left-out group is seen. Networks take the same number of steps everywhere, so that the curve is one of data and not of
training. Prints scores of the model and of its two parts. Some three minutes of one core for each of 25 trainings;
those in --keep are not repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from glass_core.dataset import Configuration, Dataset
from glass_core.settings import checked
from glass_core.training.blend import BlendSettings
from glass_core.training.config import TrainingConfig
from glass_core.training.graph import GraphSettings
from tests.benchmarks.shares import asked, judged, of_groups, trained

FRACTIONS = (1 / 4, 1 / 16)


def variants(dataset: Dataset, group: int) -> Iterator[tuple[str, Dataset]]:
    """What is trained on without a group, with titles."""
    groups = dataset.groups
    first = groups.index(group)
    others = [groups[(first + k) % len(groups)] for k in range(1, len(groups))]
    for count in range(2, len(others) + 1):
        yield f"{count} groups", of_groups(dataset, others[:count])
    for fraction in FRACTIONS:
        yield f"1/{1 / fraction:.0f} of the atoms", thinned(of_groups(dataset, others), fraction)


def thinned(dataset: Dataset, fraction: float) -> Dataset:
    """All atoms, of which only a random part keeps its labels and energies."""

    def thin(c: Configuration, index: int) -> Configuration:
        lost = np.random.default_rng([0, index]).random(c.structure.n_atoms) >= fraction
        return replace(c, labels={name: np.where(lost, np.nan, values) for name, values in c.labels.items()})

    return replace(dataset, configurations=tuple(thin(c, index) for index, c in enumerate(dataset)))


def with_steps(config: TrainingConfig, steps: int, configurations: int) -> TrainingConfig:
    """The configuration with as many epochs as make this number of steps."""
    graph: Mapping[str, Any] = {**config.settings["graph"], "epochs": round(steps / configurations)}
    return replace(config, settings={**config.settings, "graph": graph})


def main() -> int:
    config, dataset, keep = asked(__doc__)
    own = checked(BlendSettings, config.settings, "settings")
    epochs = checked(GraphSettings, own.graph, "settings of graph").epochs
    titles = [title for title, _ in variants(dataset, dataset.groups[0])]
    for g in dataset.groups:
        test = of_groups(dataset, [g])
        steps = epochs * (len(dataset) - len(test))
        for title, training in variants(dataset, g):
            names = {f"{title}: {c.name}" for c in test}
            if not names <= set(keep.parts):
                found = trained(with_steps(config, steps, len(training)), training, test)
                keep.add({f"{title}: {name}": values for name, values in found.items()})
    columns = {"model": own.share, "linear part": 0.0, "network": 1.0}
    print(f"{'':24s}" + "".join(f"{name:>18s}" for name in columns))
    for title in titles:
        parts = {c.name: keep.parts[f"{title}: {c.name}"] for c in dataset}
        scores = (judged(parts, dict.fromkeys(parts, float(share))) for share in columns.values())
        print(f"{title:24s}" + "".join(f"{pooled:10.3f}, {each:.3f} " for pooled, each in scores), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
