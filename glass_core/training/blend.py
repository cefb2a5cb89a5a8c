"""Training of a blend: a linear model on descriptors, and graph networks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from glass_core.dataset import Dataset
from glass_core.errors import unknown
from glass_core.models.base import ModelCard
from glass_core.models.blend import Blend
from glass_core.models.linear import LinearBarrier
from glass_core.settings import Share, checked, field_types
from glass_core.training.bench import Notes, RowsBench, Values, portion, predicted_values
from glass_core.training.config import TrainingConfig
from glass_core.training.graph import GraphBench, GraphSettings
from glass_core.training.linear import LinearSettings

_LINEAR = 0.1  # of the time


@dataclass(frozen=True)
class BlendSettings:
    """How a blend is trained; its parts know nothing of each other.

    Attributes:
        linear: settings of the linear model (``LinearSettings``).
        graph: settings of the networks (``GraphSettings``).
        share: of the networks in predictions for atoms at rest.
    """

    linear: Mapping[str, Any]
    graph: Mapping[str, Any]
    share: Share = 0.5


class BlendBench:
    """Both parts with their data, made ready."""

    def __init__(self, config: TrainingConfig, dataset: Dataset, device: str) -> None:
        _require_parts(config)
        self.spread_noise = None  # the linear part tells its own
        self.settings: BlendSettings = checked(BlendSettings, config.settings, f"settings of {config.model}")
        linear = replace(config, model="linear_barrier", settings=self.settings.linear)
        networks = replace(config, model="graph", settings=self.settings.graph, thermal=())
        self._linear, self._label, self._dataset = RowsBench(linear, dataset), config.label, dataset
        self._networks = GraphBench(networks, dataset, device, flagged=False)

    def fit(self, left_out: int | None, seed: int, notes: Notes) -> Blend:
        """Both parts, trained on the other groups."""
        start = time.perf_counter()
        linear = self._linear.fit(left_out, seed, replace(notes, tell=portion(notes.tell, 0.0, _LINEAR)))
        seconds = time.perf_counter() - start
        assert isinstance(linear, LinearBarrier)
        graph = self._networks.fit(left_out, seed, replace(notes, tell=portion(notes.tell, _LINEAR, 1.0)))
        seconds += graph.card.content["training_seconds"]  # also of what was done before an interruption
        content = {"penalties": linear.card.content["penalties"], "training_seconds": seconds}
        return Blend(linear, graph, self.settings.share, ModelCard("blend", content=content))

    def values(self, model: Blend, group: int) -> Values:
        """``predicted_values`` of a group."""
        return predicted_values(model, self._dataset, self._label, group)


def _require_parts(config: TrainingConfig) -> None:
    """Refuses settings of a part that stand beside it instead of under it."""
    parts = {"graph": field_types(GraphSettings), "linear": field_types(LinearSettings)}
    known = field_types(BlendSettings)
    for key in config.settings:
        owner = next((part for part, settings in parts.items() if key in settings), None)
        if key not in known and owner:
            cure = f"That of the {owner} part belongs under settings, {owner}."
            raise unknown(f"key in settings of {config.model}", key, known, cure)


MODELS = ("blend",)
