"""Trainer of the two-state linear barrier model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.models.base import ModelCard
from glass_core.models.domain import Domain
from glass_core.models.linear import LinearBarrier
from glass_core.settings import NotNegative, Positive, checked
from glass_core.training.barrier import Moments
from glass_core.training.config import TrainingConfig
from glass_core.training.rows import Rows, standardisation

GATE = "imbalance"


@dataclass(frozen=True)
class LinearSettings:
    """Settings of the two-state linear model.

    Attributes:
        penalty: λ of both ridge regressions.
        still: Å; copies displaced by at most this belong to the state of rest, the others to motion.
        copies: weight of displaced copies in the state of rest.
        minima: weight of atoms as they are, and of still copies, in the state of motion.
        domain_margin: how many times farther than all but a thousandth of the training atoms an atom must lie
            to be out of domain.
    """

    penalty: Positive = 200.0
    still: NotNegative = 0.02
    copies: NotNegative = 0.1
    minima: NotNegative = 0.1
    domain_margin: Positive = 1.25


def train_linear(descriptor: Any, rows: Rows, config: TrainingConfig, seed: int) -> LinearBarrier:
    """``min Σ_i u_i (w·x_i + b − E_i)² + λ|w|²`` for each state, one member per left-out group.

    Members differ in their data: each has left out one group of configurations. The gate opens above what still
    copies reach (their 99.9 % quantile) and is fully open where moving copies begin (their 0.1 % quantile).
    """
    del seed  # closed form
    settings: LinearSettings = checked(LinearSettings, config.settings, "settings of linear_barrier")
    mean, std = standardisation(rows.features_nf[rows.displacement_n == 0.0])
    x = ((rows.features_nf - mean) / std).astype(np.float32)
    still = rows.displacement_n <= settings.still
    if still.all():
        raise GlassError(f"training needs copies displaced by more than still {settings.still} Å; add to thermal")
    gate = _gate_column(descriptor)
    low = float(np.quantile(rows.features_nf[still, gate], 0.999))
    high = float(np.quantile(rows.features_nf[~still, gate], 0.001))
    if low >= high:
        raise GlassError(f"copies at rest and in motion overlap in {GATE}; raise the displacements in thermal")
    at_rest = np.where(rows.displacement_n == 0.0, 1.0, settings.copies) * still
    moving = np.where(still, settings.minima, 1.0)
    rest, motion = (_members(x, rows, weight, settings.penalty) for weight in (at_rest, moving))
    domains = [
        Domain.fit(x[state], quantile=config.domain_quantile, margin=settings.domain_margin)
        for state in (still, ~still)
    ]
    return LinearBarrier(
        descriptor, mean, std, domains[0], ModelCard("barrier"), gate, low, high, *rest, *motion, domains[1]
    )


def _gate_column(descriptor: Any) -> int:
    """The feature that tells rest from motion: the widest average of the first spring network's imbalance."""
    columns = [column for column, name in enumerate(descriptor.names()) if f"({GATE})" in name]
    spline = [column for column in columns if "spline" in descriptor.names()[column]]
    if not columns:
        raise GlassError(f"linear_barrier needs a descriptor with the feature {GATE}; add kind: elastic_response")
    return (spline or columns)[-1]


def _members(
    x: NDArray[np.float32], rows: Rows, weight_n: NDArray[np.float64], penalty: Positive
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Weights and constants of the members, one per left-out group."""
    group = rows.group_s[rows.configuration_n]
    used = weight_n > 0
    moments = {
        g: Moments.of(x[used & (group == g)], rows.labels_n[used & (group == g)], weight_n[used & (group == g)])
        for g in rows.groups
    }
    solved = [Moments.total(m for g, m in moments.items() if g != held).solve(penalty) for held in rows.groups]
    return np.array([w for w, _ in solved], dtype=np.float32), np.array([b for _, b in solved])


TRAINERS: Mapping[str, Any] = {"linear_barrier": train_linear}
