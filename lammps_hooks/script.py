"""Input scripts of an ``lmp`` binary: the functions that ``python`` and ``fix python/invoke`` call.

``python -m lammps_hooks`` writes the include file that imports this module into the Python inside ``lmp``.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import NoReturn

from glass_core.errors import GlassError
from lammps_hooks.hook import Hook
from lammps_hooks.instance import Instance

_FIRST_RANK_PRINTS_S = 10.0
_MADE: dict[str, object] = {}
"""Id of each fix property/atom of ours in this process → settings of the hook that it belongs to."""


class ScriptHook:
    """The Python side of one include file.

    Args:
        species: species of atom type 1, 2 …
        model: name or path of a model.
        every: steps between predictions.
        outputs: names of the outputs to write; None means all.
        name: prefix of fixes and per-atom properties.
    """

    def __init__(
        self, species: Sequence[str], model: str, every: int, outputs: Sequence[str] | None = None, name: str = "glass"
    ) -> None:
        self._settings = (species, model, every, outputs, name)
        self._name = name
        self._hook: Hook | None = None

    def start(self, capsule: object) -> None:
        """For ``python NAME_start invoke``: adds the per-atom properties, predicts, prepares later calls.

        ``fix python/invoke`` is called neither in the setup of a run nor in minimisations. Where
        LAMMPS has ``fix external`` (package MISC), it is called there.
        """
        instance = Instance.of_capsule(capsule)
        try:
            self._hook = Hook(instance, *self._settings, on_error=end_process)
            self._add_columns(self._hook)
            self._hook.update()
        except GlassError as error:
            _raise_short(error, instance)
        if instance.has_fix_style("external"):
            self._hook.add_external(f"{self._name}_setup")

    def _add_columns(self, hook: Hook) -> None:
        """Adds the fix property/atom, whose columns nobody else may have."""
        instance, store = hook.instance, f"{self._name}_store"
        if instance.has_fix(store):
            if _MADE.get(store) != self._settings:
                raise GlassError(
                    f"fix {store} exists already, of another include or of the script itself; make this one with "
                    "another --name"
                )
            instance.command(f"unfix {store}")  # from an earlier include of the same file
        _MADE[store] = self._settings
        taken = [column for column in hook.columns if instance.has_column(column)]
        if taken:
            raise GlassError(
                f"another include or fix has added {', '.join(taken)} already; make this one with another --name"
            )
        instance.command(f"fix {store} all property/atom {' '.join(hook.columns)}")

    def end_of_step(self, capsule: object) -> None:
        """For ``fix python/invoke N end_of_step NAME_step``: the values of the step that ends."""
        if self._hook is None:
            raise GlassError(f"`python {self._name}_start invoke` must come before fix python/invoke")
        try:
            self._hook.update()
        except BaseException as error:  # noqa: BLE001 - LAMMPS would end, but say no more than that a function failed
            end_process(error)


def end_process(error: BaseException) -> NoReturn:
    """Ends ``lmp`` with status 1 and the message of ``error`` on stderr; files so far are written out.

    Used inside of a run, where LAMMPS drops exceptions (``fix external``).
    """
    if not isinstance(error, GlassError):
        traceback.print_exception(error)
    sys.stderr.write(f"ERROR: glass: {type(error).__name__}: {error}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
    os._exit(1)


def _raise_short(error: GlassError, instance: Instance) -> NoReturn:
    """Raises ``error`` without the frames that led to it, printed by the first rank only.

    LAMMPS prints what a Python function raises and aborts all ranks. The others wait, so that none
    aborts before the first has printed.
    """
    if instance.setting("world_rank") > 0:
        sys.stderr = None
        time.sleep(_FIRST_RANK_PRINTS_S)
    raise error.with_traceback(None) from None
