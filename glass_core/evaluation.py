"""A model against a labelled data set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from glass_core.dataset import Dataset
from glass_core.errors import GlassError
from glass_core.fingerprint import fingerprint, same
from glass_core.metrics import label_ceilings, label_coverage, report
from glass_core.models.base import Calibrated, Model
from glass_core.outputs import PerAtom
from glass_core.prediction import predict
from glass_core.progress import Progress
from glass_core.structure import Floats

_MANY = 0.5  # share of the atoms
_SCORED = (("barrier", True), ("logit", False), ("high_barrier_probability", False))


def scored_output(outputs: Collection[str]) -> tuple[str, bool]:
    """Which of a model's outputs is compared with barrier labels, and whether it is in eV."""
    for name, in_ev in _SCORED:
        if name in outputs:
            return name, in_ev
    raise GlassError(f"the model predicts {', '.join(outputs)}, none of which can be compared with barriers")


def evaluate(model: Model, dataset: Dataset, progress: Progress | None = None) -> dict[str, Any]:
    """Scores of ``model`` on every configuration, their mean, and pooled: over the atoms that have a barrier.

    ``pearson_ceiling`` says what a perfect model would score on each configuration (``metrics.label_ceilings``),
    where the data set tells the standard errors of its labels, or the model which it was calibrated with; so does
    ``pearson_ceiling_pooled``. ``coverage`` says which shares of the labels lie in the intervals of a model whose
    ``barrier_std`` is a calibrated standard error (None for others).

    Configurations that the model was trained on are listed under ``trained_on``: their scores say how well the
    model remembers, not how well it predicts. ``doubts`` are sentences on that, and on what looks wrong in the data
    set.

    Raises:
        GlassError: for a configuration without a barrier, or a model that predicts none.
    """
    name, in_ev = scored_output(model.outputs)
    labelled = {c.name: c.labelled("barrier") for c in dataset}
    results: dict[str, dict[str, PerAtom]] = {}
    for index, configuration in enumerate(dataset):
        results[configuration.name] = predict(model, configuration.structure)
        if progress:
            progress((index + 1) / len(dataset))
    predicted = {n: results[n][name].values[atoms] for n, (atoms, _) in labelled.items()}
    labels = {n: values for n, (_, values) in labelled.items()}
    scored = report(predicted, labels, in_ev)
    errors = {c.name: c.noise("barrier")[labelled[c.name][0]] for c in dataset}
    covered, label_noise = None, model.label_noise if isinstance(model, Calibrated) else None
    if label_noise is not None:
        std = {n: results[n]["barrier_std"].values[atoms] for n, (atoms, _) in labelled.items()}
        covered = label_coverage(predicted, std, labels, errors, label_noise)
    flagged = {n: float(r["out_of_domain"].values.mean()) for n, r in results.items() if "out_of_domain" in r}
    known_already = trained_on(model, dataset)
    return {
        "model": model.card.name,
        "output": name,
        "trained_on": known_already,
        "doubts": [*_memories(model, known_already), *_strangers(flagged), *_negatives(labels)],
        "out_of_domain": flagged,
        **label_ceilings(labels, errors, label_noise),
        "coverage": covered,
        **scored,
    }


def _memories(model: Model, names: Sequence[str]) -> Iterator[str]:
    if "training" in model.card.content and not _fingerprints(model):
        yield "the model's card does not tell which atoms it was trained on, so that these may be among them"
    if names:
        yield f"the model was trained on {', '.join(names)}: these scores show memory, not prediction"


def _strangers(flagged: Mapping[str, float]) -> Iterator[str]:
    """Of a file whose species, box or lengths are wrong, as of a strange material, no atom looks known."""
    many = [f"{name} ({100 * share:.0f} %)" for name, share in flagged.items() if share > _MANY]
    if many:
        yield (
            f"most atoms of {', '.join(many)} are unlike those that the model was trained on: another material, or "
            "species, box, periodic directions or units that are not what the data set says"
        )


def _negatives(labels: Mapping[str, Floats]) -> Iterator[str]:
    """Barriers are positive."""
    below = [f"{name} ({int((values < 0).sum())})" for name, values in labels.items() if (values < 0).any()]
    if below:
        yield (
            f"barriers below 0 eV in {', '.join(below)}: if they were shifted or scaled, correlations hold, but errors "
            "and intervals mean nothing"
        )


def trained_on(model: Model, dataset: Dataset) -> list[str]:
    """Names of the configurations that the model was trained on, as far as its card tells.

    A configuration is known by its atoms (``fingerprint``), in whatever file and under whatever name.
    """
    seen = [known for known in _fingerprints(model).values() if known]
    ours = {c.name: fingerprint(c.structure) for c in dataset} if seen else {}
    return [name for name, mine in ours.items() if any(same(mine, known) for known in seen)]


def _fingerprints(model: Model) -> Mapping[str, Sequence[float]]:
    known: Mapping[str, Sequence[float]] = model.card.content.get("training", {}).get("fingerprints", {})
    return known
