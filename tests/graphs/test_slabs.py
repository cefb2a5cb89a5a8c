"""Layers that follow each other through slabs say what they say of the whole, and hold little."""

from __future__ import annotations

import functools
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from glass_core.domains import slices
from glass_core.graphs import compiled
from glass_core.graphs.compiled import CompiledSymGNN
from glass_core.graphs.hops import Hops
from glass_core.graphs.on_torch import OnTorch
from glass_core.graphs.slabs import Slabs, slabs_of
from glass_core.graphs.sweep import sweep
from glass_core.neighbours import find_neighbours, neighbour_blocks
from glass_core.structure import Structure
from glass_core.testing import example_glass
from tests.graphs.small import SPECIES, small_model

CUTOFF = 3.5
_RNG = np.random.default_rng(7)
_SKEW = np.array([[28.0, 0.0, 0.0], [5.0, 16.0, 0.0], [-3.0, 4.0, 15.0]])
_POSITIONS = _RNG.uniform(-0.5, 1.5, (500, 3)) @ _SKEW
_FILM = np.diag([26.0, 26.0, 60.0])
_FAR = np.vstack([_POSITIONS, [[4000.0, 0.0, 0.0]]])
BOXES = {
    "periodic": example_glass(SPECIES, cells=6, seed=3),
    "skewed, atoms outside": Structure(_POSITIONS, _RNG.integers(0, 2, 500), SPECIES, _SKEW, True),
    "film": Structure(_RNG.uniform(0, 1, (800, 3)) * [26, 26, 12], _RNG.integers(0, 2, 800), SPECIES, _FILM, True),
    "one far away": Structure(_FAR, _RNG.integers(0, 2, 501), SPECIES),
    "free": Structure(_POSITIONS, _RNG.integers(0, 2, 500), SPECIES),
    "wire": Structure(_POSITIONS, _RNG.integers(0, 2, 500), SPECIES, _SKEW, (True, False, False)),
}


def _ring(count: int) -> list[tuple[int, ...]]:
    return [tuple({slab, (slab - 1) % count, (slab + 1) % count}) for slab in range(count)]


def _chain(count: int) -> list[tuple[int, ...]]:
    return [tuple(s for s in (slab - 1, slab, slab + 1) if 0 <= s < count) for slab in range(count)]


@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("around", [_ring(1), _ring(2), _ring(3), _ring(9), _chain(2), _chain(9)])
def test_every_layer_comes_once_after_what_it_needs_and_nothing_is_kept(
    around: list[tuple[int, ...]], layers: int
) -> None:
    held: set[tuple[int, int]] = set()
    done, most = [], 0
    for slab, layer, used in sweep(around, layers):
        assert layer == 0 or {(other, layer - 1) for other in around[slab]} <= held
        done.append((slab, layer))
        if layer < layers:
            held.add((slab, layer))
        most = max(most, len(held))
        assert set(used) <= held
        held -= set(used)
    assert sorted(done) == [(slab, layer) for slab in range(len(around)) for layer in range(layers + 1)]
    assert not held
    if layers == 1 and len(around) == 9:
        assert most <= 5  # three around the slab, and two behind the first one of a ring


@functools.cache
def _evaluator(network: str) -> CompiledSymGNN:
    evaluator = small_model(network, members=2)._evaluator
    assert isinstance(evaluator, CompiledSymGNN)
    return evaluator


def _part(box: Structure, name: str) -> NDArray[np.int32] | None:
    chosen = {
        "all": None,
        "few": np.array([17, 3, 44], np.int32),
        "many": np.random.default_rng(1).permutation(box.n_atoms)[:200].astype(np.int32),
        "corner": np.flatnonzero((box.positions_nc < box.positions_nc.mean(axis=0)).all(axis=1)).astype(np.int32),
    }
    return chosen[name]


