"""Model files: safetensors with a model card in the header. Nothing is ever unpickled.

Header entry ``glass`` is JSON with the keys ``format`` (1), ``kind``, ``settings``, ``species``,
``cutoff``, ``receptive_field``, ``outputs`` (name → unit), ``tensors`` (names of all arrays), and what
training adds: ``training`` (data, hash, split, settings, command), ``scores``, ``versions``.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from glass_core.arrays import Arrays
from glass_core.errors import GlassError, MissingExtraError, unknown
from glass_core.files import replacing, sha256
from glass_core.models.base import Model, ModelCard, OnDevice
from glass_core.paths import existing_file, is_file
from glass_core.registry import find, names
from glass_core.settings import Count, conformed

FORMAT = 1
SHIPPED = pathlib.Path(__file__).parent / "data" / "models"
DEFAULT = "barrier"


_ENTRIES = {
    "format": Count,
    "kind": str,
    "settings": Mapping[str, Any],
    "species": tuple[str, ...],
    "cutoff": float,
    "receptive_field": float,
    "outputs": Mapping[str, str],
}
_OPTIONAL = {"tensors": tuple[str, ...], "training": Mapping[str, Any], "scores": Mapping[str, Any]}


def save_model(model: Model, path: str | os.PathLike[str], extra: Mapping[str, Any] | None = None) -> None:
    """Writes a model and its card; an existing file is replaced only when the new one is complete.

    Raises:
        GlassError: if a number of the model is not finite, or the file cannot be written.
    """
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in model.tensors().items()}
    try:
        _require_finite(model.settings(), arrays)
    except GlassError as error:
        raise GlassError(f"cannot save a {model.kind} model to {path}: {error}; its training went wrong") from error
    card = {**describe(model), "tensors": sorted(arrays), **(extra or {})}
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, metadata={"glass": json.dumps(card)}))


def describe(model: Model) -> dict[str, Any]:
    """The entries of a card that the model itself knows."""
    return {
        "format": FORMAT,
        "kind": model.kind,
        "settings": model.settings(),
        "species": list(model.species),
        "cutoff": model.cutoff,
        "receptive_field": model.receptive_field,
        "outputs": model.outputs,
    }


def _require_finite(settings: Mapping[str, Any], arrays: Arrays) -> None:
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise GlassError(f"array {name} holds {int((~np.isfinite(array)).sum())} numbers that are not finite")
    for name, value in settings.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise GlassError(f"setting {name} is {value}, must be finite")


def read_card(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The model card of a file, without its arrays.

    Raises:
        GlassError: if the file is missing, damaged, or not one of ours.
    """
    from safetensors import SafetensorError, safe_open

    existing_file(path, "model file", "`glass models` lists the shipped ones")
    try:
        with safe_open(path, framework="numpy") as handle:
            header = handle.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise GlassError(f"{path} is not a readable safetensors file ({error}); copy or train it again") from error
    try:
        card = json.loads(header["glass"])
        entries = {name: card[name] for name in _ENTRIES} | {name: card[name] for name in _OPTIONAL if name in card}
    except (KeyError, TypeError, ValueError) as error:
        raise GlassError(f"{path} has no glass model card; it is not a model of this package") from error
    for name, value in entries.items():
        conformed(value, (_ENTRIES | _OPTIONAL)[name], f"{name} in the model card of {path}")
    if card["format"] > FORMAT:
        raise GlassError(
            f"{path} has model format {card['format']}, this version reads up to {FORMAT}; upgrade glass-plugins"
        )
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
    """The file of a model given by name or path; None if it is a name that is not shipped."""
    shipped, path = SHIPPED / f"{name}.safetensors", pathlib.Path(name)
    if is_file(shipped) and pathlib.Path(name).name == str(name):
        return shipped
    is_path = path.suffix == ".safetensors" or os.fspath(name) != path.name
    return path if is_path or is_file(path) else None


def load_model(name: str | os.PathLike[str] = DEFAULT, device: str | None = None) -> Model:
    """A model by name (see ``glass models``) or path. Loaded once per process, file version and device.

    Args:
        name: which.
        device: where a graph network computes, as torch calls it: "cpu", "cuda", "cuda:1" …; default the
            environment variable GLASS_DEVICE, or "cpu". Models on descriptors always use the processor.

    Raises:
        GlassError: for an unknown name, a file that is missing, damaged or foreign, or a device that does not
            exist or that the model cannot use.
    """
    path = resolve(name)
    if path is None:
        return _on(_load_class(str(name)), device)
    stat = existing_file(path, "model file", f"shipped models: {', '.join(shipped_models())}").stat()
    version = (str(path.resolve()), stat.st_mtime_ns, stat.st_size, stat.st_ino)
    chosen = device or os.environ.get("GLASS_DEVICE", "")
    return _on(_load_on(version, chosen) if chosen else _load_file(*version), device)


@lru_cache(maxsize=8)
def _load_on(version: tuple[str, int, int, int], device: str) -> Model:
    model = _load_file(*version)
    return model.on(device) if isinstance(model, OnDevice) else model


def _on(model: Model, device: str | None) -> Model:
    """Checks that a model asked to compute on a device does so."""
    computes = model.device if isinstance(model, OnDevice) else "cpu"
    if device not in (None, "", "cpu") and computes != device:
        raise GlassError(f"model {model.card.name or model.kind!r} computes on the CPU only; leave out device {device}")
    return model


def _load_class(name: str) -> Model:
    if name not in model_names():
        raise unknown("model", name, model_names(), "Or give the path of a .safetensors file.")
    model: Model = find("model class", name)()
    return model


@lru_cache(maxsize=8)
def _load_file(path: str, modified: int, size: int, inode: int) -> Model:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    card = read_card(path)
    kind = card["kind"]
    cls = find("model class", kind)
    origin = ModelCard(pathlib.Path(path).stem, path, sha256(path), card)
    try:
        tensors = load_file(path)
        _require_arrays(card, tensors)
        model: Model = cls.from_parts(card["settings"], tensors, origin)
        _require_same(card, tensors, model)
    except MissingExtraError:
        raise
    except KeyError as error:
        raise GlassError(f"{path} is not a complete {kind} model (missing {error}); copy or train it again") from error
    except (SafetensorError, TypeError, ValueError, RuntimeError) as error:  # torch: RuntimeError
        raise GlassError(
            f"{path} is not a valid {kind} model: {str(error).rstrip('.')}; copy or train it again"
        ) from error
    return model


def _require_arrays(card: Mapping[str, Any], tensors: Arrays) -> None:
    """Checks that the file holds all arrays that its card lists, and that they are finite."""
    for name in card.get("tensors", ()):
        if name not in tensors:
            raise KeyError(name)
    _require_finite({}, tensors)


def _require_same(card: Mapping[str, Any], tensors: Arrays, model: Model) -> None:
    """Checks that the model is what its card says, and that nothing in the file was left unused."""
    built = describe(model)
    for name in ("species", "cutoff", "receptive_field"):
        if card[name] != built[name]:
            raise GlassError(f"its card says {name} {card[name]}, its settings make {name} {built[name]}")
    for name, unit in card["outputs"].items():
        if built["outputs"].get(name) != unit:
            raise GlassError(f"its card promises the output {name!r} in {unit!r}, which it does not give")
    for what, given, used in (("array", tensors, model.tensors()), ("setting", card["settings"], model.settings())):
        spare = sorted(set(given) - set(used))
        if spare:
            raise GlassError(f"{what} {spare[0]!r} belongs to no part of it")
