"""The correlation to expect with a second campaign, against second campaigns."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core.campaign.retest import LEAST_ATOMS, expected_retest
from glass_core.campaign.statistics import Moments, moments


def campaigns(random: np.random.Generator, atoms: int, searches: int, number: int) -> list[Moments]:
    """Of the same atoms, 70 % of the searches accepted."""
    means = 1.7 + 0.3 * random.standard_normal(atoms)
    found = []
    for _ in range(number):
        barriers = means[:, None] + 0.5 * random.standard_normal((atoms, searches))
        barriers[random.random(barriers.shape) > 0.7] = np.nan
        found.append(moments(barriers, np.full(atoms, searches)))
    return found


def test_it_is_the_correlation_of_two_campaigns(random: np.random.Generator) -> None:
    first, second = campaigns(random, 3000, 8, 2)
    both = (first.counted_n > 0) & (second.counted_n > 0)
    r = np.corrcoef(first.mean_n[both], second.mean_n[both])[0, 1]
    expected, error = expected_retest(first)
    assert expected == pytest.approx(r, abs=0.04)
    assert 0.005 < error < 0.02


@pytest.mark.parametrize(("atoms", "searches"), [(40, 8), (200, 20)])
def test_its_error_is_its_scatter(random: np.random.Generator, atoms: int, searches: int) -> None:
    found = np.array([expected_retest(campaigns(random, atoms, searches, 1)[0]) for _ in range(200)])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.25)


def test_a_handful_of_atoms_says_nothing(random: np.random.Generator) -> None:
    few = campaigns(random, LEAST_ATOMS, 20, 1)[0]
    assert np.isfinite(expected_retest(few)).all()
    assert np.isnan(expected_retest(few.of(np.arange(LEAST_ATOMS - 1)))).all()


def test_atoms_without_a_barrier_play_no_part(random: np.random.Generator) -> None:
    some = campaigns(random, 50, 6, 1)[0]
    more = Moments(*(np.concatenate([a, b]) for a, b in zip(vars(some).values(), nothing(7), strict=True)))
    assert expected_retest(more) == pytest.approx(expected_retest(some))


def nothing(atoms: int) -> list[np.ndarray]:
    return list(vars(moments(np.full((atoms, 6), np.nan), np.full(atoms, 6))).values())


def test_atoms_that_are_all_alike_correlate_by_nothing() -> None:
    barriers = np.tile([1.0, 2.0], (40, 1))
    assert expected_retest(moments(barriers, np.full(40, 2))) == (0.0, 0.0)
