"""Learning curves as a picture."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence

from glass_core.files import replacing


def draw_curves(history: Sequence[Mapping[str, float | None]], path: pathlib.Path) -> None:
    """Training loss (in units of the labels' variance) and validation score over epochs, as PNG.

    Args:
        history: per epoch "loss" and "validation" (None without validation).
        path: file to write.
    """
    from matplotlib.figure import Figure

    epochs = range(1, len(history) + 1)
    figure = Figure(figsize=(5.5, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(epochs, [entry["loss"] or 0.0 for entry in history], color="tab:blue", label="training loss")
    axes.set(xlabel="epoch", ylabel="training loss / label variance", ylim=(0, None))
    scores = [score for entry in history if (score := entry["validation"]) is not None]
    if scores:
        best = max(range(len(scores)), key=lambda k: scores[k])
        right = axes.twinx()
        right.plot(epochs, scores, color="tab:orange")
        right.plot([best + 1], [scores[best]], "o", color="tab:orange")
        right.set_ylabel("Pearson r, validation group (best: dot)", color="tab:orange")
    axes.yaxis.label.set_color("tab:blue")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)
