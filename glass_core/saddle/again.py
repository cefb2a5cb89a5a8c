"""A saddle that is known, once more: on another surface, or for its sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glass_core.saddle.counted import Counted
from glass_core.saddle.phases import climb_up, second_mode
from glass_core.saddle.records import Outcome, Phase, State, added
from glass_core.saddle.search import Steps, outcome_of
from glass_core.saddle.settings import ArtnSettings
from glass_core.saddle.sides import relax_sides
from glass_core.saddle.walk import Freedom, GivenUpError, Walk
from glass_core.structure import Floats
from glass_core.surface import Surface


def reconverge(
    surface: Surface,
    start_nc: Floats,
    saddle_nc: Floats,
    mode_nc: Floats,
    settings: ArtnSettings,
    rng: np.random.Generator,
    freedom: Freedom = "none",
) -> Steps:
    """Converges a saddle again on another surface, such as that of a larger region.

    Args:
        surface: the other surface.
        start_nc: its minimum, Å, shape (n, 3).
        saddle_nc: near the saddle, shape (n, 3).
        mode_nc: near the direction of negative curvature, shape (n, 3).
        settings: those of the climb are used.
        rng: for the second curvature.
        freedom: see ``Walk``.

    Returns:
        The outcome, ``ACCEPTED`` if it converged with one negative curvature; sides are not relaxed.
    """
    counted = Counted(surface, settings.modes.difference)
    climb = settings.climb
    with counted.during(Phase.REFINE):
        walk = Walk(counted, start_nc, settings, freedom)
        state = State.ACCEPTED
        try:
            walk.go(saddle_nc)
            walk.mode_nc = mode_nc / np.linalg.norm(mode_nc)
            walk.curvature = -1.0
            walk.relax_across(walk.mode_nc, climb.relaxations_most, climb.enough * climb.force)
            walk.find_mode(climb.lanczos, walk.mode_nc)
            if not (yield from climb_up(walk, Phase.REFINE)):
                raise GivenUpError(State.LOST)
            walk.second_curvature = second_mode(walk, rng).curvature
            if walk.second_curvature < climb.second_curvature:
                state = State.HIGHER_ORDER
        except GivenUpError as end:
            state = end.state
    return outcome_of(walk, state, ())


def check_sides(
    surface: Surface, start_nc: Floats, saddle: Outcome, settings: ArtnSettings, freedom: Freedom = "none"
) -> Steps:
    """Relaxes both sides of a saddle that is known.

    Returns:
        The outcome with the sides, its state decided by them.
    """
    counted = Counted(surface, settings.modes.difference)
    with counted.during(Phase.REFINE):
        walk = Walk(counted, start_nc, settings, freedom)
        walk.mode_nc, walk.curvature, walk.second_curvature = saddle.mode_nc, saddle.curvature, saddle.second_curvature
        try:
            walk.go(saddle.saddle_nc)
            state, sides = yield from relax_sides(walk)
        except GivenUpError as end:
            state, sides = end.state, ()
    outcome = outcome_of(walk, state, sides)
    return replace(
        outcome, calls=added(outcome.calls, saddle.calls), products=added(outcome.products, saddle.products)
    )  # fmt: skip
