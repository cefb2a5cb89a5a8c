"""The public SymGNN pickles, read without running anything that they contain."""

from __future__ import annotations

import io
import pathlib
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Configuration, Dataset
from glass_core.errors import GlassError
from glass_core.files import sha256
from glass_core.paths import AnyPath, existing_file
from glass_core.species_map import SpeciesMap
from glass_core.structure import Floats, Structure

PUBLIC_SPECIES: SpeciesMap = {"1": "Cu", "2": "Zr"}
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


def load_arrays(path: AnyPath) -> dict[str, Any]:
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


def read_symgnn(path: AnyPath, species: SpeciesMap = PUBLIC_SPECIES) -> Dataset:
    """One of the public SymGNN files (arXiv:2401.08627) as a data set of one configuration, named for the file.

    Keys read: ``positions`` (Å), ``types`` (1, 2, …), ``box`` (lengths, or box vectors in rows; periodic, Å),
    ``trajectory_start_velocities`` (the barrier in eV, whatever the name says; nan for atoms without), and if there
    are any, ``pot`` (eV) and ``pos`` (ids). Fields of one number per atom may be rows or columns.

    Args:
        path: pickle.
        species: species of each type.

    Raises:
        GlassError: as ``load_arrays``, and if a key is missing or does not hold what it should.
    """
    configuration = _configuration(pathlib.Path(path), species)
    return Dataset((configuration,), {"format": "SymGNN pickles", "files": {configuration.name: sha256(path)}})


def _configuration(path: pathlib.Path, species: SpeciesMap) -> Configuration:
    content = load_arrays(path)
    positions = _numbers(content, path, "positions", (None, 3))
    n = len(positions)
    if n == 0:
        raise GlassError(f"{path} holds no atoms; leave it out")
    types = _whole(content, path, "types", (n,))
    held = [str(t) for t in np.unique(types).tolist()]
    if not set(held) <= set(species):
        known = ",".join(f"{key}={name}" for key, name in species.items())
        cure = ",".join(f"{key}={species.get(key, '…')}" for key in held)
        raise GlassError(
            f"{path} has the types {', '.join(held)}, but species are {known}; say which they are: --species {cure}"
        )
    names = tuple(dict.fromkeys(species.values()))
    numbered = {key: names.index(name) for key, name in species.items()}
    cell = _box(content, path)
    try:
        structure = Structure(positions, [numbered[str(t)] for t in types.tolist()], names, cell, True)
    except GlassError as error:
        raise GlassError(f"{path}: {error}") from error
    labels = {"barrier": _numbers(content, path, "trajectory_start_velocities", (n,), or_nan=True)}
    if "pot" in content:
        labels["energy"] = _numbers(content, path, "pot", (n,), or_nan=True)
    ids = _whole(content, path, "pos", (n,)) if "pos" in content else np.arange(1, n + 1)
    return Configuration(path.stem, 0, structure, ids, labels)


def _box(content: dict[str, Any], path: pathlib.Path) -> Floats:
    """Box vectors in rows."""
    if getattr(content.get("box"), "shape", None) == (3, 3):
        return _numbers(content, path, "box", (3, 3))
    lengths = _numbers(content, path, "box", (3,))
    if (lengths <= 0).any():
        raise GlassError(f"{path}: box lengths must be > 0 Å, got {lengths.tolist()}")
    return np.diag(lengths)


def _numbers(
    content: dict[str, Any], path: pathlib.Path, key: str, shape: tuple[int | None, ...], or_nan: bool = False
) -> Floats:
    """A field of finite numbers; of nan as well where an atom may have none."""
    values = np.asarray(_array(content, path, key, shape), dtype=np.float64)
    bad = np.argwhere(np.isinf(values) if or_nan else ~np.isfinite(values))
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
    if len(shape) == 1 and array.ndim == 2 and 1 in array.shape:  # as MATLAB writes them
        array = array.ravel()
    if array.ndim != len(shape) or any(want not in (None, got) for want, got in zip(shape, array.shape, strict=True)):
        raise GlassError(f"{path}: {key} has shape {array.shape}, must have {shape}")
    if array.dtype.kind not in "fiu":
        raise GlassError(f"{path}: {key} must be numbers, got {array.dtype}")
    return array
