"""The OVITO modifier "Label statistics"."""

from __future__ import annotations

import pathlib
from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ovito.data import DataCollection
from ovito.pipeline import ModifierInterface
from ovito.traits import FilePath
from traits.api import Disallow, Range, Str

from glass_core.campaign.labels import Labels
from glass_core.campaign.retest import expected_retest
from glass_core.outputs import PerAtom
from ovito_glass.labels import matched_labels
from ovito_glass.results import checked_prefix, property_name, results_key, write_histogram

MASK = "Labelled"


class LabelStatistics(ModifierInterface):
    """Shows what a label file says of each atom: the barriers found around it.

    Properties: "Mean Barrier", "Median Barrier", "Barrier Error" (standard error of the mean), "Barrier Deviation"
    (of an atom's barriers), eV, "Barriers" (how many), "Events" (accepted searches), "Searches" and "Labelled" (1 where
    there is a barrier). Atoms without one have NaN for barriers, those with one alone for errors; select
    "Labelled == 1" before colouring. A campaign with a prior gives "Posterior Barrier" and "Posterior Error" of every
    atom too, one with ``--model`` "Predicted Barrier" (of this minimum).

    Global attributes ``Glass.<key>.mean``, ``.median`` (of the atoms' means), ``.noise`` (root mean square of the
    standard errors), ``.reliability`` (correlation to expect with a second campaign; NaN for fewer than 30 labelled
    atoms), ``.reliability_error``, ``.acceptance``, ``.atoms`` (labelled ones), ``.searches`` and ``.potential``;
    data table ``glass-<key>`` with the histogram of means; key is the prefix or, without one, the name of the file.

    Raises (from ``pipeline.compute()``):
        GlassError: for a label file of another structure, naming what differs, or two modifiers with the same key.

    >>> LabelStatistics(prefix="Second campaign").bins
    50
    """

    _ = Disallow  # a misspelt parameter is an error

    label_file = FilePath("", label="Label file", ovito_group="Input", ovito_placeholder="‹made by glass label›")
    prefix = Str("", label="Prefix of results", ovito_group="Output", ovito_placeholder="‹none›")
    bins = Range(2, 10_000, 50, label="Histogram bins", ovito_group="Output")

    def modify(self, data: DataCollection, *, frame: int, **kwargs: Any) -> Generator[str | float, None, None]:
        """Called by the pipeline for each frame; yields status texts."""
        prefix = checked_prefix(self.prefix)
        yield "Reading the label file"
        matched = matched_labels(data, self.label_file)
        key = results_key(data, prefix, pathlib.Path(self.label_file).stem)
        columns = per_atom(matched.labels)
        for name, values_n in columns.items():
            column = np.empty_like(values_n)
            column[matched.particle_n] = values_n
            data.particles_.create_property(property_name(data, name, prefix, key), data=column)
        means = columns["Mean Barrier"][columns[MASK] == 1]
        write_histogram(data, "barrier", PerAtom(means, "eV"), int(self.bins), key)
        _write_attributes(data, matched.labels, means, key)
        yield f"{len(means)} of {len(columns[MASK])} atoms labelled by {len(matched.labels)} searches"


def per_atom(labels: Labels) -> dict[str, NDArray[Any]]:
    """Statistics under their names in OVITO, each of shape (n,)."""
    found = labels.statistics()
    columns: dict[str, NDArray[Any]] = {
        "Mean Barrier": found.moments.mean_n,
        "Median Barrier": found.median_n,
        "Barrier Error": found.error_n,
        "Barrier Deviation": found.std_n,
        "Barriers": found.moments.counted_n.astype(np.int32),
        "Events": np.bincount(labels["atom"][labels.events()], minlength=labels.structure.n_atoms).astype(np.int32),
        "Searches": found.moments.searches_n.astype(np.int32),
        MASK: found.labelled_n.astype(np.int32),
    }
    posterior = labels.posterior()
    if posterior is not None:
        columns |= {"Posterior Barrier": posterior.mean_n, "Posterior Error": posterior.error_n}
    if labels.predicted is not None:
        columns["Predicted Barrier"] = labels.predicted.barrier_n
    return columns


def _write_attributes(data: DataCollection, labels: Labels, means: NDArray[np.float64], key: str) -> None:
    """Global attributes ``Glass.<key>.…``."""
    found = labels.statistics()
    reliability, reliability_error = expected_retest(found.moments)
    content = {
        "potential": labels.header.potential,
        "unit": "eV",
        "atoms": len(means),
        "searches": len(labels),
        "mean": float(means.mean()) if means.size else float("nan"),
        "median": float(np.median(means)) if means.size else float("nan"),
        "noise": found.noise,
        "reliability": reliability,
        "reliability_error": reliability_error,
        "acceptance": float(labels.accepted_r.mean()) if len(labels) else float("nan"),
    }
    for name, value in content.items():
        data.attributes[f"Glass.{key}.{name}"] = value
