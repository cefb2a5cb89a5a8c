"""Which minima a saddle joins."""

from __future__ import annotations

from collections.abc import Generator
from math import nan

from glass_core.kernels import lbfgs
from glass_core.saddle.minimise import minimise
from glass_core.saddle.records import Minimum, Phase, State, Step
from glass_core.saddle.walk import GivenUpError, Walk, distance
from glass_core.structure import Floats


def relax_sides(walk: Walk) -> Generator[Step, None, tuple[State, tuple[Minimum, ...]]]:
    """Relaxes both sides of a saddle, first the one towards the initial minimum; ``walk`` stays where it is.

    Yields:
        One step per side.

    Returns:
        The state and the two minima, the initial one first if it is among them.
    """
    assert walk.mode_nc is not None
    back = -1.0  # the mode points away from the initial minimum
    minima = []
    for number, sign in enumerate((back, -back)):
        minimum = _down(walk, sign * walk.mode_nc, enough=number == 0)
        minima.append(minimum)
        yield Step(Phase.SIDES, number, minimum.energy, minimum.force, nan, minimum.positions_nc, walk.surface.total)
    minima.sort(key=lambda m: not m.initial)
    return _state(walk, minima[0], minima[1]), tuple(minima)


def _state(walk: Walk, first: Minimum, second: Minimum) -> State:
    same = walk.settings.sides.same
    if second.initial or distance(first.positions_nc, second.positions_nc, walk.freedom) <= same:
        return State.UNSPLIT
    if not first.initial or walk.energy <= 0 or walk.energy < second.energy:
        return State.DISCONNECTED
    return State.ACCEPTED


def _down(walk: Walk, direction_nc: Floats, enough: bool) -> Minimum:
    """The minimum on one side.

    Raises:
        GivenUpError: if the minimiser does not converge.
    """
    sides, surface = walk.settings.sides, walk.surface
    positions = walk.positions_nc
    for _ in range(sides.pushes):
        positions = positions + sides.push * direction_nc
        energy, forces = surface.energy_forces(positions)
        if energy - walk.reference < walk.energy - sides.fall and lbfgs.largest(forces) > sides.force:
            break
    # Within a share of the distance that tells minima apart, and nearly as low: it is the initial minimum.
    near = sides.near * sides.same

    def arrived(positions_nc: Floats, energy: float) -> bool:
        low = energy - walk.reference < sides.fall
        return bool(low and distance(positions_nc, walk.start_nc, walk.freedom) < near)

    found = minimise(surface, positions, sides.converged, sides.most, arrived if enough else None, walk.settings.relax)
    if not found.converged:
        raise GivenUpError(State.LOST)
    initial = distance(found.positions_nc, walk.start_nc, walk.freedom) <= sides.same
    return Minimum(found.energy - walk.reference, found.positions_nc, initial, found.force)
