"""Public label files into our data set, without running anything that they contain."""

from __future__ import annotations

import io
import os
import pathlib
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Configuration, Dataset
from glass_core.errors import GlassError, unknown
from glass_core.files import sha256
from glass_core.paths import existing_file
from glass_core.structure import Floats, Structure

_CLASSES = {("numpy", "dtype"), ("numpy", "ndarray")}
_FUNCTIONS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),
}
_MOVED = 0.5
_SHARED_FRACTION = 0.3


class _CallOnly:
    """A function as a pickle gets it: to be called, never to be changed."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise GlassError("pickle wants to change a function of numpy; refused, nothing was run")


class _ArraysOnly(pickle.Unpickler):
    """Unpickler that builds numpy arrays and builtin containers and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CLASSES:
            return super().find_class(module, name)
        if (module, name) in _FUNCTIONS:
            return _CallOnly(super().find_class(module, name))
        raise GlassError(f"pickle wants to load {module}.{name}, which is not a numpy array; refused, nothing was run")


def load_arrays(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The dict of arrays in a pickle.

    Raises:
        GlassError: if the file is missing or damaged, is not a dict, or asks for anything but numpy
            arrays and builtin containers.
    """
    file = existing_file(path)
    try:
        content = _ArraysOnly(io.BytesIO(file.read_bytes())).load()
    except GlassError as error:
        raise GlassError(f"{path}: {error}") from None
    except Exception as error:  # noqa: BLE001 - damaged pickles raise nearly anything
        raise GlassError(
            f"{path} is not a readable pickle ({type(error).__name__}: {error}); download it again"
        ) from None
    if not isinstance(content, dict):
        raise GlassError(f"{path} holds a {type(content).__name__}, expected a dict of arrays")
    return content


def import_symgnn(
    paths: Sequence[str | os.PathLike[str]],
    species: Sequence[str] = ("Cu", "Zr"),
    groups: Mapping[str, int] | None = None,
) -> Dataset:
    """Data set from the public SymGNN files (arXiv:2401.08627).

    Keys read: ``positions`` (Å), ``types`` (1, 2, …), ``box`` (orthogonal, periodic, Å),
    ``trajectory_start_velocities`` (the barrier in eV, whatever the name says), ``pot`` (eV), ``pos`` (ids).

    Args:
        paths: pickles; the file's stem becomes the configuration's name.
        species: species of types 1, 2, ….
        groups: name → group for configurations that belong together; by default found by comparing
            positions (``related``).
    """
    read = [_configuration(pathlib.Path(path), tuple(species)) for path in paths]
    if not read:
        raise GlassError("no files to import; give the paths of the pickles")
    chosen = find_groups(read) if groups is None else given_groups(groups, [c.name for c in read])
    configurations = tuple(Configuration(c.name, chosen[c.name], c.structure, c.ids_n, c.labels) for c in read)
    source = {"format": "SymGNN pickles", "files": {c.name: sha256(p) for c, p in zip(read, paths, strict=True)}}
    return Dataset(configurations, source)


def given_groups(groups: Mapping[str, int], names: Sequence[str]) -> dict[str, int]:
    """The groups as given, one for each configuration.

    Raises:
        GlassError: for a name that is no configuration's, or a configuration without a group.
    """
    for name in groups:
        if name not in names:
            raise unknown("configuration with a group", name, names)
    missing = [name for name in names if name not in groups]
    if missing:
        raise GlassError(f"configuration {missing[0]!r} has no group; groups are given for {sorted(groups)}")
    return dict(groups)


def _configuration(path: pathlib.Path, species: tuple[str, ...]) -> Configuration:
    content = load_arrays(path)
    positions = _numbers(content, path, "positions", (None, 3))
    n = len(positions)
    if n == 0:
        raise GlassError(f"{path} holds no atoms; leave it out")
    types = _whole(content, path, "types", (n,))
    box = _numbers(content, path, "box", (3,))
    if types.min() < 1 or types.max() > len(species):
        raise GlassError(f"{path}: types run {types.min()} … {types.max()}, but species are {species}; give --species")
    if (box <= 0).any():
        raise GlassError(f"{path}: box lengths must be > 0 Å, got {box.tolist()}")
    try:
        structure = Structure(positions, types - 1, species, np.diag(box), True)
    except GlassError as error:
        raise GlassError(f"{path}: {error}") from error
    labels = {"barrier": _numbers(content, path, "trajectory_start_velocities", (n,))}
    if "pot" in content:
        labels["energy"] = _numbers(content, path, "pot", (n,))
    ids = _whole(content, path, "pos", (n, 1))[:, 0] if "pos" in content else np.arange(1, n + 1)
    return Configuration(path.stem, 0, structure, ids, labels)


def _numbers(content: dict[str, Any], path: pathlib.Path, key: str, shape: tuple[int | None, ...]) -> Floats:
    """A field of finite numbers."""
    values = np.asarray(_array(content, path, key, shape), dtype=np.float64)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        rows = len(np.unique(bad[:, 0]))
        raise GlassError(f"{path}: {key} are not finite in row {bad[0, 0]} ({rows} such rows); repair the file")
    return values


def _whole(content: dict[str, Any], path: pathlib.Path, key: str, shape: tuple[int | None, ...]) -> NDArray[np.int64]:
    """A field of whole numbers, in whatever type they are stored."""
    values = _array(content, path, key, shape)
    with np.errstate(invalid="ignore"):  # what does not fit differs afterwards
        whole = values.astype(np.int64)
    bad = np.argwhere(whole != values)
    if len(bad):
        raise GlassError(f"{path}: {key} must be whole numbers, got {values[tuple(bad[0])]} in row {bad[0, 0]}")
    return whole


def _array(content: dict[str, Any], path: pathlib.Path, key: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    if key not in content:
        raise GlassError(f"{path} has no key {key!r} (has {', '.join(map(str, content))}); is it a SymGNN file?")
    try:
        array = np.asarray(content[key])
    except ValueError as error:
        raise GlassError(f"{path}: {key} is no array: {error}") from error
    if array.ndim != len(shape) or any(want not in (None, got) for want, got in zip(shape, array.shape, strict=True)):
        raise GlassError(f"{path}: {key} has shape {array.shape}, must have {shape}")
    if array.dtype.kind not in "fiu":
        raise GlassError(f"{path}: {key} must be numbers, got {array.dtype}")
    return array


def related(a: Configuration, b: Configuration) -> bool:
    """Whether two configurations are the same glass, relabelled or strained.

    Compared in fractional coordinates, atom by atom in the order of the files, after removing a common
    shift: related if 30 % of the atoms lie within 0.5 Å of their place in the other box. Unrelated
    glasses of the same size share almost none.
    """
    if a.structure.n_atoms != b.structure.n_atoms or a.structure.n_atoms == 0:
        return False
    if not np.array_equal(a.structure.symbols(), b.structure.symbols()):
        return False
    cell = (a.structure.cell_cc + b.structure.cell_cc) / 2
    difference = a.structure.positions_nc @ np.linalg.inv(a.structure.cell_cc)
    difference -= b.structure.positions_nc @ np.linalg.inv(b.structure.cell_cc)
    difference -= np.round(difference)
    difference -= np.median(difference, axis=0)
    distance = np.linalg.norm(difference @ cell, axis=1)
    return bool((distance < _MOVED).mean() > _SHARED_FRACTION)


def find_groups(configurations: Sequence[Configuration]) -> dict[str, int]:
    """Group of each configuration: connected components of ``related``, numbered as first met."""
    group: list[int] = []
    for index, configuration in enumerate(configurations):
        linked = [k for k in range(index) if related(configurations[k], configuration)]
        group.append(group[linked[0]] if linked else max(group, default=-1) + 1)
        for k in linked[1:]:
            old = group[k]
            group = [group[linked[0]] if g == old else g for g in group]
    return {c.name: g for c, g in zip(configurations, group, strict=True)}
