"""Real searches keep the promise that campaigns build on: they depend on atom and number alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glass_core.campaign.columns import encode
from glass_core.potentials import potential_of
from glass_core.saddle.minimise import minimise
from glass_core.saddle.searcher import BoundSearcher, Searcher
from glass_core.saddle.settings import ArtnSettings, Kick, Regions
from glass_core.structure import Structure, replace_fields

POTENTIAL = "lj:epsilon=0.1,sigma=2.3,cutoff=5.5"
TASKS = [(atom, number) for atom in (0, 40, 80) for number in range(4)]


@pytest.fixture(scope="module")
def searcher() -> Searcher:
    """Argon-like disorder of 256 atoms, at a minimum."""
    rng = np.random.default_rng(3)
    corners = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    basis = np.array([(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)])
    places = 3.75 * (basis + corners).reshape(-1, 3)
    structure = Structure(places + rng.normal(0, 0.4, places.shape), np.zeros(256, int), ("Ar",), np.eye(3) * 15, True)
    potential = potential_of(POTENTIAL)
    region = potential.bind(structure).region(0, None)
    result = minimise(region.surface, structure.positions_nc, 0.005, 5000)
    assert result.converged
    settings = ArtnSettings(kick=Kick(radius=3.0), regions=Regions(search=5.0, refine_radius=6.5))
    return Searcher(replace_fields(structure, positions_nc=result.positions_nc), potential, settings, 1)


def content(search: BoundSearcher, atom: int, number: int) -> bytes:
    return encode(replace(search(atom, number), seconds=0.0))


def test_searches_do_not_depend_on_those_before(searcher: Searcher) -> None:
    forwards, backwards = searcher.bound(), searcher.bound()
    first = {task: content(forwards, *task) for task in TASKS}
    second = {task: content(backwards, *task) for task in reversed(TASKS)}
    fresh = {task: content(searcher.bound(), *task) for task in TASKS}
    assert [task for task in TASKS if first[task] != fresh[task]] == []
    assert [task for task in TASKS if second[task] != fresh[task]] == []
