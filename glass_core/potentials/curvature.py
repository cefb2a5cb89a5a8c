"""Second derivatives of a local surface at one point, as products with directions."""

from __future__ import annotations

import numpy as np

from glass_core.errors import GlassError
from glass_core.potentials.surroundings import Surroundings
from glass_core.potentials.tables import Tables, aligned
from glass_core.potentials.workspace import Workspace
from glass_core.structure import Floats


class LocalCurvature:
    """The Hessian of a local surface times directions, in double precision.

    It includes what the densities of fixed atoms add. ``at`` moves it to another point; positions of the surface may
    change meanwhile.
    """

    def __init__(self, near: Surroundings, tables: Tables, room: int) -> None:
        """For rows of at most ``room`` sites altogether."""
        from glass_core.kernels.eam_curvature import room as kept

        s, m = len(near.atoms_s) + 1, len(near.order)
        self._near, self._tables = near, tables
        self._offsets, self._rows = np.zeros(4 * m + 1, np.int64), np.empty(room, np.int32)
        self._bends_s, self._change_s = np.zeros(s), np.zeros(s)
        self._dense, self._wide, self._own = aligned(kept(room)[0]), aligned(kept(room)[1]), aligned(16 * m)
        self._v, self._out = aligned(4 * s), aligned(4 * s)

    def at(self, now: Workspace) -> None:
        """Second derivatives at the point where energies have just been computed."""
        from glass_core.kernels.eam_curvature import prepare

        near, t, used = self._near, self._tables, int(now.offsets[-1])
        self._offsets[:], self._rows[:used] = now.offsets, now.rows[:used]
        prepare(
            now.offsets, now.rows, len(near.order), now.touched(), near.types_s, t.bases_t, now.sites, near.copies,
            t.pair, t.dense, t.width, t.embedding_tk4, t.per_area, t.per_density, t.last, now.rho_s, now.slopes_s,
            now.places, now.k, self._dense, self._wide, self._own, self._bends_s,
        )  # fmt: skip

    def __call__(self, direction_nc: Floats) -> Floats:
        """The Hessian times a direction, eV/Å² times its unit, shape (n, 3).

        Raises:
            GlassError: if the direction has not one row for each moving atom.
        """
        from glass_core.kernels.eam_product import product

        direction = np.ascontiguousarray(direction_nc, dtype=np.float64)
        near = self._near
        if direction.shape != near.shift_mc.shape:
            raise GlassError(f"direction must have shape {near.shift_mc.shape}, got {direction.shape}")
        if not direction.flags.writeable:
            direction = direction.copy()  # compiled for arrays that may be written to, though they are not
        result = np.empty_like(direction)
        product(
            direction, near.order, self._offsets, self._rows, near.mobile, near.copies, near.owners,
            self._tables.width, self._dense, self._wide, self._own, self._bends_s, self._v, self._change_s, self._out,
            result,
        )  # fmt: skip
        return result
