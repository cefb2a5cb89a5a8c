"""Label files into data sets for training."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from glass_core.campaign.label_file import read_labels
from glass_core.campaign.labels import Labels
from glass_core.dataset import Configuration, Dataset
from glass_core.errors import GlassError
from glass_core.importers import find_groups, given_groups
from glass_core.paths import AnyPath
from glass_core.structure import Floats


def import_labels(paths: Sequence[AnyPath], groups: Mapping[str, int] | None = None) -> Dataset:
    """A data set from label files, a configuration of each, named for its file.

    Labels that an atom does not have are nan: all of them where no search was accepted, its errors where only one was.
    Training on a label refuses configurations in which an atom lacks it.

    Args:
        paths: label files.
        groups: name → group for configurations that belong together; by default found by comparing positions.

    Raises:
        GlassError: if a file cannot be read, holds no accepted search, or a group is missing.
    """
    read = [_configuration(pathlib.Path(path), read_labels(path)) for path in paths]
    names = [configuration.name for configuration, _ in read]
    chosen = find_groups([c for c, _ in read]) if groups is None else given_groups(groups, names)
    configurations = tuple(Configuration(c.name, chosen[c.name], c.structure, c.ids_n, c.labels) for c, _ in read)
    return Dataset(
        configurations, {"format": "glass-labels", "files": dict(zip(names, (s for _, s in read), strict=True))}
    )


def _configuration(path: pathlib.Path, labels: Labels) -> tuple[Configuration, Mapping[str, object]]:
    if not labels.accepted_r.any():
        raise GlassError(f"{path} holds no accepted search; go on with `glass label`, or leave it out")
    header = labels.header
    source = {
        "potential": header.potential,
        "potential_digest": header.potential_digest,
        "settings": header.settings.as_dict(),
        "seed": header.seed,
        "searches": len(labels),
        "prior": labels.prior.model if labels.prior else "",
    }
    return Configuration(path.stem, 0, labels.structure, labels.ids_n, atom_labels(labels)), source


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
        "accepted": sums.accepted_n.astype(np.float64),
    }
    best = labels.posterior()
    if best is not None:
        result |= {"barrier_posterior": best.mean_n, "barrier_posterior_error": best.error_n}
    return result
