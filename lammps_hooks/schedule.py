"""When a callback that LAMMPS calls at every evaluation of the forces has to predict."""

from __future__ import annotations

import numpy as np

from glass_core.structure import Floats


class Schedule:
    """Finds the evaluations whose configuration can reach a dump.

    These are: the setup of every run and minimisation; every evaluation of a step that is a multiple
    of ``every``, or the last of a run or the last that a minimisation may take (a minimiser's line search has
    several evaluations, of which the last one counts); any jump of the step (``rerun``); and the end of a
    minimisation that stops before, which LAMMPS dumps. It shows as a second evaluation of the same positions
    within one step.

    Args:
        every: steps between predictions.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._step: int | None = None
        self._positions_nc: Floats = np.empty((0, 3))

    def due(self, step: int, elapsed: int, positions_nc: Floats, last: bool = False) -> bool:
        """Whether to predict now. To be asked once at every evaluation.

        Args:
            step: timestep.
            elapsed: steps since the start of the run or minimisation.
            positions_nc: positions, shape (n, 3); kept until the next call.
            last: whether the run or minimisation takes no further step.
        """
        previous, before = self._step, self._positions_nc
        self._step, self._positions_nc = step, positions_nc
        if elapsed == 0 or step % self.every == 0 or last or previous is None:
            return True
        if step == previous:
            return np.array_equal(positions_nc, before)
        return step != previous + 1
