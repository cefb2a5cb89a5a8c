"""Where atoms are: the surroundings of some atoms, and compact chunks of centres.

One mechanism serves "only selected atoms", millions of atoms in bounded memory, and the ranks of a
parallel simulation: a set of centres, and all atoms close enough to matter to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.cell_list import heights
from glass_core.structure import Floats, Ints, Structure

_MAX_BINS = 4_000_000
_BINS_PER_RADIUS = 3


def _bins(
    structure: Structure, size: float, most: int = int(_MAX_BINS ** (1 / 3))
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bin of every atom along the three box vectors, shape (n, 3), and the numbers of bins, up to ``most`` each.

    Bins are at least ``size`` Å wide between opposite faces. Along periodic directions atoms are wrapped.
    """
    fractional = structure.positions_nc @ np.linalg.inv(structure.cell_cc)
    low = np.zeros(3)
    span = np.ones(3)
    for axis in range(3):
        if structure.pbc[axis]:
            fractional[:, axis] -= np.floor(fractional[:, axis])
        elif structure.n_atoms:
            low[axis] = fractional[:, axis].min()
            span[axis] = max(float(np.ptp(fractional[:, axis])), 1e-12)
    counts = np.clip(np.floor(heights(structure.cell_cc) * span / size), 1, most).astype(np.int64)
    index = ((fractional - low) / span * counts).astype(np.int64)
    return np.clip(index, 0, counts - 1), counts


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Finds the atoms around centres. Made once per structure: atoms are sorted into bins a third of the radius wide.

    Attributes:
        bins_nc: bin of every atom along the box vectors, shape (n, 3).
        counts: number of bins along each.
        periodic: whether the first bin follows the last.
        atoms_n: atoms in order of their bins.
        starts: where each bin begins in ``atoms_n``, bins numbered with the last box vector fastest.
    """

    bins_nc: Ints
    counts: tuple[int, ...]
    periodic: tuple[bool, bool, bool]
    atoms_n: Ints
    starts: NDArray[np.int64]

    @classmethod
    def within(cls, structure: Structure, radius: float) -> Surroundings:
        """For a radius in Å."""
        # A little wider than needed: rounding may put an atom on the edge between two bins into either.
        bins, counts = _bins(structure, radius * (1 + 1e-6) / _BINS_PER_RADIUS)
        number = np.ravel_multi_index(tuple(bins.T), tuple(counts)).astype(np.int32)
        starts = np.zeros(int(np.prod(counts)) + 1, dtype=np.int64)
        np.cumsum(np.bincount(number, minlength=len(starts) - 1), out=starts[1:])
        order = np.argsort(number, kind="stable").astype(np.int32)
        return cls(bins.astype(np.int32), tuple(counts.tolist()), structure.pbc, order, starts)

    def __call__(self, centres: NDArray[np.integer]) -> tuple[Ints, Ints]:
        """Atoms that may lie within the radius of a centre (all that do, and some that do not).

        Returns:
            Sorted indices of these atoms, and the place of each centre among them.
        """
        occupied = self.bins_nc[centres]
        # Only bins near an occupied one along each box vector by itself are looked at.
        lines = [self._reach(axis, occupied[:, axis]) for axis in range(3)]
        marked = np.zeros([len(line) for line in lines], dtype=bool)
        marked[tuple(np.searchsorted(line, occupied[:, axis]) for axis, line in enumerate(lines))] = True
        for axis in range(3):
            marked = _dilate(marked, axis, self.periodic[axis])
        near = np.ravel_multi_index(np.ix_(*lines), self.counts)[marked]
        inside = np.sort(self.atoms_n[ranges(self.starts[near], self.starts[near + 1])])
        return inside, np.searchsorted(inside, np.asarray(centres)).astype(np.int32)

    def _reach(self, axis: int, occupied: Ints) -> NDArray[np.int64]:
        line = np.zeros(self.counts[axis], dtype=bool)
        line[occupied] = True
        return np.flatnonzero(_dilate(line, 0, self.periodic[axis]))


def _dilate(marked: NDArray[np.bool_], axis: int, periodic: bool) -> NDArray[np.bool_]:
    """Marks bins up to a radius further along one axis: as bins are at least radius / steps wide, a point
    within the radius lies at most ``steps`` bins away. Bins left out between two others only bring these closer."""
    grown = marked.copy()
    for step in range(1, _BINS_PER_RADIUS + 1):
        for shift in (-step, step):
            moved = np.roll(marked, shift, axis=axis)
            if not periodic:
                edge = [slice(None)] * marked.ndim
                edge[axis] = slice(None, shift) if shift > 0 else slice(shift, None)
                moved[tuple(edge)] = False
            grown |= moved
    return grown


def ranges(starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.int64]:
    """start … stop of every range, one after the other."""
    ends = np.cumsum(stops - starts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(stops - ends, stops - starts)


def in_bins(structure: Structure, size: float) -> Ints:
    """Atoms, those of one bin of ``size`` Å after each other: what is near in the box is then near in memory."""
    return Surroundings.within(structure, _BINS_PER_RADIUS * size).atoms_n


def slices(structure: Structure, matters_n: NDArray[np.bool_], thickness: float, most: int) -> tuple[Ints, bool]:
    """Cuts between slices at least ``thickness`` Å thick, in the direction in which the fullest would hold the least.

    Args:
        structure: atoms.
        matters_n: which atoms are counted.
        thickness: Å.
        most: about as many counted atoms as a slice holds at most, unless it would be thinner.

    Returns:
        The slice of each atom, along the direction; and whether the last slice borders on the first.
    """
    index, counts = _bins(structure, thickness, _MAX_BINS)
    lines = [np.bincount(index[matters_n, axis], minlength=counts[axis]) for axis in range(3)]
    axis = int(np.argmin([line.max() for line in lines]))
    line, held = index[:, axis], lines[axis]
    total = max(int(held.sum()), 1)
    before = np.cumsum(held) - held
    _, of_bin = np.unique(np.minimum(before, total - 1) * -(-total // most) // total, return_inverse=True)
    return of_bin.astype(np.int32)[line], structure.pbc[axis]


def chunks(structure: Structure, centres: NDArray[np.integer], most: int, size: float) -> Iterator[Ints]:
    """Centres in compact groups of at most ``most``: recursive halving along the widest direction.

    Compact groups keep the surface, and so the surroundings computed twice, small. Centres keep
    ascending order within a group.
    """
    wanted = np.asarray(centres, dtype=np.int32)
    if len(wanted) <= most:
        yield wanted
        return
    index, _ = _bins(structure, size)
    yield from _halve(wanted, index[wanted] * (heights(structure.cell_cc) / (index.max(axis=0) + 1)), most)


def _halve(centres: Ints, places_mc: Floats, most: int) -> Iterator[Ints]:
    if len(centres) <= most:
        yield np.sort(centres)
        return
    axis = int(np.argmax(np.ptp(places_mc, axis=0)))
    groups = -(-len(centres) // most)
    cut = len(centres) * (groups // 2) // groups
    order = np.argpartition(places_mc[:, axis], cut)
    for part in (order[:cut], order[cut:]):
        yield from _halve(centres[part], places_mc[part], most)
