"""Down to a minimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glass_core.kernels import lbfgs
from glass_core.saddle.lbfgs import Memory
from glass_core.saddle.settings import Relax
from glass_core.structure import Floats
from glass_core.surface import Surface

_RELAX = Relax()
_SHORTENED, _LENGTHENED = 0.5, 1.5  # the longest step, after one that was refused, or taken
_LEAST = 5e-8  # of the longest step: shorter ones tell of rounding alone


@dataclass(frozen=True, eq=False)
class Minimised:
    """Where minimising ended.

    Attributes:
        positions_nc: Å, shape (n, 3).
        energy: eV.
        forces_nc: eV/Å, shape (n, 3).
        force: largest on an atom, eV/Å.
        steps: force calls.
        converged: whether the largest force is below the one asked for (or ``enough`` said so).
    """

    positions_nc: Floats
    energy: float
    forces_nc: Floats
    force: float
    steps: int
    converged: bool


def minimise(
    surface: Surface,
    positions_nc: Floats,
    force: float,
    most: int = 1000,
    enough: Callable[[Floats, float], bool] | None = None,
    relax: Relax = _RELAX,
) -> Minimised:
    """Lowers the energy by L-BFGS with steps of bounded length, halved where the energy would rise.

    Args:
        surface: the energy.
        positions_nc: where to start, Å, shape (n, 3).
        force: largest force on an atom to reach, eV/Å.
        most: force calls.
        enough: positions and energy → whether this is already known to be good enough.
        relax: bounds of steps.
    """
    energy, forces = surface.energy_forces(positions_nc)
    memory = Memory(positions_nc.size, relax)
    longest, calls = relax.down, 1
    while calls < most:
        size = float(lbfgs.largest(forces))
        if size < force or (enough is not None and enough(positions_nc, energy)) or not np.isfinite(size):
            break
        step = memory.step(forces)
        if float(np.vdot(step, forces)) <= 0:
            memory = Memory(positions_nc.size, relax)
            step = memory.step(forces)
        step *= min(1.0, longest / float(lbfgs.largest(step)))
        trial, trial_forces = surface.energy_forces(positions_nc + step)
        calls += 1
        if not trial <= energy + relax.rise:
            memory = Memory(positions_nc.size, relax)
            longest = _SHORTENED * float(lbfgs.largest(step))
            if longest < _LEAST * relax.down:
                break
            continue
        memory.learn(step, forces, trial_forces)
        positions_nc, energy, forces = positions_nc + step, trial, trial_forces
        longest = min(relax.down, _LENGTHENED * longest)
    size = float(lbfgs.largest(forces))
    good = size < force or (enough is not None and enough(positions_nc, energy))
    return Minimised(positions_nc, energy, forces, size, calls, bool(good))
