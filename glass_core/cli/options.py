"""Options that several commands have."""

from __future__ import annotations

import argparse
import pathlib


def add_reading(p: argparse.ArgumentParser) -> None:
    """``--species``, ``--frame`` and ``--reader`` of a structure file."""
    p.add_argument("-s", "--species", default="", help="species of numeric types: 1=Cu,2=Zr")
    p.add_argument("--frame", type=int, default=-1, help="which frame of a trajectory, counted from 0 [last]")
    p.add_argument("--reader", help="ase or ovito [the first one that reads the file]")


def add_data(p: argparse.ArgumentParser) -> None:
    """``--data``: the data set to train on."""
    p.add_argument("-d", "--data", type=pathlib.Path, required=True, help="HDF5 data set")


def add_runs(p: argparse.ArgumentParser) -> None:
    """``--runs``, ``--device``, ``--leave-out`` and ``--seeds`` of training."""
    p.add_argument("--runs", type=pathlib.Path, default=pathlib.Path("runs"), help="folder for folds and states [runs]")
    p.add_argument("--device", default="cpu", help="where graph networks are trained: cpu, cuda, cuda:1 … [cpu]")
    p.add_argument(
        "--leave-out",
        type=_names,
        default=(),
        metavar="NAME,…",
        help="configurations whose whole groups are left out in turn and scored [all]",
    )
    p.add_argument("--seeds", metavar="N,…", help="seeds of the runs [those of the configuration]")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def add_device(p: argparse.ArgumentParser) -> None:
    """``--device`` of prediction."""
    p.add_argument("--device", help="where a graph network computes: cpu, cuda, cuda:1 … [$GLASS_DEVICE or cpu]")
