"""The contract of models."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Collection, Mapping

import numpy as np

from glass_core.models.base import Model
from glass_core.outputs import OUTPUTS, PerAtom
from glass_core.prediction import predict
from glass_core.structure import Ints, Structure
from glass_core.testing.common import COMMON_CHECKS
from glass_core.testing.descriptors import SmallBlocks
from glass_core.testing.structures import example_glass
from glass_core.testing.subject import Check, Columns, Subject, require, require_equal, run

_NEEDED = (
    "kind", "card", "species", "cutoff", "receptive_field", "outputs", "chunk_centres", "settings", "tensors",
    "from_parts",
)  # fmt: skip


def check_model(
    model: Model,
    structure: Structure | None = None,
    seed: int = 0,
    *,
    skip: Collection[str] = (),
    tolerance: float = 1e-4,
) -> list[str]:
    """Runs all checks of ``MODEL_CHECKS`` on a model.

    Args:
        model: the model with its settings and arrays.
        structure: atoms to use, default ``example_glass`` of the model's species. Give your own where
            lengths are not in Å.
        seed: for rotations, permutations, choices of atoms.
        skip: names of checks to leave out.
        tolerance: accepted difference, relative to the largest value of an output.

    Returns:
        Names of the checks that ran.

    Raises:
        CheckError: for the first check that fails.

    >>> check_model("barrier")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    glass_core.testing.subject.CheckError: str is no model: it lacks kind, card, species, ...
    """
    lacking = [name for name in _NEEDED if not hasattr(model, name)]
    require(not lacking, f"{type(model).__name__} is no model: it lacks {', '.join(lacking)}")
    subject = Subject(
        f"model {model.kind!r}",
        tuple(model.species),
        float(model.receptive_field),
        lambda atoms, centres: _columns(predict(model, atoms, centres)),
        tolerance,
    )
    checks = _checks(model)
    return run(checks, subject, structure or example_glass(subject.species, seed=seed), seed, skip)


def _columns(result: Mapping[str, PerAtom]) -> Columns:
    return {name: per_atom.values for name, per_atom in result.items()}


def _checks(model: Model) -> dict[str, Check]:
    def outputs(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """What a call returns is what ``outputs`` declares: names, units, one value per centre."""
        require(bool(model.outputs), "outputs declares nothing")
        some = np.sort(random.permutation(structure.n_atoms)[:5]).astype(np.int32)
        for centres in (None, some):
            _require_declared(model, model(known(structure), centres), structure, centres)
        for name, unit in model.outputs.items():
            table = OUTPUTS.get(name)
            require(table is None or table.unit == unit, f"{name} is in {table and table.unit!r}, declared {unit!r}")

    def known(structure: Structure) -> Structure:
        return structure.with_species(model.species)

    def edges(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """Edges come from ``find``, in blocks of any size, none longer than ``cutoff``."""
        finder = SmallBlocks()
        found = _columns(model(known(structure), None, find=finder))
        require_equal(subject, subject.values(structure, None), found, "edges in small blocks")
        require(finder.calls > 0, "the model did not ask `find` for its edges")
        require(
            model.receptive_field >= model.cutoff > 0,
            f"receptive_field {model.receptive_field:g} Å must reach as far as cutoff {model.cutoff:g} Å, which is > 0",
        )

    def chunks(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """Prediction in chunks gives what prediction in one piece gives."""
        most = max(1, structure.n_atoms // 4)
        found = _columns(predict(model, structure, chunk_centres=most))
        require_equal(subject, subject.values(structure, None), found, f"prediction in chunks of {most}")

    def progress(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """Fractions told to ``progress`` rise and stay within 0 … 1."""
        told: list[float] = []
        predict(model, structure, progress=told.append)
        require(told == sorted(told) and all(0 <= f <= 1 for f in told), f"progress was told {told[:8]}")

    def file(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """Written to a file and loaded again, the model is of the same kind and gives the same values."""
        _require_survives_file(model, subject, structure)

    return {"outputs": outputs, **COMMON_CHECKS, "edges": edges, "chunks": chunks, "progress": progress, "file": file}


def _require_declared(model: Model, result: Mapping[str, PerAtom], structure: Structure, centres: Ints | None) -> None:
    declared = model.outputs
    require(set(result) == set(declared), f"outputs declares {sorted(declared)}, the call returned {sorted(result)}")
    count = structure.n_atoms if centres is None else len(centres)
    for name, per_atom in result.items():
        require(per_atom.unit == declared[name], f"{name} came in {per_atom.unit!r}, declared {declared[name]!r}")
        require(per_atom.values.shape == (count,), f"{name} has shape {per_atom.values.shape} for {count} centres")


def _require_survives_file(model: Model, subject: Subject, structure: Structure) -> None:
    from glass_core.model_file import load_model, save_model

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.safetensors"
        save_model(model, path)
        again = load_model(path)
    for name in ("kind", "species", "cutoff", "receptive_field", "outputs"):
        before, after = getattr(model, name), getattr(again, name)
        require(before == after, f"{name} was {before!r} and is {after!r} after loading")
    expected, found = subject.values(structure, None), _columns(predict(again, structure))
    require_equal(subject, expected, found, "saving and loading")


MODEL_CHECKS: tuple[str, ...] = ("outputs", *COMMON_CHECKS, "edges", "chunks", "progress", "file")
