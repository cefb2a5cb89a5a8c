"""Force calls of saddle searches in the Lennard-Jones cluster of 38 atoms, beside published ones; run by hand.

    python -m tests.benchmarks.lj38 --searches 100

All products with the Hessian are differences of forces, and counted as force calls. Two kinds of start:

    minimum       the global minimum (truncated octahedron), pushed along a Gaussian kick of the atoms within 1.3 σ of
                  a random atom of its surface: push and climb of a whole ARTn search; relaxing the sides not counted
    near saddle   a saddle that such a search found, each coordinate displaced by Gaussian noise (``--noise``, σ); no
                  mode is given. The search begins along the lowest mode there, from a random Lanczos start

The dimer of ASE (its defaults in Å and eV, with σ = 2.5 Å and ε = 0.4 eV; random first mode; at most 1000 steps) goes
from the same near-saddle starts, to tell how hard these are. Searches that end at a saddle of higher order count as
failed, those of the dimer do not: it does not look. The 12 calls of that check are among ours.

Published: LJ38, 100 structures near transition states, eOn, https://eondocs.org/user_guide/lanczos.html. How these
structures were made, their force criterion, and whether failures count in the mean is not said there, and we do not
have them. So the order of magnitude can be compared, a ratio of 1.2 cannot. Ours end at ``--force`` as the largest
force on an atom; means and medians are over the searches that converged.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import dataclass, replace

import numpy as np

from glass_core.cli.show import table
from glass_core.saddle.counted import Counted
from glass_core.saddle.kick import gaussian_kick
from glass_core.saddle.lanczos import lowest_mode
from glass_core.saddle.minimise import minimise
from glass_core.saddle.records import SADDLES, Outcome, Phase
from glass_core.saddle.search import run, search
from glass_core.saddle.settings import ArtnSettings, preset
from glass_core.saddle.walk import rigid_motions
from glass_core.structure import Floats
from tests.benchmarks.dimer import Plain, dimer

SIGMA, EPSILON = 2.5, 0.4  # Å, eV: curvatures as in a metal, for which the presets are made
BEST = -173.928427  # ε, D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997)
_SHELL = 1.3  # σ, between first and second neighbours
_BULK = 12  # neighbours of an atom inside
_FIRST = 0.02  # Å, first push of searches that start near a saddle
_THRESHOLD = -0.1  # eV/Å², their curvature from which they climb: saddles of the cluster may be flat
_PUBLISHED = (
    ("Lanczos (eOn)", "238", "178", "84", "1625", "0.00"),
    ("pARTn (eOn)", "426", "269", "100", "2462", "0.10"),
    ("dimer (eOn)", "523", "359", "151", "2996", "0.00"),
)


class Cluster:
    """Lennard-Jones atoms, all pairs."""

    def energy_forces(self, positions_nc: Floats) -> tuple[float, Floats]:
        vectors = positions_nc[:, None] - positions_nc[None]
        squares = np.einsum("abc,abc->ab", vectors, vectors)
        np.fill_diagonal(squares, np.inf)
        sixth = (SIGMA**2 / squares) ** 3
        slopes = 24 * EPSILON * (2 * sixth**2 - sixth) / squares
        forces = slopes.sum(axis=1)[:, None] * positions_nc - slopes @ positions_nc
        return float(2 * EPSILON * (sixth**2 - sixth).sum()), forces


@dataclass
class Calls:
    """Force calls of converged searches, and how many did not converge."""

    converged: list[int]
    failed: int = 0

    def add(self, calls: int, good: bool) -> None:
        if good:
            self.converged.append(calls)
        else:
            self.failed += 1

    def row(self, name: str) -> list[str]:
        some = self.converged or [0]
        share = self.failed / max(self.failed + len(self.converged), 1)
        figures = (np.mean(some), np.median(some), min(some), max(some))
        return [name, *(f"{figure:.0f}" for figure in figures), f"{share:.2f}"]


def global_minimum() -> Floats:
    """The truncated octahedron, minimised, Å, shape (38, 3).

    Raises:
        RuntimeError: if its energy is not the published one.
    """
    sites = np.array(list(itertools.product(range(-2, 3), repeat=3)), float)
    squares = (sites**2).sum(axis=1)
    sites = sites[(squares % 2 == 1) & (squares <= 5)]  # a face-centred lattice seen from its octahedral hole
    found = minimise(Cluster(), 2 ** (1 / 6) / np.sqrt(2) * SIGMA * sites, 1e-6, 5000)
    if abs(found.energy / EPSILON - BEST) > 1e-5:
        raise RuntimeError(f"the energy of the minimum must be {BEST} ε, got {found.energy / EPSILON:.6f}")
    return found.positions_nc


def from_minimum(start_nc: Floats, settings: ArtnSettings, rng: np.random.Generator) -> tuple[int, Outcome]:
    """One search, and its force calls to the saddle."""
    near = np.linalg.norm(start_nc[:, None] - start_nc[None], axis=2) < _SHELL * SIGMA
    centre = rng.choice(np.flatnonzero(near.sum(axis=1) <= _BULK))  # itself among them
    kick = gaussian_kick(np.flatnonzero(near[centre]), len(start_nc), rng)
    outcome = run(search(Plain(Cluster()), start_nc, kick, settings, rng, "rotation"))
    return outcome.calls[Phase.PUSH] + outcome.calls[Phase.CLIMB], outcome


def from_near(near_nc: Floats, first_nc: Floats, settings: ArtnSettings) -> tuple[int, Outcome]:
    """A search that starts near a saddle, along the lowest mode there, and its force calls to the saddle.

    It takes the start for its minimum, so that its state tells no more than whether it converged.
    """
    counted = Counted(Plain(Cluster()), settings.modes.difference)
    _, forces = counted.energy_forces(near_nc)
    curvature, rigid = counted.curvature(near_nc, forces), rigid_motions(near_nc, "rotation")
    mode = lowest_mode(curvature, first_nc, settings.push.lanczos_first, rigid, settings.modes.settled)
    push = replace(settings.push, first=_FIRST, threshold=_THRESHOLD)
    anywhere = replace(settings, push=push, minimum_force=np.inf)
    rng = np.random.default_rng(0)
    outcome = run(search(Plain(Cluster()), near_nc, mode.direction_nc, anywhere, rng, "rotation"))
    repeated = 1  # energy and forces of the start
    return counted.total + outcome.calls[Phase.PUSH] + outcome.calls[Phase.CLIMB] - repeated, outcome


def main() -> None:
    """Prints one row per kind of search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=float, default=0.05, help="of near-saddle starts per coordinate, σ")
    parser.add_argument("--force", type=float, default=0.01, help="largest on an atom at a saddle, ε/σ")
    args = parser.parse_args()
    plain = preset("bauchy2024")
    settings = replace(plain, climb=replace(plain.climb, force=args.force * EPSILON / SIGMA))
    start = global_minimum()
    whole, climb, pair = Calls([]), Calls([]), Calls([])
    states: dict[str, int] = {}
    saddles = []
    for k in range(args.searches):
        calls, outcome = from_minimum(start, settings, np.random.default_rng([args.seed, k]))
        whole.add(calls, outcome.state in SADDLES)
        states[outcome.state.value] = states.get(outcome.state.value, 0) + 1
        if outcome.state in SADDLES:
            saddles.append(outcome.saddle_nc)
    for k in range(args.searches if saddles else 0):
        rng = np.random.default_rng([args.seed, k, 1])
        near = saddles[k % len(saddles)] + args.noise * SIGMA * rng.normal(size=start.shape)
        first = rng.normal(size=start.shape)
        calls, outcome = from_near(near, first, settings)
        climb.add(calls, outcome.state in SADDLES)
        surface = Plain(Cluster())
        converged, _ = dimer(surface, near, first, settings.climb.force, 1000)
        pair.add(surface.calls, converged)
    print(f"global minimum {Cluster().energy_forces(start)[0] / EPSILON:.6f} ε, published {BEST} ε")
    print("from the minimum:", ", ".join(f"{state} {count}" for state, count in states.items()))
    rows = [whole.row("ours, minimum"), climb.row("ours, near saddle"), pair.row("dimer (ASE), near saddle")]
    table([*rows, *map(list, _PUBLISHED)], ["force calls", "mean", "median", "least", "most", "failed"])
    print("Published starts near saddles are not ours: compare orders of magnitude, see the text of this file")


if __name__ == "__main__":
    main()
