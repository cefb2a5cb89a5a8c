"""Surfaces whose minima and saddles are known: Müller–Brown in two dimensions, small Lennard-Jones clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import root

from glass_core.saddle.counted import Counted
from glass_core.saddle.minimise import minimise
from glass_core.saddle.phases import to_first_order
from glass_core.saddle.records import Outcome, State, Step
from glass_core.saddle.search import run, search
from glass_core.saddle.settings import ArtnSettings, Climb, Push, Sides, preset
from glass_core.saddle.walk import GivenUpError, Walk, distance

SCALE = 0.02  # makes barriers of the Müller–Brown surface some eV


class MuellerBrown:
    """K. Müller and L. D. Brown, Theor. Chim. Acta 53, 75 (1979), in x and y; a stiff spring along z."""

    depth = np.array([-200.0, -100.0, -170.0, 15.0])
    a = np.array([-1.0, -1.0, -6.5, 0.7])
    b = np.array([0.0, 0.0, 11.0, 0.6])
    c = np.array([-10.0, -10.0, -6.5, 0.7])
    x0 = np.array([1.0, 0.0, -0.5, -1.0])
    y0 = np.array([0.0, 0.5, 1.5, 1.0])
    spring = 20.0

    def energy_forces(self, positions_nc):
        x, y, z = positions_nc[0]
        dx, dy = x - self.x0, y - self.y0
        terms = SCALE * self.depth * np.exp(self.a * dx**2 + self.b * dx * dy + self.c * dy**2)
        slope_x = (terms * (2 * self.a * dx + self.b * dy)).sum()
        slope_y = (terms * (self.b * dx + 2 * self.c * dy)).sum()
        energy = terms.sum() + 0.5 * self.spring * z**2
        return float(energy), -np.array([[slope_x, slope_y, self.spring * z]])


# Energies in the surface's own units and places, from the same paper.
MINIMA = {"deep": (-146.700, -0.558, 1.442), "right": (-108.167, 0.623, 0.028), "middle": (-80.768, -0.050, 0.467)}
SADDLES = {"high": (-40.665, -0.822, 0.624), "low": (-72.249, 0.212, 0.293)}
FINE = ArtnSettings(
    push=Push(first=0.05, step=0.05, relaxations=10),
    climb=Climb(step=0.05, force=1e-4),
    sides=Sides(push=0.03, fall=0.001, force=0.01, converged=1e-3, same=0.05),
)


def searches(minimum: str, seeds: range) -> list[Outcome]:
    """Searches from a minimum in random directions within the plane."""
    surface = MuellerBrown()
    energy, x, y = MINIMA[minimum]
    start = minimise(surface, np.array([[x, y, 0.0]]), 1e-8)
    assert start.energy == pytest.approx(SCALE * energy, abs=1e-4)
    outcomes = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        kick = np.append(rng.normal(size=2), 0.0)[None]
        outcomes.append(run(search(surface, start.positions_nc, kick, FINE, rng)))
    return outcomes


@pytest.mark.parametrize(
    ("minimum", "seeds", "found"),
    [("middle", range(20), {"high", "low"}), ("right", range(20), {"low"}), ("deep", range(22, 28), {"high"})],
)
def test_mueller_brown(minimum: str, seeds: range, found: set[str]) -> None:
    """Every accepted search is at a known saddle beside its minimum; all of these are found.

    From the deep minimum few are: its valley of lowest curvature passes beside the saddle.
    """
    counts: Counter[str] = Counter()
    for outcome in searches(minimum, seeds):
        if outcome.state is not State.ACCEPTED:
            continue
        (name,) = (n for n, (_, x, y) in SADDLES.items() if np.hypot(*(outcome.saddle_nc[0, :2] - [x, y])) < 2e-3)
        counts[name] += 1
        assert outcome.barrier == pytest.approx(SCALE * (SADDLES[name][0] - MINIMA[minimum][0]), abs=1e-4)
        assert outcome.curvature < 0 < outcome.second_curvature
        assert outcome.sides[0].initial
        beyond = [
            n for n, (_, x, y) in MINIMA.items() if np.hypot(*(outcome.sides[1].positions_nc[0, :2] - [x, y])) < 0.1
        ]
        assert beyond, outcome.sides[1].positions_nc
        assert beyond != [minimum]
    assert set(counts) == found


SIGMA, EPSILON = 2.5, 0.4  # Å, eV: curvatures as in a metal, for which the presets are made


class Cluster:
    """Lennard-Jones atoms, all pairs."""

    def energy_forces(self, positions_nc):
        vectors = positions_nc[:, None] - positions_nc[None]
        squares = (vectors**2).sum(axis=2)
        np.fill_diagonal(squares, np.inf)
        sixth = (SIGMA**2 / squares) ** 3
        energy = 2 * EPSILON * (sixth**2 - sixth).sum()
        return float(energy), ((24 * EPSILON * (2 * sixth**2 - sixth) / squares)[..., None] * vectors).sum(axis=1)


def bipyramid() -> np.ndarray:
    """The best cluster of seven atoms."""
    angles = 2 * np.pi * np.arange(5) / 5
    ring = np.stack([0.95 * np.cos(angles), 0.95 * np.sin(angles), np.zeros(5)], axis=1)
    return SIGMA * np.concatenate([ring, [[0, 0, 0.55], [0, 0, -0.55]]])


def icosahedron() -> np.ndarray:
    """The best cluster of thirteen atoms."""
    golden = 0.5 * (1 + 5**0.5)
    signs = [(a, b * golden) for a in (1, -1) for b in (1, -1)]
    corners = [p for a, b in signs for p in ((0, a, b), (a, b, 0), (b, 0, a))]
    return 0.57 * SIGMA * np.array([(0, 0, 0), *corners], dtype=float)


def polished(positions_nc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The stationary point nearby by Newton's method, and all curvatures there: an independent check of a saddle."""
    cluster, shape = Cluster(), positions_nc.shape

    def slope(flat):
        return -cluster.energy_forces(flat.reshape(shape))[1].reshape(-1)

    solved = root(slope, positions_nc.reshape(-1), method="lm", options={"xtol": 1e-14, "ftol": 1e-14})
    assert np.abs(slope(solved.x)).max() < 1e-8
    step = 1e-5
    hessian = [(slope(solved.x + step * e) - slope(solved.x - step * e)) / (2 * step) for e in np.eye(solved.x.size)]
    return solved.x.reshape(shape), np.linalg.eigvalsh(0.5 * (np.array(hessian) + np.transpose(hessian)))


