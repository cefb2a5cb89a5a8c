"""The schema of data sets as a table, and files read through it (what the fields mean: ``dataset``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.settings import conformed

SCHEMA, VERSION = "glass-dataset", 1
LABELS = {
    "barrier": "eV",
    "energy": "eV",
    "barrier_median": "eV",
    "barrier_q10": "eV",
    "barrier_q90": "eV",
    "barrier_error": "eV",
    "barrier_shrunk_error": "eV",
    "barrier_posterior": "eV",
    "barrier_posterior_error": "eV",
    "searches": "",
    "accepted": "",
}
_KINDS = {"whole numbers": "iu", "numbers": "fiu", "flags": "biu"}


@dataclass(frozen=True)
class Field:
    """What a field must hold.

    Attributes:
        holds: "strings", or a key of ``_KINDS``, which gives numpy's letters.
        shape: sizes; "S" configurations, "N" atoms of all configurations.
    """

    holds: str
    shape: tuple[int | str, ...]


_REQUIRED = {
    "offsets": Field("whole numbers", ("S + 1",)),
    "names": Field("strings", ("S",)),
    "group": Field("whole numbers", ("S",)),
    "cell": Field("numbers", ("S", 3, 3)),
    "pbc": Field("flags", ("S", 3)),
    "positions": Field("numbers", ("N", 3)),
    "types": Field("whole numbers", ("N",)),
    "ids": Field("whole numbers", ("N",)),
}
_LABEL = Field("numbers", ("N",))


@dataclass(frozen=True, eq=False)
class Content:
    """What a file of the schema holds.

    Attributes:
        fields: arrays by name, labels only where the file has them; names as ``str``.
        species: the attribute ``species``.
        source: the attribute ``source``.
    """

    fields: Mapping[str, NDArray[Any]]
    species: tuple[str, ...]
    source: Mapping[str, Any]


def read_content(handle: Any, path: str) -> Content:
    """Everything in an open HDF5 file, checked: attributes, then type, shape and relation of every field.

    Raises:
        GlassError: for a foreign or newer file, and for the first thing that breaks the schema.
    """
    _check_version(handle, path)
    species = _attribute(handle, path, "species", tuple[str, ...])
    source = _attribute(handle, path, "source", Mapping[str, Any]) if "source" in handle.attrs else {}
    missing = [name for name in _REQUIRED if name not in handle]
    if missing:
        raise GlassError(f"{path} lacks the field {missing[0]!r} of schema {SCHEMA} {VERSION}; make it again")
    offsets = _field(handle, path, "offsets", _REQUIRED["offsets"], {})
    _check_offsets(offsets, path)
    sizes = {"S + 1": len(offsets), "S": len(offsets) - 1, "N": int(offsets[-1])}
    table = _REQUIRED | {name: _LABEL for name in LABELS if name in handle}
    fields = {name: _field(handle, path, name, field, sizes) for name, field in table.items()}
    _check_names(fields["names"].tolist(), path)
    return Content(fields, species, source)


def _check_version(handle: Any, path: str) -> None:
    schema, version = _text(handle, "schema"), handle.attrs.get("version")
    if not (isinstance(schema, str) and schema == SCHEMA):
        raise GlassError(f"{path} is no data set of this package (schema {schema!r}, not {SCHEMA!r})")
    if not isinstance(version, (int, np.integer)) or version < 1:
        raise GlassError(f"{path} has schema version {version!r}, must be 1 … {VERSION}; make it again")
    if version > VERSION:
        raise GlassError(f"{path} has schema version {version}, this version reads up to {VERSION}; upgrade")


def _text(handle: Any, name: str) -> Any:
    """An attribute; text also where it is stored with a fixed length."""
    value = handle.attrs.get(name)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _attribute(handle: Any, path: str, name: str, hint: Any) -> Any:
    """An attribute that holds JSON of the type ``hint``."""
    text = _text(handle, name)
    try:
        return conformed(json.loads(text), hint, f"attribute {name!r}")
    except (TypeError, ValueError) as error:
        raise GlassError(f"attribute {name!r} of {path} is damaged: {text!r} ({error}); make it again") from error


def _field(handle: Any, path: str, name: str, field: Field, sizes: Mapping[str, int]) -> NDArray[Any]:
    """Values of a field; a size that is not in ``sizes`` may be anything."""
    import h5py

    stored = handle[name]
    if not isinstance(stored, h5py.Dataset):
        raise GlassError(f"field {name!r} of {path} is a group, must be an array; make it again")
    text = h5py.check_string_dtype(stored.dtype) is not None
    right = text if field.holds == "strings" else stored.dtype.kind in _KINDS[field.holds]
    want = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in field.shape)
    shape = stored.shape or ()
    fits = len(shape) == len(want) and all(isinstance(w, str) or w == g for w, g in zip(want, shape, strict=True))
    if not (right and fits):
        needed = f"{field.holds} of shape ({', '.join(map(str, want))}{',' * (len(want) == 1)})"
        got = f"{stored.dtype} of shape {shape}"
        raise GlassError(f"field {name!r} of {path} must be {needed}, got {got}; make it again")
    return np.asarray(stored.asstr()[()] if text else stored[()])


def _check_offsets(offsets: NDArray[Any], path: str) -> None:
    if len(offsets) < 2:
        raise GlassError(f"{path} holds no configurations; make it again with `glass import`")
    if offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any():
        first = ", ".join(map(str, offsets[:6].tolist()))
        raise GlassError(f"field 'offsets' of {path} must start at 0 and never fall, got {first}, …; make it again")


def _check_names(names: list[str], path: str) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise GlassError(f"{path} holds two configurations named {twice[0]!r}; make it again")
