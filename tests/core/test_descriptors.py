"""Descriptors against a slow second version, and the contract that all descriptors keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glass_core import GlassError, Structure
from glass_core.descriptors.power_spectrum import PowerSpectrum
from glass_core.descriptors.scnn import SCNNDescriptor
from glass_core.testing import check_descriptor, example_glass
from tests.core.slow_expansion import slow_power_spectrum, slow_scnn

NAMES = ("Ag", "Cu", "Nb", "Zr")
SETTINGS = [(8, 9, 2), (1, 1, 0), (3, 4, 1), (10, 2, 3), (2, 12, 0)]


def compact(count: int, seed: int = 3) -> Structure:
    """A few atoms in a small sheared box: every one has images among its neighbours."""
    return example_glass(NAMES[:count], cells=1, spacing=2.6, seed=seed)


@pytest.mark.parametrize("normalisation", ["robust", "paper"])
@pytest.mark.parametrize(("n_max", "l_max", "shells"), SETTINGS)
def test_scnn_equals_its_equations(n_max: int, l_max: int, shells: int, normalisation: str) -> None:
    structure = compact(2)
    chosen = SCNNDescriptor(("Cu", "Ag"), 4.3, n_max, l_max, shells, normalisation)
    expected = slow_scnn(structure, ("Cu", "Ag"), 4.3, n_max, l_max, shells, normalisation)
    np.testing.assert_allclose(chosen(structure), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("n_max", "l_max", "shells"), SETTINGS)
def test_power_spectrum_equals_its_equations(n_max: int, l_max: int, shells: int) -> None:
    structure = compact(2)
    chosen = PowerSpectrum(("Cu", "Ag"), 4.3, n_max, l_max, shells)
    expected = slow_power_spectrum(structure, ("Cu", "Ag"), 4.3, n_max, l_max, shells)
    np.testing.assert_allclose(chosen(structure), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_any_number_of_species(count: int) -> None:
    structure = compact(count, seed=9)
    species = NAMES[:count]
    scnn = SCNNDescriptor(species, 4.0, 4, 3, 1)
    power = PowerSpectrum(species, 4.0, 4, 3, 1)
    np.testing.assert_allclose(scnn(structure), slow_scnn(structure, species, 4.0, 4, 3, 1, "robust"), atol=1e-10)
    np.testing.assert_allclose(power(structure), slow_power_spectrum(structure, species, 4.0, 4, 3, 1), atol=1e-10)
    assert scnn.n_features == 2 * (4 * count + 12)
    assert power.n_features == 2 * (4 * count + 12 * count * (count + 1) // 2)


@pytest.mark.parametrize(
    "descriptor",
    [
        SCNNDescriptor(("Cu", "Zr")),
        SCNNDescriptor(("Cu", "Zr"), normalisation="paper"),
        SCNNDescriptor(("Cu",), cutoff=3.4, n_max=12, l_max=3, shells=0),
        PowerSpectrum(("Cu", "Zr")),
        PowerSpectrum(("Ag", "Cu", "Zr"), cutoff=4.0, shells=1),
    ],
    ids=["scnn", "paper", "local", "power", "three species"],
)
def test_contract(descriptor: SCNNDescriptor | PowerSpectrum) -> None:
    done = check_descriptor(descriptor, seed=4)
    assert "ghosts" in done


@pytest.mark.parametrize("pbc", [(True, True, False), (False, False, False)])
def test_contract_with_open_directions(pbc: tuple[bool, bool, bool], glass: Structure) -> None:
    slab = Structure(glass.positions_nc, glass.types_n, glass.species, glass.cell_cc, pbc)
    check_descriptor(SCNNDescriptor(("Cu", "Zr"), cutoff=3.6, shells=1), slab)


def test_names_tell_columns_apart() -> None:
    chosen = SCNNDescriptor(("Cu", "Zr"))
    names = chosen.names()
    assert len(set(names)) == 264
    assert names[0] == "B0(n=1,Cu)"
    assert names[8] == "B0(n=1,Zr)"
    assert names[48] == "Q0(l=1,n=1)"
    assert names[-1] == "Q2(l=9,n=8)"
    assert PowerSpectrum(("Cu", "Zr"), 5.0, 8, 9, 0).names()[-1] == "Q0(l=9,n=8,Zr-Zr)"


def test_names_match_columns_of_one_species(glass: Structure) -> None:
    """Without Zr atoms, every column that names Zr is zero and no other is."""
    copper = Structure(glass.positions_nc, np.zeros(glass.n_atoms, int), ("Cu",), glass.cell_cc, True)
    for chosen in (SCNNDescriptor(("Cu", "Zr"), shells=1), PowerSpectrum(("Cu", "Zr"), cutoff=5.0, shells=1)):
        zero = ~chosen(copper).any(axis=0)
        assert zero.tolist() == ["Zr" in name for name in chosen.names()]


@pytest.mark.parametrize("kind", [SCNNDescriptor, PowerSpectrum])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"species": ()}, "species must name at least one"),
        ({"cutoff": 0.0}, "cutoff must be > 0 Å, got 0.0"),
        ({"cutoff": np.nan}, "cutoff must be > 0 Å"),
        ({"n_max": 0}, "n_max must lie in 1 … 64, got 0"),
        ({"l_max": 25}, "l_max must lie in 1 … 24, got 25"),
        ({"shells": -1}, "shells must lie in 0 … 16, got -1"),
    ],
)
def test_settings_out_of_range_are_named(kind: type, change: dict, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        kind(**{"species": ("Cu",), **change})


def test_an_unknown_normalisation_is_named() -> None:
    with pytest.raises(GlassError, match="normalisation must be 'robust' or 'paper', got 'other'"):
        SCNNDescriptor(("Cu",), normalisation="other")  # type: ignore[arg-type]


@pytest.mark.parametrize("normalisation", ["robust", "paper"])
def test_lone_atoms_have_zeros(normalisation: str) -> None:
    far = Structure([[0, 0, 0], [50, 0, 0]], [0, 1], ("Cu", "Zr"))
    assert not SCNNDescriptor(("Cu", "Zr"), normalisation=normalisation)(far).any()
    assert not PowerSpectrum(("Cu", "Zr"))(far).any()


def vanishing(n: int, cutoff: float) -> Structure:
    """A centre with two neighbours whose R_n cancel to rounding, so that C(n) of the paper passes through zero."""
    first = 0.97 * cutoff / n
    # R_n is weakly positive there, and falls through zero at r_c / n: bisect for the opposite value.
    low, high = cutoff / n, 1.5 * cutoff / n
    for _ in range(200):
        middle = (low + high) / 2
        total = np.sin(n * np.pi * middle / cutoff) / middle + np.sin(n * np.pi * first / cutoff) / first
        low, high = (middle, high) if total > 0 else (low, middle)
    return Structure([[0, 0, 0], [first, 0, 0], [0, low, 0]], [0, 0, 0], ("Cu",))


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("offset", [0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3])
def test_paper_normalisation_stays_finite_where_it_vanishes(n: int, offset: float) -> None:
    structure = vanishing(n, 5.0)
    moved = structure.positions_nc.copy()
    moved[2, 1] += offset
    structure = Structure(moved, structure.types_n, structure.species)
    paper = SCNNDescriptor(("Cu",), shells=2, normalisation="paper")
    features = paper(structure)
    assert np.isfinite(features).all()
    column = paper.names().index(f"Q0(l=1,n={n})")
    if offset <= 1e-9:
        assert features[0, column] > 1e5
    robust = SCNNDescriptor(("Cu",), shells=2)(structure)
    angular = [f for f, name in enumerate(paper.names()) if name.startswith("Q")]
    assert robust[:, angular].max() <= 1 + 1e-12


def test_an_atom_at_the_cutoff_enters_smoothly() -> None:
    for chosen in (SCNNDescriptor(("Cu",), shells=0), PowerSpectrum(("Cu",), cutoff=5.0, shells=0)):
        values = []
        for r in (5.0 - 1e-7, 5.0 + 1e-7):
            structure = Structure([[0, 0, 0], [2.3, 0, 0], [0, r, 0]], [0, 0, 0], ("Cu",))
            values.append(chosen(structure, np.array([0])))
        np.testing.assert_allclose(values[0], values[1], atol=1e-5)


def test_call_takes_centres_in_any_order_and_twice(glass: Structure) -> None:
    chosen = SCNNDescriptor(("Cu", "Zr"), shells=1)
    asked = np.array([9, 3, 3, 200])
    np.testing.assert_allclose(chosen(glass, asked), chosen(glass)[asked], atol=1e-12)
    assert chosen(glass, np.empty(0, int)).shape == (0, chosen.n_features)


def test_same_numbers_from_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = SCNNDescriptor(("Cu", "Zr"))
    glass = example_glass(("Cu", "Zr"), cells=6)
    results = []
    for threads in ("1", "3", "8"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        results.append(chosen(glass))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


lengths = st.floats(2.2, 6.0)
tilts = st.floats(-3.0, 3.0)


@settings(max_examples=25, deadline=None)
@given(st.tuples(lengths, lengths, lengths), st.tuples(tilts, tilts, tilts), st.tuples(*[st.booleans()] * 3))
def test_any_box_gives_the_slow_version(diagonal, tilt, pbc) -> None:
    cell = np.diag(diagonal)
    cell[np.tril_indices(3, -1)] = tilt
    positions = np.array([[0.05, 0.1, 0.15], [0.5, 0.45, 0.6]]) @ cell
    structure = Structure(positions, [0, 1], ("Cu", "Zr"), cell, pbc)
    expected = slow_scnn(structure, ("Cu", "Zr"), 3.5, 3, 2, 1, "robust")
    found = SCNNDescriptor(("Cu", "Zr"), 3.5, 3, 2, 1)(structure)
    np.testing.assert_allclose(found, expected, atol=1e-8)
