"""How much labels count that are known to be noisy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics import assumed_errors

Floats = NDArray[np.float64]


def label_weights(error_m: Floats, label_noise: float, misfit: float) -> Floats | None:
    """``u = (misfit² + label_noise²) / (misfit² + n²)`` of labels of noise n; None where no label tells its error.

    Args:
        error_m: standard errors n, eV; nan where unknown, which counts as ``label_noise``.
        label_noise: deviation of labels from true barriers where they do not tell it, eV.
        misfit: deviation of true barriers from what a model can tell, eV.
    """
    if np.isnan(error_m).all():
        return None
    return np.asarray((misfit**2 + label_noise**2) / (misfit**2 + assumed_errors(error_m, label_noise) ** 2))
