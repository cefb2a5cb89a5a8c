"""All figures and the page that shows them."""

from __future__ import annotations

import html
import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.dataset import Dataset
from glass_core.errors import GlassError
from glass_core.figures import save
from glass_core.files import replacing
from glass_core.metrics import auc_roc, average_precision, is_top
from glass_core.models.base import Model
from glass_core.models.scnn import SCNN
from glass_core.paths import make_folder
from glass_core.report import constraints, scores
from glass_core.report.prototypes import raw_prototype_scores
from glass_core.training.bench import RowsBench, Tell
from glass_core.training.config import read_config
from glass_core.training.cross_validation import CrossValidation, cross_validate
from glass_core.training.rows import Rows


def build(
    model: Model, dataset: Dataset, out: pathlib.Path, runs: pathlib.Path, tell: Tell | None = None
) -> dict[str, Any]:
    """Draws every figure into ``out`` with an ``index.html``, and returns the numbers on it.

    Scores come from leave-one-group-out runs of the shipped configurations "scnn", "classifier" and "linear"
    (kept in ``runs``, computed if absent); figures about constraints from ``model`` on all its atoms,
    as in the paper.

    Raises:
        GlassError: if the model is no SCNN, or its constraints' atoms are not in the data set.
    """
    if not isinstance(model, SCNN):
        raise GlassError(f"the report is about SCNN models; {model.card.name!r} is a {model.kind}")
    atoms = constraint_atoms(model, dataset)
    for folder in (out, runs):
        make_folder(folder)
    left_out = {
        name: cross_validate(read_config(config), dataset, runs, tell)
        for name, config in (("SCNN", "scnn"), ("MLP, same descriptors", "classifier"))
    }
    _, rows = RowsBench(read_config("scnn"), dataset).table(tell)
    labels = np.concatenate([c.labelled("barrier")[1] for c in dataset])
    pooled = {name: _pool(cv, dataset) for name, cv in left_out.items()}
    index = [_row(rows, name, atom) for name, atom in atoms]
    raw = raw_prototype_scores(model, dataset, rows, index)
    page = _Page(out, model, tell)
    with_raw = {**pooled, "raw descriptors of four atoms": raw}
    page.draw("roc", "ROC, highest 20 % of barriers, every atom scored by a model that has not seen its group",
              lambda: scores.draw_roc(with_raw, labels))  # fmt: skip
    page.draw("calibration", "Calibration on left-out groups, balanced classes as in training",
              lambda: scores.draw_calibration(pooled, labels))  # fmt: skip
    page.draw(
        "logits",
        "SCNN log-odds against true barrier, left-out groups",
        lambda: scores.draw_logits(pooled["SCNN"], labels),
    )
    first = next(iter(dataset))
    barriers = cross_validate(read_config("linear"), dataset, runs, tell)
    in_sample = [next(iter(cv.by_seed.values()))[first.name] for cv in (barriers, left_out["SCNN"])]
    page.draw("sample", "True and predicted barrier on a left-out sample (models linear and scnn)",
              lambda: scores.draw_sample(first, in_sample[0], in_sample[1]))  # fmt: skip
    _constraint_figures(page, model, dataset, rows, atoms, index)
    top = is_top(labels)
    numbers = {
        name: {"auc_top20": auc_roc(values, top), "average_precision": average_precision(values, top)}
        for name, values in with_raw.items()
    }
    page.write({**numbers, "base_rate": float(top.mean())}, dataset)
    return numbers


def _pool(cv: CrossValidation, dataset: Dataset) -> NDArray[np.float64]:
    """Predictions of the first seed over all configurations."""
    first = next(iter(cv.by_seed.values()))
    return np.concatenate([first[c.name] for c in dataset])


