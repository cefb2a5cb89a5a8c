"""The phases of a search: out of the basin along the kick, then up along the mode to the saddle."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np

from glass_core.kernels import lbfgs
from glass_core.saddle.lanczos import Mode, lowest_mode
from glass_core.saddle.records import Phase, State, Step
from glass_core.saddle.walk import GivenUpError, Walk, rigid_motions
from glass_core.structure import Floats


def to_saddle(walk: Walk, direction_nc: Floats, rng: np.random.Generator) -> Generator[Step, None, None]:
    """Pushes and climbs to a saddle, again and again where the climb loses its mode.

    Raises:
        GivenUpError: if it is not found.
    """
    for resumed in range(walk.settings.climb.resumes + 1):
        with walk.surface.during(Phase.PUSH):
            yield from push_out(walk, direction_nc, resumed > 0, rng)
        pushed = walk.place
        with walk.surface.during(Phase.CLIMB):
            arrived = yield from climb_up(walk, Phase.CLIMB)
        if arrived:
            return
        # From the end of the push, not from where the climb got lost: searches stay near the minimum they start from.
        walk.place = pushed
    raise GivenUpError(State.LOST)


def push_out(walk: Walk, direction_nc: Floats, resumed: bool, rng: np.random.Generator) -> Generator[Step, None, None]:
    """Pushes along the kick until the lowest curvature is below the threshold."""
    push = walk.settings.push
    for number in range(push.most):
        walk.go(walk.positions_nc + (push.step if number or resumed else push.first) * direction_nc)
        walk.relax_across(direction_nc, push.relaxations, 0.0)
        if resumed or number + 1 >= push.lanczos_after:
            if walk.mode_nc is None:
                walk.find_mode(push.lanczos_first, rng.normal(size=direction_nc.shape))
            else:
                walk.find_mode(push.lanczos, walk.mode_nc)
        yield walk.step(Phase.PUSH, number)
        if walk.curvature < push.threshold:
            return
    raise GivenUpError(State.LOST)


def climb_up(walk: Walk, phase: Phase) -> Generator[Step, None, bool]:
    """Climbs to a saddle; False when curvature has been positive for too long."""
    climb, positive = walk.settings.climb, 0
    for number in range(climb.most):
        assert walk.mode_nc is not None
        if walk.force < climb.force and walk.curvature < 0:
            return True
        along = float(np.vdot(walk.forces_nc, walk.mode_nc))
        length = min(climb.step, abs(along / walk.curvature)) if walk.curvature < 0 else climb.step
        walk.go(walk.positions_nc - math.copysign(length, along) * walk.mode_nc)
        relaxations = min(climb.relaxations_first + number, climb.relaxations_most)
        enough = max(climb.enough * climb.force, climb.relaxed * abs(along) * float(lbfgs.largest(walk.mode_nc)))
        walk.relax_across(walk.mode_nc, relaxations, enough)
        walk.find_mode(climb.lanczos, walk.mode_nc)
        positive += walk.curvature > 0
        yield walk.step(phase, number)
        if positive > climb.patience:
            return False
    raise GivenUpError(State.LOST)


def to_first_order(walk: Walk, rng: np.random.Generator) -> Generator[Step, None, None]:
    """Leaves stationary points with more than one negative curvature, and keeps the second curvature in the walk.

    A short way down along the second mode, then up again along the first: to a saddle of lower energy.

    Raises:
        GivenUpError: if the climb from there finds none, or one of higher order again and again.
    """
    climb = walk.settings.climb
    for number in range(climb.descents + 1):
        second = second_mode(walk, rng)
        walk.second_curvature = second.curvature
        if not second.curvature < climb.second_curvature:
            return
        if number < climb.descents:
            assert walk.mode_nc is not None
            down = math.copysign(climb.step, float(np.vdot(walk.forces_nc, second.direction_nc)))
            walk.go(walk.positions_nc + down * second.direction_nc)
            walk.relax_across(walk.mode_nc, climb.relaxations_first, climb.enough * climb.force)
            walk.find_mode(climb.lanczos, walk.mode_nc)
            if not (yield from climb_up(walk, Phase.CLIMB)):
                raise GivenUpError(State.LOST)
    raise GivenUpError(State.HIGHER_ORDER)


def second_mode(walk: Walk, rng: np.random.Generator) -> Mode:
    """The direction of lowest curvature at right angles to the mode; its curvature is never below the true one."""
    if walk.mode_nc is None or walk.positions_nc.size < 2:
        return Mode(math.inf, walk.positions_nc)
    curvature = walk.surface.curvature(walk.positions_nc, walk.forces_nc)
    start = rng.normal(size=walk.positions_nc.shape)
    across = np.concatenate([walk.mode_nc.reshape(1, -1), rigid_motions(walk.positions_nc, walk.freedom)])
    return lowest_mode(curvature, start, walk.settings.climb.second_vectors, across, walk.settings.modes.second_settled)
