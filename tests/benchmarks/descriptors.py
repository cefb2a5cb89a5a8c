"""Time and memory of descriptors and predictions, run by hand.

    python tests/benchmarks/descriptors.py train0.pickle --peers        # against dscribe, freud and vesin
    python tests/benchmarks/descriptors.py train0.pickle --scale 1 2 3  # 8, 64 and 216 thousand atoms
    OMP_NUM_THREADS=1 python tests/benchmarks/descriptors.py            # the shipped glass, on one core

Times are the least of several repeats, in µs per atom, everything included (neighbour list and shells
too), from float64 positions. Memory is what the peak adds to the size of the process after imports and
one small warm-up run; each size runs in a process of its own, as a peak never falls.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from glass_core import Structure, predict
from glass_core.descriptors.scnn import SCNNDescriptor
from glass_core.importers import import_files
from glass_core.models.base import DescriptorModel, ModelCard
from glass_core.models.scnn import SCNN
from glass_core.structure_files import read_frame
from glass_core.testing import example_glass
from glass_core.threads import thread_count

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "glass_core/data/demo_Cu64Zr36.dump"
CUTOFF, N_MAX, L_MAX = 5.0, 8, 9


def structure_of(file: pathlib.Path) -> Structure:
    """The glass in a pickle of the barrier data set, or in any file that a host reads."""
    if file.suffix == ".pickle":
        return import_files([file]).configurations[0].structure
    return read_frame(file).structure


def replicated(structure: Structure, times: int) -> Structure:
    """The same glass ``times`` times along each box vector."""
    steps = np.stack(np.meshgrid(*[np.arange(times)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = (structure.positions_nc + (steps @ structure.cell_cc)[:, None]).reshape(-1, 3)
    types = np.tile(structure.types_n, len(steps))
    return Structure(positions, types, structure.species, structure.cell_cc * times, structure.pbc)


def scnn_model(descriptor: SCNNDescriptor) -> DescriptorModel:
    """SCNN with the paper's layout (264 → 64 → 32, four constraints) and random weights."""
    random = np.random.default_rng(0)
    f = descriptor.n_features

    def layer(into: int, out: int) -> tuple[np.ndarray, np.ndarray]:
        return random.normal(0, into**-0.5, (out, into)).astype(np.float32), np.zeros(out, np.float32)

    return SCNN(
        descriptor=descriptor,
        mean_f=np.zeros(f, np.float32),
        std_f=np.ones(f, np.float32),
        domain=None,
        card=ModelCard("benchmark"),
        embedding=[layer(f, 64), layer(64, 32)],
        constraints_vz=random.uniform(0, 1, (4, 32)).astype(np.float32),
        classifier_cv=np.array([[1, 1, -0.5, -0.5], [-0.5, -0.5, 1, 1]], np.float32),
        activation="relu",
    )


