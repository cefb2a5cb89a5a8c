"""Descriptors side by side seek neighbours together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from glass_core.descriptors.anisotropy import Anisotropy
from glass_core.descriptors.elastic_response import ElasticResponse
from glass_core.descriptors.power_spectrum import PowerSpectrum
from glass_core.descriptors.rows import RowsOf
from glass_core.descriptors.stack import Stack
from glass_core.descriptors.walks import Walk, Walks, walked
from glass_core.neighbours import Neighbours, neighbour_blocks
from glass_core.structure import Ints, Structure
from glass_core.testing import example_glass
from tests.core.test_testing import Counting

SPECIES = ("Cu", "Zr")
PARTS = (
    PowerSpectrum(SPECIES, 3.6, 3, 3, 2),
    ElasticResponse(SPECIES, "contact", shells=2),
    ElasticResponse(SPECIES, "morse", spring_cutoff=5.0, shells=2, radii=(1.3, 1.6)),
    Anisotropy(SPECIES),
)


class Searches:
    """A finder that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, int | None]] = []

    def __call__(self, structure: Structure, cutoff: float, centres: Ints | None = None) -> Iterable[Neighbours]:
        self.asked.append((cutoff, None if centres is None else len(centres)))
        return neighbour_blocks(structure, cutoff, centres, block_atoms=200)


@pytest.mark.parametrize("centres", [None, np.array([5, 300, 77, 5], np.int32)])
def test_rows_are_those_of_each_part(centres: Ints | None) -> None:
    glass = example_glass(SPECIES, cells=6, seed=2)
    alone = np.concatenate([part(glass, centres) for part in PARTS], axis=1)
    np.testing.assert_allclose(Stack(SPECIES, PARTS)(glass, centres, Searches()), alone, atol=1e-10)


def test_what_all_need_of_all_atoms_is_sought_once() -> None:
    glass, find = example_glass(SPECIES, cells=6, seed=2), Searches()
    Stack(SPECIES, PARTS)(glass, None, find)
    assert find.asked == [(5.0, None), (5.0, None)]  # stiffness before response


def test_what_is_needed_of_other_atoms_is_sought_by_itself() -> None:
    glass, find = example_glass(SPECIES, cells=8, seed=2), Searches()
    Stack(SPECIES, PARTS)(glass, np.array([9], np.int32), find)
    # The power spectrum and the anisotropy look at atoms of their own; both networks of springs at the same ones.
    assert len(find.asked) == 4
    assert len({count for _, count in find.asked}) == 4


def test_parts_of_other_kinds_and_other_stacks_stand_beside_them() -> None:
    glass = example_glass(SPECIES, cells=6, seed=2)
    nested, told = Stack(SPECIES, (Stack(SPECIES, PARTS[:2]), Counting(SPECIES), PARTS[3])), list[float]()
    expected = np.concatenate([part(glass) for part in (*PARTS[:2], Counting(SPECIES), PARTS[3])], axis=1)
    rows = nested.prepared(glass, None, Searches(), np.float64, told.append)
    np.testing.assert_allclose(rows(np.arange(glass.n_atoms, dtype=np.int32)), expected, atol=1e-10)
    assert told == sorted(told)
    assert told[-1] <= 1.0


def test_a_part_with_a_preparation_of_its_own_is_asked_for_it() -> None:
    class Twice(PowerSpectrum):
        def prepared(self, *arguments: Any) -> RowsOf:
            rows = super().prepared(*arguments)
            return lambda some: 2 * rows(some)

    glass, part = example_glass(SPECIES, cells=4, seed=2), Twice(SPECIES, 3.6, 3, 3, 2)
    np.testing.assert_array_equal(Stack(SPECIES, (part,))(glass), 2 * PARTS[0](glass))


def test_progress_ends_at_one_with_many_parts() -> None:
    glass, told = example_glass(SPECIES, cells=3, seed=2), list[float]()
    parts = (*[Counting(SPECIES)] * 11, PARTS[0])
    Stack(SPECIES, parts).prepared(glass, None, neighbour_blocks, np.float64, told.append)
    assert told == sorted(told)
    assert max(told) <= 1.0


def test_progress_is_the_mean_of_all() -> None:
    glass, told = example_glass(SPECIES, cells=4, seed=2), list[float]()

    def walks(*done: float) -> Walks[str]:
        for share in done:
            yield Walk(3.0, None, lambda block: None, share)
        return str(done)

    found = walked([walks(1.0), walks(0.5, 1.0), walks()], glass, Searches(), told.append)
    assert found == ["(1.0,)", "(0.5, 1.0)", "()"]
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert any(share == pytest.approx((1 + 0.5 + 1) / 3) for share in told)
