"""Entry point of ``glass``."""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence

from glass_core import GlassError, __version__
from glass_core.cli import compare, demo, doctor, evaluate, importing, label, models, predict, report, train
from glass_core.errors import plain_warning

_COMMANDS = (demo, predict, label, models, importing, train, compare, evaluate, report, doctor)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="glass", description="Where will the atoms of a glass move? Barrier predictions per atom."
    )
    top.add_argument("--version", action="version", version=f"glass {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in _COMMANDS:
        module.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Exit status 0, or 2 for input that cannot be used (one line on stderr)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # `Å` where the terminal knows only ASCII
    args = parser().parse_args(argv)
    usual, warnings.formatwarning = warnings.formatwarning, plain_warning
    try:
        args.run(args)
        sys.stdout.flush()
    except GlassError as error:
        print(f"glass: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except MemoryError:
        print("glass: error: out of memory; use fewer atoms, or a smaller --chunk where there is one", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("glass: interrupted; finished parts are kept, run the same command to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `glass … | head`
        _give_up_output()
    except OSError as error:  # `glass … > /dev/full`
        print(f"glass: error: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        _give_up_output()
        return 2
    finally:
        warnings.formatwarning = usual
    return 0


def _give_up_output() -> None:
    """Drops what stdout still holds if it cannot be written; Python would try again at exit, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    raise SystemExit(main())
