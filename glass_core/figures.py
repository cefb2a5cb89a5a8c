"""Figures without global state, and how they are saved."""

from __future__ import annotations

import pathlib
from typing import Any

from glass_core.errors import require_package
from glass_core.files import replacing

LOW, HIGH, THIRD = "#3b6fb6", "#c8553d", "#5a9e6f"
CLUSTERS = ("#1f4e8c", "#6fa3d8", "#e39a86", "#a83223")


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """A figure and its axes.

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    require_package("matplotlib", "train")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, **options)
    return figure, axes


def save(figure: Any, path: pathlib.Path) -> None:
    """Writes a PNG."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")
