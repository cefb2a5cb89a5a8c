"""Our labels against published ones, and what a search costs.

    python -m tests.benchmarks.labels symgnn.h5 CuZr_Mendelev2009.eam.fs --atoms 200 --searches 20

Searches around random atoms of one configuration of a data set; other labellings of the same glass (``train0`` and
``train1`` of the public data) are shown beside it.
"""

from __future__ import annotations

import argparse
import collections
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from glass_core.campaign.overrides import chosen_settings
from glass_core.cli.show import table
from glass_core.dataset import Configuration, read_dataset
from glass_core.metrics import pearson
from glass_core.potentials.lookup import potential_of
from glass_core.saddle import searcher
from glass_core.saddle.records import PHASES, SADDLES, Outcome, Phase, SearchRecord, State
from glass_core.saddle.search import Steps
from glass_core.saddle.searcher import Searcher


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", help="data set with published labels")
    parser.add_argument("potential")
    parser.add_argument("--configuration", default="train0")
    parser.add_argument("--preset", default="bauchy2024")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="climb.force=0.03")
    parser.add_argument("--atoms", type=int, default=200)
    parser.add_argument("--searches", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    data = read_dataset(args.data)
    chosen = next(c for c in data if c.name == args.configuration)
    box = chosen.structure.cell_cc  # that of a strained copy differs
    same = [c for c in data if c.group == chosen.group and np.allclose(c.structure.cell_cc, box, rtol=0, atol=0.1)]
    settings = chosen_settings(args.preset, assignments=args.set)
    bound = Searcher(chosen.structure, potential_of(args.potential), settings, args.seed).bound()
    atoms = np.random.default_rng(args.seed).choice(chosen.structure.n_atoms, args.atoms, replace=False)
    bound(int(atoms[0]), 10**6)  # compiles
    start = time.perf_counter()
    with timed() as by_phase:
        records = [bound(int(atom), number) for atom in atoms for number in range(args.searches)]
    seconds = time.perf_counter() - start
    costs(records, seconds, by_phase)
    agreement(records, atoms, same)


@contextmanager
def timed() -> Iterator[dict[Phase, float]]:
    """Seconds by phase of all searches within."""
    seconds, original = dict.fromkeys(PHASES, 0.0), searcher.run

    def run(steps: Steps) -> Outcome:
        outcome = original(steps)
        for phase, spent in outcome.seconds.items():
            seconds[phase] += spent
        return outcome

    searcher.run = run  # type: ignore[attr-defined]
    try:
        yield seconds
    finally:
        searcher.run = original  # type: ignore[attr-defined]


def costs(records: list[SearchRecord], seconds: float, by_phase: dict[Phase, float]) -> None:
    """Prints states, calls, products and time."""
    states = collections.Counter(r.state for r in records)
    accepted = states[State.ACCEPTED]
    converged = sum(states[state] for state in SADDLES)
    print(
        f"{len(records)} searches, {seconds / len(records):.3f} s each, {seconds / max(accepted, 1):.3f} s per accepted"
    )
    print(f"converged {converged / len(records):.3f}, accepted {accepted / len(records):.3f}")
    table(
        [[state.value, f"{states[state] / len(records):.3f}"] for state in State if states[state]], ["state", "share"]
    )
    counts = np.array([(r.calls, r.products) for r in records]).sum(axis=0)
    parts = [(phase.value, found, by_phase[phase]) for phase, found in zip(PHASES, counts.T, strict=True)]
    rows = [
        [name, *(f"{n / by:.0f}" for n in found for by in (len(records), max(accepted, 1))),
         f"{1000 * spent / len(records):.0f}"]
        for name, found, spent in [*parts, ("all", counts.sum(axis=1), seconds)]
    ]  # fmt: skip
    table(rows, ["phase", "force calls per search", "per accepted", "Hessian products per search", "per accepted",
                 "ms per search"])  # fmt: skip


def agreement(records: list[SearchRecord], atoms: np.ndarray, same: list[Configuration]) -> None:  # type: ignore[type-arg]
    """Prints means and correlations with each published labelling, and with their average."""
    barriers = {int(a): [] for a in atoms}  # type: dict[int, list[float]]
    for r in records:
        if np.isfinite(r.barrier):
            barriers[r.atom].append(r.barrier)
    known = np.array([a for a in atoms if barriers[int(a)]])
    ours = np.array([np.mean(barriers[int(a)]) for a in known])
    halves = [np.array([np.mean(barriers[int(a)][k::2] or [np.nan]) for a in known]) for k in (0, 1)]
    both = np.isfinite(halves[0]) & np.isfinite(halves[1])
    within = np.sqrt(np.mean([np.var(b, ddof=1) for b in barriers.values() if len(b) > 1]))
    published = [(c.name, c.label("barrier")[known]) for c in same]
    if len(published) > 1:
        published.append(("average", np.mean([v for _, v in published], axis=0)))
    rows = [[name, f"{v.mean():.3f}", f"{ours.mean():.3f}", f"{pearson(ours, v):.3f}", f"{np.abs(ours - v).mean():.3f}"]
            for name, v in published]  # fmt: skip
    table(rows, ["labelling", "mean, published", "ours", "Pearson", "mean absolute difference"])
    half = pearson(halves[0][both], halves[1][both])
    print(f"{len(known)} atoms; within an atom {within:.2f} eV; halves correlate {half:.3f}, so whole labels would "
          f"{2 * half / (1 + half):.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