def best(action: Callable[[], object], n_atoms: int, repeats: int) -> float:
    """Least time of some repeats after one warm-up, µs per atom."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times) * 1e6 / n_atoms


def peers(structure: Structure, repeats: int) -> None:
    """Prints the table of descriptors of ours and of others."""
    descriptor = SCNNDescriptor(structure.species, CUTOFF, N_MAX, L_MAX)
    model = scnn_model(descriptor)
    actions: dict[str, Callable[[], object]] = {
        "glass_core SCNN descriptor, 264 features, three shells": lambda: descriptor(structure),
        "glass_core SCNN descriptor, no shells": lambda: SCNNDescriptor(
            structure.species, CUTOFF, N_MAX, L_MAX, shells=0
        )(structure),
        "glass_core SCNN prediction": lambda: predict(model, structure),
        "glass_core neighbour list": lambda: neighbours(structure),
        **other_codes(structure),
    }
    print(f"{'':58s}   µs/atom")
    for name, action in actions.items():
        print(f"{name:58s} {best(action, structure.n_atoms, repeats):9.2f}", flush=True)


def neighbours(structure: Structure) -> object:
    from glass_core.neighbours import find_neighbours

    return find_neighbours(structure, CUTOFF)


def other_codes(structure: Structure) -> dict[str, Callable[[], object]]:
    """Peers that are installed; each does less or other work than SCNN, as its line says."""
    found: dict[str, Callable[[], object]] = {}
    try:
        found["vesin neighbour list alone (half, vectors)"] = _vesin(structure)
        found["freud Steinhardt l = 1 … 9, one radial function"] = _freud(structure)
        found[f"dscribe SOAP r_cut {CUTOFF:g}, n_max {N_MAX}, l_max {L_MAX}, all cores"] = _dscribe(structure)
    except ImportError as error:
        print(f"left out: {error}")
    return found


def _vesin(structure: Structure) -> Callable[[], object]:
    from vesin import NeighborList

    engine = NeighborList(cutoff=CUTOFF, full_list=False, n_threads=thread_count())
    return lambda: engine.compute(structure.positions_nc, structure.cell_cc, np.array(structure.pbc), "ijD", copy=False)


def _freud(structure: Structure) -> Callable[[], object]:
    import freud

    freud.parallel.set_num_threads(thread_count())
    box = freud.box.Box(*np.diag(structure.cell_cc))
    points = box.wrap(structure.positions_nc - np.diag(structure.cell_cc) / 2).astype(np.float32)

    def steinhardt() -> None:
        query = freud.locality.AABBQuery(box, points).query(points, {"r_max": CUTOFF, "exclude_ii": True})
        bonds = query.toNeighborList()
        for l in range(1, L_MAX + 1):  # noqa: E741
            freud.order.Steinhardt(l).compute((box, points), neighbors=bonds)

    return steinhardt


def _dscribe(structure: Structure) -> Callable[[], object]:
    import ase
    from dscribe.descriptors import SOAP

    soap = SOAP(species=list(structure.species), r_cut=CUTOFF, n_max=N_MAX, l_max=L_MAX, periodic=True)
    atoms = ase.Atoms(structure.symbols().tolist(), structure.positions_nc, cell=structure.cell_cc, pbc=structure.pbc)
    everybody = np.arange(len(atoms))
    # One task per core, each on its part of the centres, as SOAP.create parallelises over structures only.
    parts = np.array_split(everybody, thread_count())
    return lambda: soap.create([atoms] * len(parts), centers=[p.tolist() for p in parts], n_jobs=len(parts))


def scale(file: pathlib.Path, sizes: list[int]) -> None:
    """Prints time and memory of the descriptor stream and of prediction, one process per line."""
    print(f"\n{'atoms':>9s}  {'what':18s} {'µs/atom':>8s} {'memory MiB':>11s} {'B/atom':>8s}")
    for times in sizes:
        for what in ("descriptor stream", "prediction"):
            command = [sys.executable, __file__, str(file), "--one", what, "--scale", str(times)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            row = json.loads(done.stdout)
            print(
                f"{row['atoms']:9d}  {what:18s} {row['us']:8.2f} {row['bytes'] / 2**20:11.0f} "
                f"{row['bytes'] / row['atoms']:8.0f}",
                flush=True,
            )


def one(structure: Structure, what: str, times: int) -> None:
    """One measurement as JSON: warm-up on few atoms, then the size asked for, once."""
    descriptor = SCNNDescriptor(structure.species, CUTOFF, N_MAX, L_MAX)
    model = scnn_model(descriptor)

    def work(atoms: Structure) -> None:
        if what == "prediction":
            predict(model, atoms)
        else:
            descriptor(atoms, dtype=np.float32)

    work(example_glass(structure.species))
    large = replicated(structure, times)
    pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again from here
    before = memory("VmRSS")
    start = time.perf_counter()
    work(large)
    seconds = time.perf_counter() - start
    row = {"atoms": large.n_atoms, "us": seconds * 1e6 / large.n_atoms, "bytes": memory("VmHWM") - before}
    print(json.dumps(row))


def memory(field: str) -> int:
    """A size of this process from /proc (Linux), in bytes: VmRSS now, VmHWM at its peak."""
    lines = pathlib.Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", nargs="?", type=pathlib.Path, default=SHIPPED, help="glass [the shipped one]")
    parser.add_argument("--peers", action="store_true", help="compare with other codes (the default without options)")
    parser.add_argument("--scale", type=int, nargs="+", default=[], metavar="K", help="replicate K × K × K")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    structure = structure_of(arguments.file)
    if arguments.one:
        one(structure, arguments.one, arguments.scale[0])
        return 0
    print(f"{arguments.file.name}: {structure.n_atoms} atoms, {thread_count()} threads")
    if arguments.peers or not arguments.scale:
        peers(structure, arguments.repeats)
    if arguments.scale:
        scale(arguments.file, arguments.scale)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
