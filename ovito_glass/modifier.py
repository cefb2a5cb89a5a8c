"""The OVITO modifier "Predict barriers"."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ovito.data import DataCollection
from ovito.pipeline import ModifierInterface
from ovito.traits import FilePath
from traits.api import Bool, Disallow, Enum, Range, Str

from glass_core import GlassError, load_model, predict
from glass_core.model_file import DEFAULT, model_names
from glass_core.species_map import parse_species_map
from ovito_glass.background import in_background
from ovito_glass.results import checked_prefix, results_key, write_attributes, write_histogram, write_properties
from ovito_glass.structure import to_structure


class PredictBarriers(ModifierInterface):
    """Predicts per-atom barriers, or what else a model predicts, and writes them as particle properties.

    Beside the properties, the output has a histogram of the model's first output (data table
    ``glass-<key>``) and global attributes ``Glass.<key>.mean``, ``.std``, ``.out_of_domain_fraction``,
    ``.atoms``, ``.output``, ``.unit``, ``.model`` and ``.hash``, where key is the prefix or, without
    one, the name of the model. A property that exists is never overwritten: the new one gets the
    model's name in front.

    Raises (from ``pipeline.compute()``):
        GlassError: for particles without a species, with two, or with one that the model does not know, coinciding
            atoms, a missing or damaged model file, no selection with ``only_selected``, or two
            modifiers with the same key.

    >>> PredictBarriers(model="scnn", species_map="1=Cu, 2=Zr").only_selected
    False
    """

    _ = Disallow  # a misspelt parameter is an error

    model = Enum(DEFAULT, model_names(), label="Model", ovito_group="Model")
    model_file = FilePath("", label="Model file", ovito_group="Model", ovito_placeholder="‹use the model above›")
    species_map = Str("", label="Species map", ovito_group="Input", ovito_placeholder="1=Cu, 2=Zr")
    only_selected = Bool(False, label="Only selected particles", ovito_group="Input")
    prefix = Str("", label="Prefix of results", ovito_group="Output", ovito_placeholder="‹none›")
    bins = Range(2, 10_000, 100, label="Histogram bins", ovito_group="Output")

    def modify(self, data: DataCollection, *, frame: int, **kwargs: Any) -> Generator[str | float, None, None]:
        """Called by the pipeline for each frame; yields status texts and the fraction done."""
        prefix = checked_prefix(self.prefix)
        structure = to_structure(data, parse_species_map(self.species_map))
        mask = _selection(data) if self.only_selected else None
        yield "Loading the model"
        model = load_model(self.model_file or self.model)
        key = results_key(data, prefix, model.card.name or model.kind)
        size = structure.n_atoms if mask is None else int(mask.sum())
        yield f"Predicting {', '.join(model.outputs)} of {size} atoms with model {model.card.name or model.kind}"
        predictions = yield from in_background(
            lambda progress: predict(model, structure, centres=mask, progress=progress)
        )
        names = write_properties(data, predictions, mask, prefix, key)
        main = next(iter(predictions))
        write_histogram(data, main, predictions[main], int(self.bins), key)
        write_attributes(data, model, predictions, key)
        yield f"Wrote {', '.join(names)}"


def _selection(data: DataCollection) -> NDArray[np.bool_]:
    """Which particles are selected, shape (n,)."""
    selection = data.particles.selection
    if selection is None and data.particles.count:
        raise GlassError("no particles are selected; insert a selection modifier before, or turn only_selected off")
    return np.zeros(0, dtype=bool) if selection is None else np.array(selection) != 0
