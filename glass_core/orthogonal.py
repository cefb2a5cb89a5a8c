"""Elements of O(3), and structures under them."""

from __future__ import annotations

import numpy as np

from glass_core.structure import Floats, Structure, replace_fields


def orthogonal(random: np.random.Generator, sign: int) -> Floats:
    """A uniformly distributed rotation (sign 1) or non-rotation (sign −1), shape (3, 3)."""
    q, r = np.linalg.qr(random.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q * (sign * np.sign(np.linalg.det(q))), dtype=np.float64)


def transformed(structure: Structure, matrix_cc: Floats) -> Structure:
    """Atoms and box under an orthogonal matrix (applied to column vectors)."""
    return replace_fields(
        structure,
        positions_nc=np.ascontiguousarray(structure.positions_nc @ matrix_cc.T),
        cell_cc=np.ascontiguousarray(structure.cell_cc @ matrix_cc.T),
    )