def _constraint_figures(
    page: _Page, model: SCNN, dataset: Dataset, rows: Rows, atoms: list[tuple[str, int]], index: list[int]
) -> None:
    embedded = model.embed(model.standardise(rows.features_nf))
    similarity = model.similarities(embedded)
    high = rows.labels_n >= model.card.content["threshold_ev"]
    raw = model.standardise(rows.features_nf[index])
    page.draw("pca", "Embeddings on their principal axes, class densities and constraints",
              lambda: constraints.draw_pca(model, embedded, high))  # fmt: skip
    page.draw("constraints", "Cosine similarity of the constraints",
              lambda: constraints.draw_heat_map(model.constraints_vz, "constraints"))  # fmt: skip
    page.draw("similarities", "Similarity scores by class", lambda: constraints.draw_similarities(similarity, high))
    page.draw("clusters", "Barriers of the atoms nearest to each constraint",
              lambda: constraints.draw_clusters(similarity, rows.labels_n))  # fmt: skip
    shown = [
        (f"constraint {v}, {name} atom {atom}", _structure(dataset, name), atom, float(rows.labels_n[i]))
        for v, ((name, atom), i) in enumerate(zip(atoms, index, strict=True))
    ]
    page.draw("environments", "The four training atoms behind the constraints, neighbours within the cutoff",
              lambda: constraints.draw_environments(shown, model.cutoff))  # fmt: skip
    page.draw(
        "raw",
        "Raw descriptors of these atoms, standardised",
        lambda: constraints.draw_raw(raw, model.descriptor.names()),
    )
    page.draw(
        "raw_similarity",
        "Cosine similarity of their raw descriptors",
        lambda: constraints.draw_heat_map(raw, "raw descriptors"),
    )


def constraint_atoms(model: SCNN, dataset: Dataset) -> list[tuple[str, int]]:
    """Configuration and atom behind each constraint.

    Raises:
        GlassError: if the model does not name them, or they are not in the data set.
    """
    atoms = [(str(a["configuration"]), int(a["atom"])) for a in model.card.content.get("constraints", [])]
    if not atoms:
        raise GlassError(f"model {model.card.name!r} does not name the atoms behind its constraints; train it again")
    labelled = {c.name: set(c.labelled("barrier")[0].tolist()) for c in dataset}
    missing = sorted({name for name, atom in atoms if atom not in labelled.get(name, ())})
    if missing:
        raise GlassError(
            f"the constraints of model {model.card.name!r} are labelled atoms of {', '.join(missing)}, which the "
            "data set lacks; give the data that it was trained on, or `glass train scnn` on this one and --model FILE"
        )
    return atoms


def _row(rows: Rows, name: str, atom: int) -> int:
    return int(np.flatnonzero((rows.configuration_n == rows.names.index(name)) & (rows.atom_n == atom))[0])


def _structure(dataset: Dataset, name: str) -> Any:
    return next(c.structure for c in dataset if c.name == name)


class _Page:
    """Collects figures for one HTML file."""

    def __init__(self, out: pathlib.Path, model: SCNN, tell: Tell | None) -> None:
        self.out, self.model, self.tell = out, model, tell
        self.figures: list[tuple[str, str]] = []

    def draw(self, name: str, caption: str, make: Callable[[], Any]) -> None:
        """Draws one figure."""
        if self.tell:
            self.tell(f"figure {name}", len(self.figures) / 11)
        save(make(), self.out / f"{name}.png")
        self.figures.append((name, caption))

    def write(self, numbers: dict[str, Any], dataset: Dataset) -> None:
        """The page."""
        figures = "\n".join(
            f'<figure><img src="{name}.png" alt="{html.escape(caption)}">'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
            for name, caption in self.figures
        )
        names = ", ".join(c.name for c in dataset)
        body = (
            f"<h1>SCNN report</h1><p>Model {html.escape(self.model.card.name)} "
            f"({self.model.card.sha256[:12]}), data {html.escape(names)}. "
            "Figures of arXiv:2401.03743 from our own runs; "
            "ROC, calibration, logits and sample are of left-out groups, the others of all atoms.</p>"
            f"<pre>{html.escape(json.dumps(numbers, indent=2))}</pre>{figures}"
        )
        style = (
            "body{font:16px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}"
            "img{max-width:100%}figure{margin:2em 0}figcaption{color:#555}"
            "pre{background:#f5f5f5;padding:1em;overflow:auto}"
        )
        with replacing(self.out / "index.html") as temporary:
            temporary.write_text(
                f'<!doctype html><html lang="en"><meta charset="utf-8"><title>SCNN report</title>'
                f"<style>{style}</style><body>{body}</body></html>\n",
                encoding="utf-8",
            )
