"""numba as all loops here use it: compiled code is kept, and what is to happen without numba is said once.

Without it, loops over few numbers run as Python, so that saddle searches on surfaces of LAMMPS and ASE go on, and
LAMMPS computes embedded-atom files where it is installed; all others would take days, and refuse
(``require_compiler``).
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from glass_core.errors import GlassError

__all__ = ["has_compiler", "njit", "require_compiler", "uint64"]

_FASTMATH = {"reassoc", "contract", "nsz", "arcp"}
_FOLDER = pathlib.Path(__file__).parent


def _keep_code() -> None:
    """Names a folder for compiled code where neither that of the sources nor the user's own can be written.

    numba refuses to work then. Code is loaded from there, so the folder must be ours alone; workers find it by the
    environment.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    if _writable(_FOLDER / "__pycache__"):
        return
    with suppress(RuntimeError):  # a user without a home
        if _writable(pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "numba"):
            return
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = pathlib.Path(tempfile.gettempdir()) / f"glass-plugins-{user}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        if (state.st_uid, state.st_mode & 0o777) == (user, 0o700) and not folder.is_symlink():
            os.environ["NUMBA_CACHE_DIR"] = str(folder)
            return
    with suppress(OSError):
        os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="glass-plugins-")


def _writable(folder: pathlib.Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


_keep_code()
try:
    import numba
    from numba import uint64

    if os.environ.get("NUMBA_CACHE_DIR"):
        numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # numba may have been imported before
    _missing = ""
except (ImportError, OSError, AttributeError, SystemError) as error:  # a library that is lacking, another numpy …
    uint64 = None
    _missing = " ".join(str(error).split()) or type(error).__name__


def njit(*, fast: bool = False, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A function to be compiled, without Python's lock; as it is without numba.

    Args:
        fast: whether sums may be taken in another order.
        options: others of ``numba.njit``.
    """
    if _missing:
        return lambda function: function
    if fast:
        options["fastmath"] = _FASTMATH
    compiled: Callable[[Callable[..., Any]], Any] = numba.njit(cache=True, nogil=True, **options)
    return compiled


def has_compiler() -> bool:
    """Whether loops are compiled: numba is there, and ``NUMBA_DISABLE_JIT`` does not tell it to leave them alone."""
    return not _missing and not numba.config.DISABLE_JIT


def require_compiler() -> None:
    """To be called where loops are of no use as Python.

    Raises:
        GlassError: if numba cannot be imported.
    """
    if _missing:
        raise GlassError(
            f"numba cannot be imported here ({_missing}), and without its compiled loops this would take days; mend it "
            "(pip install --upgrade numba). Saddle searches on potentials of LAMMPS (.lmp, and embedded-atom files if "
            "it is installed) and ASE go on without it"
        )
