"""Limited-memory BFGS."""

from __future__ import annotations

import numpy as np

from glass_core.kernels import lbfgs
from glass_core.structure import Floats

COMPLIANCE = 0.03  # Å²/eV, before the first step has told more
_SIZE = 12
_LEAST_CURVATURE = 1e-8


class Memory:
    """What the last steps told about the inverse Hessian (J. Nocedal, Math. Comp. 35, 773 (1980)).

    Args:
        coordinates: their number.
        compliance: inverse curvature taken before the first step, Å²/eV.
    """

    def __init__(self, coordinates: int, compliance: float = COMPLIANCE) -> None:
        self._steps, self._changes = np.empty((_SIZE, coordinates)), np.empty((_SIZE, coordinates))
        self._products = np.empty(_SIZE)
        self._count, self._newest = 0, -1
        self._compliance = compliance

    def step(self, force_nc: Floats) -> Floats:
        """The step that would make the force vanish, Å, shape (n, 3)."""
        out = np.empty(force_nc.size)
        lbfgs.two_loops(
            self._steps, self._changes, self._products, self._newest, self._count, self._compliance,
            force_nc.reshape(-1), out,
        )  # fmt: skip
        return out.reshape(force_nc.shape)

    def learn(self, step_nc: Floats, before_nc: Floats, after_nc: Floats) -> None:
        """Takes in a step with the forces before and after it; forgets all if curvature was not positive."""
        row = (self._newest + 1) % _SIZE
        product, length, change = lbfgs.remember(
            self._steps, self._changes, self._products, row,
            step_nc.reshape(-1), before_nc.reshape(-1), after_nc.reshape(-1),
        )  # fmt: skip
        if product <= _LEAST_CURVATURE * length:
            self._count = 0
            return
        self._newest = row
        self._count = min(self._count + 1, _SIZE)
        self._compliance = product / change
