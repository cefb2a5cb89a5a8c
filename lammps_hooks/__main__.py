"""``python -m lammps_hooks --species Cu Zr > glass.lmp``: the include file for an input script."""

from __future__ import annotations

import argparse
import sys

from glass_core.errors import GlassError
from glass_core.model_file import DEFAULT
from lammps_hooks.include import include_text


def main(arguments: list[str] | None = None) -> int:
    """Writes the include file to standard output; status 2 for wrong input."""
    parser = argparse.ArgumentParser(
        prog="python -m lammps_hooks",
        description="Write a LAMMPS include file that keeps predictions in d_glass_barrier and other per-atom "
        "properties; for an lmp binary with the PYTHON package.",
    )
    parser.add_argument("--species", nargs="+", required=True, help="species of atom type 1, 2 ...")
    parser.add_argument("--model", default=DEFAULT, help="name or path of a model (default: %(default)s)")
    parser.add_argument("--every", type=int, default=100, help="steps between predictions (default: %(default)s)")
    parser.add_argument("--outputs", nargs="+", help="outputs to write (default: all of the model)")
    parser.add_argument(
        "--name", default="glass", help="prefix of per-atom properties, fixes and functions (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(include_text(**vars(options)))
    except GlassError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
