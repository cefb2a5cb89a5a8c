"""One call from Python per energy: lists are looked after, then energy and forces computed."""

from __future__ import annotations

import numpy as np

from glass_core.kernels.eam import evaluate
from glass_core.kernels.eam_lists import refresh
from glass_core.kernels.eam_places import find_hot, place, travelled
from glass_core.kernels.jit import njit, uint64

FARTHEST = 1e6


@njit(error_model="numpy")
def energy_forces(  # type: ignore[no-untyped-def]
    positions_mc, listed_mc, surrounded_mc, skin, slack, farthest, most_hot, order, shift_mc, candidates, middle, near,
    forward, hot, dense2_tt, reach2_tt, types, sites, mobile, copies, owners, shared, offsets, rows, touched, counts,
    bases, lattice_kc, background, still, pair, dense, width, embedding, per_area, per_density, last, rho, slopes,
    work, stream, places, k, forces,
):  # fmt: skip
    """Whether surroundings still hold, and energy, eV; forces, eV/Å, shape (m, 3).

    Where they do not, nothing else is done. Positions that are not finite, or further away than anything is, give nan.
    ``counts`` are the numbers of touched sites (negative if there are no rows yet) and of shared ones.
    """
    moved, moving = travelled(positions_mc, listed_mc), len(order)
    if not moved < FARTHEST:
        forces[:] = np.nan
        return True, np.nan
    remake = moved > skin or counts[0] < 0
    if remake:
        warm = 0.5 * (slack - skin)
        n = find_hot(positions_mc, surrounded_mc, order, warm, farthest, copies, owners, mobile, hot)
        if n < 0 or n > most_hot:
            return False, np.nan
    place(positions_mc, order, shift_mc, copies, owners, lattice_kc, mobile, sites)
    if remake:
        counts[0] = refresh(
            candidates, middle, near, forward, hot, dense2_tt, reach2_tt, types, sites, mobile, copies, owners,
            shared[: counts[1]], offsets, rows, k, touched,
        )  # fmt: skip
        if counts[0] < 0:
            return False, np.nan
        listed_mc[:] = positions_mc
    energy = evaluate(
        offsets, rows, moving, mobile, touched[: counts[0]], types, bases, sites, copies, owners, background, still,
        pair, dense, width, embedding, per_area, per_density, last, rho, slopes, work, stream, places, k,
    )  # fmt: skip
    for i in range(uint64(moving)):
        for c in range(uint64(3)):
            forces[order[i], c] = work[uint64(4) * i + c]
    return True, energy
