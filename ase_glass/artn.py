"""Saddle searches that read like an optimiser of ASE."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.optimize.optimize import DEFAULT_MAX_STEPS, Optimizer

from ase_glass.event import event_frames, write_event
from ase_glass.kicks import KickLike, kick_direction, require_kick
from ase_glass.search_log import SearchLog
from ase_glass.surface import AseSurface, moving_atoms
from glass_core import GlassError
from glass_core.campaign.overrides import changed_settings
from glass_core.saddle.records import Outcome, SearchRecord, State
from glass_core.saddle.search import Steps, search
from glass_core.saddle.settings import DEFAULT_PRESET, ArtnSettings, preset
from glass_core.saddle.walk import Freedom
from glass_core.settings import Whole, conformed
from glass_core.structure import Floats

if TYPE_CHECKING:
    from ase.io.trajectory import TrajectoryWriter


class ARTn(Optimizer):
    """Searches a saddle that leads out of the minimum at which the atoms are (activation-relaxation technique).

    ``ARTn(atoms, centre=12, seed=3).run()`` pushes the atoms around one of them at random until the lowest curvature
    is negative, climbs to the saddle along that mode and relaxes both sides. True means: a saddle of index 1 that
    joins this minimum to another one. ``state`` tells what else happened.

    The atoms end at the saddle, as with a dimer of ASE, or where the search gave up. Observers are called at each
    step, when the atoms are there; ``trajectory`` gets three frames at the end: minimum, saddle, other minimum. All
    atoms that no ``FixAtoms`` holds move; of the settings, regions play no part, and ``counted`` only in ``record``.

    Args:
        atoms: at a minimum when ``run`` is called, with a calculator; ``FixAtoms`` is the only constraint allowed.
        kick: what is pushed: "radius", "shell", "voronoi" or "centre" (see ``Kick``), a radius in Å or a ``Kick``,
            all of them around ``centre``; a list or mask of atoms; or the direction itself, shape (n, 3). Default:
            that of the settings.
        centre: atom around which the kick is made; default one drawn at random.
        settings: name of a preset (``glass_core.saddle.settings.PRESETS``), ``ArtnSettings``, or what differs from the
            default preset, ``{"climb": {"force": 0.03}}``.
        seed: decides the kick and the first mode; or a numpy generator.
        logfile: file, path, "-" for the screen or None.
        trajectory: path of a file or an open trajectory; written if both sides were relaxed.
        append_trajectory: whether to keep the frames that the file has.
        freedom: see ``AseSurface``.

    Attributes:
        nsteps: steps of the search so far.
        outcome: how the search ended, for the moving atoms; None until it has.

    Raises:
        GlassError: for an unknown preset, a negative seed, what is no kick, or atoms none of which may move.

    >>> from ase.build import add_adsorbate, fcc100
    >>> from ase.calculators.emt import EMT
    >>> from ase.optimize import BFGS
    >>> atoms = fcc100("Cu", (2, 2, 2), vacuum=6.0)
    >>> add_adsorbate(atoms, "Cu", 1.7, "hollow")
    >>> atoms.calc = EMT()
    >>> artn = ARTn(atoms, kick="centre", centre=8, seed=1, logfile=None)
    >>> bool(BFGS(atoms, logfile=None).run(fmax=0.01)), artn.run(), artn.state.value
    (True, True, 'accepted')
    """

    def __init__(
        self,
        atoms: Atoms,
        kick: KickLike = None,
        centre: int | None = None,
        settings: str | ArtnSettings | Mapping[str, Any] = DEFAULT_PRESET,
        seed: int | np.random.Generator = 0,
        logfile: IO[str] | str | pathlib.Path | None = "-",
        trajectory: str | os.PathLike[str] | TrajectoryWriter | None = None,
        append_trajectory: bool = False,
        freedom: Freedom | None = None,
    ) -> None:
        self.settings = _settings(settings)
        moving_atoms(atoms)
        require_kick(kick, centre, len(atoms))
        self.outcome: Outcome | None = None
        self._kick, self._centre, self._freedom = kick, centre, freedom
        if not isinstance(seed, np.random.Generator):
            conformed(seed, Whole, "seed")
        self._rng = np.random.default_rng(seed)
        self._frames: tuple[Atoms, ...] = ()
        super().__init__(atoms, logfile=logfile)
        self.fmax = self.settings.climb.force
        self._begun: tuple[AseSurface, SearchLog, Steps] | None = None
        self._broken = False
        self._event_file, self._append = trajectory, append_trajectory
        if isinstance(trajectory, (str, os.PathLike)) and not append_trajectory and self.comm.rank == 0:
            pathlib.Path(trajectory).unlink(missing_ok=True)  # an old event must not pass for the one to come

    @property
    def state(self) -> State | None:
        """How the search ended; None while it has not."""
        return None if self.outcome is None else self.outcome.state

    @property
    def barrier(self) -> float:
        """Energy of the saddle above the minimum, eV; nan unless the search was accepted."""
        return math.nan if self.outcome is None else self.outcome.barrier

    @property
    def saddle(self) -> Atoms:
        """The atoms at the saddle, with energy and forces.

        Raises:
            GlassError: unless there is a saddle with a minimum on both sides.
        """
        return self._event()[1]

    @property
    def minima(self) -> tuple[Atoms, Atoms]:
        """The atoms in the minima on both sides, with energies and forces, the initial one first if it is one.

        Raises:
            GlassError: unless there is a saddle with a minimum on both sides.
        """
        first, _, second = self._event()
        return first, second

    @property
    def mode(self) -> Floats:
        """Direction of lowest curvature where the search ended, of length 1, zero for fixed atoms, shape (n, 3).

        Raises:
            GlassError: if the search has not ended.
        """
        surface, outcome = self._ended()
        mode_nc = np.zeros((len(self.atoms), 3))
        mode_nc[surface.moving_m] = outcome.mode_nc
        return mode_nc

    @property
    def record(self) -> SearchRecord:
        """The search as label files keep it, so that ``saddle.duplicates.distinct_events`` tells events apart.

        Its atom is ``centre``, −1 without one; displacements are those from the minimum at which the search began.
        Which saddles have a barrier there is said by ``counted`` of the settings.

        Raises:
            GlassError: if the search has not ended.
        """
        surface, outcome = self._ended()
        centre, moving_m = -1 if self._centre is None else self._centre, surface.moving_m
        counts = self.settings.counts(outcome.state, outcome.energy)
        whole = len(moving_m) == len(self.atoms)
        return SearchRecord.of(centre, 0, outcome, moving_m, surface.start_mc, counts, whole)

    def run(self, fmax: float | None = None, steps: int = DEFAULT_MAX_STEPS) -> bool:
        """Searches until the end or for some more steps; call it again to go on.

        Args:
            fmax: largest force on an atom at the saddle, eV/Å; default that of the settings (0.05 in most).
            steps: pushes, steps of the climb and relaxed sides, one each.

        Returns:
            Whether the search was accepted; ``state`` tells how it ended, or is None if it has not.

        Raises:
            GlassError: if the atoms are not at a minimum, have no calculator, the kick moves none of them, or for
                another ``fmax`` than that of a search that has begun.
        """
        for _ in self.irun(fmax, steps):
            pass
        return self.converged()

    def irun(self, fmax: float | None = None, steps: int = DEFAULT_MAX_STEPS) -> Iterator[bool]:
        """As ``run``, step by step; yields whether the search has ended and was accepted."""
        self.max_steps = self.nsteps + steps
        surface, log, search_steps = self._begin(fmax)
        yield self.converged()
        while self.outcome is None and self.nsteps < self.max_steps:
            try:
                step = next(search_steps)
            except StopIteration as end:
                self._end(end.value)
            except BaseException:
                self._broken = True  # a generator that raised does not go on
                raise
            else:
                self.nsteps += 1
                self.atoms.positions[surface.moving_m] = step.positions_nc
                log.step(self.nsteps, step)
                self.call_observers()
            yield self.converged()

    def converged(self, forces: Floats | None = None, **_: Any) -> bool:
        """Whether the search was accepted. Small ``forces`` alone prove no saddle, so they are not looked at."""
        return self.state is State.ACCEPTED

    def gradient_converged(self, gradient: Floats | None = None) -> bool:
        """As ``converged``, under the name that ASE uses since 3.28."""
        return self.converged()

    def todict(self) -> dict[str, Any]:
        """What the search is, in plain values, as ASE's trajectories keep it."""
        settings = self.settings.as_dict()
        return {"type": "optimization", "optimizer": "ARTn", "fmax": self.fmax, "settings": settings}

    def _begin(self, fmax: float | None) -> tuple[AseSurface, SearchLog, Steps]:
        """The search, begun if it was not."""
        climb = self.settings.climb
        if self._broken:
            raise GlassError(
                f"this search broke off at step {self.nsteps}, where its calculator failed or was interrupted; put the "
                "atoms back to the minimum and make another ARTn"
            )
        if self._begun is not None:
            if fmax not in (None, self.fmax):
                raise GlassError(f"this search began with fmax {self.fmax}, not {fmax}; make another ARTn for that")
            return self._begun
        if fmax is not None and not 0 < fmax < math.inf:
            raise GlassError(f"fmax must be > 0 eV/Å, got {fmax}")
        surface = AseSurface(self.atoms, self._freedom)
        force = _require_minimum(surface, self.settings.minimum_force)
        kick = kick_direction(self.atoms, surface.moving_m, self._kick, self._centre, self.settings.kick, self._rng)
        self.fmax = climb.force if fmax is None else float(fmax)
        self.settings = replace(self.settings, climb=replace(climb, force=self.fmax))
        steps = search(surface, surface.start_mc, kick, self.settings, self._rng, surface.freedom)
        self._begun = surface, SearchLog(self.logfile, surface.reference), steps
        self._begun[1].start(force)
        self.call_observers()
        return self._begun

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        surface, log, _ = self._begin(None)
        self.atoms.positions[surface.moving_m] = outcome.saddle_nc
        log.end(outcome)
        if self._event_file is not None and outcome.sides:
            write_event(self._event_file, self._event(), self._append)

    def _event(self) -> tuple[Atoms, ...]:
        surface, outcome = self._ended()
        if not outcome.sides:
            raise GlassError(f"the search ended {outcome.state.value}: there is no saddle; try another seed or kick")
        if not self._frames:
            self._frames = event_frames(self.atoms, surface, outcome)
        return self._frames

    def _ended(self) -> tuple[AseSurface, Outcome]:
        if self.outcome is None:
            raise GlassError(f"the search has not ended after {self.nsteps} steps; call run() without a limit of steps")
        return self._begin(None)[0], self.outcome


def _settings(given: object) -> ArtnSettings:
    if isinstance(given, ArtnSettings):
        return given
    if isinstance(given, Mapping):
        return changed_settings(preset(DEFAULT_PRESET), given)
    if not isinstance(given, str):
        raise GlassError(f"settings must be the name of a preset, ArtnSettings or a mapping, got {given!r}")
    return preset(given)


def _require_minimum(surface: AseSurface, most: float) -> float:
    """The largest force on an atom, eV/Å."""
    _, forces = surface.energy_forces(surface.start_mc)
    largest = float(np.linalg.norm(forces, axis=1).max())
    if not largest <= most:
        raise GlassError(
            f"the atoms are not at a minimum: the largest force is {largest:.3g} eV/Å, must be <= {most:g}; "
            f"relax them first, as with BFGS(atoms).run(fmax={0.5 * most:g})"
        )
    return largest
