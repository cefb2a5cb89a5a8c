"""``glass label``."""

from __future__ import annotations

import argparse
import math
import pathlib
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from glass_core.cli.label_summary import print_summary
from glass_core.cli.options import add_reading
from glass_core.cli.progress import counted, progress
from glass_core.cli.show import as_json
from glass_core.saddle.settings import DEFAULT_PRESET, PRESETS
from glass_core.structure_files import read_frame

if TYPE_CHECKING:
    from glass_core.campaign.run import Progress

_NEGATIVE = re.compile(r"-[\d.][\d.,:-]*")
"""Taken for a value such as ``--atoms -3:-1``, not for an option, so that ``selection`` can tell what is wrong."""


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
    p._negative_number_matcher = _NEGATIVE
    p.set_defaults(run=run)


def _add_searches(p: argparse.ArgumentParser) -> None:
    how = p.add_argument_group("searches")
    how.add_argument(
        "--atoms",
        default="all",
        help="all, a species, 17, 0:100 (atoms 0 to 99), random:200, or several with commas: Zr,0:100,117 [all]",
    )
    amount = how.add_mutually_exclusive_group()
    amount.add_argument("--searches", type=int, help="per atom; with --prior on average [20]")
    amount.add_argument("--target-error", type=float, help="instead: until each atom's standard error is below it, eV")
    how.add_argument(
        "--prior", default="", help="barrier model that says beforehand what is known; searches go where they help most"
    )
    how.add_argument("--least", type=int, help="searches per atom to begin with [5, with --prior 2]")
    how.add_argument("--most", type=int, default=200, help="searches per atom at most [200]")
    how.add_argument(
        "--preset", default=DEFAULT_PRESET, help=f"settings of searches: {', '.join(PRESETS)} [{DEFAULT_PRESET}]"
    )
    how.add_argument("--settings", type=pathlib.Path, help="YAML file with settings that differ from the preset")
    how.add_argument(
        "--set", dest="assignments", action="append", default=[], metavar="KEY=VALUE", help="one more: climb.force=0.03"
    )
    how.add_argument("--seed", type=int, default=0, help="of all searches [0]")
    how.add_argument(
        "-m",
        "--model",
        default="",
        help="also keep what this barrier model predicts at the minimum and at the saddles (longer than a search)",
    )
    moved = how.add_mutually_exclusive_group()
    moved.add_argument(
        "--displacements",
        type=float,
        metavar="ANGSTROM",
        help="keep those of atoms that move further in an event: the larger, the smaller the file, and the less exact "
        "its saddles [0.01]",
    )
    moved.add_argument(
        "--no-displacements",
        dest="displacements",
        action="store_const",
        const=math.inf,
        help="keep barriers alone, not how atoms move: a far smaller file, whose events cannot be drawn",
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
        frame = read_frame(args.file, parse_species_map(args.species), args.frame, args.reader)
        campaign, work = request(frame, args.file, args.out, lambda title: progress(title, args.json))
        workers = chosen_workers(work, args.workers, args.scheduler)
        with _searching(args.json) as tell:
            labels = campaign(workers, tell)
    summary = {**summarise(labels), "out": str(args.out)}
    if args.json:
        as_json(summary)
        return
    print_summary(summary)


@contextmanager
def _searching(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Shows counts, rate, acceptance, workers and time left on stderr."""
    with counted("searching", "searches", quiet) as tell:
        before: list[int] = []  # searches of earlier runs, which are no part of the rate

        def told(progress: Progress) -> None:
            before[:] = before or [progress.searches]
            tell(progress.done, progress.total, progress.searches - before[0], _note(progress))

        yield told


def _note(progress: Progress) -> str:
    accepted = f"{100 * progress.accepted / max(1, progress.searches):.0f} % accepted"
    workers = f"{progress.workers} worker{'s' if progress.workers > 1 else ''}"
    return f"{accepted}, {workers if progress.workers else 'waiting for workers'}"


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
