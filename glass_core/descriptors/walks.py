"""Walks over neighbours that several descriptors make together, so that neighbours are sought once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glass_core.neighbours import Finder, Neighbours
from glass_core.progress import Progress
from glass_core.structure import Ints, Structure

Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class Walk:
    """One walk over the neighbours of some atoms.

    Attributes:
        cutoff: of the neighbours, Å.
        centres: atoms whose neighbours are wanted, ascending; None for all.
        take: gets them, block by block.
        done: share of the descriptor's work that is done after this walk, 0 … 1.
    """

    cutoff: float
    centres: Ints | None
    take: Callable[[Neighbours], object]
    done: float = 1.0


Walks = Generator[Walk, None, Found]
"""What a descriptor needs, walk after walk; returns what it makes of them."""


def walked(
    several: Sequence[Walks[Found]], structure: Structure, find: Finder, progress: Progress | None = None
) -> list[Found]:
    """What each makes of its walks; of those that they can make next, equal centres share one.

    Args:
        several: walks of each descriptor.
        structure: atoms.
        find: where edges come from.
        progress: called with the share done after every block.
    """
    found: dict[int, Found] = {}
    done = np.zeros(len(several))
    next_walks: dict[int, Walk] = {}

    def forward(k: int) -> None:
        try:
            next_walks[k] = next(several[k])
        except StopIteration as end:
            found[k], done[k] = end.value, 1.0

    for k in range(len(several)):
        forward(k)
    while next_walks:
        for together in _groups(next_walks):
            walks = [next_walks.pop(k) for k in together]
            _walk(walks, done, together, structure, find, progress)
            for k in together:
                forward(k)
    return [found[k] for k in range(len(several))]


def _groups(walks: dict[int, Walk]) -> list[list[int]]:
    """Those with equal centres."""
    groups: list[list[int]] = []
    for k, walk in walks.items():
        for group in groups:
            if _same(walks[group[0]].centres, walk.centres):
                group.append(k)
                break
        else:
            groups.append([k])
    return groups


def _same(one: Ints | None, other: Ints | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def _walk(
    walks: Sequence[Walk],
    done: NDArray[np.float64],
    places: Sequence[int],
    structure: Structure,
    find: Finder,
    progress: Progress | None,
) -> None:
    """One walk for several; ``done[places]`` tells how far they are."""
    before, centres = done[places], walks[0].centres
    after, taken = np.array([walk.done for walk in walks]), 0
    total = max(1, structure.n_atoms if centres is None else len(centres))
    for block in find(structure, max(walk.cutoff for walk in walks), centres):
        for walk in walks:
            walk.take(block.within(walk.cutoff))
        taken += len(block.centres_m)
        if progress:
            done[places] = before + (after - before) * min(1.0, taken / total)
            progress(float(done.mean()))
    done[places] = after
