"""What a calculator's ``parameters`` and ``todict`` keep: names and plain values, no weights."""

from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

from ase.io.jsonio import encode

from glass_core.model_file import resolve, shipped_models

if TYPE_CHECKING:
    from glass_core.models.base import Model


def model_reference(model: str | os.PathLike[str] | Model) -> str | Model:
    """What the parameters keep: a shipped model's name, an absolute path, or a model that came from no file."""
    if not isinstance(model, (str, os.PathLike)):
        if not model.card.path:
            return model
        return model.card.name if resolve(model.card.name) == pathlib.Path(model.card.path) else model.card.path
    name = os.fspath(model)
    if name in shipped_models() or resolve(name) is None:
        return name
    return str(pathlib.Path(name).absolute())


def description(calculator: Any) -> dict[str, Any]:
    """Name and parameters of a calculator as JSON values; one that JSON cannot hold appears as its repr."""
    parameters = calculator.todict() if hasattr(calculator, "todict") else {}
    name = getattr(calculator, "name", type(calculator).__name__.lower())
    return {"name": str(name), "parameters": {str(key): _plain(value) for key, value in dict(parameters).items()}}


def _plain(value: Any) -> Any:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        try:
            return json.loads(encode(value))
        except (TypeError, ValueError):
            return repr(value)
    return value
