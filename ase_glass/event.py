"""An event as ASE's atoms: minimum, saddle, minimum."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io.trajectory import Trajectory

from ase_glass.surface import AseSurface
from glass_core.saddle.records import Outcome
from glass_core.structure import Floats

if TYPE_CHECKING:
    from ase.io.trajectory import TrajectoryWriter


def event_frames(atoms: Atoms, surface: AseSurface, outcome: Outcome) -> tuple[Atoms, ...]:
    """The minimum, the saddle and the other minimum, with energies and forces; empty unless both sides are known.

    ``info`` of each holds ``artn_phase`` ("initial", "saddle", "final"), ``artn_state`` and ``artn_barrier``, eV.
    The first minimum is the initial one in the state ``accepted``; a search relaxes that side only until it knows,
    so the frame shows the atoms from which the search started. Of a saddle that the initial minimum does not belong
    to, the first one is called "minimum".

    Args:
        atoms: of which constraints, info and arrays are taken.
        surface: on which the search ran.
        outcome: its outcome.
    """
    if not outcome.sides:
        return ()
    first, second = (surface.start_mc if side.initial else side.positions_nc for side in outcome.sides)
    begins = "initial" if outcome.sides[0].initial else "minimum"
    frames = ((begins, first), ("saddle", outcome.saddle_nc), ("final", second))
    return tuple(_frame(atoms, surface, outcome, *frame) for frame in frames)


def _frame(atoms: Atoms, surface: AseSurface, outcome: Outcome, phase: str, positions_mc: Floats) -> Atoms:
    frame = surface.placed(positions_mc)
    frame.set_constraint(atoms.constraints)
    frame.info |= {"artn_phase": phase, "artn_state": outcome.state.value, "artn_barrier": outcome.barrier}
    frame.calc = SinglePointCalculator(frame, **surface.results(positions_mc))
    return frame


def write_event(
    trajectory: str | os.PathLike[str] | TrajectoryWriter, frames: tuple[Atoms, ...], append: bool = False
) -> None:
    """Writes frames to a trajectory file, or to one that is open."""
    if hasattr(trajectory, "write"):
        for frame in frames:
            trajectory.write(frame)
        return
    with Trajectory(os.fspath(trajectory), "a" if append else "w") as file:
        for frame in frames:
            file.write(frame)
