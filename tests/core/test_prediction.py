"""predict(): centres in every form, chunks, progress, errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from glass_core import GlassError, PerAtom, Structure, load_model, predict
from glass_core.models.base import DescriptorModel, ModelCard
from glass_core.structure import replace_fields
from tests.core.small_models import small_barrier


@pytest.fixture(scope="module")
def whole(model: DescriptorModel, glass: Structure) -> dict[str, np.ndarray]:
    return {name: out.values for name, out in predict(model, glass).items()}


def test_lengths_in_another_unit_are_refused(model: DescriptorModel, glass: Structure) -> None:
    small = replace_fields(glass, positions_nc=0.1 * glass.positions_nc, cell_cc=0.1 * glass.cell_cc)
    with pytest.raises(
        GlassError, match=r"there are [0-9.]+ atoms per Å³, more than in any solid.*positions and box in Å"
    ):
        predict(model, small)


def test_atoms_on_top_of_each_other_are_named() -> None:
    places = np.random.default_rng(0).uniform(0, 6, (60, 3))
    crowd = Structure(places, np.zeros(60, int), ("Cu",), np.eye(3) * 6, True)
    with pytest.raises(GlassError, match=r"the nearest atoms, \d+ and \d+, are 0.\d+ Å apart: minimise"):
        predict(load_model("linear"), crowd)


@pytest.mark.parametrize(
    "centres",
    [[3, 1, 200], [5, 5, 5, 0, 5], np.array([255]), np.arange(256)[::-1], np.array([7, 9], dtype=np.uint8), (2, 4)],
    ids=["any order", "duplicates", "last", "all reversed", "uint8", "tuple"],
)
@pytest.mark.parametrize("chunk", [None, 1, 3])
def test_indices(model: DescriptorModel, glass: Structure, whole: dict, centres: Any, chunk: int | None) -> None:
    if chunk == 1 and len(centres) > 10:
        centres = centres[:10]
    for name, out in predict(model, glass, centres, chunk_centres=chunk).items():
        np.testing.assert_allclose(out.values, whole[name][np.asarray(centres)], atol=1e-5)


@pytest.mark.parametrize("as_list", [False, True])
def test_mask(model: DescriptorModel, glass: Structure, whole: dict, as_list: bool) -> None:
    mask = glass.symbols() == "Zr"
    found = predict(model, glass, mask.tolist() if as_list else mask)
    for name, out in found.items():
        np.testing.assert_allclose(out.values, whole[name][mask], atol=1e-5)


@pytest.mark.parametrize("centres", [[], np.empty(0, int), np.zeros(256, bool)], ids=["list", "array", "mask"])
def test_nobody_asked_for(model: DescriptorModel, glass: Structure, centres: Any) -> None:
    found = predict(model, glass, centres)
    assert set(found) == set(model.outputs)
    assert all(out.values.shape == (0,) and out.unit == model.outputs[name] for name, out in found.items())


@pytest.mark.parametrize(
    ("centres", "message"),
    [
        ([0, 256], r"centres must lie in 0 … 255, got 0 … 256"),
        ([-1], r"centres must lie in 0 … 255, got -1"),
        ([0.5], "centres must be atom indices or a mask, got float64"),
        ([[1, 2]], r"of shape \(1, 2\)"),
        ([True, False], r"a mask of centres must have shape \(256,\), got \(2,\)"),
    ],
)
def test_centres_that_are_no_atoms(model: DescriptorModel, glass: Structure, centres: Any, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        predict(model, glass, centres)


@pytest.mark.parametrize("most", [0, -3])
def test_chunks_need_a_size(model: DescriptorModel, glass: Structure, most: int) -> None:
    with pytest.raises(GlassError, match=f"chunk_centres must be at least 1, got {most}"):
        predict(model, glass, chunk_centres=most)


@pytest.mark.parametrize("pbc", [(True, True, True), (True, False, True), (False, False, False)])
@pytest.mark.parametrize("most", [1000, 100, 31])
def test_chunked_equals_whole(glass: Structure, pbc: tuple[bool, bool, bool], most: int) -> None:
    committee = small_barrier()
    structure = Structure(glass.positions_nc, glass.types_n, glass.species, glass.cell_cc, pbc)
    expected = committee(structure)
    for name, out in predict(committee, structure, chunk_centres=most).items():
        np.testing.assert_allclose(out.values, expected[name].values, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("most", [None, 50])
def test_progress_rises_to_one(model: DescriptorModel, glass: Structure, most: int | None) -> None:
    told: list[float] = []
    predict(model, glass, progress=told.append, chunk_centres=most)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_progress_can_stop_the_work(model: DescriptorModel, glass: Structure) -> None:
    def stop(fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(model, glass, progress=stop, chunk_centres=50)


def test_types_count_along_the_structures_own_species(model: DescriptorModel, glass: Structure, whole: dict) -> None:
    swapped = Structure(glass.positions_nc, 1 - glass.types_n, ("Zr", "Cu"), glass.cell_cc, True)
    for name, out in predict(model, swapped).items():
        np.testing.assert_allclose(out.values, whole[name], atol=1e-6)


def test_unknown_species_name_the_model(model: DescriptorModel, glass: Structure) -> None:
    other = Structure(glass.positions_nc, glass.types_n, ("Cu", "Fe"), glass.cell_cc, True)
    with pytest.raises(GlassError, match=r"species 'Fe' .* unknown to model '?small"):
        predict(model, other)


def test_no_atoms(model: DescriptorModel) -> None:
    nobody = Structure(np.empty((0, 3)), np.empty(0, int), ("Cu",), np.eye(3) * 9, True)
    assert all(out.values.shape == (0,) for out in predict(model, nobody).values())


@dataclass(frozen=True)
class Broken:
    """Returns NaN for the atom at a place."""

    place: np.ndarray
    card: ModelCard = field(default_factory=ModelCard)
    kind = "broken"
    species = ("Cu", "Zr")
    cutoff = receptive_field = 3.0
    outputs = {"score": ""}  # noqa: RUF012
    chunk_centres = 1000

    def __call__(self, structure: Structure, centres: np.ndarray | None, **_: Any) -> dict[str, PerAtom]:
        there = (structure.positions_nc == self.place).all(axis=1)
        return {"score": PerAtom(np.where(there if centres is None else there[centres], np.nan, 1.0), "")}


@pytest.mark.parametrize(("centres", "atom"), [(None, 2), ([9, 30, 77], 77)])
def test_a_value_that_is_not_finite_names_the_atom(glass: Structure, centres: list[int] | None, atom: int) -> None:
    with pytest.raises(GlassError, match=f"score of atom {atom} is not finite"):
        predict(Broken(glass.positions_nc[atom]), glass, centres)  # type: ignore[arg-type]
