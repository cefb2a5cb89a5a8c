"""Keeps large freed arrays with the process while networks are trained on a CPU."""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Tells glibc to take large arrays from the heap and to keep what is freed; returns whether it could.

    A training step allocates hundreds of arrays of tens of MB. By default each comes from the kernel as pages to be
    cleared and goes back at once, which takes longer than the arithmetic (measured: 55 % of a step of SymGNN).
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    most = 2**31 - 1
    return all(mallopt(*option) for option in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, most), (_TOP_PAD, 2**26)))
