"""How far predictions of SymGNN turn with the structure, by the number of samples; run by hand.

    python -m tests.benchmarks.invariance                          # the shipped model and glass
    python -m tests.benchmarks.invariance my.safetensors glass.dump

Spread of an atom's prediction over random elements of O(3), meV, and time of one prediction.
"""

from __future__ import annotations

import argparse
import pathlib
import time
from dataclasses import replace

from glass_core import load_model, predict
from glass_core.graphs.networks import Architecture
from glass_core.models.graph import GraphBarrier
from glass_core.training.measures import invariance_error
from tests.benchmarks.descriptors import SHIPPED, structure_of


def sampled(model: GraphBarrier, samples: int) -> GraphBarrier:
    """The model with so many samples in predictions, without its flag."""
    settings = {**model.architecture.settings, "test_samples": samples}
    return replace(model, flag=None, guard=None, architecture=Architecture(model.architecture.name, settings))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", nargs="?", default="symgnn", help="name or path of a SymGNN [symgnn]")
    parser.add_argument("file", nargs="?", type=pathlib.Path, default=SHIPPED, help="glass [the shipped one]")
    parser.add_argument("--samples", type=int, nargs="+", default=[1, 2, 4, 16, 64])
    arguments = parser.parse_args()
    model, glass = load_model(arguments.model), structure_of(arguments.file)
    if not isinstance(model, GraphBarrier) or model.architecture.name != "symgnn":
        parser.error(f"{arguments.model} is no SymGNN")
    print(f"{arguments.file.name}: {glass.n_atoms} atoms\nsamples  spread meV  µs/atom")
    for samples in arguments.samples:
        other = sampled(model, samples)
        spread = invariance_error(other, glass, "barrier")
        start = time.perf_counter()
        predict(other, glass)
        microseconds = (time.perf_counter() - start) * 1e6 / glass.n_atoms
        print(f"{samples:7d}  {1000 * spread:10.1f}  {microseconds:7.0f}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