@pytest.mark.parametrize("network", ["gated", "gated learned", "gated, no norm"])
@pytest.mark.parametrize("part", ["all", "few", "many", "corner"])
@pytest.mark.parametrize("box", BOXES)
def test_slabs_say_what_the_whole_says(box: str, part: str, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    structure, evaluator = BOXES[box], _evaluator(network)
    whole = evaluator(structure, None, neighbour_blocks, None)
    centres = _part(structure, part)
    told: list[float] = []
    monkeypatch.setattr(evaluator, "_most", 120)
    found = evaluator(structure, centres, neighbour_blocks, told.append)
    np.testing.assert_allclose(found, whole if centres is None else whole[centres], atol=2e-6)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert part == "few" or len(told) > 1


def test_members_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    structure, model = BOXES["periodic"], small_model("gated", members=2)
    monkeypatch.setattr(model._evaluator, "_most", 120)
    torch = OnTorch(model.architecture, 2, model.members, "cpu")
    expected = torch(structure, None, neighbour_blocks, None)
    assert not np.allclose(expected[:, 0], expected[:, 1], atol=1e-2)
    np.testing.assert_allclose(model._evaluator(structure, None, neighbour_blocks, None), expected, atol=5e-6)


@pytest.mark.parametrize("box", ["periodic", "free"])
def test_only_slabs_between_layers_are_held(box: str, monkeypatch: pytest.MonkeyPatch) -> None:
    structure, evaluator = BOXES[box], _evaluator("gated")
    edges: weakref.WeakSet[Hops] = weakref.WeakSet()
    runs, most = [], 0

    def tracked(*arguments: Any) -> Slabs:
        slabs = slabs_of(*arguments)

        def found(slab: int) -> Hops:
            edges.add(hops := slabs.edges(slab))
            return hops

        return replace(slabs, edges=found)

    class Run(compiled._Run):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            runs.append(self)

        def advance(self, slab: int, layer: int, hops: Hops | None) -> None:
            nonlocal most
            super().advance(slab, layer, hops)
            most = max(most, len(edges), len(self._e))

    monkeypatch.setattr(evaluator, "_most", 120)
    monkeypatch.setattr(compiled, "slabs_of", tracked)
    monkeypatch.setattr(compiled, "_Run", Run)
    evaluator(structure, None, neighbour_blocks, None)
    assert most == {"periodic": 2 * evaluator.hops - 1, "free": evaluator.hops}[box]
    assert not edges
    assert runs
    assert not any(held for run in runs for held in (run._h, run._e, run._sent))


def test_edges_of_hosts_are_asked_for_by_atoms_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    structure, evaluator = BOXES["periodic"], _evaluator("gated")
    asked = []

    def find(whole: Structure, cutoff: float, centres: NDArray[np.int32] | None):  # type: ignore[no-untyped-def]
        assert whole is structure
        asked.append(centres)
        return [find_neighbours(whole, cutoff, centres)]

    expected = evaluator(structure, None, find, None)
    monkeypatch.setattr(evaluator, "_most", 120)
    np.testing.assert_allclose(evaluator(structure, None, find, None), expected, atol=2e-6)
    assert len(asked) > 3


def _slabs(box: str, self_edges: bool = False) -> tuple[Structure, Slabs]:
    structure = BOXES[box]
    return structure, slabs_of(structure, CUTOFF, 2, 60, None, neighbour_blocks, self_edges)


@pytest.mark.parametrize("self_edges", [False, True])
@pytest.mark.parametrize("box", BOXES)
def test_every_edge_is_found_once(box: str, self_edges: bool) -> None:
    structure, slabs = _slabs(box, self_edges)
    hops = [slabs.edges(slab) for slab in range(len(slabs.around))]
    assert len(hops) > 2
    near = find_neighbours(structure, CUTOFF)
    assert sum(len(h.j_p) for h in hops) == len(near.j_p) + self_edges * structure.n_atoms
    assert np.array_equal(np.sort(np.concatenate(slabs.centres)), np.arange(structure.n_atoms))
    for slab, h in enumerate(hops):
        atoms = np.concatenate([slabs.centres[other] for other in slabs.around[slab]])
        vectors = structure.positions_nc[atoms[h.j_p]] - structure.positions_nc[atoms[h.i_p]]
        images = (vectors - h.vectors_pc) @ np.linalg.inv(structure.cell_cc)
        np.testing.assert_allclose(images, np.round(images), atol=1e-5)


def test_slices_are_thick_enough_and_about_as_full_as_asked() -> None:
    structure = BOXES["periodic"]
    number, wraps = slices(structure, np.ones(structure.n_atoms, bool), CUTOFF, 200)
    sizes = np.bincount(number)
    assert wraps
    assert len(sizes) == -(-structure.n_atoms // 200)
    thinnest = np.bincount(slices(structure, np.ones(structure.n_atoms, bool), CUTOFF, 1)[0])
    assert sizes.max() <= 200 + thinnest.max()
    near = find_neighbours(structure, CUTOFF)
    apart = np.abs(number[near.i_p] - number[near.j_p])
    assert set(np.unique(apart)) <= {0, 1, len(sizes) - 1}
    film, _ = slices(BOXES["film"], np.ones(800, bool), CUTOFF, 100)
    assert np.bincount(film).max() < 200  # across the film would give three
    far, _ = slices(BOXES["one far away"], np.ones(501, bool), CUTOFF, 100)
    assert np.bincount(far).max() < 150
    alone, _ = slices(structure, np.zeros(structure.n_atoms, bool), CUTOFF, 200)
    assert not alone.any()
