"""How well the mean barriers of a campaign would agree with those of another one, equal but for its seed."""

from __future__ import annotations

import math

import numpy as np

from glass_core.campaign.statistics import Moments
from glass_core.metrics import reliability

LEAST_ATOMS = 30
"""Labelled atoms below which a correlation says nothing."""
_GROUPS = 30


def expected_retest(sums: Moments) -> tuple[float, float]:
    """The correlation to expect between the two, over atoms, and its standard error; nan for fewer than 30 atoms.

    It is r = 1 − e² / s², with e² the mean squared error of the means, from shrunk variances, and s² the variance of
    the means over atoms. Its error is that of the jackknife: the m-th of 30 estimates leaves out every 30th atom from
    the m-th on, and Δr² = 29 / 30 Σ (r_m − mean r_m)² (B. Efron, The Jackknife, the Bootstrap and Other Resampling
    Plans (1982), doi:10.1137/1.9781611970319).

    Args:
        sums: of the searches.
    """
    labelled = np.flatnonzero(sums.counted_n > 0)
    if len(labelled) < LEAST_ATOMS:
        return math.nan, math.nan
    group_n = np.arange(len(labelled)) % _GROUPS
    parts = np.array([_correlation(sums.of(labelled[group_n != group])) for group in range(_GROUPS)])
    error = math.sqrt((_GROUPS - 1) / _GROUPS * float(((parts - parts.mean()) ** 2).sum()))
    return max(0.0, _correlation(sums.of(labelled))), error


def _correlation(sums: Moments) -> float:
    """r of atoms all of which have a barrier."""
    return reliability(sums.mean_n, sums.shrunk_error())
