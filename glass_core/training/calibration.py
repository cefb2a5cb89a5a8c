"""Calibration of standard errors on groups of configurations that a fit has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.models.calibration import StandardError
from glass_core.training.moments import Moments

Floats = NDArray[np.float64]
SKETCH = 128


def uncalibrated(moments: Moments, penalty: float | Floats, seed: int) -> StandardError:
    """Leverages of the ridge regression on ``moments``, with a = 0 and b = 1.

    With ``Σ u (x − x̄)(x − x̄)ᵀ + diag(λ) = L Lᵀ`` the sketch is ``S = R L⁻¹ / √q``.
    """
    features = len(moments.mean_f)
    rows = min(SKETCH, features)
    random = np.random.default_rng(seed).normal(size=(features, rows))
    orthogonal = np.linalg.qr(random)[0] * np.sqrt(features / rows)
    lower = np.linalg.cholesky(moments.penalised(penalty))
    sketch = np.linalg.solve(lower.T, orthogonal).T
    return StandardError(moments.mean_f.astype(np.float32), sketch.astype(np.float32), moments.count, 0.0, 1.0)


def error_model(residual_n: Floats, leverage_n: Floats, noise_n: Floats) -> tuple[float, float]:
    """a and b of ``σ² = a² + b² h`` by maximum likelihood, in eV.

    ``min Σ_i ½ [log(σ_i² + n_i²) + e_i² / (σ_i² + n_i²)]`` over a², b² ≥ 0, with e the residuals of labels on groups
    left out and n the deviations of these labels from true barriers.
    """
    from scipy.optimize import minimize

    unit = float(leverage_n.mean()) or 1.0
    design = np.stack([np.ones_like(leverage_n), leverage_n / unit])
    size = float((residual_n**2).mean())

    def loss(parts: Floats) -> tuple[float, Floats]:
        variance = noise_n**2 + 1e-6 * size + size * (parts @ design)
        square = residual_n**2
        slope = 0.5 * size * (design * (1 / variance - square / variance**2)).mean(axis=1)
        return float(0.5 * (np.log(variance) + square / variance).mean()), slope

    best = minimize(loss, np.array([0.25, 0.25]), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * 2)
    floor, slope = np.sqrt(size * best.x)
    return float(floor), float(slope / np.sqrt(unit))
