"""What a barrier model says about its own errors, run by hand.

    python -m tests.benchmarks.uncertainty MODEL DATA

For structures near to and far from the training glasses: the mean barrier, the mean standard error (of a model that
tells it) and the share of atoms flagged out of domain. Strains are affine, without relaxation: they leave the energy
minimum that labels belong to. Coverage of the intervals on left-out groups is printed by ``glass train barrier`` (or
``linear``).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from glass_core import GlassError, Structure, load_model, predict
from glass_core.dataset import read_dataset
from glass_core.models.base import Model
from glass_core.structure import replace_fields
from glass_core.training.rows import displaced

FCC = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
B2 = ((0, 0, 0), (0.5, 0.5, 0.5))


def crystal(basis: tuple[tuple[float, ...], ...], types: tuple[int, ...], constant: float, cells: int = 7) -> Structure:
    """A cubic crystal of Cu and Zr; lattice constant in Å."""
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    positions = constant * (np.array(basis) + corners).reshape(-1, 3)
    return Structure(positions, np.tile(types, cells**3), ("Cu", "Zr"), np.eye(3) * constant * cells, True)


def strained(structure: Structure, gradient: np.ndarray) -> Structure:
    """Positions and box under a deformation gradient."""
    return replace_fields(
        structure, positions_nc=structure.positions_nc @ gradient.T, cell_cc=structure.cell_cc @ gradient.T
    )


def structures(glass: Structure) -> Iterator[tuple[str, Structure]]:
    """Near and far, by name."""
    yield "glass of the data set", glass
    for share in (0.01, 0.02, 0.03, 0.05):
        yield f"dilated by {share:.0%}", strained(glass, np.eye(3) * (1 + share))
        yield f"compressed by {share:.0%}", strained(glass, np.eye(3) * (1 - share))
    for strain in (0.02, -0.02, 0.04, -0.04):
        yield f"strained by {strain:+.0%} along x", strained(glass, np.diag([1 + strain, 1, 1]))
    for shear in (0.01, 0.02, 0.04, 0.08):
        yield f"sheared by {shear:.0%}", strained(glass, np.eye(3) + shear * np.eye(3, k=1) * [[1], [0], [0]])
    for deviation in (0.02, 0.05, 0.1, 0.15, 0.2, 0.4):
        yield f"displaced by {deviation:g} Å", displaced(glass, deviation, 5)
    shuffled = np.random.default_rng(0).permutation(glass.types_n)
    yield "species shuffled", replace_fields(glass, types_n=shuffled)
    for name, perfect in (("B2 CuZr", crystal(B2, (0, 1), 3.26)), ("fcc Cu", crystal(FCC, (0,) * 4, 3.61))):
        yield name, perfect
        yield f"{name}, displaced by 0.05 Å", displaced(perfect, 0.05, 5)


def other_species(model: Model, glass: Structure) -> str:
    """What the model says to a species that it does not know."""
    try:
        predict(model, replace_fields(glass, species=("Cu", "Al")))
    except GlassError as error:
        return f"refused: {error}"
    return "NOT REFUSED"


def print_structures(model: Model, glass: Structure) -> None:
    print(f"{'structure':30s} {'barrier eV':>10s} {'std eV':>8s} {'flagged':>8s}")
    for name, structure in structures(glass):
        mean = {key: result.values.mean() for key, result in predict(model, structure).items()}
        std = f"{mean['barrier_std']:8.3f}" if "barrier_std" in mean else f"{'':>8s}"
        print(f"{name:30s} {mean['barrier']:10.2f} {std} {mean['out_of_domain']:8.3f}", flush=True)
    print(f"{'Al in place of Zr':30s} {other_species(model, glass)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", help="name or file of a barrier model that tells what is out of its domain")
    parser.add_argument("data", help="data set (HDF5)")
    arguments = parser.parse_args()
    model, dataset = load_model(arguments.model), read_dataset(arguments.data)
    if not {"barrier", "out_of_domain"} <= model.outputs.keys():
        raise GlassError(f"model {arguments.model!r} has no outputs barrier and out_of_domain, see `glass models`")
    print_structures(model, dataset.configurations[0].structure)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
