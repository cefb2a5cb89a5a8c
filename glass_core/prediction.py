"""Prediction for all atoms or some, in chunks that bound memory. Every host calls this."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glass_core.cell_list import heights
from glass_core.domains import Surroundings, chunks, in_bins
from glass_core.errors import GlassError
from glass_core.models.base import Model
from glass_core.neighbours import find_neighbours
from glass_core.outputs import PerAtom
from glass_core.progress import Progress
from glass_core.structure import Ints, Structure

Values = NDArray[np.float64]

_DENSEST = 0.5  # atoms/Å³, above that of any solid
_LENGTHS_IN_ANGSTROM = 3.0  # cutoffs of models in units of an atom's diameter are shorter
_ATOM = 2.0  # Å, the room of an atom


def predict(
    model: Model,
    structure: Structure,
    centres: ArrayLike | None = None,
    progress: Progress | None = None,
    chunk_centres: int | None = None,
) -> dict[str, PerAtom]:
    """Predictions of ``model`` for ``centres``.

    Args:
        model: from ``load_model``.
        structure: atoms; those around the centres must reach to the model's receptive field, or the
            box must be periodic, or the surface is real.
        centres: indices or a boolean mask of the atoms asked for; default all.
        progress: called with the fraction done, 0 … 1.
        chunk_centres: most centres per model call; default the model's own.

    Returns:
        ``{name: PerAtom}``, values in the order of ``centres``. Chunked or not, the values are the same
        to rounding.

    Raises:
        GlassError: for centres that are no atoms, species the model does not know, atoms denser than in any solid,
            coinciding atoms, or a model that returns a value that is not finite.
    """
    known = structure.with_species(model.species, owner=f"model {model.card.name or model.kind!r}")
    _require_density(known, model.cutoff)
    wanted = None if centres is None else _indices(centres, structure.n_atoms)
    size = structure.n_atoms if wanted is None else len(wanted)
    most = model.chunk_centres if chunk_centres is None else chunk_centres
    if most < 1:
        raise GlassError(f"chunk_centres must be at least 1, got {most}")
    values = {name: np.full(size, np.nan) for name in model.outputs}
    order = in_bins(known, model.cutoff)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    try:
        if size:
            _fill(model, known.subset(order), None if wanted is None else place[wanted], most, values, progress)
    except np.linalg.LinAlgError as error:
        raise GlassError(
            f"{model.card.name or model.kind} cannot be computed here ({error}); {_closest(known)}"
        ) from error
    back = place if wanted is None else slice(None)
    result = {name: PerAtom(v[back], model.outputs[name]) for name, v in values.items()}
    _require_finite(result, wanted)
    return result


def _require_density(structure: Structure, cutoff: float) -> None:
    """Refuses lengths in another unit, whose neighbours would be too many to count.

    The volume is that between the outermost atoms in directions without periodicity.
    """
    if structure.n_atoms == 0:
        return
    tall = heights(structure.cell_cc)
    spread = np.ptp(structure.positions_nc @ np.linalg.inv(structure.cell_cc), axis=0) * tall
    sides = np.where(structure.pbc, tall, spread + _ATOM)
    density = structure.n_atoms * float(np.prod(tall / sides)) / abs(float(np.linalg.det(structure.cell_cc)))
    if density > _DENSEST and cutoff >= _LENGTHS_IN_ANGSTROM:
        raise GlassError(
            f"there are {density:.3g} atoms per Å³, more than in any solid (diamond has 0.18); give positions and box "
            "in Å: multiply those in nm by 10, those in units of an atom's diameter by that in Å"
        )


def _closest(structure: Structure) -> str:
    near = find_neighbours(structure, _ATOM)
    if not len(near.j_p):
        return "report this with the structure"
    pair = int(np.argmin(near.distances_p))
    return (
        f"the nearest atoms, {near.i_p[pair]} and {near.j_p[pair]}, are {near.distances_p[pair]:.2f} Å apart: minimise "
        "the energy first, and give positions in Å"
    )


def _indices(centres: ArrayLike, n_atoms: int) -> Ints:
    chosen = np.asarray(centres)
    if chosen.dtype == bool:
        if chosen.shape != (n_atoms,):
            raise GlassError(f"a mask of centres must have shape ({n_atoms},), got {chosen.shape}")
        return np.flatnonzero(chosen).astype(np.int32)
    if chosen.size == 0:
        return np.empty(0, dtype=np.int32)
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer):
        raise GlassError(f"centres must be atom indices or a mask, got {chosen.dtype} of shape {chosen.shape}")
    if chosen.min() < 0 or chosen.max() >= n_atoms:
        raise GlassError(f"centres must lie in 0 … {n_atoms - 1}, got {chosen.min()} … {chosen.max()}")
    return chosen.astype(np.int32)


def _fill(
    model: Model,
    structure: Structure,
    wanted: Ints | None,
    most: int,
    values: dict[str, Values],
    progress: Progress | None,
) -> None:
    if wanted is None and structure.n_atoms <= most:
        for name, result in model(structure, None, progress=progress).items():
            values[name][:] = result.values
        return
    asked = np.arange(structure.n_atoms, dtype=np.int32) if wanted is None else wanted
    unique, inverse = np.unique(asked, return_inverse=True)
    place = np.zeros(structure.n_atoms, dtype=np.int64)
    place[unique] = np.arange(len(unique))
    sorted_values = {name: np.full(len(unique), np.nan) for name in values}
    done = 0
    surroundings = Surroundings.within(structure, model.receptive_field)
    for chunk in chunks(structure, unique, most, model.cutoff):
        index, rows = surroundings(chunk)
        for name, result in model(structure.subset(index), rows).items():
            sorted_values[name][place[chunk]] = result.values
        done += len(chunk)
        if progress:
            progress(done / len(unique))
    for name, column in sorted_values.items():
        values[name][:] = column[inverse]


def _require_finite(result: dict[str, PerAtom], wanted: Ints | None) -> None:
    for name, per_atom in result.items():
        bad = np.flatnonzero(~np.isfinite(per_atom.values))
        if bad.size:
            atom = int(bad[0] if wanted is None else wanted[bad[0]])
            raise GlassError(f"{name} of atom {atom} is not finite ({bad.size} atoms); report this with the structure")
