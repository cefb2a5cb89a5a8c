"""What the compiled loops read and write for one set of surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.potentials.at_rest import AtRest
from glass_core.potentials.surroundings import FARTHEST, SLACK, Surroundings
from glass_core.potentials.tables import aligned
from glass_core.structure import Floats, Ints

# Of the cutoff: by how much distances may change until rows are made anew.
SKIN = 0.06
# Atoms that have gone further than candidates allow; with more of them these are sought anew.
MOST_HOT = 32
_NO_ROWS = -1


@dataclass(frozen=True, eq=False)
class Workspace:
    """Arrays of s sites, the last of which is far from all others.

    Attributes:
        near: the surroundings.
        surrounded_mc: positions for which they hold, Å.
        listed_mc: positions for which the rows were made, Å.
        sites: see ``Surroundings.places``; mobile ones are where they were last.
        offsets, rows: see ``kernels.eam``.
        touched_s, shared_s: fixed sites whose density is not that of the structure, and those of which it was not at
            rest; ``counts`` says how many, and is negative before there are rows.
        background_s: density without moving atoms.
        still_s: embedding energy at rest, eV.
        rho_s, slopes_s: density and F′ of the last evaluation.
        forces: of mobile sites, four numbers each, eV/Å.
        stream, places, k, hot_s: room for the loops.
    """

    near: Surroundings
    surrounded_mc: Floats
    listed_mc: Floats
    sites: Floats
    offsets: NDArray[np.int64]
    rows: Ints
    touched_s: Ints
    shared_s: Ints
    counts: NDArray[np.int64]
    background_s: Floats
    still_s: Floats
    rho_s: Floats
    slopes_s: Floats
    forces: Floats
    stream: Floats
    places: Floats
    k: Ints
    hot_s: NDArray[np.int8]

    @classmethod
    def of(cls, near: Surroundings, positions_mc: Floats, rest: AtRest) -> Workspace:
        """For surroundings that were found at some positions; rows are yet to be made."""
        s, m = len(near.atoms_s) + 1, len(near.order)
        # One row may be longer than its candidates: that of a hot atom.
        room = len(near.rows) + 8 * m + s + 8
        made = cls(
            near, positions_mc.copy(), positions_mc.copy(), near.places(rest.tables), np.zeros(4 * m + 1, np.int64),
            np.empty(room, np.int32), np.empty(s, np.int32), np.empty(s, np.int32), np.array([_NO_ROWS, 0]),
            np.zeros(s), rest.embedding(near), np.zeros(s), np.zeros(s), aligned(4 * s), aligned(3 * room),
            aligned(s + 16), np.empty(s + 16, np.int32), np.zeros(s, np.int8),
        )  # fmt: skip
        made.note(rest)
        return made

    def note(self, rest: AtRest) -> None:
        """Takes over what is known of the structure at rest. Rows hold on: all that is shared is touched."""
        shared = rest.shared(self.near)
        self.shared_s[: len(shared)] = shared
        self.counts[1] = len(shared)
        self.background_s[:] = rest.background(self.near)

    def forget_rows(self) -> None:
        """Rows are to be made anew."""
        self.counts[0] = _NO_ROWS

    def touched(self) -> Ints:
        """Fixed sites whose density is not that of the structure."""
        return self.touched_s[: self.counts[0]]

    def arguments(self, rest: AtRest) -> tuple[Any, ...]:
        """Of ``kernels.eam_surface.energy_forces``, between positions and forces."""
        near, t = self.near, rest.tables
        skin = SKIN * t.cutoff
        dense2 = np.where(t.density_cut_tt > 0, (t.density_cut_tt + skin) ** 2, -1.0)
        return (
            self.listed_mc, self.surrounded_mc, skin, SLACK * t.cutoff, FARTHEST * t.cutoff, MOST_HOT, near.order,
            near.shift_mc, near.offsets, near.middle, near.rows, near.forward_s, self.hot_s, dense2,
            (t.reach_tt + skin) ** 2, near.types_s, self.sites, near.mobile, near.copies, near.owners, self.shared_s,
            self.offsets, self.rows, self.touched_s, self.counts, t.bases_t, near.lattice_kc, self.background_s,
            self.still_s, t.pair, t.dense, t.width, t.embedding_tk4, t.per_area, t.per_density, t.last, self.rho_s,
            self.slopes_s, self.forces, self.stream, self.places, self.k,
        )  # fmt: skip
