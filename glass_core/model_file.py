"""Model files: safetensors with a model card in the header. Nothing is ever unpickled.

Header entry ``glass`` is JSON with the keys ``format`` (1), ``kind``, ``settings``, ``species``,
``cutoff``, ``receptive_field``, ``outputs`` (name → unit), ``tensors`` (names of all arrays), and what
training adds: ``training`` (data, hash, split, settings, command), ``scores``, ``versions``.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from glass_core.errors import GlassError, unknown
from glass_core.files import replacing, sha256
from glass_core.models.base import Model, ModelCard
from glass_core.registry import find, names

FORMAT = 1
SHIPPED = pathlib.Path(__file__).parent / "data" / "models"
DEFAULT = "barrier"


def save_model(model: Model, path: str | os.PathLike[str], extra: Mapping[str, Any] | None = None) -> None:
    """Writes a model and its card; an existing file is replaced only when the new one is complete."""
    import numpy as np
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in model.tensors().items()}
    card = {
        "format": FORMAT,
        "kind": model.kind,
        "settings": model.settings(),
        "species": list(model.species),
        "cutoff": model.cutoff,
        "receptive_field": model.receptive_field,
        "outputs": model.outputs,
        "tensors": sorted(arrays),
        **(extra or {}),
    }
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, metadata={"glass": json.dumps(card)}))


def read_card(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The model card of a file, without its arrays.

    Raises:
        GlassError: if the file is missing, damaged, or not one of ours.
    """
    from safetensors import SafetensorError, safe_open

    if not pathlib.Path(path).is_file():
        raise GlassError(f"model file {path} does not exist; `glass models` lists the shipped ones")
    try:
        with safe_open(path, framework="numpy") as handle:
            header = handle.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise GlassError(f"{path} is not a readable safetensors file ({error}); copy or train it again") from error
    try:
        card = json.loads(header["glass"])
        version = int(card["format"])
        for key in ("kind", "settings", "species", "outputs"):
            card[key]
    except (KeyError, TypeError, ValueError) as error:
        raise GlassError(f"{path} has no glass model card; it is not a model of this package") from error
    if version > FORMAT:
        raise GlassError(f"{path} has model format {version}, this version reads up to {FORMAT}; upgrade glass-plugins")
    return dict(card)


def shipped_models() -> list[str]:
    """Names of the models inside the package."""
    return sorted(p.stem for p in SHIPPED.glob("*.safetensors"))


def model_names() -> list[str]:
    """Names that ``load_model`` takes: shipped models, and model classes of plugins (which need no file)."""
    from glass_core.models.plugin import glass_models

    ours = {entry.partition("=")[0] for entry in glass_models()}
    return shipped_models() + [kind for kind in names("model class") if kind not in ours]


def resolve(name: str | os.PathLike[str]) -> pathlib.Path | None:
    """The file of a model given by name or path; None if it is not a file."""
    shipped = SHIPPED / f"{name}.safetensors"
    path = shipped if shipped.is_file() else pathlib.Path(name)
    return path if path.suffix == ".safetensors" or path.is_file() else None


def load_model(name: str | os.PathLike[str] = DEFAULT) -> Model:
    """A model by name (see ``glass models``) or path. Loaded once per process and file version.

    Raises:
        GlassError: for an unknown name, or a file that is missing, damaged or foreign.
    """
    path = resolve(name)
    if path is None:
        return _load_class(str(name))
    if not path.is_file():
        raise GlassError(f"model file {path} does not exist; shipped models: {', '.join(shipped_models())}")
    stat = path.stat()
    return _load_file(str(path.resolve()), stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _load_class(name: str) -> Model:
    if name not in model_names():
        raise unknown("model", name, model_names(), "Or give the path of a .safetensors file.")
    model: Model = find("model class", name)()
    return model


def _require_all(card: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    for name in card.get("tensors", ()):
        if name not in tensors:
            raise KeyError(name)


@lru_cache(maxsize=8)
def _load_file(path: str, modified: int, size: int, inode: int) -> Model:
    from safetensors.numpy import load_file

    card = read_card(path)
    origin = ModelCard(pathlib.Path(path).stem, path, sha256(path), card)
    try:
        tensors = load_file(path)
        _require_all(card, tensors)
        model: Model = find("model class", card["kind"]).from_parts(card["settings"], tensors, origin)
    except (KeyError, TypeError) as error:
        raise GlassError(f"{path} is not a complete {card['kind']} model (missing {error}); train it again") from error
    return model
