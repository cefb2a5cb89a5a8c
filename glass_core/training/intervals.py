"""Standard errors of committees, from what they said of groups of configurations that were left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glass_core.errors import GlassError
from glass_core.metrics import assumed_errors
from glass_core.models.calibration import SpreadError
from glass_core.training.calibration import Floats, error_model

if TYPE_CHECKING:
    from glass_core.training.cross_validation import CrossValidation

_SAME = 1e-12  # mean squared deviation of members, in squared errors, below which they say the same


def spread_error(residual_n: Floats, spread_n: Floats, noise_n: Floats, label_noise: float) -> SpreadError:
    """By ``error_model``, with the squared deviations of the members in place of h.

    Args:
        residual_n: of labels, eV.
        spread_n: deviation of the members, eV; where it is nothing everywhere, b is 0.
        noise_n: deviations of these labels from true barriers, eV.
        label_noise: see ``SpreadError``.
    """
    told = float((spread_n**2).mean()) > _SAME * float((residual_n**2).mean())
    floor, slope = error_model(residual_n, spread_n**2 if told else np.zeros_like(spread_n), noise_n)
    return SpreadError(floor, slope if told else 0.0, label_noise)


def fitted_spread(found: CrossValidation, without: int | None = None) -> SpreadError:
    """Of a committee, from its errors on all groups that were left out (but one), of the first seed.

    Raises:
        GlassError: of a method whose standard error is not to be fitted so.
    """
    if found.spread_noise is None:
        raise GlassError("only committees have a standard error that is fitted to left-out groups")
    names = [name for name, group in found.groups.items() if group != without]
    columns = (found.labels, found.first("barrier"), found.first("barrier_std"), found.errors)
    labels, predicted, spread, errors = (np.concatenate([c[name] for name in names]) for c in columns)
    return spread_error(labels - predicted, spread, assumed_errors(errors, found.spread_noise), found.spread_noise)


def standard_errors(found: CrossValidation) -> tuple[dict[str, Floats], float] | None:
    """Configuration name → standard errors, of the first seed, and the label noise that they were fitted with.

    No error on a configuration's group had a part in its own (of committees, the networks that made the other errors
    were trained on it). None where there are none.
    """
    if "label_noise" in found.measured:
        return found.first("barrier_std"), found.measured["label_noise"]
    groups = set(found.groups.values())
    if found.spread_noise is None or len(groups) < 2:
        return None
    fitted = {group: fitted_spread(found, without=group) for group in groups}
    spread = found.first("barrier_std")
    return {name: fitted[found.groups[name]].std(values) for name, values in spread.items()}, found.spread_noise
