"""What the compiled loops look up: pair functions on a uniform grid of squared distances, and embedding energies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.potentials.splines import Radial, in_squares
from glass_core.structure import Floats

# Functions fitted piece by piece have kinks in their second derivative, most often at multiples of 0.1 Å. With whole
# numbers of pieces to 0.01 Å² these fall between pieces, and do not spoil the one that they would be in.
_PER_AREA = 100.0
_FEWEST = 4096
_LINE = 64


@dataclass(frozen=True, eq=False)
class PairFunctions:
    """A potential before it is tabulated. Suffix letters: t species, of atom i, then of atom j.

    Attributes:
        pair_tt: φ, eV.
        density_tt: density at i that j makes; None for a potential of pairs alone.
        pair_cut_tt: cutoff of each φ, Å.
        density_cut_tt: of each density, Å.
        inner_tt: smallest distance at which each pair of species is asked, Å.
    """

    pair_tt: Sequence[Sequence[Radial]]
    density_tt: Sequence[Sequence[Radial]] | None
    pair_cut_tt: Floats
    density_cut_tt: Floats
    inner_tt: Floats


@dataclass(frozen=True, eq=False)
class Tables:
    """``E = Σ_i F_i(Σ_j ρ_ij(r²)) + Σ_{i<j} φ_ij(r²)`` as ``kernels.eam`` wants it.

    All pair functions share one grid. Its last piece is zero, and everything beyond the cutoff falls into it. The
    tables of a pair of species begin at piece ``bases_t[i] + columns_t[j]``.

    Attributes:
        per_area: pieces per Å².
        last: number of the last piece.
        bases_t, columns_t: see above.
        pair: four coefficients of φ for each piece, flat, eV.
        dense: φ, density at i, density at j (left out where all densities are symmetric), flat.
        width: numbers for each piece of ``dense``, 12 or 8; 0 if there are no densities.
        embedding_tk4: F as pieces of density, shape (t, k, 4), eV.
        per_density: pieces per unit of density.
        pair_cut_tt: true cutoffs of φ, Å.
        density_cut_tt: of both densities of a pair together, Å.
    """

    per_area: float
    last: float
    bases_t: Floats
    columns_t: Floats
    pair: Floats
    dense: Floats
    width: int
    embedding_tk4: Floats
    per_density: float
    pair_cut_tt: Floats
    density_cut_tt: Floats

    @property
    def reach_tt(self) -> Floats:
        """Beyond which a pair does not interact, Å."""
        return np.maximum(self.pair_cut_tt, self.density_cut_tt)

    @property
    def cutoff(self) -> float:
        """The largest of these, Å."""
        return float(self.reach_tt.max())


def build_tables(functions: PairFunctions, embedding_tk4: Floats, per_density: float) -> Tables:
    """Tables of functions of the distance.

    Args:
        functions: of pairs.
        embedding_tk4, per_density: as in ``Tables``.
    """
    cuts = np.maximum(functions.density_cut_tt, functions.density_cut_tt.T)
    area = float(max(functions.pair_cut_tt.max(), cuts.max())) ** 2
    pieces = _pieces(area)
    step = area / pieces
    kinds = range(len(functions.pair_tt))

    def tabulate(radials: Sequence[Sequence[Radial]]) -> list[list[Floats]]:
        return [[in_squares(radials[a][b], functions.inner_tt[a, b], step, pieces) for b in kinds] for a in kinds]

    pair = tabulate(functions.pair_tt)
    density = tabulate(functions.density_tt) if functions.density_tt is not None else None
    symmetric = density is None or all(np.array_equal(density[a][b], density[b][a]) for a in kinds for b in kinds)
    bases, columns = _numbers(len(kinds), symmetric)
    width = 0 if density is None else 8 if symmetric else 12
    count = int(bases.max() + columns.max()) + 1
    pairs, dense = aligned((count, pieces + 1, 4)), aligned((count if width else 1, pieces + 1, max(width, 8)))
    for a in kinds:
        for b in kinds:
            at = int(bases[a] + columns[b])
            pairs[at, :-1] = pair[a][b]
            if density is not None:
                parts = [pair[a][b], density[a][b], density[b][a]]
                dense[at, :-1] = np.concatenate(parts[: width // 4], axis=-1)
    begin, per_area = float(pieces + 1), 1.0 / step
    return Tables(
        per_area, float(pieces), bases * begin, columns * begin, pairs.ravel(), dense.ravel(), width,
        embedding_tk4, per_density, functions.pair_cut_tt, cuts,
    )  # fmt: skip


def _pieces(area: float) -> int:
    """How many pieces up to a squared cutoff in Å²."""
    least = int(np.ceil(area * _PER_AREA - 1e-6))
    return least * int(np.ceil(_FEWEST / least))


def _numbers(kinds: int, symmetric: bool) -> tuple[Floats, Floats]:
    """Numbers whose sums tell pairs of species apart: a base of the first, a column of the second.

    Where order does not matter both are the same numbers, all sums of two of which differ (a Sidon set).
    """
    if not symmetric:
        each = np.arange(kinds, dtype=np.float64)
        return each * kinds, each
    found: list[int] = []
    sums: set[int] = set()
    number = 0
    while len(found) < kinds:
        new = {number + other for other in [*found, number]}
        if not new & sums:
            found.append(number)
            sums |= new
        number += 1
    return np.array(found, float), np.array(found, float)


def aligned(shape: tuple[int, ...] | int) -> Floats:
    """Zeros that begin at a cache line, so that no four numbers straddle two."""
    size = int(np.prod(shape)) * 8
    room: NDArray[np.uint8] = np.zeros(size + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    return room[start : start + size].view(np.float64).reshape(shape)
