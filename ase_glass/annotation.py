"""Predictions as arrays of ``Atoms``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ase_glass.structure import SpeciesMap, to_structure
from glass_core import GlassError, Structure, load_model, predict
from glass_core.model_file import DEFAULT
from glass_core.outputs import OUTPUTS, output

if TYPE_CHECKING:
    from glass_core.models.base import Model
    from glass_core.progress import Progress

Arrays = dict[str, NDArray[np.float64]]
OUTPUTS_KEY = "glass_outputs"


def annotate(
    atoms: Atoms,
    model: str | os.PathLike[str] | Model = DEFAULT,
    species_map: SpeciesMap | None = None,
    progress: Progress | None = None,
) -> None:
    """Writes the predictions of ``model`` into ``atoms.arrays`` and its name into ``atoms.info``.

    The arrays are named ``glass_`` + output (``glass_barrier`` in eV, …); ``info`` gets ``glass_model``,
    ``glass_model_sha256`` (if the model came from a file) and ``glass_outputs``, the names of the outputs.
    They describe the atoms as they are now and do not follow them: after a move, annotate again. Arrays of an
    earlier annotation (those that ``glass_outputs`` names, and those named as the shipped models' outputs) are
    removed, so that the model's name fits all.

    Args:
        atoms: changed in place; the calculator, if any, is left alone.
        model: name or path of a model, or a model.
        species_map: see ``to_structure``.
        progress: called with the fraction done, 0 … 1.

    Raises:
        GlassError: for an unknown model, or atoms that the model cannot take.
    """
    chosen = as_model(model)
    attach(atoms, predicted_arrays(chosen, to_structure(atoms, species_map), progress), chosen)


def as_model(model: str | os.PathLike[str] | Model) -> Model:
    """The model itself, from its name or path.

    Raises:
        GlassError: for an unknown name, a damaged file, or what is neither.
    """
    if isinstance(model, (str, os.PathLike)):
        return load_model(model)
    if not callable(model) or not hasattr(model, "card"):
        raise GlassError(f"model must be a name, a path or a model, got {type(model).__name__}")
    return model


def predicted_arrays(model: Model, structure: Structure, progress: Progress | None = None) -> Arrays:
    """Predictions for all atoms under their names in ASE, each of shape (n,)."""
    predicted = predict(model, structure, progress=progress)
    return {output(name).ase: per_atom.values for name, per_atom in predicted.items()}


def attach(atoms: Atoms, arrays: Arrays, model: Model) -> None:
    """Puts arrays of ``model`` into ``atoms`` in place of those of an earlier annotation."""
    earlier = str(atoms.info.get(OUTPUTS_KEY, "")).split(",")
    for name in {*OUTPUTS, *earlier}:
        atoms.arrays.pop(output(name).ase, None)
    for name, values in arrays.items():
        atoms.arrays[name] = values.copy()
    atoms.info.pop("glass_model_sha256", None)
    atoms.info.update(provenance(model))


def provenance(model: Model) -> Mapping[str, Any]:
    """What ``atoms.info`` tells about the model. A model that came from no file has no hash."""
    return without_empty(
        {
            "glass_model": model.card.name or model.kind,
            "glass_model_sha256": model.card.sha256,
            OUTPUTS_KEY: ",".join(model.outputs),
        }
    )


def without_empty(info: Mapping[str, Any]) -> dict[str, Any]:
    """``info`` without texts that are empty, behind which ASE loses the next entry of an extended XYZ file."""
    return {name: value for name, value in info.items() if not (isinstance(value, str) and value == "")}
