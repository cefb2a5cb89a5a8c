"""Learning curves as a picture."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from glass_core.figures import HIGH, LOW, new_figure, save
from glass_core.training.checkpoint import best_epoch

History = Sequence[Mapping[str, float | None]]
_EVERY = 60.0  # s


@dataclass
class Curves:
    """The picture of one training.

    Attributes:
        path: file to write.
        title: what is trained on what.
    """

    path: pathlib.Path
    title: str
    _drawn: float = field(default_factory=time.monotonic)

    def draw(self, history: History) -> None:
        """Draws what is known, unless it is nothing."""
        if history:
            draw_curves(history, self.path, self.title)
        self._drawn = time.monotonic()

    def draw_now_and_then(self, history: History) -> None:
        """Draws if that was not done for a minute: for those who wait, and for what may be killed."""
        if time.monotonic() - self._drawn > _EVERY:
            self.draw(history)


def draw_curves(history: History, path: pathlib.Path, title: str) -> None:
    """Training loss (in units of the labels' variance) and Pearson correlations over epochs, as PNG.

    Args:
        history: per epoch "loss", "training" and "validation" (None without validation), see ``Checkpoint``.
        path: file to write.
        title: what was trained on what.

    Raises:
        MissingExtraError: if matplotlib is not installed.
        GlassError: if the file cannot be written.
    """
    epochs = range(1, len(history) + 1)
    figure, axes = new_figure(5.5, 3.4)
    axes.plot(epochs, [entry["loss"] for entry in history], color=LOW, marker="." if len(history) < 10 else None)
    axes.set_title(title, fontsize="medium")
    axes.set_xlabel("epoch")
    axes.set_ylabel("training loss / label variance", color=LOW)
    axes.set_ylim(0, None)
    axes.xaxis.get_major_locator().set_params(integer=True)
    right = axes.twinx()
    right.plot(epochs, [entry["training"] for entry in history], color=HIGH, linestyle=":")
    right.set_ylabel("Pearson r, training", color=HIGH)
    right.set_ylim(None, 1)
    if history and history[-1]["validation"] is not None:
        scores, best = [entry["validation"] for entry in history], best_epoch(history)
        right.plot(epochs, scores, color=HIGH)
        right.plot([best], [scores[best - 1]], "o", color=HIGH)
        right.set_ylabel("Pearson r, training (dotted)\nand validation group (best: dot)", color=HIGH)
    save(figure, path)
