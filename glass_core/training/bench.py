"""What a training method offers to cross-validation: fit without one group, predict that group."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Dataset
from glass_core.errors import GlassError, unknown
from glass_core.graphs.networks import NETWORKS
from glass_core.models.base import DescriptorModel, Model
from glass_core.models.guard import Guard
from glass_core.neighbours import neighbour_blocks
from glass_core.prediction import predict
from glass_core.settings import checked
from glass_core.training.config import SHIPPED, TrainingConfig
from glass_core.training.rows import Rows, make_rows

Tell = Callable[[str, float], None]
RowTrainer = Callable[[Any, Rows, TrainingConfig, int], DescriptorModel]
Values = Mapping[str, Mapping[str, NDArray[Any]]]


@dataclass(frozen=True)
class Notes:
    """Where a fit keeps its progress.

    Attributes:
        checkpoint: file without ending for what a fit needs to go on after an interruption; None: nowhere.
        tell: called with what is being done and the share of it done.
    """

    checkpoint: pathlib.Path | None = None
    tell: Tell | None = None


def portion(tell: Tell | None, first: float, last: float, title: str = "") -> Tell | None:
    """Progress of a part, the shares ``first`` to ``last`` of the whole, as progress of the whole."""
    return tell and (lambda what, share: tell(title + what, (1 - share) * first + share * last))


class Bench(Protocol):
    """A method with its data set, made ready."""

    @property
    def spread_noise(self) -> float | None:
        """Of a committee, whose standard error is to be fitted to how its members differ on left-out groups, the noise
        of labels that do not tell theirs, eV; None for methods that tell their own standard error, or none."""

    def fit(self, left_out: int | None, seed: int, notes: Notes) -> Model:
        """A model trained on all groups but one (None: on all)."""

    def values(self, model: Any, group: int) -> Values:
        """Configuration name → output → values of the labelled atoms, of the configurations of a group."""


def predicted_values(model: Model, dataset: Dataset, label: str, group: int) -> Values:
    """Predictions for the labelled atoms of the configurations of a group, as users get them."""
    chosen = [(c, c.labelled(label)[0]) for c in dataset if c.group == group]
    return {c.name: {n: p.values[atoms] for n, p in predict(model, c.structure).items()} for c, atoms in chosen}


def bench_of(config: TrainingConfig, dataset: Dataset, device: str = "cpu") -> Bench:
    """The bench of a configuration. Settings are checked now; descriptors are computed when they are first needed.

    Raises:
        GlassError: for a model that cannot be trained, settings that are wrong, or a device that does not exist
            (models on descriptors compute on the processor whatever the device).
    """
    from glass_core.models.devices import require_device
    from glass_core.training import blend, graph

    require_device(device)
    if config.model in graph.MODELS:
        return graph.GraphBench(config, dataset, device)
    if config.model in blend.MODELS:
        return blend.BlendBench(config, dataset, device)
    if config.model in NETWORKS:
        raise GlassError(
            f"{config.model} is a graph network; write model: graph, and network: {config.model} in settings"
        )
    return RowsBench(config, dataset)


def row_trainers() -> dict[str, tuple[type[Any], RowTrainer]]:
    """Settings and trainer of the models on descriptors, by their name in a configuration."""
    from glass_core.training import committee, linear, scnn

    return {
        "committee": (committee.CommitteeSettings, committee.train_committee),
        "ridge": (committee.RidgeSettings, committee.train_ridge),
        "linear_barrier": (linear.LinearSettings, linear.train_linear),
        "scnn": (scnn.SCNNSettings, scnn.train_scnn),
        "classifier": (scnn.ClassifierSettings, scnn.train_classifier),
    }


class RowsBench:
    """Models on rows of descriptors."""

    def __init__(self, config: TrainingConfig, dataset: Dataset) -> None:
        from glass_core.training import blend, graph

        known = row_trainers()
        if config.model not in known:
            near = get_close_matches(config.model, [p.stem for p in SHIPPED.glob("*.yaml")], n=1)
            cure = f"To begin from the shipped configuration {near[0]}, write base: {near[0]}." if near else ""
            raise unknown("model to train", config.model, [*known, *graph.MODELS, *blend.MODELS], cure)
        settings, self._trainer = known[config.model]
        own = checked(settings, config.settings, f"settings of {config.model}")
        self.spread_noise: float | None = own.label_noise if config.model == "committee" else None
        self._config, self._dataset = config, dataset

    def fit(self, left_out: int | None, seed: int, notes: Notes) -> DescriptorModel:
        """Trains on the rows of the other groups."""
        descriptor, rows = self.table(notes.tell)
        kept = rows if left_out is None else rows.without(left_out)
        model = self._trainer(descriptor, kept, self._config, seed)
        if model.domain is None:
            return model
        glasses = [c.structure for c in self._dataset if c.group != left_out]
        return replace(model, guard=Guard.fit(glasses, self._dataset.species, self._config.domain_quantile))

    def values(self, model: DescriptorModel, group: int) -> Values:
        """Outputs of the measured rows of a group."""
        _, rows = self.table()
        test = rows.select([group]).measured()
        outputs = dict(model.rows(test.features_nf))
        if model.guard is not None and model.domain is not None:
            outputs["out_of_domain"] = np.maximum(outputs["out_of_domain"], self._strained(model.guard, test))
        return {
            rows.names[c]: {name: np.asarray(v[test.configuration_n == c]) for name, v in outputs.items()}
            for c in np.unique(test.configuration_n).tolist()
        }

    def _strained(self, guard: Guard, test: Rows) -> NDArray[np.bool_]:
        """What the guard says of the atoms of some rows."""
        structures, flagged_n = {c.name: c.structure for c in self._dataset}, np.zeros(len(test.atom_n), dtype=bool)
        for c in np.unique(test.configuration_n).tolist():
            mine = test.configuration_n == c
            flagged_n[mine] = guard(structures[test.names[c]], test.atom_n[mine].astype(np.int32), neighbour_blocks)
        return flagged_n

    def table(self, tell: Tell | None = None) -> tuple[Any, Rows]:
        """Descriptor and rows; kept for the next configuration with the same descriptors."""
        settings = {k: v for k, v in asdict(self._config).items() if k in ("descriptor", "label", "thermal")}
        request = _Request(json.dumps(settings, sort_keys=True, default=list), self._dataset, self._config, tell)
        return _table(request)


class _Request:
    """Arguments of ``make_rows``, equal where the table is the same."""

    def __init__(self, key: str, dataset: Dataset, config: TrainingConfig, tell: Tell | None) -> None:
        self.key, self.dataset, self.config, self.tell = key, dataset, config, tell

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Request) and self.key == other.key and self.dataset is other.dataset


@lru_cache(maxsize=1)
def _table(request: _Request) -> tuple[Any, Rows]:
    tell, request.tell = request.tell, None
    return make_rows(request.config, request.dataset, (lambda f: tell("descriptors", f)) if tell else None)
