"""A barrier model's prediction and searches, combined into the best estimate per atom.

The mean barrier of atom i is μᵢ. Before any search a model says μᵢ ~ N(mᵢ, τᵢ²); k barriers have the mean
b̄ᵢ ~ N(μᵢ, σᵢ² / k). Then

    μᵢ | data ~ N(eᵢ² (mᵢ / τᵢ² + k b̄ᵢ / σᵢ²), eᵢ²),   1 / eᵢ² = 1 / τᵢ² + k / σᵢ²

with σᵢ² the shrunk variance within an atom (``Moments.within_variance``).

Predictions for one glass err together (another cooling rate, potential or preset shifts them all) and by more
or less than their ``barrier_std`` says. Both are learned from the searches of this glass before the formula
is used: the shift δ of all mᵢ is the precision-weighted mean of b̄ᵢ − mᵢ, held at 0 ± 0.2 eV by a prior of
its own; the factor of all τᵢ² is Σ ((b̄ᵢ − mᵢ − δ)² − σᵢ² / k) / Σ τᵢ², weighted, held at 1 by as much
weight as 10 atoms have whose barriers are known exactly (empirical Bayes; G. Casella, Am. Stat. 39, 83 (1985),
doi:10.1080/00031305.1985.10479400).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glass_core.campaign.statistics import Moments
from glass_core.structure import Floats

_SHIFT = 0.2  # eV
_FACTOR_WEIGHT = 10.0
_LEAST_FACTOR = 0.05


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of each atom's mean barrier.

    Attributes:
        mean_n: eV, shape (n,).
        error_n: its standard error, eV.
        prior_n: the model's predictions, shifted, eV.
        prior_std_n: their deviations, scaled, eV.
        shift: by which all predictions were shifted, eV.
        factor: by which the variances of all predictions were multiplied.
    """

    mean_n: Floats
    error_n: Floats
    prior_n: Floats
    prior_std_n: Floats
    shift: float
    factor: float


def posterior(sums: Moments, prior_n: Floats, prior_std_n: Floats) -> Posterior:
    """The best estimate for every atom, searched or not.

    Args:
        sums: of the searches.
        prior_n: predictions of a model, eV, shape (n,).
        prior_std_n: their standard errors, eV, > 0.
    """
    within_n = sums.within_variance()
    some = sums.counted_n > 0
    noise = within_n[some] / sums.counted_n[some]
    off, spread = sums.mean_n[some] - prior_n[some], prior_std_n[some] ** 2
    factor = 1.0
    for _ in range(3):  # the shift hardly depends on the factor
        precision = 1.0 / (factor * spread + noise)
        shift = float((precision * off).sum() / (precision.sum() + _SHIFT**-2))
        factor = _factor((off - shift) ** 2 - noise, spread, noise)
    tau_n = factor * prior_std_n**2
    centre_n = prior_n + shift
    weight_n = sums.counted_n / within_n
    variance_n = 1.0 / (1.0 / tau_n + weight_n)
    mean_n = variance_n * (centre_n / tau_n + weight_n * np.where(some, sums.mean_n, 0.0))
    return Posterior(mean_n, np.sqrt(variance_n), centre_n, np.sqrt(tau_n), shift, factor)


def _factor(excess: Floats, spread: Floats, noise: Floats) -> float:
    """Σ w² τ² excess / Σ w² τ⁴: least squares of what the noise leaves unexplained against τ², held at 1.

    With w = 1 / (τ² + noise), the weight of an atom, (w τ²)², is 1 where there is no noise.
    """
    weight = (spread / (spread + noise)) ** 2
    learned = float((weight * excess / spread).sum()) + _FACTOR_WEIGHT
    return max(_LEAST_FACTOR, learned / (float(weight.sum()) + _FACTOR_WEIGHT))
