"""Predictions as particle properties, a histogram and global attributes of a data collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core import GlassError
from glass_core.outputs import PerAtom, output

if TYPE_CHECKING:
    from ovito.data import DataCollection

    from glass_core.models.base import Model

NOT_PREDICTED = -1
MASK = "Predicted"
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9 _-]*")


def checked_prefix(text: str) -> str:
    """The prefix that a user set, which may be empty.

    Raises:
        GlassError: if OVITO would not take it in names of properties.
    """
    prefix = text.strip()
    if prefix and not _PREFIX.fullmatch(prefix):
        raise GlassError(
            f"prefix must start with a letter and hold only letters, digits, spaces, '-' and '_', got {prefix!r}"
        )
    return prefix


def results_key(data: DataCollection, prefix: str, source: str) -> str:
    """What sets the results of one modifier apart: its prefix, else the name of the model or file they come from.

    Raises:
        GlassError: if a modifier upstream has used the same.
    """
    key = prefix or re.sub(r"[^A-Za-z0-9 _-]", "_", source)
    if any(name.startswith(f"Glass.{key}.") for name in data.attributes):
        raise GlassError(f"two modifiers of this pipeline write results of {key!r}; give one of them another prefix")
    return key


def property_name(data: DataCollection, name: str, prefix: str, key: str) -> str:
    """The name for a property that overwrites none: ``name`` after the prefix, or after the key if taken.

    Raises:
        GlassError: if both are taken.
    """
    candidates = [f"{prefix} {name}"] if prefix else [name, f"{key} {name}"]
    for candidate in candidates:
        if candidate not in data.particles:
            return candidate
    raise GlassError(f"the particles have a property {candidates[-1]!r} already; set another prefix")


def write_properties(
    data: DataCollection, predictions: Mapping[str, PerAtom], mask_n: NDArray[np.bool_] | None, prefix: str, key: str
) -> list[str]:
    """One particle property per output; returns their names.

    Args:
        data: receives the properties.
        predictions: from ``predict``, in the order of the particles asked for.
        mask_n: which particles were asked for, shape (n,); None for all. The others get NaN, in
            integer properties -1, and a property "Predicted" (1 or 0) tells them apart.
        prefix: set by the user in front of all names, may be empty.
        key: from ``results_key``, in front of names that are taken.
    """
    particles = data.particles_
    written = []
    columns = {output(name).ovito: _column(name, per_atom.values, mask_n) for name, per_atom in predictions.items()}
    if mask_n is not None:
        columns[MASK] = mask_n.astype(np.int32)
    for name, values in columns.items():
        written.append(property_name(data, name, prefix, key))
        particles.create_property(written[-1], data=values)
    return written


def _column(name: str, values_m: NDArray[np.float64], mask_n: NDArray[np.bool_] | None) -> NDArray[np.generic]:
    values = values_m.astype(np.int32) if output(name).integer else values_m
    if mask_n is None:
        return values
    column = np.full(len(mask_n), NOT_PREDICTED if output(name).integer else np.nan, dtype=values.dtype)
    column[mask_n] = values
    return column


def write_histogram(data: DataCollection, name: str, per_atom: PerAtom, bins: int, key: str) -> None:
    """Data table ``glass-<key>`` with the number of atoms per interval of one output."""
    from ovito.data import DataTable

    title = f"{output(name).ovito}{f' ({per_atom.unit})' if per_atom.unit else ''}"
    counts, edges = np.histogram(per_atom.values, bins=bins)
    table = data.tables.create(
        identifier=f"glass-{key}", title=f"{title}, {key}", plot_mode=DataTable.PlotMode.Histogram
    )
    table.interval = (float(edges[0]), float(edges[-1]))
    table.axis_label_x = title
    table.y = table.create_property("Atoms", data=counts.astype(np.int64))


def write_attributes(data: DataCollection, model: Model, predictions: Mapping[str, PerAtom], key: str) -> None:
    """Global attributes ``Glass.<key>.…``: model, hash, output, unit, atoms, mean, std, out_of_domain_fraction."""
    main = next(iter(predictions))
    values = predictions[main].values
    summary = {
        "model": model.card.name or model.kind,
        "hash": model.card.sha256,
        "output": main,
        "unit": predictions[main].unit,
        "atoms": len(values),
        "mean": _mean(values),
        "std": float(values.std()) if values.size else float("nan"),
    }
    if "out_of_domain" in predictions:
        summary["out_of_domain_fraction"] = _mean(predictions["out_of_domain"].values)
    for name, value in summary.items():
        data.attributes[f"Glass.{key}.{name}"] = value


def _mean(values: NDArray[np.float64]) -> float:
    """The mean, NaN without values (and no warning)."""
    return float(values.mean()) if values.size else float("nan")
