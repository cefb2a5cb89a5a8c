"""Training: a model with its card, and the scores of its kind on left-out groups."""

from __future__ import annotations

import os
import pathlib
import platform
import time
from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from glass_core.dataset import Dataset
from glass_core.fingerprint import fingerprint
from glass_core.model_file import save_model
from glass_core.paths import make_folder, writable_file
from glass_core.training.bench import Notes, Tell, bench_of
from glass_core.training.config import TrainingConfig
from glass_core.training.cross_validation import cross_validate, part_of, require_data, run_name, scored_groups
from glass_core.training.intervals import fitted_spread
from glass_core.training.parallel import is_first
from glass_core.versions import versions

_PACKAGES = ("numpy", "torch", "torch-geometric", "numba", "vesin")


def train(
    config: TrainingConfig,
    dataset: Dataset,
    out: str | os.PathLike[str],
    folder: pathlib.Path | None = None,
    tell: Tell | None = None,
    command: str = "",
    device: str = "cpu",
    left_out: Collection[str] = (),
) -> dict[str, Any]:
    """Cross-validates, then trains on all groups with the first seed and writes the model with its card.

    The standard error of a committee is fitted to its errors on the left-out groups.

    Args:
        config: what to train.
        dataset: with at least three groups.
        out: model file to write.
        folder: see ``cross_validate``.
        tell: see there.
        command: for the card.
        device: torch device on which graph networks are trained.
        left_out: see ``cross_validate``.

    Returns:
        The summary of the cross-validation, as in the card.

    Raises:
        GlassError: before anything is computed, if there are too few groups, a setting or name is wrong, a path cannot
            be written, or the device does not exist.
    """
    require_data(config, dataset)
    groups = scored_groups(config, dataset, left_out)
    bench = bench_of(config, dataset, device)
    writable_file(out)
    if folder is not None:
        make_folder(folder)
    folds = len(config.seeds) * len(groups)
    cross = None if tell is None else (lambda what, share: tell(what, share * folds / (folds + 1)))
    found = cross_validate(config, dataset, folder, cross, bench, left_out)
    summary = found.summary()
    final = part_of(tell, "final model on all groups", folds, folds + 1)
    checkpoint = None if folder is None else folder / f"{run_name(config, dataset)}-s{config.seeds[0]}-all"
    model: Any = bench.fit(None, config.seeds[0], Notes(checkpoint, final))
    if bench.spread_noise is not None:
        model = replace(model, error=fitted_spread(found))
    extra = {
        **model.card.content,
        "training": {
            "configurations": [c.name for c in dataset],
            "groups": {c.name: c.group for c in dataset},
            "fingerprints": {c.name: fingerprint(c.structure) for c in dataset},
            "data_sha256": dataset.sha256,
            "source": dict(dataset.source),
            "config": asdict(config),
            "command": command,
            "date": time.strftime("%Y-%m-%d"),
        },
        "scores": summary,
        "versions": {"python": platform.python_version(), **versions(*_PACKAGES)},
    }
    if is_first():
        save_model(model, out, extra)
    return summary
