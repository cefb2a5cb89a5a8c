"""Training and honest scoring: every score is of configurations on which nothing was chosen."""

from __future__ import annotations

import os
import pathlib
import platform
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import glass_core
from glass_core.dataset import Dataset
from glass_core.errors import GlassError, unknown
from glass_core.evaluation import scored_output
from glass_core.files import replacing
from glass_core.metrics import mean_scores, report
from glass_core.model_file import save_model
from glass_core.models.base import DescriptorModel
from glass_core.paths import make_folder, writable_file
from glass_core.training.config import TrainingConfig
from glass_core.training.rows import Rows, make_rows

Trainer = Callable[[Any, Rows, TrainingConfig, int], DescriptorModel]
Tell = Callable[[str, float], None]
_FOLD = ("values", "outside", "configuration", "output", "in_ev")


def trainer_of(model: str) -> Trainer:
    """The trainer of a model name in a configuration."""
    from glass_core.training import barrier, linear, scnn

    trainers: dict[str, Trainer] = {**barrier.TRAINERS, **linear.TRAINERS, **scnn.TRAINERS}
    if model not in trainers:
        raise unknown("model to train", model, trainers)
    return trainers[model]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Leave-one-group-out predictions.

    Attributes:
        by_seed: per seed, configuration name → predicted values of its atoms, from a model that has
            seen no configuration of that group.
        outside: per seed, configuration name → share of atoms flagged out of domain.
        output: which output was scored.
        in_ev: whether it is in eV.
        labels: configuration name → barriers, eV.
    """

    by_seed: Mapping[int, Mapping[str, NDArray[np.float64]]]
    outside: Mapping[int, Mapping[str, float]]
    output: str
    in_ev: bool
    labels: Mapping[str, NDArray[np.float64]]

    def summary(self) -> dict[str, Any]:
        """Scores of every seed, their mean and standard deviation, and the rate of out-of-domain flags."""
        reports = {seed: report(predicted, self.labels, self.in_ev) for seed, predicted in self.by_seed.items()}
        result: dict[str, Any] = {"protocol": "leave one group out", "seeds": list(reports)}
        for part in ("pooled", "mean_per_configuration"):
            many = [r[part] for r in reports.values()]
            spread = {
                key: None if value is None else float(np.std([m[key] for m in many], ddof=1)) if len(many) > 1 else None
                for key, value in mean_scores(many).items()
            }
            result[part] = {"mean": mean_scores(many), "std_over_seeds": spread}
        rates = [np.mean(list(shares.values())) for shares in self.outside.values()]
        result["out_of_domain_rate"] = float(np.mean(rates))
        result["per_configuration_pearson"] = {
            name: float(np.mean([r["per_configuration"][name]["pearson"] for r in reports.values()]))
            for name in self.labels
        }
        return result


def cross_validate(
    config: TrainingConfig,
    dataset: Dataset,
    table: tuple[Any, Rows],
    folder: pathlib.Path | None = None,
    tell: Tell | None = None,
) -> CrossValidation:
    """Leaves out each group in turn, for every seed.

    Finished folds are kept in ``folder`` and not computed again by the same command, so that a run that
    was interrupted goes on where it stopped. ``table`` comes from ``make_rows``.
    """
    trainer = trainer_of(config.model)
    _require_groups(dataset)
    if folder is not None:
        make_folder(folder)
    descriptor, rows = table
    folds = [(seed, group) for seed in config.seeds for group in rows.groups]
    by_seed: dict[int, dict[str, NDArray[np.float64]]] = {seed: {} for seed in config.seeds}
    outside: dict[int, dict[str, float]] = {seed: {} for seed in config.seeds}
    name, in_ev = "", False
    for index, (seed, group) in enumerate(folds):
        if tell:
            tell(f"seed {seed}, group {group} left out", index / len(folds))
        path = None if folder is None else folder / f"{config.digest()}-{dataset.sha256[:12]}-s{seed}-g{group}.npz"
        fold = _load(path) or _fold(trainer, descriptor, rows, config, seed, group, path)
        name, in_ev = str(fold["output"]), bool(fold["in_ev"])
        for c in np.unique(fold["configuration"]).tolist():
            mine = fold["configuration"] == c
            by_seed[seed][rows.names[c]] = fold["values"][mine]
            outside[seed][rows.names[c]] = float(fold["outside"][mine].mean())
    labels = {c.name: c.label(config.label) for c in dataset}
    return CrossValidation(by_seed, outside, name, in_ev, labels)


def _require_groups(dataset: Dataset) -> None:
    if len(dataset.groups) < 3:
        raise GlassError(f"leave-one-group-out needs at least 3 groups of configurations, got {len(dataset.groups)}")


def _load(path: pathlib.Path | None) -> dict[str, Any] | None:
    """A finished fold; None if there is none, or its file was cut short: then it is to be computed again."""
    if path is None or not path.is_file():
        return None
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            return {key: stored[key] for key in _FOLD}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError):
        return None


def _fold(
    trainer: Trainer,
    descriptor: Any,
    rows: Rows,
    config: TrainingConfig,
    seed: int,
    group: int,
    path: pathlib.Path | None,
) -> dict[str, Any]:
    model = trainer(descriptor, rows.without(group), config, seed)
    test = rows.select([group]).measured()
    name, in_ev = scored_output(model)
    values = model.rows(test.features_nf)
    fold: dict[str, Any] = {
        "values": np.asarray(values[name], dtype=np.float64),
        "outside": values["out_of_domain"],
        "configuration": test.configuration_n,
        "output": np.array(name),
        "in_ev": np.array(in_ev),
    }
    if path is not None:
        with replacing(path) as temporary:
            np.savez(temporary, **fold)
    return fold


def train(
    config: TrainingConfig,
    dataset: Dataset,
    out: str | os.PathLike[str],
    folder: pathlib.Path | None = None,
    tell: Tell | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Cross-validates, then trains on all groups with the first seed and writes the model with its card.

    Returns:
        The summary of the cross-validation, as in the card.

    Raises:
        GlassError: before anything is computed, if there are too few groups or a path cannot be written.
    """
    _require_groups(dataset)
    trainer = trainer_of(config.model)
    writable_file(out)
    if folder is not None:
        make_folder(folder)
    descriptor, rows = make_rows(config, dataset, lambda f: tell("descriptors", f) if tell else None)
    summary = cross_validate(config, dataset, (descriptor, rows), folder, tell).summary()
    if tell:
        tell("final model on all groups", 0.95)
    model = trainer(descriptor, rows, config, config.seeds[0])
    extra = {
        **model.card.content,
        "training": {
            "configurations": list(rows.names),
            "groups": {name: int(g) for name, g in zip(rows.names, rows.group_s, strict=True)},
            "data_sha256": dataset.sha256,
            "source": dict(dataset.source),
            "config": asdict(config),
            "command": command,
            "date": time.strftime("%Y-%m-%d"),
        },
        "scores": summary,
        "versions": _versions(),
    }
    save_model(model, out, extra)
    return summary


def _versions() -> dict[str, str]:
    import importlib.metadata as metadata

    packages = ("numpy", "torch", "numba", "vesin")
    installed = {name: metadata.version(name) for name in packages}
    return {"glass-plugins": glass_core.__version__, "python": platform.python_version(), **installed}
