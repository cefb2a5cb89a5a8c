"""Trainers of barrier regressors in eV: a committee of networks, and ridge regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError, require_package
from glass_core.metrics import pearson
from glass_core.models.base import ModelCard
from glass_core.models.committee import BarrierCommittee
from glass_core.models.domain import Domain
from glass_core.models.networks import Layers
from glass_core.settings import NotEmpty, Positive, Range, Whole, checked
from glass_core.training import network
from glass_core.training.config import TrainingConfig
from glass_core.training.moments import Moments
from glass_core.training.rows import Rows, standardisation
from glass_core.training.weights import LabelNoise

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]


@dataclass(frozen=True)
class CommitteeSettings(network.NetworkSettings, LabelNoise):
    """Settings of the committee, besides those of its networks and of the labels.

    Attributes:
        networks: networks per validation group.
        linear: ridge members per validation group, 0 or 1.
        penalty: λ of the ridge members.
    """

    networks: Whole = 1
    linear: Annotated[int, Range(least=0, most=1)] = 1
    penalty: Positive = 30.0

    def __post_init__(self) -> None:
        if not (self.networks or self.linear):
            raise GlassError("networks and linear must not both be 0, that leaves no members")


def train_committee(descriptor: Any, rows: Rows, config: TrainingConfig, seed: int) -> BarrierCommittee:
    """A committee on ``rows``: each group in turn is held out while members are trained on the others.

    Networks stop early on the held-out group; ridge members do not need it. So every row is used, no
    member stops on a configuration it has seen, and members differ in data as well as in weights.
    Displaced copies of atoms are seen by the ridge members and by the domain. Labels of more noise count less.
    """
    settings: CommitteeSettings = checked(CommitteeSettings, config.settings, "settings of the committee")
    measured = rows.displacement_n == 0.0
    trust = settings.trust(rows.noise_n)
    weight = trust * np.where(measured, 1.0, config.thermal_weight)
    mean, std = standardisation(rows.features_nf[measured])
    centre, scale = float(rows.labels_n.mean()), float(rows.labels_n.std())
    x = _standard(rows, mean, std)
    target = ((rows.labels_n - centre) / scale).astype(np.float32)
    weighed = np.stack([target, trust.astype(np.float32)], axis=1)
    group = rows.group_s[rows.configuration_n]
    members: list[Layers] = []
    moments = {
        g: Moments.of(x[group == g], target[group == g], weight[group == g])
        for g in (rows.groups if settings.linear else [])
    }
    for held in rows.groups:
        train, valid = measured & (group != held), measured & (group == held)
        if settings.linear:
            members.append(_linear([m for g, m in moments.items() if g != held], settings.penalty))
        for index in range(settings.networks):
            data = ((x[train], weighed[train]), (x[valid], target[valid]))
            members.append(_network(*data, settings, (seed, held, index)))
    domain = Domain.fit(x, quantile=config.domain_quantile)
    card = ModelCard("committee")
    return BarrierCommittee(descriptor, mean, std, domain, card, tuple(members), settings.activation, centre, scale)


def _linear(moments: list[Moments], penalty: float) -> Layers:
    weight, bias = Moments.total(moments).solve(penalty)
    return [(weight[None].astype(np.float32), np.array([bias], np.float32))]


def _network(
    train: tuple[Array, Array], valid: tuple[Array, Array], settings: CommitteeSettings, seed: tuple[int, ...]
) -> Layers:
    """Trained on targets and what each counts, side by side."""
    require_package("torch", "train")
    network.seed_torch(seed)
    rng = np.random.default_rng(list(seed))
    net = network.build(train[0].shape[1], 1, settings)
    score = (valid[0], lambda p: pearson(p, valid[1]))
    network.fit(net, _loss, train, lambda: rng.permutation(len(train[0])), settings, score)
    return network.weights_of(net)


def _loss(predicted: torch.Tensor, weighed: torch.Tensor) -> torch.Tensor:
    return (weighed[:, 1] * (predicted - weighed[:, 0]) ** 2).mean()


def _standard(rows: Rows, mean: Array, std: Array) -> Array:
    return np.asarray((rows.features_nf - mean) / std, dtype=np.float32)


@dataclass(frozen=True)
class RidgeSettings(LabelNoise):
    """Settings of ridge regression.

    Attributes:
        penalties: candidates for λ; the one with the best mean score over left-out inner groups is used.
    """

    penalties: Annotated[tuple[Positive, ...], NotEmpty()] = (3.0, 30.0, 300.0, 3000.0)


def train_ridge(descriptor: Any, rows: Rows, config: TrainingConfig, seed: int) -> BarrierCommittee:
    """``min Σ_i u_i (w·x_i + b − E_i)² + λ|w|²`` on standardised descriptors; λ chosen on inner left-out groups.

    Labels of more noise have smaller weights u (see ``LabelNoise``).
    """
    del seed  # closed form
    rows = rows.measured()
    settings = checked(RidgeSettings, config.settings, "settings of ridge")
    mean, std = standardisation(rows.features_nf)
    by_group = {g: rows.select([g]) for g in rows.groups}
    tables = {g: (_standard(part, mean, std).astype(np.float64), part.labels_n) for g, part in by_group.items()}
    moments = {g: Moments.of(*tables[g], settings.trust(part.noise_n)) for g, part in by_group.items()}
    penalty = max(settings.penalties, key=lambda value: _inner_score(tables, moments, value))
    weight, bias = Moments.total(moments.values()).solve(penalty)
    layers = [(weight[None].astype(np.float32), np.zeros(1, np.float32))]
    domain = Domain.fit(_standard(rows, mean, std), quantile=config.domain_quantile)
    return BarrierCommittee(descriptor, mean, std, domain, ModelCard("ridge"), (layers,), "silu", bias, 1.0)


def _inner_score(
    tables: Mapping[int, tuple[NDArray[np.float64], NDArray[np.float64]]],
    moments: Mapping[int, Moments],
    penalty: float,
) -> float:
    values = []
    for held, (x, y) in tables.items():
        weight, _ = Moments.total(m for g, m in moments.items() if g != held).solve(penalty)
        values.append(pearson(x @ weight, y))
    return float(np.mean(values))
