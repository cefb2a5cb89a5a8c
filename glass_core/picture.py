"""A picture of per-atom values without OVITO: a slice through the box, drawn with matplotlib."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from glass_core.errors import require_package
from glass_core.files import replacing
from glass_core.frame import Frame
from glass_core.outputs import PerAtom, output

_THICKNESS = 5.0


def draw_slice(frame: Frame, outputs: Mapping[str, PerAtom], path: str | os.PathLike[str]) -> None:
    """Atoms of the middle 5 Å of the box along z, coloured by the first output.

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    require_package("matplotlib", "demo")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    name, per_atom = next(iter(outputs.items()))
    positions = frame.structure.positions_nc
    middle = np.median(positions[:, 2])
    inside = np.flatnonzero(np.abs(positions[:, 2] - middle) < _THICKNESS / 2)
    inside = inside[np.argsort(positions[inside, 2])]
    figure = Figure(figsize=(7, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    low, high = np.quantile(per_atom.values, [0.02, 0.98])
    sizes = np.where(frame.structure.types_n[inside] == 0, 110, 190)
    marks = axes.scatter(
        positions[inside, 0], positions[inside, 1], c=per_atom.values[inside], s=sizes, cmap="viridis",
        vmin=low, vmax=high, edgecolors="black", linewidths=0.4,
    )  # fmt: skip
    unit = f" ({per_atom.unit})" if per_atom.unit else ""
    figure.colorbar(marks, label=f"{output(name).ovito}{unit}", shrink=0.85)
    axes.set(xlabel="x (Å)", ylabel="y (Å)", aspect="equal", title=f"Slice of {_THICKNESS:.0f} Å through the glass")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
