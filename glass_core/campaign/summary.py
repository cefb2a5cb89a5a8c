"""What a label file says as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from glass_core.campaign.isolation import narrowness
from glass_core.campaign.labels import Labels
from glass_core.campaign.retest import expected_retest
from glass_core.saddle.records import PHASES


def summarise(labels: Labels) -> dict[str, Any]:
    """Numbers that describe a label file; nan where undefined. Units stand at the end of names."""
    statistics = labels.statistics()
    sums, known = statistics.moments, statistics.labelled_n
    searched = sums.searches_n > 0
    retest, retest_error = expected_retest(sums)
    summary: dict[str, Any] = {
        "potential": labels.header.potential,
        "seed": labels.header.seed,
        "atoms": labels.structure.n_atoms,
        "atoms_searched": int(searched.sum()),
        "atoms_labelled": int(known.sum()),
        "searches": len(labels),
        "states": labels.states(),
        "acceptance": _mean(labels.accepted_r),
        "barriers": int(labels.counted_r.sum()),
        "distinct_events": labels.distinct_count(),
        "seconds_per_search": _mean(labels["seconds"]),
        "core_hours": float(labels["seconds"].sum() / 3600),
        "calls_per_accepted": _by_phase(labels, "calls"),
        "products_per_accepted": _by_phase(labels, "products"),
        "barrier_mean_ev": _mean(sums.mean_n[known]),
        "barrier_std_ev": _spread(sums.mean_n[known]),
        "within_atom_std_ev": float(np.sqrt(sums.measured_variance)),
        "standard_error_ev": statistics.noise,
        "relaxed_ang": _farthest(labels.structure.positions_nc - labels.header.given_nc),
        "narrow_box_ang": narrowness(labels.structure, labels.header.settings.regions),
        "expected_retest_correlation": retest,
        "expected_retest_correlation_error": retest_error,
    }
    best = labels.posterior()
    if best is not None and labels.prior is not None:
        summary["prior"] = {
            "model": labels.prior.model,
            "shift_ev": best.shift,
            "std_factor": float(np.sqrt(best.factor)),
            "posterior_error_ev": float(np.sqrt(np.mean(best.error_n[searched] ** 2))) if searched.any() else np.nan,
        }
    if labels.predicted is not None:
        summary["predicted"] = _predicted(labels)
    return summary


def _predicted(labels: Labels) -> dict[str, Any]:
    """How a model's predictions go with the events."""
    assert labels.predicted is not None
    events = labels.events()
    at_minimum, at_saddle = labels.predicted.barrier_n[labels["atom"][events]], labels["predicted_saddle"][events]
    known = np.isfinite(at_saddle)
    return {
        "model": labels.predicted.model,
        "mean_at_minimum_ev": _mean(at_minimum[known]),
        "mean_at_saddle_ev": _mean(at_saddle[known]),
    }


def _by_phase(labels: Labels, column: str) -> dict[str, float]:
    """Force calls or Hessian products of all searches, by phase, per accepted one."""
    count = labels.accepted_r.sum()
    totals = labels[column].sum(axis=0, dtype=np.int64)
    return {phase.value: float(total / count) if count else np.nan for phase, total in zip(PHASES, totals, strict=True)}


def _farthest(moves_nc: Any) -> float:
    """Largest displacement of an atom, Å, but for that of all together."""
    return float(np.linalg.norm(moves_nc - moves_nc.mean(axis=0), axis=1).max(initial=0.0))


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _spread(values: Any) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
