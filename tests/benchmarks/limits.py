"""What limits the linear barrier model: label noise, labels, glasses or features. Run by hand.

    python -m tests.benchmarks.limits DATA

Leaves groups of glasses out, as ``glass train`` does, with the descriptors of ``linear`` and its linear state of rest
alone (no displaced copies), at the one combination of penalties that its card names first: so its full features score
about as ``linear``. Prints the ceiling that label noise sets, scores by how many glasses and atoms are trained
on, and scores without parts of the features. About ten minutes of one core.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glass_core import load_model
from glass_core.dataset import Dataset, read_dataset
from glass_core.metrics import pearson
from glass_core.training.bench import RowsBench
from glass_core.training.config import read_config
from glass_core.training.moments import Moments
from glass_core.training.penalties import Candidate, penalties
from glass_core.training.rows import Rows, standardisation

FRACTIONS = (1 / 64, 1 / 16, 1 / 4, 1.0)
Floats = NDArray[np.float64]


def twins(dataset: Dataset) -> Iterable[tuple[str, str, float]]:
    """Pairs of configurations that are one glass labelled twice, and how their labels correlate."""
    for a, b in itertools.combinations(dataset, 2):
        if a.group == b.group and np.array_equal(a.structure.types_n, b.structure.types_n):
            step = a.structure.positions_nc - b.structure.positions_nc
            step -= np.round(step @ np.linalg.inv(a.structure.cell_cc)) @ a.structure.cell_cc
            if np.median(np.linalg.norm(step, axis=1)) < 0.1:
                yield a.name, b.name, pearson(a.label("barrier"), b.label("barrier"))


@dataclass(frozen=True)
class Glasses:
    """Rows of all configurations as they are, and which features a fit may use.

    Attributes:
        rows: of atoms as they are.
        names: of all features.
        candidate: penalty, growth, roughness.
    """

    rows: Rows
    names: list[str]
    candidate: Candidate

    def moments(self, fraction: float) -> Mapping[int, Moments]:
        """Of a random part of the atoms of each group."""
        chosen = np.random.default_rng(0).random(len(self.rows.labels_n)) < fraction
        group = self.rows.group_s[self.rows.configuration_n]
        found = {}
        for g in self.rows.groups:
            mine = chosen & (group == g)
            found[g] = Moments.of(self.rows.features_nf[mine], self.rows.labels_n[mine])
        return found

    def scores(
        self, moments: Mapping[int, Moments], columns: NDArray[np.intp], trained_on: int | None = None
    ) -> tuple[float, float]:
        """Pearson pooled and mean per configuration; over all choices of ``trained_on`` of the other groups."""
        mean, std = standardisation(self.rows.features_nf)
        used = penalties([self.names[c] for c in columns], *self.candidate)
        results = []
        others = len(self.rows.groups) - 1
        for choice in itertools.combinations(range(others), trained_on or others):
            predicted = np.empty(len(self.rows.labels_n))
            for left_out in self.rows.groups:
                seen = [g for g in self.rows.groups if g != left_out]
                total = Moments.total(moments[seen[k]] for k in choice).standardised(mean, std)
                part = replace(
                    total,
                    mean_f=total.mean_f[columns],
                    xx_ff=total.xx_ff[np.ix_(columns, columns)],
                    xy_f=total.xy_f[columns],
                )
                weight, constant = part.solve(used)
                mine = self.rows.group_s[self.rows.configuration_n] == left_out
                x = (self.rows.features_nf[np.ix_(mine, columns)] - mean[columns]) / std[columns]
                predicted[mine] = x @ weight + constant
            results.append(self._judged(predicted))
        pooled, each = np.mean(results, axis=0)
        return float(pooled), float(each)

    def _judged(self, predicted: Floats) -> tuple[float, float]:
        number = self.rows.configuration_n
        each = [pearson(predicted[number == c], self.rows.labels_n[number == c]) for c in np.unique(number)]
        return pearson(predicted, self.rows.labels_n), float(np.mean(each))


def parts(names: list[str]) -> Mapping[str, NDArray[np.intp]]:
    """Columns of the features that ablations keep."""
    owner = np.array([name.partition(":")[0] for name in names])
    springs = {"1": "spectra"} | {
        number: "springs " + next(n for n, o in zip(names, owner, strict=True) if o == number).split(":")[1][:6]
        for number in sorted(set(owner)) if number != "1"
    }  # fmt: skip
    shell0 = np.array([name.split("(")[0][-1] == "0" for name in names])
    kept = {"all": np.ones(len(names), bool), "all, of the atom alone (no shells)": shell0}
    for number, title in springs.items():
        kept[f"without {title}"] = owner != number
    kept["spectra alone"] = owner == "1"
    kept["springs alone"] = owner != "1"
    return {title: np.flatnonzero(columns) for title, columns in kept.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", help="HDF5 data set")
    dataset = read_dataset(parser.parse_args().data)
    config = replace(read_config("linear"), thermal=())
    descriptor, rows = RowsBench(config, dataset).table()
    card = load_model("linear").card.content["penalties"][0]
    glasses = Glasses(rows, descriptor.names(), (card["penalty"], card["growth"], card["roughness"]))
    for a, b, r in twins(dataset):
        print(f"{a} and {b} are one glass labelled twice: labels correlate {r:.3f}; no model exceeds {r**0.5:.3f}")
    everything, full = np.arange(len(glasses.names)), glasses.moments(1.0)
    print(f"\n{'':36s} {'pooled':>7s} {'per configuration':>18s}")
    for count in range(1, len(rows.groups)):
        row(f"trained on {count} groups", *glasses.scores(full, everything, count))
    for fraction in FRACTIONS:
        row(f"trained on 1/{1 / fraction:.0f} of their atoms", *glasses.scores(glasses.moments(fraction), everything))
    for title, columns in parts(glasses.names).items():
        row(title, *glasses.scores(full, columns))
    return 0


def row(title: str, pooled: float, each: float) -> None:
    """A line of the table."""
    print(f"{title:36s} {pooled:7.3f} {each:18.3f}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
