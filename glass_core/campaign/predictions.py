"""What barrier models say of a glass at its minimum and at its saddles."""

from __future__ import annotations

import numpy as np

from glass_core.campaign.columns import rounded
from glass_core.campaign.labels import Predicted
from glass_core.errors import GlassError
from glass_core.model_file import load_model
from glass_core.models.base import Model
from glass_core.prediction import predict
from glass_core.progress import Progress
from glass_core.saddle.records import SearchRecord, State
from glass_core.structure import Structure, replace_fields


def barrier_model(name: str) -> Model:
    """A model by name or path that predicts barriers.

    Raises:
        GlassError: if it cannot be loaded, or predicts something else.
    """
    model = load_model(name)
    if "barrier" not in model.outputs:
        given = ", ".join(model.outputs)
        raise GlassError(f"model {name!r} gives {given}, no barrier in eV; choose another one, such as 'barrier'")
    return model


def predicted(name: str, structure: Structure, progress: Progress | None = None) -> Predicted:
    """Predictions for all atoms of a minimum."""
    model = barrier_model(name)
    outputs = predict(model, structure, progress=progress)
    barrier = outputs["barrier"].values
    std = outputs["barrier_std"].values if "barrier_std" in outputs else np.full_like(barrier, np.nan)
    return Predicted(model.card.name or model.kind, model.card.sha256, barrier, std)


def predicted_prior(name: str, structure: Structure, progress: Progress | None = None) -> Predicted:
    """The same of a model that knows how far it may be off.

    Raises:
        GlassError: if it does not.
    """
    prior = predicted(name, structure, progress)
    if (prior.std_n == 0).any():
        raise GlassError(
            f"barrier_std of model {name!r} is 0 for some atoms: the noise of labels it was calibrated with "
            "explains all of its errors; train it with a lower label_noise, or choose another one, such as 'barrier'"
        )
    if not (prior.std_n > 0).all():
        raise GlassError(
            f"model {name!r} gives no barrier_std, which a prior needs; choose another one, such as 'barrier'"
        )
    return prior


def predicted_saddle(model: Model, structure: Structure, record: SearchRecord) -> float:
    """What a model says of the atom of an event at its saddle, eV; nan for searches that are none.

    Displacements are taken as they are kept in label files, so that the value does not depend on when it is computed.
    """
    if record.state is not State.ACCEPTED:
        return float("nan")
    positions = structure.positions_nc.copy()
    positions[record.moved_d] += rounded(record.saddle_dc)
    at_saddle = replace_fields(structure, positions_nc=positions)
    return float(predict(model, at_saddle, [record.atom])["barrier"].values[0])
