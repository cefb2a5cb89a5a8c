"""How much labels count that are known to be noisy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.metrics import assumed_errors
from glass_core.settings import NotNegative, Positive

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LabelNoise:
    """Settings of every trainer of barriers.

    Attributes:
        label_noise: deviation of labels from true barriers where the data set does not tell it, eV; 0.14 is what two
            labellings of one glass of the public data set show.
        misfit: deviation of true barriers from what a model can tell, eV: where labels tell their errors, those of
            larger errors count less.
    """

    label_noise: NotNegative = 0.14
    misfit: Positive = 0.13

    def assumed(self, error_m: Floats) -> Floats:
        """Standard errors of labels, ``label_noise`` where they are unknown (nan), eV."""
        return assumed_errors(error_m, self.label_noise)

    def weights(self, error_m: Floats) -> Floats | None:
        """``u = (misfit² + label_noise²) / (misfit² + n²)`` of labels of noise n; None where no label tells its error.

        Args:
            error_m: standard errors n, eV; nan where unknown, which counts as ``label_noise``.
        """
        if np.isnan(error_m).all():
            return None
        return np.asarray((self.misfit**2 + self.label_noise**2) / (self.misfit**2 + self.assumed(error_m) ** 2))

    def trust(self, error_m: Floats) -> Floats:
        """The same, 1 for all where no label tells its error."""
        weights = self.weights(error_m)
        return np.ones(len(error_m)) if weights is None else weights
