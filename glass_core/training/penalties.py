"""Which features a linear model penalises how much."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from glass_core.training.moments import Moments

Candidate = tuple[float, float, float]
_NAME = re.compile(r"(\d+:)*[A-Za-z]+(?P<shell>\d+)\((l=(?P<l>\d+),n=(?P<n>\d+))?")


def penalties(names: list[str], penalty: float, growth: float, roughness: float) -> NDArray[np.float64]:
    """λ of each feature in the state of rest: ``penalty growth^k``, for angular powers times ``roughness^(n + l)``.

    Standardised features weigh what varies little as much as what varies a lot. Averages over k shells vary the
    less the larger k is, and mostly between configurations, of which there are few; angular powers are many, and
    those of high n and l follow details that barriers do not depend on. k, n and l are told by names, as in
    ``1:Q3(l=2,n=1,Cu-Zr)``; a name of another form is that of a feature of shell 0.

    >>> penalties(["1:B1(n=2,Cu)", "1:Q1(l=1,n=2,Cu-Cu)"], 0.5, growth=10.0, roughness=2.0).tolist()
    [5.0, 40.0]
    """
    found = [_NAME.match(name) for name in names]
    shells = np.array([int(match["shell"]) if match else 0 for match in found])
    orders = np.array([int(match["l"]) + int(match["n"]) if match and match["l"] else 0 for match in found])
    return np.asarray(penalty * growth**shells * roughness**orders)


def best_penalties(
    moments: Mapping[int, Moments], names: list[str], candidates: list[Candidate], count: int
) -> list[Candidate]:
    """Those of the candidates with the least squared errors on groups left out in turn, the best one first.

    Args:
        moments: of standardised features, by group.
        names: of the features.
        candidates: penalty, growth, roughness; returned as they are if there are no more than ``count``.
        count: how many to return.
    """
    if len(candidates) <= count:
        return candidates

    others = {held: Moments.total(m for g, m in moments.items() if g != held) for held in moments}

    def error(candidate: Candidate) -> float:
        penalty = penalties(names, *candidate)
        return sum(unseen.squared_error(*others[held].solve(penalty)) for held, unseen in moments.items())

    return sorted(candidates, key=error)[:count]
