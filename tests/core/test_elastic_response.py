"""Elastic response: an independent slow version, physics of known lattices, and the contract."""

from __future__ import annotations

import math

import numpy as np
import pytest

from glass_core import Structure
from glass_core.descriptors.base import described
from glass_core.descriptors.elastic_response import NAMES, ElasticResponse
from glass_core.descriptors.springs import SplinePairs, basis, law_table
from glass_core.descriptors.stack import Stack
from glass_core.errors import GlassError
from glass_core.registry import make
from glass_core.testing import check_descriptor, example_glass
from tests.core.slow_response import SlowResponse

MORSE = {"law": "morse", "radii": (1.3, 1.5), "spring_cutoff": 4.5, "radius": 4.0, "steepness": 1.2}
SETTINGS = {"contact": {"law": "contact", "radius": 4.0}, "morse": MORSE}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("cells", [2, 4])
def test_kernel_agrees_with_dense_matrices(name: str, cells: int) -> None:
    """Also in a box smaller than the region, where several images of one atom are several atoms."""
    structure = example_glass(("Cu", "Zr"), cells=cells, seed=5)
    descriptor = ElasticResponse(("Cu", "Zr"), shells=0, **SETTINGS[name])
    slow = SlowResponse(descriptor, structure)
    for i in (0, 7, 21):
        fast = dict(zip(NAMES, descriptor(structure, np.array([i]))[0], strict=True))
        for feature, value in slow.features(i).items():
            assert fast[feature] == pytest.approx(value, abs=2e-4), feature


@pytest.mark.parametrize("name", SETTINGS)
def test_contract(name: str) -> None:
    descriptor = ElasticResponse(("Cu", "Zr"), shells=1, **SETTINGS[name])
    assert {"ghosts", "edges"} <= set(check_descriptor(descriptor, tolerance=1e-5))


def test_nothing_gives_way_in_a_perfect_crystal_under_strain() -> None:
    """Every atom of a Bravais lattice is an inversion centre: strain causes no force."""
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * 4.0
    cells = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 1, 3) * 4.0
    crystal = Structure((fcc + cells).reshape(-1, 3), np.zeros(108, int), ("Cu",), np.eye(3) * 12, True)
    row = dict(zip(NAMES, ElasticResponse(("Cu",), spring_cutoff=3.9, shells=0)(crystal)[0], strict=True))
    assert row["strain_force"] == pytest.approx(math.log(1e-6), abs=1e-3)
    assert row["imbalance"] == pytest.approx(math.log(1e-4), abs=1e-3)
    # 12 contacts at 2.83 Å, each 1 eV/Å² along its line: Σ r̂ r̂ᵀ = 4 I.
    assert row["rigidity_1"] == row["rigidity_3"] == pytest.approx(math.asinh(4.0), abs=1e-5)


def test_a_lone_atom_has_only_its_softness() -> None:
    lone = Structure([[0.0, 0, 0]], [0], ("Cu",))
    row = dict(zip(NAMES, ElasticResponse(("Cu",), shells=1)(lone)[0], strict=False))
    assert row["compliance"] == pytest.approx(math.log(3 / 0.05), abs=1e-3)


def test_imbalance_tells_vibration_from_rest(glass: Structure, random: np.random.Generator) -> None:
    descriptor = ElasticResponse(("Cu", "Zr"), shells=0, **MORSE)
    column = NAMES.index("imbalance")
    moved = Structure(
        glass.positions_nc + random.normal(0, 0.3, glass.positions_nc.shape),
        glass.types_n, glass.species, glass.cell_cc, glass.pbc,
    )  # fmt: skip
    assert descriptor(moved)[:, column].mean() > descriptor(glass)[:, column].mean()


def test_unstable_springs_stay_finite(glass: Structure) -> None:
    steep = ElasticResponse(("Cu", "Zr"), law="morse", radii=(1.0, 1.1), steepness=3.0, spring_cutoff=5.0, shells=0)
    assert np.isfinite(steep(glass)).all()


def test_spline_law_is_the_derivative_of_its_potential() -> None:
    knots = (1.6, 2.0, 2.5, 3.0, 4.0, 5.0)
    coefficients = tuple(np.random.default_rng(0).normal(size=len(knots) - 1).tolist())
    pairs = SplinePairs(knots, (coefficients,))
    r = np.linspace(1.7, 4.9, 40)
    first, second = pairs.derivatives(r, 0)
    potential = lambda x: basis(knots, x, 0) @ np.array(coefficients)  # noqa: E731
    h = 1e-5
    np.testing.assert_allclose(first, (potential(r + h) - potential(r - h)) / (2 * h), atol=1e-6)
    slopes = [pairs.derivatives(r + shift, 0)[0] for shift in (h, -h)]
    np.testing.assert_allclose(second, (slopes[0] - slopes[1]) / (2 * h), atol=1e-4)
    np.testing.assert_allclose(basis(knots, np.array([5.0]), 0), 0.0, atol=1e-12)
    table = law_table("spline", (0.0,), 1.0, 5.0, pairs)
    at = round(3.0 / 0.005)
    assert table[0, at, 0] == pytest.approx(pairs.derivatives(np.array([3.0]), 0)[0][0] / 3.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"law": "hooke"}, "law must be"),
        ({"radius": 0.5}, "radius must be at least 1.0"),
        ({"law": "morse"}, "radii must be one per species"),
        ({"shells": 17}, "shells must lie in"),
        ({"spring_cutoff": float("nan")}, "spring_cutoff must be"),
    ],
)
def test_wrong_settings_are_named(settings: dict, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        ElasticResponse(("Cu", "Zr"), **settings)


def test_stack_joins_its_parts(glass: Structure) -> None:
    parts = ({"kind": "power_spectrum", "shells": 0}, {"kind": "elastic_response", "shells": 0})
    stack = Stack(("Cu", "Zr"), parts)
    joined = stack(glass, np.array([3, 1]))
    np.testing.assert_array_equal(joined[:, 120:], stack.parts[1](glass, np.array([3, 1])))
    assert stack.receptive_field == max(part.receptive_field for part in stack.parts)
    assert make("descriptor", described(stack), "the stack") == stack
    check_descriptor(stack, tolerance=1e-5)
