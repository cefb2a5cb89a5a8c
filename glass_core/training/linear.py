"""Trainer of the two-state linear barrier model."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.models.base import ModelCard
from glass_core.models.calibration import StandardError
from glass_core.models.domain import Domain
from glass_core.models.linear import LinearBarrier
from glass_core.settings import Count, NotEmpty, NotNegative, Positive, checked
from glass_core.training.calibration import error_model, uncalibrated
from glass_core.training.config import TrainingConfig
from glass_core.training.moments import Moments, part_moments
from glass_core.training.penalties import best_penalties, penalties
from glass_core.training.rows import Rows, standardisation
from glass_core.training.weights import LabelNoise

Scaling = tuple[NDArray[np.float32], NDArray[np.float32]]
Parts = Mapping[tuple[int, float], Moments]
Candidates = Annotated[tuple[Positive, ...], NotEmpty()]
GATE = "imbalance"
_BLOCK = 8_000
_CHOICES = ("penalty", "growth", "roughness")


@dataclass(frozen=True)
class LinearSettings(LabelNoise):
    """Settings of the two-state linear model.

    Attributes:
        penalty: candidates for λ in the state of rest, of shell 0; see ``penalties``.
        growth: candidates for how many times larger it is with every further shell.
        roughness: candidates for how many times larger it is for angular powers with every step of n and of l.
        best: weights are averaged over this many combinations, those with the least errors on groups left out in turn,
            of those trained on.
        motion_penalty: λ in the state of motion, the same for all features.
        still: Å; copies displaced by at most this belong to the state of rest, the others to motion.
        copies: weight of displaced copies in the state of rest.
        minima: weight of atoms as they are, and of still copies, in the state of motion.
        domain_margin: how many times farther than all but a thousandth of the training atoms an atom must lie
            to be out of domain.
    """

    penalty: Candidates = (200.0,)
    growth: Candidates = (1.0,)
    roughness: Candidates = (1.0,)
    best: Count = 10
    motion_penalty: Positive = 200.0
    still: NotNegative = 0.02
    copies: NotNegative = 0.1
    minima: NotNegative = 0.1
    domain_margin: Positive = 1.25


@dataclass(frozen=True, eq=False)
class _State:
    """What one of the two states is trained on.

    Attributes:
        moments: of standardised features, weighted, by group.
        second_ff: mean of x xᵀ over its own atoms.
        inside_n: rows of its own atoms, which span its domain.
        judged_n: rows whose errors calibrate its standard error.
    """

    moments: Mapping[int, Moments]
    second_ff: NDArray[np.float64]
    inside_n: NDArray[np.bool_]
    judged_n: NDArray[np.bool_]


def train_linear(descriptor: Any, rows: Rows, config: TrainingConfig, seed: int) -> LinearBarrier:
    """``min Σ_i u_i (w·x_i + b − E_i)² + Σ_f λ_f w_f²`` for each state, one member per left-out group.

    Labels of more noise have smaller weights u (see ``LabelNoise``).

    Members differ in their data: each has left out one group of configurations. The gate opens above what still
    copies reach (their 99.9 % quantile) and is fully open where moving copies begin (their 0.1 % quantile).
    Standard errors are calibrated by leaving out each group in turn. All of this is a closed form; ``seed``
    draws the directions in which leverages are measured.

    Raises:
        GlassError: if there are fewer than two groups, no copies in motion, or the states overlap.
    """
    settings: LinearSettings = checked(LinearSettings, config.settings, "settings of linear_barrier")
    if len(rows.groups) < 2:
        raise GlassError(f"linear_barrier needs at least 2 groups of configurations, got {len(rows.groups)}")
    still = rows.displacement_n <= settings.still
    if still.all():
        raise GlassError(f"training needs copies displaced by more than still {settings.still} Å; add to thermal")
    gate = _gate_column(descriptor)
    low = float(np.quantile(rows.features_nf[still, gate], 0.999))
    high = float(np.quantile(rows.features_nf[~still, gate], 0.001))
    if low >= high:
        raise GlassError(f"copies at rest and in motion overlap in {GATE}; raise the displacements in thermal")
    scaling, names = standardisation(rows.features_nf[rows.displacement_n == 0.0]), descriptor.names()
    states = _states(rows, scaling, settings)
    candidates = list(itertools.product(settings.penalty, settings.growth, settings.roughness))
    chosen = best_penalties(states["rest"].moments, names, candidates, settings.best)
    at_rest = [penalties(names, *candidate) for candidate in chosen]
    used = {"rest": at_rest, "motion": [np.full(len(names), settings.motion_penalty)]}
    fitted = {
        name: _fit(state, rows, scaling, used[name], settings, config.domain_quantile, seed)
        for name, state in states.items()
    }
    card = ModelCard("linear", content={"penalties": [dict(zip(_CHOICES, c, strict=True)) for c in chosen]})
    (rest, domain, rest_error), (motion, motion_domain, motion_error) = fitted["rest"], fitted["motion"]
    return LinearBarrier(
        descriptor, *scaling, domain, card, gate, low, high, settings.label_noise, *rest, *motion,
        motion_domain, rest_error, motion_error,
    )  # fmt: skip


def _gate_column(descriptor: Any) -> int:
    """The feature that tells rest from motion: the widest average of the first spring network's imbalance."""
    columns = [column for column, name in enumerate(descriptor.names()) if f"({GATE})" in name]
    spline = [column for column in columns if "spline" in descriptor.names()[column]]
    if not columns:
        raise GlassError(f"linear_barrier needs a descriptor with the feature {GATE}; add kind: elastic_response")
    return (spline or columns)[-1]


