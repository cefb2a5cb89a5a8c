"""Honest scoring: every score is of configurations on which nothing was chosen."""

from __future__ import annotations

import hashlib
import pathlib
import time
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Dataset
from glass_core.errors import GlassError, unknown
from glass_core.evaluation import scored_output
from glass_core.files import replacing
from glass_core.metrics import label_coverage, mean_scores, report, require_scorable
from glass_core.models.base import Calibrated
from glass_core.paths import make_folder
from glass_core.training.bench import Bench, Notes, Tell, Values, bench_of, portion
from glass_core.training.config import TrainingConfig
from glass_core.training.intervals import standard_errors
from glass_core.training.measures import invariance_error, parameters, seconds_per_atom, training_score
from glass_core.training.parallel import is_first, rank_count, ranks

MEASURED = ("training_seconds", "training_pearson", "parameters", "seconds_per_atom", "invariance_error")


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Leave-one-group-out predictions.

    Attributes:
        outputs: per seed, configuration name → output → values of its labelled atoms, from a model that has
            seen no configuration of that group.
        labels: configuration name → barriers of the same atoms, eV.
        errors: configuration name → their standard errors, eV; nan where the data set does not tell them.
        measured: means over folds of what ``MEASURED`` names, and ``label_noise`` (eV) of a model that tells its
            standard error.
        groups: configuration name → its group.
        left_out: names of the configurations whose groups were left out; empty if all were.
        spread_noise: see ``Bench``.
    """

    outputs: Mapping[int, Mapping[str, Mapping[str, NDArray[np.float64]]]]
    labels: Mapping[str, NDArray[np.float64]]
    errors: Mapping[str, NDArray[np.float64]]
    measured: Mapping[str, float]
    groups: Mapping[str, int]
    left_out: tuple[str, ...] = ()
    spread_noise: float | None = None

    @property
    def scored(self) -> tuple[str, bool]:
        """The output that is compared with barriers, and whether it is in eV."""
        first = next(iter(self.outputs.values()))
        return scored_output(next(iter(first.values())))

    @property
    def by_seed(self) -> dict[int, dict[str, NDArray[np.float64]]]:
        """Per seed, configuration name → values of the scored output."""
        name, _ = self.scored
        return {seed: {c: v[name] for c, v in found.items()} for seed, found in self.outputs.items()}

    def summary(self) -> dict[str, Any]:
        """Scores of every seed, their mean and standard deviation, and the rate of out-of-domain flags."""
        _, in_ev = self.scored
        reports = {seed: report(predicted, self.labels, in_ev) for seed, predicted in self.by_seed.items()}
        result: dict[str, Any] = {"protocol": "leave one group out", "seeds": list(reports), "left_out": self.left_out}
        for part in ("pooled", "mean_per_configuration"):
            many = [r[part] for r in reports.values()]
            spread = {
                key: None if value is None else float(np.std([m[key] for m in many], ddof=1)) if len(many) > 1 else None
                for key, value in mean_scores(many).items()
            }
            result[part] = {"mean": mean_scores(many), "std_over_seeds": spread}
        flags = [v["out_of_domain"] for found in self.outputs.values() for v in found.values() if "out_of_domain" in v]
        result["out_of_domain_rate"] = float(np.mean([f.mean() for f in flags])) if flags else None
        each = {
            name: mean_scores([r["per_configuration"][name] for r in reports.values()])
            for name in next(iter(reports.values()))["per_configuration"]
        }
        for key in ("pearson", "mean_error"):
            result[f"per_configuration_{key}"] = {name: means[key] for name, means in each.items()}
        result["measured"] = dict(self.measured)
        if (told := standard_errors(self)) is not None:
            result["coverage"] = label_coverage(self.first("barrier"), told[0], self.labels, self.errors, told[1])
        return result

    def first(self, output: str) -> dict[str, NDArray[np.float64]]:
        """Configuration name → values of an output, of the first seed."""
        return {name: values[output] for name, values in next(iter(self.outputs.values())).items()}


def cross_validate(
    config: TrainingConfig,
    dataset: Dataset,
    folder: pathlib.Path | None = None,
    tell: Tell | None = None,
    bench: Bench | None = None,
    left_out: Collection[str] = (),
) -> CrossValidation:
    """Leaves out each group in turn, for every seed.

    Finished folds are kept in ``folder`` and not computed again by the same command, so that a run that
    was interrupted goes on where it stopped; models that are trained in epochs go on after the last of these.

    Args:
        config: what to train.
        dataset: with at least three groups.
        folder: for finished folds.
        tell: called with what is being done and the share done.
        bench: from ``bench_of``, if there is one already.
        left_out: names of configurations, whose groups are left out in turn and scored; all if there are none.

    Raises:
        GlassError: for too few groups, a missing label, wrong settings, a name that no configuration has, or a folder
            that cannot be made.
    """
    require_data(config, dataset)
    groups = scored_groups(config, dataset, left_out)
    if folder is not None:
        make_folder(folder)
    bench = bench or bench_of(config, dataset)
    processes = ranks()
    folds = [(seed, group) for seed in config.seeds for group in groups]
    by_seed: dict[int, dict[str, Mapping[str, NDArray[Any]]]] = {seed: {} for seed in config.seeds}
    measured: list[Mapping[str, float]] = []
    for index, (seed, group) in enumerate(folds):
        part = part_of(tell, f"seed {seed}, group {group} left out", index, len(folds))
        path = None if folder is None else folder / f"{run_name(config, dataset)}-s{seed}-g{group}.npz"
        fold = processes.from_first(partial(_load, path)) or _fold(bench, config, dataset, seed, group, path, part)
        measured.append(fold.measured)
        by_seed[seed].update(fold.values)
    scored = [c for c in dataset if c.group in groups]
    labels = {c.name: c.labelled(config.label) for c in scored}
    errors = {c.name: c.noise(config.label)[labels[c.name][0]] for c in scored}
    means = {name: float(np.mean([m[name] for m in measured])) for name in measured[0]}
    known = {name: values for name, (_, values) in labels.items()}
    own = {c.name: c.group for c in scored}
    return CrossValidation(by_seed, known, errors, means, own, tuple(left_out), bench.spread_noise)


def scored_groups(config: TrainingConfig, dataset: Dataset, left_out: Collection[str]) -> list[int]:
    """Groups of some configurations, ascending; of all if there are no names.

    Raises:
        GlassError: for a name that no configuration has, or where nothing can be scored.
    """
    names = [c.name for c in dataset]
    for name in left_out:
        if name not in names:
            raise unknown("configuration to leave out", name, names)
    groups = sorted({c.group for c in dataset if not left_out or c.name in left_out})
    require_scorable(len(c.labelled(config.label)[0]) for c in dataset if c.group in groups)
    return groups


def run_name(config: TrainingConfig, dataset: Dataset) -> str:
    """What files of a run are called.

    The model or network, a hash of all that decides the result, and how many processes share its steps.
    """
    size = rank_count()
    shared = f"-{size}ranks" if size > 1 else ""
    what = config.settings.get("network", config.model)
    return f"{what}-{config.digest()}-{(dataset.sha256 or _content_hash(dataset))[:12]}{shared}"


def _content_hash(dataset: Dataset) -> str:
    """Hex digest of all that models are trained on, of a data set that was made in memory."""
    digest = hashlib.sha256()
    for c in dataset:
        s = c.structure
        digest.update(repr((c.name, c.group, s.species, s.pbc, sorted(c.labels))).encode())
        for array in (s.positions_nc, s.types_n, s.cell_cc, *(c.labels[name] for name in sorted(c.labels))):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def part_of(tell: Tell | None, title: str, index: int, count: int) -> Tell | None:
    """Progress of one fold as progress of all."""
    if tell is not None:
        tell(title, index / count)
    return portion(tell, index / count, (index + 1) / count, f"{title}, ")


def require_data(config: TrainingConfig, dataset: Dataset) -> None:
    """Checks that there are groups to leave out, and labels in each configuration."""
    for configuration in dataset:
        configuration.label(config.label)
    if len(dataset.groups) < 3:
        raise GlassError(f"leave-one-group-out needs at least 3 groups of configurations, got {len(dataset.groups)}")


@dataclass(frozen=True, eq=False)
class Fold:
    """One group left out.

    Attributes:
        values: configuration name → output → values of labelled atoms, of the group's configurations.
        measured: see ``MEASURED``.
    """

    values: Values
    measured: Mapping[str, float]


def _load(path: pathlib.Path | None) -> Fold | None:
    """A finished fold; None if there is none, or its file was cut short: then it is to be computed again."""
    if path is None or not path.is_file():
        return None
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            values: dict[str, dict[str, NDArray[np.float64]]] = {}
            for key in stored.files:
                name, slash, output = key.rpartition("/")
                if slash:
                    values.setdefault(name, {})[output] = stored[key]
            names = [*MEASURED, *({"label_noise"} & set(stored.files))]
            return Fold(values, {name: float(stored[name]) for name in names})
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError):
        return None


def _fold(
    bench: Bench,
    config: TrainingConfig,
    dataset: Dataset,
    seed: int,
    group: int,
    path: pathlib.Path | None,
    tell: Tell | None,
) -> Fold:
    """Trains without a group, predicts it and measures the model."""
    checkpoint = None if path is None else path.with_suffix("")
    start = time.perf_counter()
    model = bench.fit(group, seed, Notes(checkpoint, tell))
    seconds = model.card.content.get("training_seconds", time.perf_counter() - start)
    seen = {name: v for g in dataset.groups if g != group for name, v in bench.values(model, g).items()}
    output, _ = scored_output(model.outputs)
    structure = next(c.structure for c in dataset if c.group == group)
    measured = {
        "training_seconds": seconds,
        "training_pearson": training_score(seen, dataset, config.label, output),
        "parameters": float(parameters(model)),
        "seconds_per_atom": seconds_per_atom(model, structure),
        "invariance_error": invariance_error(model, structure, output, seed),
    }
    if isinstance(model, Calibrated) and model.label_noise is not None:
        measured["label_noise"] = float(model.label_noise)
    fold = Fold(bench.values(model, group), measured)
    if path is not None and is_first():
        arrays: dict[str, Any] = {name: np.array(value) for name, value in measured.items()}
        arrays |= {f"{name}/{key}": v for name, outputs in fold.values.items() for key, v in outputs.items()}
        with replacing(path) as temporary:
            np.savez(temporary, **arrays)
    return fold
