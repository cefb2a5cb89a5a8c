"""Data sets of labelled configurations: HDF5 with a written schema. Fields are only ever added.

Schema ``glass-dataset``, version 1. S configurations, N atoms in total; atoms of configuration s are
rows ``offsets[s] … offsets[s + 1]``.

| name | shape | type | unit | meaning |
|---|---|---|---|---|
| ``offsets`` | (S + 1,) | int64 | | first atom of each configuration |
| ``names`` | (S,) | str | | name of each configuration, unique |
| ``group`` | (S,) | int32 | | configurations that are not independent share a group |
| ``cell`` | (S, 3, 3) | float64 | Å | box vectors in rows |
| ``pbc`` | (S, 3) | bool | | periodic directions |
| ``positions`` | (N, 3) | float64 | Å | |
| ``types`` | (N,) | int32 | | index into the attribute ``species`` |
| ``ids`` | (N,) | int64 | | identifier within the configuration |
| ``barrier`` | (N,) | float64 | eV | label, optional |
| ``energy`` | (N,) | float64 | eV | potential energy, optional |

Attributes: ``schema``, ``version``, ``species`` (JSON list), ``source`` (JSON object).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.files import replacing_hdf5, sha256
from glass_core.structure import Floats, Structure

SCHEMA, VERSION = "glass-dataset", 1
LABELS = {"barrier": "eV", "energy": "eV"}
_REQUIRED = {
    "offsets": (1, None),
    "names": (1, None),
    "group": (1, None),
    "cell": (3, "S"),
    "pbc": (2, "S"),
    "positions": (2, "N"),
    "types": (1, "N"),
    "ids": (1, "N"),
}


@dataclass(frozen=True, eq=False)
class Configuration:
    """One labelled configuration.

    Attributes:
        name: unique within the data set.
        group: configurations of one group must never be split between training and testing.
        structure: the atoms.
        ids_n: identifiers.
        labels: label name → values, shape (n,).
    """

    name: str
    group: int
    structure: Structure
    ids_n: NDArray[np.int64]
    labels: Mapping[str, Floats] = field(default_factory=dict)

    def label(self, name: str) -> Floats:
        """Values of a label.

        Raises:
            GlassError: if the configuration does not carry it, or a value is not finite.
        """
        if name not in self.labels:
            has = ", ".join(self.labels) or "none"
            raise GlassError(f"configuration {self.name!r} has no label {name!r} (has {has}); import or label it first")
        values = self.labels[name]
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise GlassError(f"{name} of atom {bad[0]} of configuration {self.name!r} is not finite ({bad.size} atoms)")
        return values


@dataclass(frozen=True, eq=False)
class Dataset:
    """Configurations in memory, with where they came from."""

    configurations: tuple[Configuration, ...]
    source: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    def __iter__(self) -> Iterator[Configuration]:
        return iter(self.configurations)

    def __len__(self) -> int:
        return len(self.configurations)

    @property
    def groups(self) -> list[int]:
        """Distinct groups, ascending."""
        return sorted({c.group for c in self.configurations})

    @property
    def species(self) -> tuple[str, ...]:
        """All species, sorted."""
        return tuple(sorted({name for c in self.configurations for name in c.structure.species}))


def write_dataset(dataset: Dataset, path: str | os.PathLike[str]) -> None:
    """Writes a data set; an existing file is replaced only when the new one is complete."""
    import h5py

    configurations = dataset.configurations
    names = [c.name for c in configurations]
    if len(set(names)) != len(names):
        raise GlassError(f"configurations must have different names, got {names}")
    counts = [c.structure.n_atoms for c in configurations]
    shared = set.intersection(*(set(c.labels) for c in configurations)) if configurations else set()
    with replacing_hdf5(path) as handle:
        handle.attrs.update(
            {
                "schema": SCHEMA,
                "version": VERSION,
                "species": json.dumps(dataset.species),
                "source": json.dumps(dict(dataset.source)),
            }
        )
        known = [c.structure.with_species(dataset.species, "data set") for c in configurations]
        handle["offsets"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        handle.create_dataset("names", data=names, dtype=h5py.string_dtype())
        handle["group"] = np.array([c.group for c in configurations], dtype=np.int32)
        handle["cell"] = np.array([s.cell_cc for s in known]).reshape(-1, 3, 3)
        handle["pbc"] = np.array([s.pbc for s in known], dtype=bool).reshape(-1, 3)
        _write_atoms(handle, "positions", [s.positions_nc for s in known], "Å")
        _write_atoms(handle, "types", [s.types_n for s in known], "")
        _write_atoms(handle, "ids", [c.ids_n for c in configurations], "")
        for name in sorted(shared):
            _write_atoms(handle, name, [c.labels[name] for c in configurations], LABELS.get(name, ""))


def _write_atoms(handle: Any, name: str, parts: list[NDArray[Any]], unit: str) -> None:
    stored = handle.create_dataset(name, data=np.concatenate(parts), compression="gzip", shuffle=True)
    stored.attrs["unit"] = unit


def read_dataset(path: str | os.PathLike[str]) -> Dataset:
    """Reads a data set written by this or an earlier version.

    Raises:
        GlassError: if the file is missing, damaged, foreign, too new, or breaks the schema.
    """
    import h5py

    if not os.path.isfile(path):  # noqa: PTH113 - path may be any PathLike
        raise GlassError(f"data set {path} does not exist; make it with `glass import` or `glass label`")
    try:
        handle = h5py.File(path, "r")
    except OSError as error:
        raise GlassError(f"{path} is not a readable HDF5 file; make it again with `glass import` ({error})") from error
    with handle:
        _check_schema(handle, str(path))
        return _read(handle, str(path))


def _check_schema(handle: Any, path: str) -> None:
    if handle.attrs.get("schema") != SCHEMA:
        raise GlassError(
            f"{path} is no data set of this package (schema {handle.attrs.get('schema')!r}, not {SCHEMA!r})"
        )
    if int(handle.attrs["version"]) > VERSION:
        raise GlassError(
            f"{path} has schema version {handle.attrs['version']}, this version reads up to {VERSION}; upgrade"
        )
    missing = [name for name in _REQUIRED if name not in handle]
    if missing:
        raise GlassError(f"{path} lacks the field {missing[0]!r} of schema {SCHEMA} {VERSION}; make it again")
    atoms = int(handle["offsets"][-1])
    sizes = {"S": len(handle["offsets"]) - 1, "N": atoms, None: None}
    labels = {name: (1, "N") for name in LABELS if name in handle}
    for name, (dimensions, size) in {**_REQUIRED, **labels}.items():
        shape = handle[name].shape
        if len(shape) != dimensions or (size and shape[0] != sizes[size]):
            want = f"{dimensions} dimensions" + (f" and {sizes[size]} rows" if size else "")
            raise GlassError(f"field {name!r} of {path} has shape {shape}, must have {want}; make the file again")


def _read(handle: Any, path: str) -> Dataset:
    species = json.loads(handle.attrs["species"])
    offsets = handle["offsets"][()]
    labels = [name for name in LABELS if name in handle]
    configurations = []
    for s, name in enumerate(handle["names"].asstr()[()]):
        rows = slice(int(offsets[s]), int(offsets[s + 1]))
        try:
            structure = Structure(
                handle["positions"][rows], handle["types"][rows], species, handle["cell"][s], handle["pbc"][s].tolist()
            )
        except GlassError as error:
            raise GlassError(f"configuration {name!r} of {path}: {error}") from error
        values = {label: np.asarray(handle[label][rows], dtype=np.float64) for label in labels}
        group = int(handle["group"][s])
        configurations.append(Configuration(str(name), group, structure, handle["ids"][rows], values))
    return Dataset(tuple(configurations), json.loads(handle.attrs.get("source", "{}")), sha256(path))
