"""The same saddle searches on several surfaces, and the dimer of ASE from the same kicks; run by hand.

    python -m tests.benchmarks.saddles symgnn.h5 CuZr_Mendelev2009.eam.fs --atoms 5 --searches 2
    OMP_NUM_THREADS=1 taskset -c 1 python -m tests.benchmarks.saddles ...

Same atoms, kicks, first Lanczos vectors and settings, 10 Å around the atom free to move, saddles not converged again in
a larger region. Seconds are those of the processor. Rows:

    own           our surface of the embedded atoms, with its products with the Hessian
    differences   the same energies; a product is the difference of two forces, hence one more force call
    LAMMPS        in this process, the whole box at each call (``LammpsPotential``)
    ASE           ``ase.calculators.lammpslib``, which sets LAMMPS up anew at each call, so that one search takes
                  minutes; ``--ase-searches`` says how many. (``ase.calculators.eam`` takes 3 ms per atom and call.)
    ASE dimer     ``MinModeTranslate`` with its defaults on our energies of the same atoms, displaced along the kick by
                  the length of the first push, which is its first mode too; ends as a search does (same force, cap,
                  second curvature, both sides), at most ``--dimer-steps`` steps

"same" is the share of searches that end in the same state with the same barrier within 0.01 eV as ``own``. Surfaces
agree to 1e-6 eV and 1e-4 eV/Å, but searches branch, so that last digits may lead to another saddle. Ratios to ``own``
are over the same searches; calls and products weigh alike in them.
"""

from __future__ import annotations

import argparse
import collections
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ase_glass.potential import BoundAse, to_atoms
from glass_core.cli.show import number, table
from glass_core.dataset import read_dataset
from glass_core.potentials.base import BoundPotential, Region
from glass_core.potentials.eam import EamPotential
from glass_core.saddle.records import SADDLES, SearchRecord, State
from glass_core.saddle.searcher import BoundSearcher, Searcher
from glass_core.saddle.settings import Regions, preset
from glass_core.structure import Structure
from lammps_hooks import LammpsPotential
from lammps_hooks.library import prepare_mpi
from tests.benchmarks.dimer import DimerSearcher, Plain

_SAME = 0.01  # eV

Search = Callable[[int, int], SearchRecord]


@dataclass(frozen=True)
class PlainPotential:
    """A bound potential with plain surfaces."""

    bound: BoundPotential

    def region(self, centre: int, radius: float | None) -> Region:
        region = self.bound.region(centre, radius)
        return replace(region, surface=Plain(region.surface))


def ways(searcher: Searcher, path: str, dimer_steps: int) -> dict[str, Callable[[], Search]]:
    """Searches by name; made when asked for."""
    structure = searcher.structure
    own = searcher.potential.bind(structure)
    style = "eam/fs" if path.endswith("fs") else "eam/alloy"
    commands = [f"pair_style {style}", f"pair_coeff * * {path} {' '.join(structure.species)}"]

    def with_lammps() -> BoundPotential:
        return LammpsPotential("\n".join(commands), structure.species).bind(structure)

    return {
        "own": lambda: BoundSearcher(searcher, own),
        "differences": lambda: BoundSearcher(searcher, PlainPotential(own)),
        "LAMMPS": lambda: BoundSearcher(searcher, with_lammps()),
        "ASE": lambda: BoundSearcher(searcher, lammpslib(structure, commands)),
        "ASE dimer": lambda: DimerSearcher(searcher, own, dimer_steps),
    }


def lammpslib(structure: Structure, commands: list[str]) -> BoundAse:
    """ASE's own LAMMPS."""
    from ase.calculators.lammpslib import LAMMPSlib

    prepare_mpi()
    atoms = to_atoms(structure)
    types = {symbol: k + 1 for k, symbol in enumerate(structure.species)}
    atoms.calc = LAMMPSlib(lmpcmds=commands, atom_types=types, log_file=None, keep_alive=True)
    return BoundAse(structure, atoms)


def timed(search: Search, tasks: list[tuple[int, int]]) -> list[SearchRecord]:
    """Records whose seconds are those of the processor."""
    records = []
    for atom, number_ in tasks:
        start = time.process_time()
        record = search(atom, number_)
        records.append(replace(record, seconds=time.process_time() - start))
    return records


Records = dict[tuple[int, int], SearchRecord]


def row(name: str, records: Records, own: Records, states: list[State]) -> list[str]:
    """One line of the table."""
    mine, same = list(records.values()), [own[task] for task in records]
    counts = collections.Counter(record.state for record in mine)
    calls, products = (sum(sum(getattr(r, what)) for r in mine) for what in ("calls", "products"))
    seconds, evaluations = sum(r.seconds for r in mine), calls + products
    own_seconds, own_evaluations = sum(r.seconds for r in same), sum(sum(r.calls) + sum(r.products) for r in same)
    alike = [a.state is b.state and not abs(a.barrier - b.barrier) > _SAME for a, b in zip(mine, same, strict=True)]

    def per(count: int) -> str:
        """Force calls, and products where there are any."""
        if not count:
            return "-"
        return f"{calls / count:.0f}" + (f" + {products / count:.0f}" if products else "")

    return [
        name, str(len(mine)), *(f"{counts[state] / len(mine):.2f}" for state in states), f"{np.mean(alike):.2f}",
        per(len(mine)), per(sum(counts[state] for state in SADDLES)), per(counts[State.ACCEPTED]),
        number(seconds / len(mine), 2), number(1e3 * seconds / evaluations, 2),
        number(evaluations / own_evaluations, 2), number(seconds / own_seconds, 1),
    ]  # fmt: skip


def main() -> None:
    """Prints one row per surface."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="data set whose configurations are minima of the potential")
    parser.add_argument("potential", help="embedded-atom file, eam/fs or eam/alloy")
    parser.add_argument("--configuration", default="train0")
    parser.add_argument("--atoms", type=int, default=5)
    parser.add_argument("--searches", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ase-searches", type=int, default=1, help="of them with lammpslib; 0 for none")
    parser.add_argument("--lammps-searches", type=int, help="of them with LAMMPS; default all")
    parser.add_argument("--dimer-steps", type=int, default=1000)
    args = parser.parse_args()
    structure = next(c for c in read_dataset(args.data) if c.name == args.configuration).structure
    settings = replace(preset("bauchy2024"), regions=Regions(refine="none"))
    searcher = Searcher(structure, EamPotential(args.potential), settings, args.seed)
    atoms = np.random.default_rng(args.seed).choice(structure.n_atoms, args.atoms, replace=False)
    tasks = [(int(atom), search) for atom in atoms for search in range(args.searches)]
    most = {"ASE": args.ase_searches, "LAMMPS": args.lammps_searches}
    found: dict[str, Records] = {}
    for name, make in ways(searcher, EamPotential(args.potential).path, args.dimer_steps).items():
        some = tasks[: most.get(name)]
        if not some:
            continue
        search = make()
        if name in ("own", "differences"):
            search(tasks[0][0], 10**6)  # compiles
        found[name] = dict(zip(some, timed(search, some), strict=True))
    states = [state for state in State if any(r.state is state for records in found.values() for r in records.values())]
    print(f"{args.configuration}: {structure.n_atoms} atoms, searches around {args.atoms} of them")
    table(
        [row(name, records, found["own"], states) for name, records in found.items()],
        ["surface", "n", *(state.value for state in states), "same", "calls + products per search", "per converged",
         "per accepted", "s per search", "ms per call or product", "calls / own", "s / own"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
