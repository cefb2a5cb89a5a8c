"""The activation-relaxation technique: from a minimum over a saddle, on any surface.

G. T. Barkema and N. Mousseau, Phys. Rev. Lett. 77, 4358 (1996); R. Malek and N. Mousseau, Phys. Rev. E 62, 7723
(2000).
"""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np

from glass_core.errors import GlassError
from glass_core.saddle.counted import Counted
from glass_core.saddle.phases import to_first_order, to_saddle
from glass_core.saddle.records import Minimum, Outcome, Phase, State, Step
from glass_core.saddle.settings import ArtnSettings
from glass_core.saddle.sides import relax_sides
from glass_core.saddle.walk import Freedom, GivenUpError, Walk, without_freedom
from glass_core.structure import Floats
from glass_core.surface import Surface

Steps = Generator[Step, None, Outcome]


def search(
    surface: Surface,
    start_nc: Floats,
    kick_nc: Floats,
    settings: ArtnSettings,
    rng: np.random.Generator,
    freedom: Freedom = "none",
) -> Steps:
    """One search. Iterate for its steps; the generator returns the outcome (``run`` gives that alone).

    Args:
        surface: of the moving atoms.
        start_nc: a minimum of it, Å, shape (n, 3).
        kick_nc: direction of the push, any length but zero, shape (n, 3).
        settings: see there.
        rng: for the first Lanczos vectors.
        freedom: see ``Walk``.

    Raises:
        GlassError: if shapes differ, the kick is zero, or the forces at the start exceed ``minimum_force``.
    """
    counted = Counted(surface, settings.modes.difference)
    walk = Walk(counted, np.ascontiguousarray(start_nc, dtype=np.float64), settings, freedom)
    direction = _unit(without_freedom(np.asarray(kick_nc, dtype=np.float64), walk.start_nc, freedom), walk)
    _require_minimum(walk)
    sides: tuple[Minimum, ...] = ()
    try:
        yield from to_saddle(walk, direction, rng)
        with counted.during(Phase.CLIMB):
            yield from to_first_order(walk, rng)
        with counted.during(Phase.SIDES):
            state, sides = yield from relax_sides(walk)
    except GivenUpError as end:
        state = end.state
    return outcome_of(walk, state, sides)


def run(steps: Steps) -> Outcome:
    """The outcome of a search."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def _unit(direction_nc: Floats, walk: Walk) -> Floats:
    if direction_nc.shape != walk.start_nc.shape:
        raise GlassError(f"the kick has shape {direction_nc.shape}, must have that of the atoms {walk.start_nc.shape}")
    length = float(np.linalg.norm(direction_nc))
    if not (length > 0 and math.isfinite(length)):
        raise GlassError(f"the kick must have a finite length > 0, got {length}; it moves no atom against another")
    return direction_nc / length


def _require_minimum(walk: Walk) -> None:
    if not walk.force <= walk.settings.minimum_force:
        raise GlassError(
            f"the structure is not at a minimum: the largest force is {walk.force:.3g} eV/Å, must be "
            f"<= {walk.settings.minimum_force:g}; minimise it first (glass label --relax does)"
        )


def outcome_of(walk: Walk, state: State, sides: tuple[Minimum, ...]) -> Outcome:
    """What a walk that ended in a state found."""
    counted = walk.surface
    mode = np.zeros_like(walk.start_nc) if walk.mode_nc is None else walk.mode_nc
    return Outcome(
        state=state,
        barrier=walk.energy if state is State.ACCEPTED else math.nan,
        saddle_nc=walk.positions_nc,
        mode_nc=mode,
        curvature=walk.curvature,
        second_curvature=walk.second_curvature,
        energy=walk.energy,
        force=walk.force,
        sides=sides,
        calls=dict(counted.calls),
        products=dict(counted.products),
        seconds=dict(counted.seconds),
    )
