"""Barriers per atom from its searches: mean, quantiles, errors.

Searches whose saddle does not count (``ArtnSettings.counted``) are attempts without a barrier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glass_core.structure import Floats

WITHIN = 0.58
"""Standard deviation of the barriers of one atom, eV, before there are data (Cu64Zr36, preset bauchy2024)."""
_POOLED_WEIGHT = 20.0
_ATOM_WEIGHT = 5.0

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the barriers of each atom.

    Attributes:
        searches_n: attempts, shape (n,).
        counted_n: of these, such as gave a barrier.
        mean_n: of the barriers, eV; nan where there is none.
        squares_n: Σ (b − mean)², eV²; 0 where there is none.
    """

    searches_n: Counts
    counted_n: Counts
    mean_n: Floats
    squares_n: Floats

    @property
    def pooled_variance(self) -> float:
        """Mean variance within an atom, eV²: (ν s² + Σ squares) / (ν + Σ (k − 1)).

        s is ``WITHIN`` and counts as ν = 20 further barriers, so that it decides for the first few only.
        """
        freedom = np.maximum(self.counted_n - 1, 0).sum()
        return float((_POOLED_WEIGHT * WITHIN**2 + self.squares_n.sum()) / (_POOLED_WEIGHT + freedom))

    @property
    def measured_variance(self) -> float:
        """Mean variance within an atom by the barriers alone, eV²: Σ squares / Σ (k − 1); nan where no atom has two."""
        freedom = int(np.maximum(self.counted_n - 1, 0).sum())
        return float(self.squares_n.sum() / freedom) if freedom else float("nan")

    def within_variance(self) -> Floats:
        """Variance of the barriers of each atom, eV², shrunk towards the pooled one, shape (n,).

        σᵢ² = (ν σ² + squaresᵢ) / (ν + kᵢ − 1) with ν = 5: a few barriers say little of their own spread, and atoms
        that come out narrow by chance must not be called known.
        """
        freedom = np.maximum(self.counted_n - 1, 0)
        return (_ATOM_WEIGHT * self.pooled_variance + self.squares_n) / (_ATOM_WEIGHT + freedom)

    def shrunk_error(self) -> Floats:
        """Standard error of each mean, eV, from the shrunk variance: σᵢ / √kᵢ; infinite for no barrier."""
        with np.errstate(divide="ignore"):
            return np.sqrt(self.within_variance() / self.counted_n)

    def of(self, atoms_m: NDArray[np.integer]) -> Moments:
        """The sums of some atoms."""
        return Moments(self.searches_n[atoms_m], self.counted_n[atoms_m], self.mean_n[atoms_m], self.squares_n[atoms_m])

    @property
    def yielding(self) -> float:
        """Share of searches that give a barrier; 0.7 counts as two searches, so that it is defined for none."""
        return float((self.counted_n.sum() + 1.4) / (self.searches_n.sum() + 2.0))


@dataclass(frozen=True, eq=False)
class Statistics:
    """What the searches say of each atom; nan where there is no barrier, shapes (n,).

    Attributes:
        moments: attempts, barriers, their means.
        std_n: deviation of an atom's barriers (k − 1 in the denominator), eV; nan for fewer than two.
        error_n: standard error of the mean, std / √k, eV; nan for fewer than two.
        median_n, q10_n, q90_n: quantiles of the barriers, eV, as ``numpy.quantile`` interpolates them.
    """

    moments: Moments
    std_n: Floats
    error_n: Floats
    median_n: Floats
    q10_n: Floats
    q90_n: Floats

    @property
    def labelled_n(self) -> NDArray[np.bool_]:
        """Atoms with a mean barrier."""
        return self.moments.counted_n > 0

    @property
    def noise(self) -> float:
        """Root mean square of the standard errors of all labelled atoms, eV, variances shrunk."""
        errors = self.moments.shrunk_error()[self.labelled_n]
        return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")


def moments(barriers_ns: Floats, searches_n: Counts) -> Moments:
    """Sums per atom.

    Args:
        barriers_ns: a row per atom, a column per search, eV; nan where there is no barrier.
        searches_n: attempts of each atom.
    """
    known = np.isfinite(barriers_ns)
    counted = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, barriers_ns, 0.0).sum(axis=1) / counted
    squares = np.where(known, (barriers_ns - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return Moments(searches_n, counted, mean, squares)


def by_atom(atom_r: ArrayLike, barrier_r: ArrayLike, n_atoms: int) -> tuple[Floats, Counts]:
    """Barriers as a row per atom, filled up with nan, and the number of searches of each atom."""
    atoms, barriers = np.asarray(atom_r, dtype=np.int64), np.asarray(barrier_r, dtype=np.float64)
    counts = np.bincount(atoms, minlength=n_atoms)
    order = np.argsort(atoms, kind="stable")
    place = np.arange(len(atoms)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = np.full((n_atoms, int(counts.max(initial=0))), np.nan)
    rows[atoms[order], place] = barriers[order]
    return rows, counts


def statistics(barriers_ns: Floats, searches_n: Counts) -> Statistics:
    """Statistics per atom; arguments as for ``moments``."""
    sums = moments(barriers_ns, searches_n)
    k = sums.counted_n
    with np.errstate(invalid="ignore", divide="ignore"):
        std = np.where(k > 1, np.sqrt(sums.squares_n / (k - 1)), np.nan)
        error = std / np.sqrt(k)
    ranked = np.sort(barriers_ns, axis=1)  # nan last
    median, low, high = (_quantile(ranked, k, share) for share in (0.5, 0.1, 0.9))
    return Statistics(sums, std, error, median, low, high)


def _quantile(ranked_ns: Floats, count_n: Counts, share: float) -> Floats:
    """Quantile of the first ``count`` entries of each row, linear between ranks."""
    result = np.full(len(ranked_ns), np.nan)
    some = np.flatnonzero(count_n)
    rank = share * (count_n[some] - 1)
    below = np.floor(rank).astype(np.int64)
    above = np.minimum(below + 1, count_n[some] - 1)
    low, high = ranked_ns[some, below], ranked_ns[some, above]
    result[some] = low + (high - low) * (rank - below)
    return result
