"""Predictions written into the per-atom properties of one LAMMPS instance."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from numbers import Integral

import numpy as np

from glass_core import Structure, load_model, predict
from glass_core.errors import GlassError, unknown
from glass_core.models.base import Model
from glass_core.outputs import output
from lammps_hooks.instance import Callback, Instance
from lammps_hooks.ranks import require_one_rank
from lammps_hooks.schedule import Schedule
from lammps_hooks.structure import names_of_types, read_structure, require_readable

OnError = Callable[[BaseException], None]
_SPECIES_CURE = "name one of these for its type in the list of species, or choose another model"


def chosen_outputs(model: Model, outputs: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the outputs to write: all of the model, or those asked for.

    Raises:
        GlassError: for a name that the model does not predict, or one given twice.
    """
    if isinstance(outputs, str):
        raise GlassError(f"outputs must be a sequence of names such as ({outputs!r},), got the text {outputs!r}")
    names = tuple(outputs or model.outputs)
    for place, name in enumerate(names):
        if name not in model.outputs:
            raise unknown("output", name, model.outputs)
        if name in names[:place]:
            raise GlassError(f"outputs name {name!r} twice; give it once")
    return names


def checked_name(name: str) -> str:
    """The prefix of fixes and properties.

    Raises:
        GlassError: if LAMMPS could not use it as one.
    """
    if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
        raise GlassError(f"name must be letters, digits and underscores, not beginning with a digit, got {name!r}")
    return name


class Hook:
    """Predicts and writes. ``attach`` and the include file of ``python -m lammps_hooks`` make these.

    Args:
        instance: LAMMPS with box, on one rank.
        species: species of atom type 1, 2 …
        model: name or path of a model.
        every: steps between predictions.
        outputs: names of the outputs to write; None means all.
        name: prefix of the per-atom properties.
        on_error: called with any exception raised in a callback, which cannot pass through LAMMPS.

    Attributes:
        outputs: names of the outputs to write.
        evaluated: whether LAMMPS has computed forces, in a run or minimisation, since this was last set to False.

    Raises:
        GlassError: for more than one rank, other units than Å, wrong species, an unknown model …
    """

    def __init__(
        self,
        instance: Instance,
        species: Sequence[str],
        model: str | os.PathLike[str],
        every: int,
        outputs: Sequence[str] | None,
        name: str,
        on_error: OnError,
    ) -> None:
        if not isinstance(every, Integral) or every < 1:
            raise GlassError(f"every must be a number of steps ≥ 1, got {every!r}")
        self.species = names_of_types(species)
        require_one_rank(instance)
        require_readable(instance, self.species)
        self.instance = instance
        self.model = load_model(model)
        self.outputs = chosen_outputs(self.model, outputs)
        self._name = checked_name(name)
        self.evaluated = False
        self._progress = ""
        self._schedule = Schedule(every)
        self._on_error = on_error
        self._written: Structure | None = None
        # LAMMPS keeps only the address of this object.
        self._callback = Callback(self._at_forces)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the per-atom properties in LAMMPS, ``d_glass_barrier`` …"""
        return tuple(output(name).lammps_column(self._name) for name in self.outputs)

    def add_external(self, fix_id: str) -> tuple[str, ...]:
        """Adds the ``fix external`` that calls back at setup, at every step and in minimisations.

        It adds zero to the forces: trajectories stay the same to the last bit. With it goes an equal-style variable
        ``FIX_progress``, the only thing in LAMMPS that tells when a run ends, or a minimisation for lack of iterations.

        Returns:
            The commands that remove both.
        """
        self.instance.command(f"fix {fix_id} all external pf/callback 1 1")
        self.instance.set_callback(fix_id, self._callback)
        self._progress = f"{fix_id}_progress"
        self.instance.command(f"variable {self._progress} equal ramp(0,1)")
        return f"unfix {fix_id}", f"variable {self._progress} delete"

    def update(self) -> None:
        """Predicts for the present configuration, unless its values are in place already."""
        structure = read_structure(self.instance, self.species)
        if self._written is not None and _same(structure, self._written):
            return
        self._written = None
        owner = f"model {self.model.card.name or self.model.kind!r}"
        results = predict(self.model, structure.with_species(self.model.species, owner, _SPECIES_CURE))
        for name, column in zip(self.outputs, self.columns, strict=True):
            self.instance.write_column(column, results[name].values)
        self._written = structure

    def _at_forces(self, caller: int, step: int, n_local: int, ids: int, positions: int, forces: int) -> None:
        try:
            clear_forces(forces, n_local)
            self.evaluated = True
            elapsed = self.instance.elapsed()
            if elapsed == 0:
                # Between runs, commands may have changed the values, or added and removed atoms.
                self._written = None
            last = self.instance.variable(self._progress) >= 1.0
            if self._schedule.due(step, elapsed, self.instance.positions(), last):
                self.update()
        except BaseException as error:  # noqa: BLE001 - no exception can pass through LAMMPS
            self._on_error(error)


def clear_forces(forces: int, n_local: int) -> None:
    """Sets the forces of a ``fix external`` to zero. LAMMPS adds them, and hands them over uninitialised.

    Args:
        forces: address of a ``double **`` with rows of three in one block.
        n_local: number of rows.
    """
    if n_local > 0:
        rows = ctypes.cast(forces, ctypes.POINTER(ctypes.c_void_p))
        ctypes.memset(rows[0], 0, n_local * 3 * ctypes.sizeof(ctypes.c_double))


def _same(a: Structure, b: Structure) -> bool:
    return (
        np.array_equal(a.positions_nc, b.positions_nc)
        and np.array_equal(a.types_n, b.types_n)
        and np.array_equal(a.cell_cc, b.cell_cc)
        and a.pbc == b.pbc
    )
