"""What a user asks to be labelled, and the campaign that does it."""

from __future__ import annotations

import importlib.util
import math
import pathlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from glass_core.campaign.beginning import Beginning
from glass_core.campaign.compiling import compile_apart, is_to_compile
from glass_core.campaign.isolation import require_neighbours, require_room
from glass_core.campaign.labels import Predicted
from glass_core.campaign.overrides import chosen_settings
from glass_core.campaign.plans import BudgetPlan, EachPlan, Plan, Prior, TargetPlan
from glass_core.campaign.run import Campaign
from glass_core.campaign.selection import chosen_atoms
from glass_core.campaign.work import OwnProcess, Work, Workers
from glass_core.errors import GlassError
from glass_core.frame import Frame
from glass_core.paths import AnyPath, writable_file
from glass_core.progress import Progress
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import DEFAULT_PRESET, Events
from glass_core.structure import Ints, Structure
from glass_core.threads import cores

SEARCHES, MOST, LEAST, LEAST_PRIOR = 20, 200, 5, 2
Bar = Callable[[str], AbstractContextManager[Progress | None]]


def _silent(title: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Request:
    """What to label, and how.

    Attributes:
        potential: as ``potential_of`` takes it: an EAM file, LAMMPS commands, "lj:…", or "module:function".
        atoms: as ``chosen_atoms`` takes it.
        searches: per atom; default 20. With a prior on average.
        target_error: instead of a number of searches, the standard error of each atom's mean barrier, eV.
        prior: name or path of a barrier model whose predictions are combined with the searches.
        least: searches per atom to begin with; default 5, with a prior 2.
        most: searches per atom at most.
        preset, settings, assignments: as ``chosen_settings`` takes them.
        seed: of all searches.
        model: name or path of a barrier model whose predictions are kept with each event.
        relax: whether to relax a structure that is not at a minimum.
        displacements: those of atoms that move further are kept for each event, Å; infinite for none. They are nearly
            all of a label file. Default a tenth of the distance within which events are the same: 0.01 Å.

    Raises:
        GlassError: for a number out of bounds, or both searches and a target.
    """

    potential: str
    atoms: str = "all"
    searches: int | None = None
    target_error: float | None = None
    prior: str = ""
    least: int | None = None
    most: int = MOST
    preset: str = DEFAULT_PRESET
    settings: AnyPath | None = None
    assignments: tuple[str, ...] = ()
    seed: int = 0
    model: str = ""
    relax: bool = False
    displacements: float | None = None

    def __post_init__(self) -> None:
        for name in ("searches", "least", "most"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise GlassError(f"{name} must be at least 1, got {value}")
        if self.seed < 0:
            raise GlassError(f"seed must not be negative, got {self.seed}")
        if self.target_error is not None and not self.target_error > 0:
            raise GlassError(f"target error must be > 0 eV, got {self.target_error}")
        if self.target_error is not None and self.searches is not None:
            raise GlassError("give either a number of searches or a target error, which decides their number")

    def __call__(self, frame: Frame, file: AnyPath, out: AnyPath, bar: Bar = _silent) -> tuple[Campaign, Work]:
        """The campaign and what its workers do; everything that can be refused is refused here.

        Args:
            frame: the structure as it was read.
            file: from where.
            out: label file.
            bar: makes a progress bar for compiling and for the predictions of models.
        """
        from glass_core.potentials import potential_of

        path = label_path(out, [file, self.potential])
        settings = chosen_settings(self.preset, self.settings, self.assignments)
        self._check_displacements(settings.events)
        potential = potential_of(self.potential)
        if is_to_compile(potential):
            with bar("compiling, once per machine"):
                compile_apart(frame.structure, potential)
        kept = settings.events.kept if self.displacements is None else self.displacements
        header = replace(Beginning(potential, settings, self.seed, self.relax)(frame, file, path), displacements=kept)
        atoms = chosen_atoms(self.atoms, header.structure, self.seed)
        require_room(header.structure, settings, str(file))
        require_neighbours(header.structure, atoms, potential, str(file))
        predicted, prior = self._predictions(header.structure, bar)
        searcher = Searcher(header.structure, potential, settings, self.seed)
        work = Work(searcher, header.structure, self.model, kept, settings.events)
        plan = self._plan(atoms, prior)
        return Campaign(path, header, plan, self.model, predicted, prior), work

    def _check_displacements(self, same: Events) -> None:
        wanted = self.displacements
        if not (wanted is None or 0 <= wanted <= same.distance or wanted == math.inf):
            raise GlassError(
                f"displacements must lie in 0 … {same.distance:g} Å, within which events are told apart, got "
                f"{wanted}; or keep none"
            )

    def _predictions(self, structure: Structure, bar: Bar) -> tuple[Predicted | None, Predicted | None]:
        from glass_core.campaign import predictions

        predicted = prior = None
        if self.model:
            with bar(f"predicting with {self.model}") as tell:
                predicted = predictions.predicted(self.model, structure, tell)
        if self.prior:
            with bar(f"predicting with {self.prior}") as tell:
                prior = predictions.predicted_prior(self.prior, structure, tell)
        return predicted, prior

    def _plan(self, atoms: Ints, predicted: Predicted | None) -> Plan:
        prior = None if predicted is None else Prior(predicted.barrier_n, predicted.std_n)
        least = self.least or (LEAST if prior is None else LEAST_PRIOR)
        if self.target_error is not None:
            return TargetPlan(atoms, self.target_error, least, self.most, prior)
        searches = self.searches or SEARCHES
        return EachPlan(atoms, searches) if prior is None else BudgetPlan(atoms, searches, least, self.most, prior)


def label_path(out: AnyPath, inputs: list[AnyPath]) -> pathlib.Path:
    """The path of a label file that can be written.

    Raises:
        GlassError: for another ending, one of the inputs, or a place that cannot be written.
    """
    path = writable_file(out, inputs)
    if path.suffix not in (".h5", ".hdf5"):
        raise GlassError(f"label file must end in .h5, got {path}")
    return path


def chosen_workers(work: Work, processes: int | None = None, scheduler: str = "") -> Workers:
    """Workers as a user asks for them.

    Args:
        work: what they do.
        processes: on this machine; default all cores if Dask is installed, else one.
        scheduler: address of a Dask scheduler to use instead.

    Raises:
        GlassError: for fewer than one, or both; MissingExtraError if Dask is needed and not installed.
    """
    if processes is not None and processes < 1:
        raise GlassError(f"workers must be at least 1, got {processes}")
    if processes is not None and scheduler:
        raise GlassError("give either a number of workers or the address of a scheduler, which knows its workers")
    if processes is None:
        processes = cores() if importlib.util.find_spec("distributed") else 1
    if processes == 1 and not scheduler:
        return OwnProcess(work)
    from glass_core.campaign.dask_workers import DaskWorkers

    return DaskWorkers(work, 0 if scheduler else processes, scheduler)
