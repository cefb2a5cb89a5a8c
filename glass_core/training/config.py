"""Training configurations: YAML files with checked keys."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from typing import Annotated, Any

from glass_core.errors import GlassError, unknown
from glass_core.paths import existing_file, is_file
from glass_core.settings import Distinct, NotEmpty, Positive, Share, Whole, checked, conformed, field_types
from glass_core.yaml_text import read_yaml

VERSION = 5
"""Of training: one more when defaults or algorithms change, so that folds kept from before are not used again."""

_CHANGED = {"committee": 1, "ridge": 1}  # model to train → how often it has changed since, alone
_MOST_BASES = 20

SHIPPED = pathlib.Path(__file__).parent.parent / "data" / "training"


@dataclass(frozen=True)
class TrainingConfig:
    """What to train.

    Attributes:
        model: "linear_barrier", "committee" (of networks) or "ridge" on descriptors, "graph" (SymGNN and its
            baselines), "blend" (the first and a graph network), all in eV; "scnn" or "classifier".
        descriptor: ``kind`` and settings of the descriptor; the species come from the data. Graph networks use it
            for the out-of-domain flag only.
        settings: settings of the trainer (see ``training/graph.py``, ``training/linear.py`` and so on).
        seeds: seeds of the runs whose spread is reported; the shipped model uses the first.
        label: label of the data set.
        thermal: displacements (Å, deviation per component) of copies that are trained on with the same
            labels, so that predictions stay sane during molecular dynamics.
        thermal_weight: weight of an atom of a copy.
        domain_quantile: share of training atoms inside the domain.
        published: Pearson correlation of the paper on its training and test graphs, for comparison.
    """

    model: str
    descriptor: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: Annotated[tuple[Whole, ...], NotEmpty(), Distinct()] = (0, 1, 2)
    label: str = "barrier"
    thermal: tuple[Positive, ...] = ()
    thermal_weight: Share = 0.05
    domain_quantile: Share = 0.999
    published: tuple[float | None, ...] = ()

    def digest(self) -> str:
        """Hash of all that decides a run's result, for telling runs apart; a version stands for the code."""
        content = {name: value for name, value in asdict(self).items() if name not in ("published", "seeds")}
        content["version"] = VERSION
        if changed := _CHANGED.get(self.model):
            content["changed"] = changed
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=list).encode()).hexdigest()[:16]


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds as on the command line.

    >>> parse_seeds("0, 1,2")
    (0, 1, 2)

    Raises:
        GlassError: unless they are distinct whole numbers ≥ 0.
    """
    entries = [entry.strip() for entry in text.split(",")]
    given = [int(entry) if re.fullmatch(r"-?[0-9]+", entry) else entry for entry in entries]
    seeds: tuple[int, ...] = conformed(given, field_types(TrainingConfig)["seeds"], "--seeds")
    return seeds


def read_config(path: str | os.PathLike[str], seeds: str | None = None) -> TrainingConfig:
    """A configuration by path, or by the name of a shipped one.

    ``seeds`` (``parse_seeds``) are instead of its own.

    A file may name another one as its ``base`` (a shipped name, or a path from its own folder), and say only what is
    different. Mappings within mappings are joined key by key, unless they are of another ``kind``; the
    ``architecture`` of another ``network`` begins from its defaults.

    Raises:
        GlassError: if it cannot be read, has a key that does not exist (the nearest one is offered) or twice,
            a value of the wrong type, or is its own base.
    """
    file = _file(path, pathlib.Path())
    try:
        config: TrainingConfig = checked(TrainingConfig, _content(file, ()), str(file))
    except RecursionError as error:
        raise GlassError(f"{file} is nested too deeply") from error
    return config if seeds is None else replace(config, seeds=parse_seeds(seeds))


def _file(path: str | os.PathLike[str], folder: pathlib.Path) -> pathlib.Path:
    """A path seen from ``folder``, or a shipped name."""
    shipped, own = SHIPPED / f"{path}.yaml", folder / path
    known = sorted(p.stem for p in SHIPPED.glob("*.yaml"))
    if is_file(shipped) and not is_file(own):
        return shipped
    if os.fspath(path).replace("-", "_").isidentifier() and not own.exists():
        raise unknown("configuration", path, known, "Or give the path of a YAML file.")
    return existing_file(own, "configuration", f"give a YAML file or one of: {', '.join(known)}")


def _content(file: pathlib.Path, above: tuple[pathlib.Path, ...]) -> Any:
    """What a file says, with what its base says; ``above`` are the files that it is the base of."""
    if file.resolve() in above:
        raise GlassError(f"{file} is its own base; base must name another configuration")
    if len(above) > _MOST_BASES:
        raise GlassError(f"{file} is the base of more than {_MOST_BASES} configurations, one after the other")
    content = read_yaml(file)
    _require_keys(content, file)
    if "base" not in content:
        return content
    base = conformed(content["base"], str, f"base in {file}")
    if not base.strip():
        raise GlassError(f"base in {file} must be a shipped name or a path, got {base!r}")
    under = dict(_content(_file(base, file.parent), (*above, file.resolve())))
    under.pop("published", None)  # the paper's figure is of its own settings
    return _joined(under, {key: value for key, value in content.items() if key != "base"})


def _require_keys(content: Any, file: pathlib.Path) -> None:
    """Refuses what is no mapping, and keys that do not exist."""
    known = ["base", *field_types(TrainingConfig)]
    for key in conformed(content, Mapping[str, Any], str(file)):
        if key not in known:
            below = get_close_matches(str(key), _settings_of_trainers(), n=1)
            cure = f"If you mean the trainer's {below[0]}, it belongs under settings." if below else ""
            raise unknown(f"key in {file}", key, known, cure)


def _settings_of_trainers() -> set[str]:
    """Names of the settings of all trainers."""
    from glass_core.training.bench import row_trainers
    from glass_core.training.blend import BlendSettings
    from glass_core.training.graph import GraphSettings

    classes = [GraphSettings, BlendSettings, *(settings for settings, _ in row_trainers().values())]
    return {name for settings in classes for name in field_types(settings)}


def _joined(under: Any, over: Any) -> Any:
    """``over``, and what it does not say out of ``under``."""
    if not (isinstance(under, Mapping) and isinstance(over, Mapping)):
        return over
    if "kind" in over and over["kind"] != under.get("kind"):
        return over
    if "network" in over and over["network"] != under.get("network"):
        under = {key: value for key, value in under.items() if key != "architecture"}
    return {**under, **{key: _joined(under.get(key), value) for key, value in over.items()}}
