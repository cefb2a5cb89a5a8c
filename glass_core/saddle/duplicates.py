"""Which searches found the same event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glass_core.saddle.records import SearchRecord, State
from glass_core.saddle.settings import Events
from glass_core.structure import Floats


def distinct_events(records: Sequence[SearchRecord], same: Events) -> NDArray[np.int64]:
    """Number of the event that each accepted search found, in the order first met; −1 for searches without one.

    Two searches found the same event if barriers and final energies differ by less than ``same.energy`` and every atom
    is displaced alike, at the saddle and in the other minimum, within ``same.distance``. Displacements are taken from
    the common minimum, so periodic images play no part.

    Args:
        records: searches of one structure, around any atoms.
        same: settings.
    """
    events: list[SearchRecord] = []
    numbers = np.full(len(records), -1, dtype=np.int64)
    accepted = np.flatnonzero([r.state is State.ACCEPTED for r in records])
    order = accepted[np.argsort([records[int(i)].barrier for i in accepted], kind="stable")]
    recent: list[int] = []
    for index in order:
        record = records[int(index)]
        recent = [e for e in recent if record.barrier - events[e].barrier < same.energy]
        found = next((e for e in recent if _alike(record, events[e], same)), None)
        if found is None:
            found = len(events)
            events.append(record)
            recent.append(found)
        numbers[index] = found
    return _in_order_met(numbers)


def _alike(a: SearchRecord, b: SearchRecord, same: Events) -> bool:
    if abs(a.final_energy - b.final_energy) >= same.energy:
        return False
    atoms = np.union1d(a.moved_d, b.moved_d)
    return all(
        np.linalg.norm(_spread(atoms, a.moved_d, x) - _spread(atoms, b.moved_d, y), axis=1).max(initial=0.0)
        < same.distance
        for x, y in ((a.saddle_dc, b.saddle_dc), (a.final_dc, b.final_dc))
    )


def _spread(atoms: NDArray[np.integer], moved: NDArray[np.integer], displacements: Floats) -> Floats:
    whole = np.zeros((len(atoms), 3))
    whole[np.searchsorted(atoms, moved)] = displacements
    return whole


def _in_order_met(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    seen, first = np.unique(numbers[numbers >= 0], return_index=True)
    rank = np.empty(len(seen), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(seen))
    numbers = numbers.copy()
    numbers[numbers >= 0] = rank[np.searchsorted(seen, numbers[numbers >= 0])]
    return numbers
