"""Which searches found the same event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glass_core.saddle.duplicates import distinct_events
from glass_core.saddle.records import SearchRecord, State
from glass_core.saddle.settings import Events

MOVED = np.array([3, 5, 9], dtype=np.int32)
FIELD = np.array([[1.0, 0, 0], [0, 0.5, 0], [0, 0, 0.2]])
EVENT = SearchRecord(3, 0, State.ACCEPTED, 1.5, 1.6, 0.02, 0.7, -1.0, MOVED, FIELD, 2 * FIELD)
FAILED = SearchRecord(3, 1, State.LOST)


def test_same_field_and_energy_is_the_same_event():
    again = replace(EVENT, atom=5, number=4, barrier=1.505, saddle_dc=FIELD + 0.03)
    assert distinct_events([EVENT, again, FAILED], Events()).tolist() == [0, 0, -1]


def test_other_field_energy_or_end_is_another_event():
    other = [
        replace(EVENT, saddle_dc=FIELD + np.array([[0.2, 0, 0], [0, 0, 0], [0, 0, 0]])),
        replace(EVENT, barrier=1.52),
        replace(EVENT, final_energy=0.8),
        replace(EVENT, final_dc=FIELD),
        replace(EVENT, moved_d=MOVED + 1),
    ]
    for changed in other:
        assert distinct_events([EVENT, changed], Events()).tolist() == [0, 1]


def test_other_saddles_that_count_are_no_events():
    others = [SearchRecord(3, 2, state, 1.5, 1.6) for state in (State.DISCONNECTED, State.UNSPLIT)]
    bare = replace(EVENT, moved_d=MOVED[:0], saddle_dc=FIELD[:0], final_dc=FIELD[:0])
    assert distinct_events([*others, bare], Events()).tolist() == [-1, -1, 0]


def test_atoms_that_one_record_leaves_out_count_as_unmoved():
    fewer = replace(EVENT, moved_d=MOVED[:2], saddle_dc=FIELD[:2], final_dc=2 * FIELD[:2])
    assert distinct_events([EVENT, fewer], Events()).tolist() == [0, 1]  # 0.2 Å is no rounding
    third = np.array([[1], [1], [0.2]])
    small = replace(EVENT, saddle_dc=FIELD * third, final_dc=2 * FIELD * third)
    fewer = replace(small, moved_d=MOVED[:2], saddle_dc=small.saddle_dc[:2], final_dc=small.final_dc[:2])
    assert distinct_events([small, fewer], Events()).tolist() == [0, 0]


def test_events_are_numbered_as_first_met():
    higher = replace(EVENT, barrier=2.5)
    assert distinct_events([FAILED, higher, EVENT, higher], Events()).tolist() == [-1, 0, 1, 0]


def test_settings_say_which_are_the_same():
    again = replace(EVENT, barrier=1.52)
    assert distinct_events([EVENT, again], Events(energy=0.03)).tolist() == [0, 0]
    again = replace(EVENT, saddle_dc=FIELD + 0.03)
    assert distinct_events([EVENT, again], Events(distance=0.02)).tolist() == [0, 1]


def test_nothing_to_compare():
    assert distinct_events([], Events()).tolist() == []
    assert distinct_events([FAILED], Events()).tolist() == [-1]
