"""Statistics against numpy, and estimates against what the barriers were drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glass_core.campaign.posterior import posterior
from glass_core.campaign.statistics import WITHIN, by_atom, moments, statistics


def drawn(rng: np.random.Generator, n: int, k: int, within: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """True means, and barriers of which 30 % are missing."""
    means = 1.7 + 0.3 * rng.standard_normal(n)
    barriers = means[:, None] + within * rng.standard_normal((n, k))
    barriers[rng.random((n, k)) > 0.7] = np.nan
    return means, barriers


def test_against_numpy(random: np.random.Generator) -> None:
    _, barriers = drawn(random, 40, 12)
    barriers[3], barriers[4, 1:], barriers[5, 2:] = np.nan, np.nan, np.nan
    barriers[4, 0], barriers[5, :2] = 1.0, (1.0, 2.0)
    counts = np.full(40, 12)
    s = statistics(barriers, counts)
    for a, row in enumerate(barriers):
        b = row[np.isfinite(row)]
        assert s.moments.counted_n[a] == len(b)
        if not len(b):
            values = (s.moments.mean_n, s.median_n, s.q10_n, s.q90_n, s.std_n, s.error_n)
            assert all(np.isnan(v[a]) for v in values)
            continue
        assert s.moments.mean_n[a] == pytest.approx(b.mean())
        assert s.median_n[a] == pytest.approx(np.median(b))
        assert s.q10_n[a] == pytest.approx(np.quantile(b, 0.1))
        assert s.q90_n[a] == pytest.approx(np.quantile(b, 0.9))
        if len(b) > 1:
            assert s.std_n[a] == pytest.approx(b.std(ddof=1))
            assert s.error_n[a] == pytest.approx(b.std(ddof=1) / np.sqrt(len(b)))
        else:
            assert np.isnan(s.error_n[a])
    np.testing.assert_array_equal(s.labelled_n, np.isfinite(barriers).any(axis=1))


def test_rows_per_atom(random: np.random.Generator) -> None:
    atoms = np.array([2, 0, 2, 2, 5])
    rows, counts = by_atom(atoms, np.arange(5.0), 6)
    assert counts.tolist() == [1, 0, 3, 0, 0, 1]
    np.testing.assert_array_equal(rows[2], [0, 2, 3])
    np.testing.assert_array_equal(rows[5], [4, np.nan, np.nan])
    assert by_atom([], [], 3)[0].shape == (3, 0)
    assert statistics(*by_atom([], [], 3)).labelled_n.sum() == 0


def test_variances_are_pooled(random: np.random.Generator) -> None:
    _, barriers = drawn(random, 2000, 10)
    sums = moments(barriers, np.full(2000, 10))
    assert np.sqrt(sums.pooled_variance) == pytest.approx(0.5, abs=0.01)
    nothing = moments(np.full((3, 2), np.nan), np.full(3, 2))
    assert np.sqrt(nothing.pooled_variance) == pytest.approx(WITHIN)
    assert np.isinf(nothing.shrunk_error()).all()


def test_a_spread_that_nobody_measured_is_not_told() -> None:
    """The prior WITHIN decides on errors of the first few barriers, but is no result."""
    alone = moments(np.array([[1.0], [2.0]]), np.ones(2))
    assert np.isnan(alone.measured_variance)
    assert moments(np.array([[1.0, 2.0], [3.0, np.nan]]), np.full(2, 2)).measured_variance == pytest.approx(0.5)


def test_errors_say_how_far_means_are_off(random: np.random.Generator) -> None:
    """Shrunk errors cover at few searches too, where the plain ones do not."""
    means, barriers = drawn(random, 4000, 4)
    s = statistics(barriers, np.full(4000, 4))
    off = (s.moments.mean_n - means)[s.labelled_n]
    pull = off / s.moments.shrunk_error()[s.labelled_n]
    assert pull.std() == pytest.approx(1.0, abs=0.05)
    assert np.sqrt(np.mean(off**2)) == pytest.approx(s.noise, rel=0.05)


def test_posterior_against_numbers_worked_out_by_hand() -> None:
    """One atom, N(1, 0.2²) before, four barriers of mean 2 and variance 0.25 after; no room for shift and scale."""
    n = 4000
    prior, std = np.full(n, 1.0), np.full(n, 0.2)
    barriers = np.full((n, 4), np.nan)
    sums = moments(barriers, np.full(n, 4))
    none = posterior(sums, prior, std)
    np.testing.assert_allclose(none.mean_n, 1.0)
    np.testing.assert_allclose(none.error_n, 0.2)
    assert (none.shift, none.factor) == (0.0, 1.0)
    barriers[0] = 2 + 0.5 * np.sqrt(3 / 4) * np.array([-1, -1, 1, 1])
    one = moments(barriers, np.full(n, 4))
    result = posterior(one, prior, std)
    variance = one.within_variance()[0]
    tau, centre = result.prior_std_n[0] ** 2, result.prior_n[0]
    precision = 1 / tau + 4 / variance
    assert result.error_n[0] == pytest.approx(precision**-0.5)
    assert result.mean_n[0] == pytest.approx((centre / tau + 4 * 2.0 / variance) / precision)
    assert result.mean_n[1] == pytest.approx(centre)


def test_one_barrier_says_next_to_nothing_of_the_scale_of_a_prior() -> None:
    barriers = np.full((100, 1), np.nan)
    barriers[0] = 1.5
    result = posterior(moments(barriers, np.full(100, 1)), np.full(100, 1.5), np.full(100, 0.13))
    assert result.factor == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("atoms", "true"), [(100, 9.0), (1000, 9.0), (100, 0.25)])
def test_the_scale_of_a_prior_is_held_at_one_by_ten_atoms(random: np.random.Generator, atoms: int, true: float) -> None:
    """Of atoms that are known exactly: (F n + 10) / (n + 10)."""
    off = random.standard_normal(atoms)
    off *= 0.1 * np.sqrt(true) / np.sqrt(np.mean((off - off.mean()) ** 2))
    barriers = 1.5 + (off - off.mean())[:, None] + 1e-6 * random.standard_normal((atoms, 4))
    sums = replace(moments(barriers, np.full(atoms, 4)), counted_n=np.full(atoms, 10**7))
    result = posterior(sums, np.full(atoms, 1.5), np.full(atoms, 0.1))
    assert result.factor == pytest.approx((true * atoms + 10) / (atoms + 10), rel=0.01)


def test_shift_and_scale_of_a_prior_are_learned(random: np.random.Generator) -> None:
    n = 3000
    claimed = random.uniform(0.1, 0.3, n)
    prior = random.normal(1.5, 0.3, n)
    means = prior + 0.25 + 1.5 * claimed * random.standard_normal(n)
    barriers = means[:, None] + 0.5 * random.standard_normal((n, 6))
    result = posterior(moments(barriers, np.full(n, 6)), prior, claimed)
    assert result.shift == pytest.approx(0.25, abs=0.03)
    assert result.factor == pytest.approx(1.5**2, rel=0.15)
    pull = (result.mean_n - means) / result.error_n
    assert pull.std() == pytest.approx(1.0, abs=0.05)
    assert pull.mean() == pytest.approx(0.0, abs=0.07)
    assert np.mean((result.mean_n - means) ** 2) < np.mean((np.nanmean(barriers, axis=1) - means) ** 2)
