"""Anisotropy of bonds, and the guard that flags strained surroundings by it."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import pytest

from glass_core import GlassError, Structure, load_model, predict
from glass_core.descriptors.anisotropy import Anisotropy
from glass_core.model_file import save_model
from glass_core.models.base import DescriptorModel
from glass_core.models.guard import Guard
from glass_core.neighbours import find_neighbours, neighbour_blocks
from glass_core.structure import replace_fields
from glass_core.testing import check_descriptor, check_model, example_glass
from tests.core.small_models import small_barrier


def slow(structure: Structure, bond: float, cutoff: float, shells: int) -> np.ndarray:
    """By definition, atom by atom."""
    near = find_neighbours(structure, cutoff)
    n = structure.n_atoms
    tensors, features = np.zeros((n, 3, 3)), []
    for i in range(n):
        mine = near.i_p == i
        r, v = near.distances_p[mine], near.vectors_pc[mine]
        f = np.where(r < bond, (1 - (r / bond) ** 2) ** 2, 0.0)
        if f.any():
            unit = v / r[:, None]
            tensors[i] = np.einsum("p,pa,pb->ab", f, unit, unit) / f.sum() - np.eye(3) / 3
    for shell in range(shells + 1):
        if shell:
            before = tensors
            tensors = np.zeros_like(before)
            for i in range(n):
                mine = near.i_p == i
                w = np.exp(-near.distances_p[mine] / cutoff)
                tensors[i] = np.einsum("p,pab->ab", w, before[near.j_p[mine]]) / w.sum() if mine.any() else 0.0
        features.append(np.linalg.norm(tensors, axis=(1, 2)))
    return np.stack(features, axis=1)


@pytest.mark.parametrize("pbc", [True, (True, False, True), False])
def test_definition(pbc: bool | tuple[bool, bool, bool]) -> None:
    glass = example_glass(("Cu", "Zr"), cells=3, seed=3)
    glass = Structure(glass.positions_nc, glass.types_n, glass.species, glass.cell_cc, pbc)
    expected = slow(glass, 3.2, 4.5, 2)
    np.testing.assert_allclose(Anisotropy(("Cu", "Zr"), 3.2, 4.5, 2)(glass), expected, atol=1e-12)
    some = np.array([7, 3, 3, 50])
    np.testing.assert_allclose(Anisotropy(("Cu", "Zr"), 3.2, 4.5, 2)(glass, some), expected[some], atol=1e-12)


def test_contract() -> None:
    check_descriptor(Anisotropy(("Cu", "Zr"), 3.0, 3.6, 2))


def test_bonds_along_a_line_and_lone_atoms() -> None:
    row = Structure([[0, 0, 0], [2, 0, 0], [50, 0, 0]], [0, 0, 0], ("Cu",))
    found = Anisotropy(("Cu",), shells=1)(row)
    np.testing.assert_allclose(found, [[np.sqrt(2 / 3)] * 2] * 2 + [[0, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"species": ()}, "at least one species"),
        ({"bond": 6.0}, r"at most the cutoff of 5.0 Å, got 6.0"),
        ({"bond": 0.0}, "bond must be > 0"),
        ({"shells": -1}, r"shells must lie in 0 … 16, got -1"),
    ],
)
def test_settings_that_are_wrong(settings: dict[str, object], message: str) -> None:
    with pytest.raises(GlassError, match=message):
        Anisotropy(**{"species": ("Cu",), **settings})  # type: ignore[arg-type]


def guarded_model() -> tuple[DescriptorModel, list[Structure]]:
    glasses = [example_glass(("Cu", "Zr"), cells=5, seed=seed) for seed in range(2)]
    guard = Guard.fit(glasses, ("Cu", "Zr"), 0.999)
    return dataclasses.replace(small_barrier(), guard=guard), glasses


def test_a_model_flags_what_its_guard_does(tmp_path: pathlib.Path) -> None:
    model, glasses = guarded_model()
    by = np.eye(3) + 0.15 * np.eye(3, k=1)
    sheared = replace_fields(glasses[0], positions_nc=glasses[0].positions_nc @ by.T, cell_cc=glasses[0].cell_cc @ by.T)
    usual, strained = (predict(model, s)["out_of_domain"].values for s in (glasses[0], sheared))
    alone = predict(small_barrier(), sheared)["out_of_domain"].values.astype(bool)
    assert model.guard is not None
    flagged = model.guard(sheared, None, neighbour_blocks)
    np.testing.assert_array_equal(strained.astype(bool), alone | flagged)
    assert flagged.mean() > usual.mean() + 0.3
    save_model(model, tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(predict(again, sheared)["out_of_domain"].values, strained)
    check_model(again)


def test_a_guard_that_does_not_fit_is_refused() -> None:
    with pytest.raises(GlassError, match=r"guard_limits_f must be 4 floating point numbers"):
        Guard(Anisotropy(("Cu",)), np.ones(3))
    with pytest.raises(GlassError, match="limits of the guard must be > 0"):
        Guard(Anisotropy(("Cu",)), np.zeros(4))