# Minima in units of ε: M. R. Hoare and P. Pal, Adv. Phys. 20, 161 (1971); Cambridge Cluster Database.
LJ7_MINIMA = (-16.505384, -15.935043, -15.593211, -15.533060)
LJ13_BEST = -44.326801
TIGHT = replace(preset("bauchy2024"), climb=Climb(force=0.002), sides=Sides(converged=0.002))


def cluster_searches(start_nc: np.ndarray, best: float, seeds: range) -> list[Outcome]:
    start = minimise(Cluster(), start_nc, 1e-6, 5000)
    assert start.energy / EPSILON == pytest.approx(best, abs=1e-5)
    outcomes = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        kick = rng.normal(size=start_nc.shape)
        outcomes.append(run(search(Cluster(), start.positions_nc, kick, TIGHT, rng, "rotation")))
    return outcomes


@pytest.mark.parametrize(
    ("start_nc", "best", "lowest"),
    [(bipyramid(), LJ7_MINIMA[0], -15.4447), (icosahedron(), LJ13_BEST, -41.5552)],
    ids=["LJ7", "LJ13"],
)
def test_saddles_of_lennard_jones_clusters(start_nc: np.ndarray, best: float, lowest: float) -> None:
    """Newton's method with the full Hessian finds the same saddle, with one negative curvature, to 1e-3 eV."""
    accepted = [o for o in cluster_searches(start_nc, best, range(60)) if o.state is State.ACCEPTED]
    assert len(accepted) >= 40
    energies = []
    for outcome in accepted:
        exact, curvatures = polished(outcome.saddle_nc)
        assert distance(exact, outcome.saddle_nc, "rotation") < 0.05
        energy = Cluster().energy_forces(exact)[0]
        assert best * EPSILON + outcome.barrier == pytest.approx(energy, abs=1e-3)
        assert (curvatures < -1e-3).sum() == 1
        assert (np.abs(curvatures) < 1e-3).sum() == 6
        assert curvatures[0] - 0.05 < outcome.curvature < 0  # in the space of a few Lanczos vectors
        energies.append(energy / EPSILON)
    assert min(energies) == pytest.approx(lowest, abs=1e-4)


def test_both_sides_are_known_minima_of_lj7() -> None:
    ends = set()
    for outcome in cluster_searches(bipyramid(), LJ7_MINIMA[0], range(60)):
        for side in outcome.sides:
            if side.initial:
                assert 0 <= side.energy < TIGHT.sides.fall  # not relaxed further once it is known
            else:
                energy = LJ7_MINIMA[0] + side.energy / EPSILON
                (known,) = (e for e in LJ7_MINIMA if energy == pytest.approx(e, abs=1e-3))
                ends.add(known)
    assert ends >= {LJ7_MINIMA[1], LJ7_MINIMA[3]}


class EggBox:
    """cos x + 0.8 cos y and a spring along z: a maximum at 0, and saddles at (0, ±π) and (±π, 0)."""

    def energy_forces(self, positions_nc):
        x, y, z = positions_nc[0]
        return float(np.cos(x) + 0.8 * np.cos(y) + 5 * z**2), np.array([[np.sin(x), 0.8 * np.sin(y), -10 * z]])


def at_the_maximum(descents: int) -> tuple[Walk, Generator[Step, None, None]]:
    settings = replace(FINE, climb=replace(FINE.climb, descents=descents))
    walk = Walk(Counted(EggBox(), settings.modes.difference), np.zeros((1, 3)), settings, "none")
    rng = np.random.default_rng(0)
    walk.find_mode(3, rng.normal(size=(1, 3)))
    return walk, to_first_order(walk, rng)


def test_a_point_with_two_negative_curvatures_is_left_for_a_saddle() -> None:
    walk, steps = at_the_maximum(2)
    assert sum(1 for _ in steps) > 3
    np.testing.assert_allclose(np.abs(walk.positions_nc), [[0, np.pi, 0]], atol=1e-3)
    assert (walk.curvature, walk.second_curvature) == pytest.approx((-1, 0.8), abs=1e-3)
    walk, steps = at_the_maximum(0)
    with pytest.raises(GivenUpError, match="higher_order"):
        list(steps)
    assert walk.second_curvature == pytest.approx(-0.8, abs=1e-4)
