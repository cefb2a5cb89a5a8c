"""Everything that may come close to the moving atoms of a region while they move a little."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.potentials.grid import Grid
from glass_core.potentials.tables import Tables, aligned
from glass_core.structure import Floats, Ints, Structure

# Of the cutoff: by how much distances may change while candidates hold, and how far atoms may go while sites do.
SLACK, FARTHEST = 0.25, 0.5
_FAR = 1e9


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Sites (see ``kernels.eam_sites``) around moving atoms, and candidates for neighbours.

    Sites lie in memory as in space, more or less, which keeps near ones in fast memory together.

    Attributes:
        order: the moving atoms as sites, counted as they are for the caller, shape (m,).
        shift_mc: lattice vectors from where the caller has them to their sites, Å.
        atoms_s: atom of each site: moving ones, their images, fixed ones.
        types_s: their species.
        sites_sc: positions, Å.
        mobile: number of moving atoms and their images.
        copies: sites that are images of others, shape (k,).
        owners: the sites that they are images of, shape (k,).
        lattice_kc: vectors from owners to copies, Å, shape (k, 3).
        forward_s: 1 for images of moving atoms along the positive half of lattice vectors; a pair of two images is
            listed at that end.
        offsets, middle, rows: candidates of each moving atom, mobile ones before ``middle``.
    """

    order: NDArray[np.int64]
    shift_mc: Floats
    atoms_s: Ints
    types_s: Ints
    sites_sc: Floats
    mobile: int
    copies: Ints
    owners: Ints
    lattice_kc: Floats
    forward_s: NDArray[np.int8]
    offsets: NDArray[np.int64]
    middle: NDArray[np.int64]
    rows: Ints

    def places(self, tables: Tables) -> Floats:
        """Sites as ``kernels.eam`` wants them, and one that is far from all others; flat."""
        places = aligned((len(self.atoms_s) + 1, 4))
        places[:-1, :3], places[:-1, 3] = self.sites_sc, tables.columns_t[self.types_s]
        places[-1, :3] = _FAR
        return places.ravel()

    def fixed(self) -> Ints:
        """Sites of fixed atoms, one for each atom."""
        fixed = np.ones(len(self.atoms_s), dtype=bool)
        fixed[: self.mobile] = False
        fixed[self.copies] = False
        return np.flatnonzero(fixed).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Movers:
    """Atoms of a structure that move.

    Attributes:
        structure: all atoms.
        grid: the same in bins.
        atoms_m: those that move.
        shift_mc: lattice vectors that bring them together, Å.
    """

    structure: Structure
    grid: Grid
    atoms_m: Ints
    shift_mc: Floats

    def surroundings(self, positions_mc: Floats, tables: Tables, always: Ints) -> Surroundings:
        """What is around them.

        Args:
            positions_mc: where they are, Å.
            tables: of the potential, for its cutoffs.
            always: fixed atoms to include wherever they are.
        """
        from glass_core.kernels.eam_candidates import candidates, repeats

        cutoff, types_n, m = tables.cutoff, self.structure.types_n, len(self.atoms_m)
        home_mc, shift_mc = self._gathered(positions_mc)
        order = _line_by_line(home_mc, cutoff / 2)
        home_mc, moving = home_mc[order], self.atoms_m[order]
        # Two moving atoms may each go that far towards the other.
        corners = self.grid.box(home_mc, (1 + SLACK + 2 * FARTHEST) * cutoff)
        images, lattice, forward = _images(home_mc, *corners, self.grid)
        fixed, fixed_sc = self._fixed(home_mc, (1 + SLACK + FARTHEST) * cutoff)
        mobile = m + len(images)
        atoms = np.concatenate([moving, moving[images], fixed])
        again, first, missing = repeats(atoms, mobile, always, self.structure.n_atoms)
        sites = np.concatenate([home_mc, home_mc[images] + lattice, fixed_sc])
        ahead = np.zeros(len(atoms) + len(missing), np.int8)
        ahead[m:mobile] = forward
        reach2 = (tables.reach_tt + SLACK * cutoff) ** 2
        offsets, middle, rows = candidates(sites, types_n[atoms], m, mobile, ahead, reach2)
        atoms = np.concatenate([atoms, missing])
        sites = np.concatenate([sites, np.full((len(missing), 3), _FAR)])
        copies = np.concatenate([np.arange(m, mobile, dtype=np.int32), again])
        owners = np.concatenate([images.astype(np.int32), first])
        lattice = np.concatenate([lattice, np.zeros((len(again), 3))])
        return Surroundings(
            order, shift_mc[order], atoms, types_n[atoms], sites, mobile, copies, owners, lattice, ahead, offsets,
            middle, rows,
        )  # fmt: skip

    def _gathered(self, positions_mc: Floats) -> tuple[Floats, Floats]:
        """Positions together, less rounds that atoms have made of a periodic box, and the vectors to them, Å."""
        moved = positions_mc - self.structure.positions_nc[self.atoms_m]
        rounds = np.rint(moved @ self.grid.inverse_cc) * self.grid.periodic_c
        shift = self.shift_mc - rounds @ self.grid.cell_cc
        return positions_mc + shift, shift

    def _fixed(self, home_mc: Floats, reach: float) -> tuple[Ints, Floats]:
        """Fixed atoms and their images that may come within reach; atoms and positions, Å."""
        is_moving = np.zeros(self.structure.n_atoms, dtype=bool)
        is_moving[self.atoms_m] = True
        middle = home_mc.mean(axis=0)
        radius = float(np.sqrt(((home_mc - middle) ** 2).sum(axis=1).max())) + reach
        return self.grid.images(middle, radius, self.grid.box(home_mc, reach), is_moving)


def _images(
    home_mc: Floats, low: Floats, high: Floats, grid: Grid
) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]:
    """Images of the moving atoms within corners: which atom, lattice vectors, and whether these are positive."""
    places = home_mc @ grid.inverse_cc
    first = np.where(grid.periodic_c, np.ceil(low - places.max(axis=0)), 0).astype(int)
    last = np.where(grid.periodic_c, np.floor(high - places.min(axis=0)), 0).astype(int)
    which, lattice, forward = [np.empty(0, np.int64)], [np.empty((0, 3))], [np.empty(0, bool)]
    for step in itertools.product(*(range(a, b + 1) for a, b in zip(first, last, strict=True))):
        if step == (0, 0, 0):
            continue
        moved = places + step
        inside = np.flatnonzero(((moved >= low) & (moved <= high)).all(axis=1))
        which.append(inside)
        lattice.append(np.broadcast_to(np.array(step) @ grid.cell_cc, (len(inside), 3)))
        forward.append(np.full(len(inside), step > (0, 0, 0)))
    return np.concatenate(which), np.concatenate(lattice), np.concatenate(forward)


def _line_by_line(positions_nc: Floats, width: float) -> NDArray[np.int64]:
    """Order of positions by cells of a width in Å, the last direction fastest."""
    cells = np.floor(positions_nc / width).astype(np.int64)
    return np.lexsort(cells.T[::-1])
