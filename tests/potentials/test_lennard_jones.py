"""Lennard-Jones potentials against numbers that can be worked out by hand."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from glass_core.errors import GlassError
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.structure import Structure

KOB_ANDERSEN = LennardJonesPotential(
    ((1.0, 1.5), (1.5, 0.5)), ((1.0, 0.8), (0.8, 0.88)), ((2.5, 2.0), (2.0, 2.2)), ("A", "B")
)


def dimer_energy(potential: LennardJonesPotential, distance: float, types: tuple[int, int]) -> float:
    start = Structure([[0, 0, 0], [50.0, 0, 0]], types, ("A", "B"))
    surface = potential.bind(start).region(0, None).surface
    return surface.energy_forces([[0, 0, 0], [distance, 0, 0]])[0]


@pytest.mark.parametrize("types", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("distance", [0.9, 1.0, 1.12, 1.5, 1.9, 2.1, 2.4, 2.6])
def test_dimers_of_kob_and_andersen(types: tuple[int, int], distance: float) -> None:
    """Phys. Rev. E 51, 4626 (1995), cutoffs 2.5 σ of each pair."""
    a, b = types
    epsilon, sigma, cutoff = (
        [[1, 1.5], [1.5, 0.5]][a][b],
        [[1, 0.8], [0.8, 0.88]][a][b],
        [[2.5, 2.0], [2.0, 2.2]][a][b],
    )
    ends = [4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6) for r in (distance, cutoff)]
    expected = ends[0] - ends[1] if distance < cutoff else 0.0
    assert dimer_energy(KOB_ANDERSEN, distance, types) == pytest.approx(expected, abs=1e-7, rel=1e-7)


def test_a_tangent_makes_the_force_end_at_zero() -> None:
    potential = LennardJonesPotential(1.0, 1.0, 2.5, shift="force")
    start = Structure([[0, 0, 0], [50.0, 0, 0]], [0, 0], ("A",))
    surface = potential.bind(start).region(0, None).surface
    energy, forces = surface.energy_forces([[0, 0, 0], [2.499, 0, 0]])
    assert abs(energy) < 1e-6
    assert np.abs(forces).max() < 1e-3
    assert surface.energy_forces([[0, 0, 0], [2.501, 0, 0]])[0] == 0.0


def test_the_icosahedron_of_13_atoms() -> None:
    """Energy −44.326801 ε (Hoare and Pal 1971); the cutoff is out of the way."""
    golden = (1 + np.sqrt(5)) / 2
    corners = [p for s in (1, -1) for t in (golden, -golden) for p in ((0, s, t), (s, t, 0), (t, 0, s))]
    cluster = np.array([(0.0, 0.0, 0.0), *corners])
    cluster[1:] *= 1.0823 / np.linalg.norm(cluster[1])
    apart = Structure(cluster * 40, np.zeros(13, int), ("A",))
    surface = LennardJonesPotential(1.0, 1.0, 12.0).bind(apart).region(0, None).surface
    shift = 78 * 4 * (12.0**-12 - 12.0**-6)
    lowest = min(surface.energy_forces(cluster * scale)[0] for scale in np.linspace(0.98, 1.02, 81))
    assert lowest + shift == pytest.approx(-44.326801, abs=2e-3)


def test_any_species_and_plain_values() -> None:
    potential = LennardJonesPotential(0.0104, 3.4, 8.5)
    assert pickle.loads(pickle.dumps(potential)) == potential
    assert potential.digest != LennardJonesPotential(0.0104, 3.4, 8.6).digest
    assert potential.digest == LennardJonesPotential(0.0104, 3.4, 8.5).digest
    assert KOB_ANDERSEN.name == "Lennard-Jones A-B"
    assert potential.name == "Lennard-Jones"
    assert len({potential, KOB_ANDERSEN}) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 0.0}, "epsilon must be > 0, got 0.0"),
        ({"sigma": float("nan")}, "sigma must be > 0"),
        ({"cutoff": 0.5}, "cutoff must be larger than 0.6 sigma"),
        ({"shift": "both"}, "shift must be 'energy' or 'force', got 'both'"),
        ({"epsilon": ((1.0, 2.0), (1.0, 1.0)), "species": ("A", "B")}, "symmetric matrix by the 2 species"),
        ({"epsilon": ((1.0, 2.0), (2.0, 1.0))}, "symmetric matrix by the 0 species"),
    ],
)
def test_settings_that_make_no_potential(settings: dict[str, object], message: str) -> None:
    with pytest.raises(GlassError, match=message):
        LennardJonesPotential(**settings)  # type: ignore[arg-type]


def test_unknown_species() -> None:
    with pytest.raises(
        GlassError, match=r"'C' .* is unknown to the potential .*; give epsilon, sigma and cutoff for it$"
    ):
        KOB_ANDERSEN.bind(Structure([[0, 0, 0]], [0], ("C",)))
