"""Label files into data sets for training."""

from __future__ import annotations

import pathlib

import numpy as np

from glass_core.campaign.digests import structure_digest
from glass_core.campaign.label_file import read_labels
from glass_core.campaign.labels import Labels
from glass_core.dataset import Configuration, Dataset
from glass_core.errors import GlassError
from glass_core.paths import AnyPath
from glass_core.structure import Floats


def read_label_data(path: AnyPath) -> Dataset:
    """A label file as a data set of one configuration, named for the file.

    Labels that an atom does not have are nan: all of them where no search gave a barrier, errors where only one did.

    Raises:
        GlassError: if the file cannot be read or holds no barrier.
    """
    labels, name = read_labels(path), pathlib.Path(path).stem
    if not labels.counted_r.any():
        raise GlassError(f"{path} holds no barrier; go on with `glass label`, or leave it out")
    configuration = Configuration(name, 0, labels.structure, labels.ids_n, atom_labels(labels))
    return Dataset((configuration,), {"format": "glass-labels", "files": {name: _source(labels)}})


def _source(labels: Labels) -> dict[str, object]:
    """Where the labels come from. More searches change the file; by its structure a model knows it again."""
    header = labels.header
    return {
        "potential": header.potential,
        "potential_digest": header.potential_digest,
        "structure_digest": structure_digest(header.structure),
        "settings": header.settings.as_dict(),
        "seed": header.seed,
        "searches": len(labels),
        "prior": labels.prior.model if labels.prior else "",
    }


def atom_labels(labels: Labels) -> dict[str, Floats]:
    """Labels per atom, as data sets name them (``dataset_schema.LABELS``)."""
    statistics = labels.statistics()
    sums = statistics.moments
    shrunk = np.where(statistics.labelled_n, sums.shrunk_error(), np.nan)
    result = {
        "barrier": sums.mean_n,
        "barrier_median": statistics.median_n,
        "barrier_q10": statistics.q10_n,
        "barrier_q90": statistics.q90_n,
        "barrier_error": statistics.error_n,
        "barrier_shrunk_error": shrunk,
        "searches": sums.searches_n.astype(np.float64),
        "accepted": sums.counted_n.astype(np.float64),
    }
    if labels.header.energy_n is not None:
        result["energy"] = labels.header.energy_n
    best = labels.posterior()
    if best is not None:
        result |= {"barrier_posterior": best.mean_n, "barrier_posterior_error": best.error_n}
    return result
