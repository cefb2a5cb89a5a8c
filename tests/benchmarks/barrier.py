"""Time and memory of barrier predictions, from a few thousand atoms to a million; run by hand.

    python -m tests.benchmarks.barrier                        # the shipped model on the shipped glass, repeated
    python -m tests.benchmarks.barrier --sizes 4000 64000     # some sizes only
    python -m tests.benchmarks.barrier --model FILE           # another model

Each size runs in a process of its own after one small warm-up, everything included (neighbour lists too). Small
sizes show the least of five runs, those above 100 000 atoms run once. CPU is the time of all threads together, which
tells more than the clock on a machine that is shared. Memory is the peak of the process, and what the prediction
adds to it.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

from glass_core import Structure, load_model, predict
from glass_core.threads import thread_count
from tests.benchmarks.descriptors import SHIPPED, memory, structure_of

# atoms → how often the 4000 atoms of the shipped glass are repeated along each box vector
SIZES = {3000: (1, 1, 1), 8000: (1, 1, 2), 64_000: (2, 2, 4), 216_000: (3, 3, 6), 1_000_000: (5, 5, 10)}
_ONCE = 100_000


def of_size(atoms: int) -> Structure:
    """The shipped glass, repeated; 3000 atoms are three quarters of it (with a seam, which timing does not mind)."""
    glass, times = structure_of(SHIPPED), np.array(SIZES[atoms])
    steps = np.stack(np.meshgrid(*[np.arange(t) for t in times], indexing="ij"), axis=-1).reshape(-1, 3)
    positions = (glass.positions_nc + (steps @ glass.cell_cc)[:, None]).reshape(-1, 3)
    types = np.tile(glass.types_n, len(steps))
    cell = glass.cell_cc * times[:, None]
    if atoms == 3000:
        lowest = np.argsort(positions[:, 0])[:3000]
        width = np.ptp(positions[lowest, 0]) + 1.0
        return Structure(positions[lowest], types[lowest], glass.species, cell * [[width / cell[0, 0]], [1], [1]], True)
    return Structure(positions, types, glass.species, cell, True)


def one(model_name: str, atoms: int) -> dict[str, float]:
    """One measurement: warm-up on the shipped glass, then the size asked for."""
    model, structure = load_model(model_name), of_size(atoms)
    predict(model, structure_of(SHIPPED))
    pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again from here
    before, clock, cpu = memory("VmRSS"), [], []
    for _ in range(1 if atoms > _ONCE else 5):
        start, start_cpu = time.perf_counter(), time.process_time()
        predict(model, structure)
        clock.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    peak = memory("VmHWM")
    return {"atoms": structure.n_atoms, "clock": min(clock), "cpu": min(cpu), "peak": peak, "added": peak - before}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="barrier", help="name or file")
    parser.add_argument("--sizes", type=int, nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.model, arguments.one)))
        return 0
    print(f"{thread_count()} threads")
    print(f"{'atoms':>9s} {'s':>8s} {'µs/atom':>8s} {'CPU µs/atom':>12s} {'peak GB':>8s} {'added GB':>9s}")
    for atoms in arguments.sizes:
        command = [sys.executable, "-m", "tests.benchmarks.barrier", "--model", arguments.model, "--one", str(atoms)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        row = json.loads(done.stdout)
        each = 1e6 / row["atoms"]
        print(
            f"{row['atoms']:9d} {row['clock']:8.2f} {row['clock'] * each:8.1f} {row['cpu'] * each:12.1f} "
            f"{row['peak'] / 1e9:8.2f} {row['added'] / 1e9:9.2f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
