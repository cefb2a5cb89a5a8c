"""The fix external of a hook adds no force, whatever its memory held before."""

from __future__ import annotations

import ctypes

import numpy as np

from lammps_hooks.hook import clear_forces


def test_forces_are_cleared() -> None:
    block = np.full((5, 3), 1e30)
    rows = (ctypes.c_void_p * 5)(*(block.ctypes.data + 24 * n for n in range(5)))
    clear_forces(ctypes.addressof(rows), 4)
    assert (block[:4] == 0).all()
    assert (block[4] == 1e30).all()
    clear_forces(0, 0)
