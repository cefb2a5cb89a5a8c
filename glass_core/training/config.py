"""Training configurations: YAML files with checked keys."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from glass_core.errors import GlassError, unknown

SHIPPED = pathlib.Path(__file__).parent.parent / "data" / "training"


@dataclass(frozen=True)
class TrainingConfig:
    """What to train.

    Attributes:
        model: "barrier" (committee of networks, eV), "ridge" (linear, eV), "scnn", or "classifier".
        descriptor: ``kind`` and settings of the descriptor; the species come from the data.
        settings: settings of the trainer (see ``training/barrier.py`` and so on).
        seeds: seeds of the runs whose spread is reported; the shipped model uses the first.
        label: label of the data set.
        thermal: displacements (Å, deviation per component) of copies that are trained on with the same
            labels, so that predictions stay sane during molecular dynamics.
        thermal_weight: weight of an atom of a copy.
        domain_quantile: share of training atoms inside the domain.
    """

    model: str
    descriptor: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    label: str = "barrier"
    thermal: tuple[float, ...] = ()
    thermal_weight: float = 0.05
    domain_quantile: float = 0.999

    def digest(self) -> str:
        """Hash of all settings, for telling runs apart."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=list).encode()).hexdigest()[:16]


def read_config(path: str | os.PathLike[str]) -> TrainingConfig:
    """A configuration by path, or by the name of a shipped one.

    Raises:
        GlassError: if it cannot be read, or has a key that does not exist (the nearest one is offered).
    """
    import yaml

    file = pathlib.Path(path)
    if not file.is_file() and (SHIPPED / f"{path}.yaml").is_file():
        file = SHIPPED / f"{path}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.yaml")))
        raise GlassError(f"configuration {path} does not exist; give a YAML file or one of: {known}")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GlassError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise GlassError(f"{file} must hold keys and values, got {type(content).__name__}")
    config: TrainingConfig = checked(TrainingConfig, content, str(file))
    return config


def checked(cls: type[Any], content: Mapping[str, Any], where: str) -> Any:
    """An instance of a settings dataclass, after checking that every key exists and has the default's type."""
    known = {f.name: f for f in fields(cls)}
    for key, value in content.items():
        if key not in known:
            raise unknown(f"key in {where}", key, known)
        default = known[key].default
        number = isinstance(default, int | float) and not isinstance(default, bool)
        if number and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise GlassError(f"{key} in {where} must be a number, got {value!r}")
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
    try:
        return cls(**plain)
    except TypeError as error:
        raise GlassError(f"{where}: {error}") from error
