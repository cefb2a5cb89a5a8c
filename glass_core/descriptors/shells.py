"""Local features of atoms, and their averages over one, two, … shells of neighbours.

``X_i^(k) = Σ_{j∈N_i} w_ij X_j^(k−1) / Σ_{j∈N_i} w_ij`` with ``w_ij = exp(−r_ij / r_c)``; zero for an
atom without neighbours (Boattini, Smallenburg & Filion, PRL 127, 088007 (2021), with the weights of
arXiv:2401.03743).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core.descriptors.rows import Features
from glass_core.descriptors.walks import Walk, Walks
from glass_core.domains import Surroundings
from glass_core.neighbours import Neighbours
from glass_core.structure import Ints, Structure
from glass_core.threads import for_ranges


@dataclass(frozen=True)
class Columns:
    """Where features stand in a row: ``[B⁰ B¹ … Q⁰ Q¹ …]``.

    Attributes:
        radial: number of radial features B per shell.
        angular: number of angular features Q per shell.
        shells: how many times features are averaged.
    """

    radial: int
    angular: int
    shells: int

    @property
    def width(self) -> int:
        """Features per row."""
        return (self.shells + 1) * (self.radial + self.angular)

    def store(self, rows: Features, shell: int, features: Features) -> None:
        """Puts B and Q of one shell where they belong."""
        b, q = shell * self.radial, (self.shells + 1) * self.radial + shell * self.angular
        rows[:, b : b + self.radial] = features[:, : self.radial]
        rows[:, q : q + self.angular] = features[:, self.radial :]


@dataclass(frozen=True, eq=False)
class Shells:
    """Local features of atoms, and the links along which they are averaged.

    Attributes:
        columns: where features stand in a row.
        local_nf: features of shell 0, shape (n, radial + angular).
        starts_n, stops_n: links ``starts_n[i] … stops_n[i]`` belong to atom i.
        j_p: neighbour of each link.
        weights_p: w_ij of each link.
    """

    columns: Columns
    local_nf: Features
    starts_n: NDArray[np.int64]
    stops_n: NDArray[np.int64]
    j_p: Ints
    weights_p: Features

    def rows(self, centres: Ints) -> Features:
        """Rows of ``centres`` (ascending, none twice), shape (m, width).

        A centre's average k times over needs those of its neighbours k − 1 times over: rings of atoms that
        shrink to the centres as averages widen. So the memory is that of the centres and of a rim around them.
        """
        columns = self.columns
        rows = np.empty((len(centres), columns.width), self.local_nf.dtype)
        rings = [centres]
        for _ in range(columns.shells):
            rings.append(self._grown(rings[-1]))
        level = self.local_nf
        place = np.arange(len(level), dtype=np.int32)
        columns.store(rows, 0, level[centres])
        for shell, ring in enumerate(reversed(rings[:-1]), 1):
            level = self._average(ring, level, place)
            place[ring] = np.arange(len(ring), dtype=np.int32)
            columns.store(rows, shell, level if len(ring) == len(centres) else level[place[centres]])
        return rows

    def _grown(self, ring: Ints) -> Ints:
        """The atoms of a ring and all their neighbours, ascending."""
        from glass_core.kernels.shells import mark

        if len(ring) == len(self.local_nf):
            return ring
        marked = np.zeros(len(self.local_nf), dtype=np.bool_)
        mark(ring, self.starts_n, self.stops_n, self.j_p, marked)
        return np.flatnonzero(marked).astype(np.int32)

    def _average(self, ring: Ints, before: Features, place: Ints) -> Features:
        """The next shell for the atoms of a ring; ``place`` tells where atoms stand in ``before``."""
        from glass_core.kernels.shells import average

        width = before.shape[1]
        after = np.empty((len(ring), width), before.dtype)
        flat = before.reshape(-1), after.reshape(-1)
        for_ranges(
            lambda a, b: average(
                a, b, ring, self.starts_n, self.stops_n, self.j_p, self.weights_p, place, width, *flat
            ),
            len(ring),
        )  # fmt: skip
        return after


def link_bytes(cutoff: float) -> float:
    """Memory of an atom's links in single precision: 8 bytes for each in a dense glass (0.065 atoms/Å³)."""
    return float(8 * 0.065 * 4 / 3 * np.pi * cutoff**3)


def shell_walk(
    structure: Structure,
    needed: Ints | None,
    cutoff: float,
    length: float,
    columns: Columns,
    local: Callable[[Neighbours, Features], Neighbours],
    dtype: DTypeLike,
) -> Walks[Shells]:
    """Local features and links of the atoms ``needed`` (None: all).

    Args:
        structure: atoms in the descriptor's species.
        needed: see ``needed_atoms``.
        cutoff: of the edges that ``local`` needs, Å.
        length: r_c of the weights of averages, Å.
        columns: where features stand.
        local: fills rows of the table of local features for the centres of a block, and returns the neighbours
            to average over.
        dtype: number type of features.
    """
    n = structure.n_atoms
    table = (np.empty if needed is None else np.zeros)((n, columns.radial + columns.angular), dtype)
    starts, stops = np.zeros(n, np.int64), np.zeros(n, np.int64)
    parts, total = [(np.empty(0, np.int32), np.empty(0, dtype))], 0

    def take(block: Neighbours) -> None:
        nonlocal total
        links = local(block, table)
        if columns.shells:
            parts.append((links.j_p, _weights(links, length, dtype)))
            starts[links.centres_m], stops[links.centres_m] = total + links.offsets[:-1], total + links.offsets[1:]
            total += len(links.j_p)

    yield Walk(cutoff, needed, take)
    neighbours, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Shells(columns, table, starts, stops, neighbours, weights)


def needed_atoms(structure: Structure, centres: Ints | None, reach: float) -> Ints | None:
    """Atoms within ``reach`` Å of a centre, and some more; None for all."""
    if centres is None or len(centres) == structure.n_atoms or reach == 0.0:
        return centres
    return Surroundings.within(structure, reach)(centres)[0]


def _weights(links: Neighbours, length: float, dtype: DTypeLike) -> Features:
    from glass_core.kernels.shells import link_weights

    weights = np.empty(len(links.j_p), dtype)
    for_ranges(lambda a, b: link_weights(a, b, links.vectors_pc, length, weights), len(weights))
    return weights
