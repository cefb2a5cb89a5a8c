"""Limited-memory BFGS."""

from __future__ import annotations

import numpy as np

from glass_core.kernels import lbfgs
from glass_core.saddle.settings import Relax
from glass_core.structure import Floats

_LEAST_CURVATURE = 1e-8  # eV/Å²; steps along which it is less tell nothing of a minimum


class Memory:
    """What the last steps told about the inverse Hessian (J. Nocedal, Math. Comp. 35, 773 (1980)).

    Args:
        coordinates: their number.
        relax: how many steps are remembered, and the compliance before the first.
    """

    def __init__(self, coordinates: int, relax: Relax) -> None:
        self._steps, self._changes = np.empty((2, relax.remembered, coordinates))
        self._products = np.empty(relax.remembered)
        self._count, self._newest = 0, -1
        self._compliance = relax.compliance

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
        row = (self._newest + 1) % len(self._steps)
        product, length, change = lbfgs.remember(
            self._steps, self._changes, self._products, row,
            step_nc.reshape(-1), before_nc.reshape(-1), after_nc.reshape(-1),
        )  # fmt: skip
        if product <= _LEAST_CURVATURE * length:
            self._count = 0
            return
        self._newest = row
        self._count = min(self._count + 1, len(self._steps))
        self._compliance = product / change
