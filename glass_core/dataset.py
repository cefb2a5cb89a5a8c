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
| ``barrier_median``, ``_q10``, ``_q90`` | (N,) | float64 | eV | quantiles over an atom's searches, optional |
| ``barrier_error`` | (N,) | float64 | eV | standard error of ``barrier``: deviation / √accepted, optional |
| ``barrier_shrunk_error`` | (N,) | float64 | eV | the same, the deviation shrunk towards that of all atoms, optional |
| ``barrier_posterior``, ``…_error`` | (N,) | float64 | eV | searches and a model's prediction together, optional |
| ``searches``, ``accepted`` | (N,) | float64 | | how many were made, and gave a barrier, optional |

Optional fields are nan for atoms that have no value: those that no search gave a barrier, all of a configuration
that lacks the field. Such atoms are neighbours like all others; training and scores use the atoms with a label.

Attributes: ``schema``, ``version``, ``species`` (JSON list), ``source`` (JSON object).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset_schema import LABELS, SCHEMA, VERSION, Content, read_content
from glass_core.errors import GlassError
from glass_core.files import replacing_hdf5, sha256
from glass_core.paths import existing_file
from glass_core.structure import Floats, Structure

_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True, eq=False)
class Configuration:
    """One labelled configuration.

    Attributes:
        name: unique within the data set.
        group: configurations of one group must never be split between training and testing.
        structure: the atoms.
        ids_n: identifiers.
        labels: label name → values, shape (n,), nan for atoms that have none. Labels that no atom has are left out.
    """

    name: str
    group: int
    structure: Structure
    ids_n: NDArray[np.int64]
    labels: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {name: values for name, values in self.labels.items() if not np.isnan(values).all()}
        object.__setattr__(self, "labels", known)

    def label(self, name: str) -> Floats:
        """Values of a label, shape (n,); nan for atoms that have none.

        Raises:
            GlassError: if no atom of the configuration has it, or a value is infinite.
        """
        if name not in self.labels:
            has = ", ".join(self.labels) or "none"
            raise GlassError(
                f"no atom of configuration {self.name!r} has a label {name!r} (labels: {has}); label atoms with "
                "`glass label`, or leave the configuration out"
            )
        values = self.labels[name]
        bad = np.flatnonzero(np.isinf(values))
        if bad.size:
            raise GlassError(
                f"{name} of atom {bad[0]} of configuration {self.name!r} is infinite ({bad.size} such atoms); repair it"
            )
        return values

    def labelled(self, name: str) -> tuple[NDArray[np.intp], Floats]:
        """The atoms that have a label, ascending, and its values, shapes (m,).

        Raises:
            GlassError: as ``label``.
        """
        values = self.label(name)
        atoms = np.flatnonzero(np.isfinite(values))
        return atoms, values[atoms]

    def noise(self, name: str) -> Floats:
        """Standard error of each value of a label, in its unit, shape (n,); nan where the data set does not tell it.

        That of ``barrier`` is ``barrier_shrunk_error`` where there is such a field, else ``barrier_error``.
        """
        fields = (f"{name}_shrunk_error", f"{name}_error")
        unknown = np.full(self.structure.n_atoms, np.nan)
        return next((self.labels[field] for field in fields if field in self.labels), unknown)


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

    def renamed(self, names: Mapping[str, str]) -> Dataset:
        """With other names of species (see ``Structure.renamed``)."""
        renamed = (replace(c, structure=c.structure.renamed(names)) for c in self)
        return replace(self, configurations=tuple(renamed))

    @property
    def groups(self) -> list[int]:
        """Distinct groups, ascending."""
        return sorted({c.group for c in self.configurations})

    @property
    def species(self) -> tuple[str, ...]:
        """All species, sorted."""
        return tuple(sorted({name for c in self.configurations for name in c.structure.species}))


def write_dataset(dataset: Dataset, path: str | os.PathLike[str]) -> None:
    """Writes a data set; an existing file is replaced only when the new one is complete.

    A label that only some configurations have is nan for the others.

    Raises:
        GlassError: for no configurations, two of one name, or a group that is no 32-bit number.
    """
    import h5py

    configurations = dataset.configurations
    _check_configurations(configurations)
    names = [c.name for c in configurations]
    counts = [c.structure.n_atoms for c in configurations]
    labels = sorted({name for c in configurations for name in c.labels})
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
        for name in labels:
            values = [c.labels.get(name, np.full(c.structure.n_atoms, np.nan)) for c in configurations]
            _write_atoms(handle, name, values, LABELS.get(name, ""))


def _check_configurations(configurations: Sequence[Configuration]) -> None:
    if not configurations:
        raise GlassError("a data set needs at least one configuration, got none")
    names = [c.name for c in configurations]
    if len(set(names)) != len(names):
        raise GlassError(f"configurations must have different names, got {names}")
    for c in configurations:
        if not _INT32.min <= c.group <= _INT32.max:
            raise GlassError(
                f"group of configuration {c.name!r} must lie in {_INT32.min} … {_INT32.max}, got {c.group}"
            )


def _write_atoms(handle: Any, name: str, parts: list[NDArray[Any]], unit: str) -> None:
    stored = handle.create_dataset(name, data=np.concatenate(parts), compression="gzip", shuffle=True)
    stored.attrs["unit"] = unit


def read_dataset(path: str | os.PathLike[str]) -> Dataset:
    """Reads a data set written by this or an earlier version.

    Raises:
        GlassError: if the file is missing, damaged, foreign, too new, or breaks the schema.
    """
    import h5py

    existing_file(path, "data set", "make it with `glass import`")
    try:
        with h5py.File(path, "r") as handle:
            content = read_content(handle, str(path))
    except GlassError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:  # h5py's, for damaged files
        raise GlassError(f"{path} is not a readable HDF5 file; make it again with `glass import` ({error})") from error
    return Dataset(tuple(_configurations(content, str(path))), content.source, sha256(path))


def _configurations(content: Content, path: str) -> Iterator[Configuration]:
    fields, offsets = content.fields, content.fields["offsets"].tolist()
    labels = [name for name in LABELS if name in fields]
    for s, name in enumerate(fields["names"].tolist()):
        rows = slice(offsets[s], offsets[s + 1])
        try:
            structure = Structure(
                fields["positions"][rows], fields["types"][rows], content.species, fields["cell"][s],
                fields["pbc"][s].tolist(),
            )  # fmt: skip
        except GlassError as error:
            raise GlassError(f"configuration {name!r} of {path}: {error}") from error
        values = {label: np.asarray(fields[label][rows], dtype=np.float64) for label in labels}
        yield Configuration(name, int(fields["group"][s]), structure, fields["ids"][rows].astype(np.int64), values)
