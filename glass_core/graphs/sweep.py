"""The order in which layers go through slabs: each as soon as the layer before it has passed the slabs around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def sweep(around: Sequence[Sequence[int]], layers: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Steps from layer 0, the states that atoms begin with, to the last one.

    Args:
        around: of each slab, those that a layer needs the layer before of; itself among them, and each in those that
            are around it.
        layers: how many.

    Yields:
        A slab, the layer that is to be computed for it now, and the slabs and layers that nothing needs afterwards.

    >>> [(slab, layer) for slab, layer, _ in sweep([(0, 1), (1, 0, 2), (2, 1)], 1)]
    [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (2, 1)]
    """
    passed = [-1] * len(around)
    for slab in range(len(around)):
        for now, layer in _before(slab, layers, around, passed):
            passed[now] = layer
            yield now, layer, _used(now, layer, around, passed)


def _before(slab: int, layer: int, around: Sequence[Sequence[int]], passed: Sequence[int]) -> Iterator[tuple[int, int]]:
    """What must still be computed for this layer of this slab, and that itself."""
    if passed[slab] >= layer:
        return
    if layer > 0:
        for other in around[slab]:
            yield from _before(other, layer - 1, around, passed)
    yield slab, layer


def _used(slab: int, layer: int, around: Sequence[Sequence[int]], passed: Sequence[int]) -> list[tuple[int, int]]:
    """Slabs around this one whose layer before has now been seen by all slabs around them, and that layer."""
    if layer == 0:
        return []
    return [(other, layer - 1) for other in around[slab] if all(passed[reader] >= layer for reader in around[other])]
