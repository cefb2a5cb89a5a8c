"""A LAMMPS object whose calls raise what hooks stored while they ran, and leave the values up to date."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lammps_hooks.attachment import Attachment


@lru_cache(maxsize=8)
def checked_class(base: type) -> type:
    """A subclass of ``base``, the class of a LAMMPS object, whose attachments see to each of its calls.

    A subclass and not functions set on the object: these would hold the object in a reference cycle, and
    LAMMPS would no longer close when its last name is deleted.
    """

    class Lammps(base):  # type: ignore[misc, valid-type]
        def _checked(self, method: str, *arguments: Any) -> Any:
            for attachment in self.glass_attachments:
                attachment.hook.evaluated = False
            try:
                with _stoppable(self.glass_attachments):
                    result = getattr(super(), method)(*arguments)
            finally:
                for attachment in self.glass_attachments:
                    attachment.check()
            for attachment in self.glass_attachments:
                attachment.finish_run()
            return result

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