def _states(rows: Rows, scaling: Scaling, settings: LinearSettings) -> Mapping[str, _State]:
    """Both states. Sums are over parts of one group and one displacement, which all folds share."""
    displacements = np.unique(rows.displacement_n).tolist()
    rest = [d for d in displacements if d <= settings.still]
    motion = [d for d in displacements if d > settings.still]
    at_rest = {d: settings.copies if d else 1.0 for d in rest}
    moving = {**dict.fromkeys(rest, settings.minima), **dict.fromkeys(motion, 1.0)}
    parts = _parts(rows, displacements, scaling, settings)
    still = rows.displacement_n <= settings.still
    return {
        "rest": _state(parts, at_rest, rest, still, rows.displacement_n == 0.0),
        "motion": _state(parts, moving, motion, ~still, ~still),
    }


def _parts(rows: Rows, displacements: list[float], scaling: Scaling, settings: LinearSettings) -> Parts:
    group, parts = rows.group_s[rows.configuration_n], {}
    weight_n = settings.weights(rows.noise_n)
    for g, displacement in itertools.product(rows.groups, displacements):
        mine = (group == g) & (rows.displacement_n == displacement)
        if mine.any():
            raw = part_moments(
                rows.features_nf[mine], rows.labels_n[mine], None if weight_n is None else weight_n[mine]
            )
            parts[g, displacement] = raw.standardised(*scaling)
    return parts


def _state(
    parts: Parts,
    weights: Mapping[float, float],
    own: list[float],
    inside_n: NDArray[np.bool_],
    judged_n: NDArray[np.bool_],
) -> _State:
    """The state whose parts have these weights, by displacement; ``own`` displacements span its domain."""
    by_group: dict[int, list[Moments]] = {}
    for (group, displacement), part in parts.items():
        by_group.setdefault(group, []).append(part.weighted(weights.get(displacement, 0.0)))
    second = Moments.total(part for (_, displacement), part in parts.items() if displacement in own).second()
    return _State({g: Moments.total(many) for g, many in by_group.items()}, second, inside_n, judged_n)


def _fit(
    state: _State,
    rows: Rows,
    scaling: Scaling,
    used: list[NDArray[np.float64]],
    settings: LinearSettings,
    quantile: float,
    seed: int,
) -> tuple[tuple[NDArray[np.float32], NDArray[np.float64]], Domain, StandardError]:
    """Members (averaged over the penalties used), domain and standard error (with the first of them) of one state."""
    moments, penalty = state.moments, used[0]
    solved = [_mean_fit(Moments.total(m for g, m in moments.items() if g != held), used) for held in moments]
    members = np.array([w for w, _ in solved], dtype=np.float32), np.array([b for _, b in solved])
    draft = Domain.unbounded(state.second_ff)
    domain = draft.bounded(_map(draft.distance, rows, state.inside_n, scaling), quantile, settings.domain_margin)
    residuals, leverages, noises, noise_n = [], [], [], settings.assumed(rows.noise_n)
    group = rows.group_s[rows.configuration_n]
    for held, (weight, constant) in zip(moments, solved, strict=True):
        unseen = uncalibrated(Moments.total(m for g, m in moments.items() if g != held), penalty, seed)
        mine = state.judged_n & (group == held)
        residuals.append(rows.labels_n[mine] - constant - _map(partial(np.dot, b=weight), rows, mine, scaling))
        leverages.append(_map(unseen.leverage, rows, mine, scaling))
        noises.append(noise_n[mine])
    floor, slope = error_model(np.concatenate(residuals), np.concatenate(leverages), np.concatenate(noises))
    error = replace(uncalibrated(Moments.total(moments.values()), penalty, seed), floor=floor, slope=slope)
    return members, domain, error


def _mean_fit(moments: Moments, used: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], float]:
    """Weights and constant, averaged over fits with these penalties."""
    fits = [moments.solve(penalty) for penalty in used]
    return np.mean([w for w, _ in fits], axis=0), float(np.mean([b for _, b in fits]))


def _map(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    rows: Rows,
    chosen_n: NDArray[np.bool_],
    scaling: Scaling,
) -> NDArray[np.float64]:
    """A function of the standardised features of some rows, block by block."""
    index, (mean, std) = np.flatnonzero(chosen_n), scaling
    blocks = (index[first : first + _BLOCK] for first in range(0, len(index), _BLOCK))
    return np.concatenate([function((rows.features_nf[block].astype(np.float64) - mean) / std) for block in blocks])
