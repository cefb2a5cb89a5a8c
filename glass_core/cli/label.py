"""``glass label``."""

from __future__ import annotations

import argparse
import pathlib
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from glass_core.cli.options import add_reading
from glass_core.cli.predict import read
from glass_core.cli.show import as_json, number, progress, table

if TYPE_CHECKING:
    from glass_core.campaign.run import Progress


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser(
        "label",
        help="label the atoms of a glass with energy barriers, by saddle searches",
        description="Searches saddle points around atoms (ARTn) and keeps every event. Run the same command again "
        "after an interruption, or with more searches or other atoms: it goes on. `glass import` makes a data set "
        "of the result.",
    )
    p.add_argument("file", type=pathlib.Path, help="structure file: a glass at an energy minimum")
    p.add_argument(
        "-p", "--potential", required=True, help="EAM file, LAMMPS input (*.lmp, *.in), lj:… or module:function"
    )
    p.add_argument("-o", "--out", type=pathlib.Path, required=True, help="label file to write or go on with (.h5)")
    add_reading(p)
    p.add_argument("--relax", action="store_true", help="relax a structure that is not at a minimum")
    _add_searches(p)
    _add_workers(p)
    p.add_argument("--json", action="store_true", help="print the summary as JSON")
    p.set_defaults(run=run)


def _add_searches(p: argparse.ArgumentParser) -> None:
    how = p.add_argument_group("searches")
    how.add_argument(
        "--atoms", default="all", help="all, a species, 0:100, 3,17,20 or random:200, indices from 0 [all]"
    )
    amount = how.add_mutually_exclusive_group()
    amount.add_argument("--searches", type=int, help="per atom; with --prior on average [20]")
    amount.add_argument("--target-error", type=float, help="instead: until each atom's standard error is below it, eV")
    how.add_argument(
        "--prior", default="", help="barrier model that says beforehand what is known; searches go where they help most"
    )
    how.add_argument("--least", type=int, help="searches per atom to begin with [5, with --prior 2]")
    how.add_argument("--most", type=int, default=200, help="searches per atom at most [200]")
    how.add_argument("--preset", default="bauchy2024", help="settings of searches by name [bauchy2024]")
    how.add_argument("--settings", type=pathlib.Path, help="YAML file with settings that differ from the preset")
    how.add_argument(
        "--set", dest="assignments", action="append", default=[], metavar="KEY=VALUE", help="one more: climb.force=0.03"
    )
    how.add_argument("--seed", type=int, default=0, help="of all searches [0]")
    how.add_argument(
        "-m",
        "--model",
        default="",
        help="also keep what this barrier model predicts at the minimum and at each saddle (longer than a search)",
    )


def _add_workers(p: argparse.ArgumentParser) -> None:
    where = p.add_argument_group("workers")
    where.add_argument("--workers", type=int, help="processes on this machine [all cores]")
    where.add_argument("--scheduler", default="", help="address of a Dask scheduler instead: tcp://10.0.0.1:8786")


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.campaign.request import Request, chosen_workers, label_path
    from glass_core.campaign.summary import summarise
    from glass_core.species_map import parse_species_map

    with _terminated_like_interrupted():
        names = [field.name for field in fields(Request)]
        request = Request(**{name: value for name, value in vars(args).items() if name in names})
        label_path(args.out, [args.file, args.potential])
        frame = read(args.file, parse_species_map(args.species), args.frame, args.reader)
        campaign, work = request(frame, args.file, args.out, lambda title: progress(title, args.json))
        workers = chosen_workers(work, args.workers, args.scheduler)
        with _bar(args.json) as tell:
            labels = campaign(workers, tell)
    summary = {**summarise(labels), "out": str(args.out)}
    if args.json:
        as_json(summary)
        return
    print_summary(summary)


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on stderr with rate, acceptance and time left."""
    from tqdm import tqdm

    form = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
    with tqdm(desc="searching", unit=" searches", disable=True if quiet else None, leave=False, bar_format=form) as bar:
        begun = False

        def tell(progress: Progress) -> None:
            nonlocal begun
            if not begun:
                bar.initial = bar.n = progress.done  # of earlier runs: no part of the rate
                begun = True
            bar.total = progress.total
            accepted = 100 * progress.accepted / max(1, progress.searches)
            workers = f"{progress.workers} workers" if progress.workers else "waiting for workers"
            bar.set_postfix_str(f"{accepted:.0f} % accepted, {workers}", refresh=False)
            bar.update(progress.done - bar.n)

        yield tell


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """A polite kill, such as a queue's at the end of its time, ends the campaign as Ctrl-C does."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # in a thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def print_summary(summary: dict[str, Any]) -> None:
    """The summary for people."""
    searches = summary["searches"]
    print(
        f"{searches} searches around {summary['atoms_searched']} of {summary['atoms']} atoms, "
        f"{number(summary['seconds_per_search'])} s each, {number(summary['core_hours'], 2)} core-hours"
    )
    rows = [[s, str(n), number(100 * n / searches, 1)] for s, n in summary["states"].items() if n] if searches else []
    if rows:
        table(rows, ["ended", "searches", "%"])
    print(
        f"barrier {number(summary['barrier_mean_ev'])} eV on average over {summary['atoms_labelled']} atoms, deviation "
        f"{number(summary['barrier_std_ev'])} eV; within an atom {number(summary['within_atom_std_ev'])} eV"
    )
    guess = "" if summary["within_atom_std_ev"] >= 0 else " (a guess: no atom has two barriers yet)"
    print(
        f"standard error of an atom's mean {number(summary['standard_error_ev'])} eV{guess}; another campaign like "
        f"this would correlate with it by about {number(summary['expected_retest_correlation'], 2)}"
    )
    if "prior" in summary:
        prior = summary["prior"]
        print(
            f"with the prior {prior['model']} (shifted by {number(prior['shift_ev'])} eV, its errors times "
            f"{number(prior['std_factor'], 2)}): {number(prior['posterior_error_ev'])} eV"
        )
    if "predicted" in summary:
        p = summary["predicted"]
        print(
            f"{p['model']} predicts {number(p['mean_at_minimum_ev'])} eV at the minimum and "
            f"{number(p['mean_at_saddle_ev'])} eV at the saddles, on average over events"
        )
    print(f"wrote {summary['out']}")
