"""How many searches each way of choosing them needs for the same accuracy.

    python -m tests.benchmarks.campaign labels.h5 [--prior barrier]

wants a label file with many searches per atom (20 or more; atoms with fewer than others are left out). Its first half
is the pool from which plans draw, as a campaign would have; the second half is the reference, whose own noise is taken
off. What `each` would need beyond the pool is extrapolated by 1 / √searches. Plans: the same number for each atom;
until a target error is met; with a model's predictions as prior, a budget or a target.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Iterator

import numpy as np

from glass_core.campaign.label_file import read_labels
from glass_core.campaign.labels import Labels, Predicted
from glass_core.campaign.plans import BudgetPlan, EachPlan, Plan, Prior, TargetPlan
from glass_core.campaign.posterior import posterior
from glass_core.campaign.predictions import predicted_prior
from glass_core.campaign.results import Results
from glass_core.campaign.statistics import Moments, by_atom, moments
from glass_core.cli.show import number, table

_SHARES = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_TARGETS = (0.3, 0.25, 0.2, 0.17, 0.15, 0.13, 0.11)


class Pool(Results):
    """Searches that are done already, handed out as if they were new."""

    def __init__(self, barriers_ns: np.ndarray) -> None:
        super().__init__(len(barriers_ns))
        self._barrier_ns = barriers_ns
        self._done_ns = np.ones_like(barriers_ns, dtype=bool)


def asked_by(plan: Plan, pool: Pool) -> np.ndarray:
    """Searches of each atom in the end."""
    asked = np.zeros(pool.n_atoms, dtype=np.int64)
    for wanted in plan.rounds(pool):
        np.add.at(asked, [atom for atom, _ in wanted.tasks], 1)
    return asked


def estimates(sums: Moments, prior: Prior | None) -> np.ndarray:
    """What a campaign would say of each atom."""
    if prior is not None:
        return posterior(sums, prior.barrier_n, prior.std_n).mean_n
    return np.where(sums.counted_n > 0, sums.mean_n, np.nanmean(sums.mean_n))


def plans(atoms: np.ndarray, most: int, prior: Prior | None) -> Iterator[tuple[str, str, Plan, Prior | None]]:
    """Name, setting, plan, and the prior that its estimate uses."""
    budgets = sorted({max(2, round(share * most)) for share in _SHARES})
    for searches in budgets:
        yield "each", str(searches), EachPlan(atoms, searches), None
    for target in _TARGETS:
        yield "target", f"{target} eV", TargetPlan(atoms, target, min(5, most), most), None
    if prior is None:
        return
    for searches in budgets:
        yield "each, posterior mean", str(searches), EachPlan(atoms, searches), prior
        yield "prior, budget", str(searches), BudgetPlan(atoms, searches, min(2, most), most, prior), prior
    for target in _TARGETS:
        yield "prior, target", f"{target} eV", TargetPlan(atoms, target, min(2, most), most, prior), prior


def halves(labels: Labels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atoms that were searched, and the barriers of their first and second searches; nan where there is none."""
    rows, counts = by_atom(labels["atom"], labels["barrier"], labels.structure.n_atoms)
    atoms = np.flatnonzero(counts == counts.max())
    half = rows.shape[1] // 2
    return atoms, rows[atoms, :half], rows[atoms, half:]


def main() -> None:
    """Prints one row per plan."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=pathlib.Path)
    parser.add_argument("--prior", default="", help="name or path of a barrier model")
    args = parser.parse_args()
    labels = read_labels(args.labels)
    atoms, first, second = halves(labels)
    made: Predicted | None = predicted_prior(args.prior, labels.structure) if args.prior else labels.prior
    prior = None if made is None else Prior(made.barrier_n[atoms], made.std_n[atoms])
    reference = moments(second, np.full(len(second), second.shape[1]))
    noise = np.mean(reference.shrunk_error()[reference.counted_n > 0] ** 2)
    rows = []
    for name, setting, plan, used in plans(np.arange(len(atoms), dtype=np.int32), first.shape[1], prior):
        pool = Pool(first)
        asked = asked_by(plan, pool)
        rows.append((name, setting, asked.mean(), *accuracy(estimates(pool.moments(asked), used), reference, noise)))
    plain = np.array([(error, searches) for name, _, searches, error, _ in rows if name == "each"])
    print(f"{len(atoms)} atoms, {first.shape[1]} searches each to draw from, {second.shape[1]} as reference")
    print(f"noise of the reference {np.sqrt(noise):.3f} eV, taken off below; with a barrier {reference.yielding:.2f}")
    cells = [
        [name, setting, number(searches, 1), number(error), number(r), number(searches_for(error, plain), 1)]
        for name, setting, searches, error, r in rows
    ]
    table(cells, ["plan", "setting", "searches per atom", "error eV", "Pearson with reference", "`each` needs"])


def searches_for(error: float, plain: np.ndarray) -> float:
    """Searches per atom that the same number for each needs for an error; beyond the pool by 1 / √searches."""
    plain = plain[np.argsort(plain[:, 0])]
    if error < plain[0, 0]:
        return float(plain[0, 1] * (plain[0, 0] / error) ** 2) if error > 0 else np.inf
    return float(np.interp(error, plain[:, 0], plain[:, 1], right=np.nan))


def accuracy(estimate: np.ndarray, reference: Moments, noise: float) -> tuple[float, float]:
    """Root mean square error, the reference's noise taken off, and correlation with the reference."""
    some = reference.counted_n > 0
    square = np.mean((estimate[some] - reference.mean_n[some]) ** 2)
    return float(np.sqrt(max(0.0, square - noise))), float(np.corrcoef(estimate[some], reference.mean_n[some])[0, 1])


if __name__ == "__main__":
    main()
