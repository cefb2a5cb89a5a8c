"""What is kept of a search comes back."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from glass_core.campaign.columns import COLUMNS, ROW, STATES, Layout, decode, encode, joined, rounded, row_of
from glass_core.errors import GlassError
from glass_core.saddle.records import PHASES, SearchRecord, State
from tests.campaign.fakes import fake_record


def test_every_field_of_a_record_is_kept() -> None:
    kept = {column.name for column in COLUMNS} | {"moved_d", "saddle_dc", "final_dc"}
    assert {f.name for f in fields(SearchRecord)} <= kept


@pytest.mark.parametrize("state", list(State))
def test_a_record_comes_back(state: State) -> None:
    record = fake_record(1, 5, 7)
    record = SearchRecord(**{**{f.name: getattr(record, f.name) for f in fields(record)}, "state": state})
    table = decode([encode(record, 1.25)])
    row = table.rows_r[0]
    for name in ("atom", "number", "barrier", "first_barrier", "elastic_error", "final_energy", "curvature", "seconds"):
        np.testing.assert_equal(row[name], getattr(record, name))
    assert STATES[row["state"]] is state
    assert row_of(encode(record, 1.25)).tobytes() == row.tobytes()
    assert row["calls"].tolist() == list(record.calls)
    assert row["products"].tolist() == list(record.products)
    assert row["predicted_saddle"] == 1.25
    np.testing.assert_array_equal(table.moved_d, record.moved_d)
    np.testing.assert_allclose(table.saddle_dc, record.saddle_dc, rtol=0, atol=2**-15)
    np.testing.assert_allclose(table.final_dc, record.final_dc, rtol=0, atol=2**-15)


def test_rounding_twice_changes_nothing(random: np.random.Generator) -> None:
    values = random.normal(size=(100, 3))
    np.testing.assert_array_equal(rounded(rounded(values)), rounded(values))


def test_sorting_keeps_the_last_of_two_and_its_displacements() -> None:
    records = [fake_record(0, a, k) for a, k in ((2, 1), (0, 3), (2, 0), (0, 3), (1, 0))]
    payloads = [encode(r, float(i)) for i, r in enumerate(records)]
    table = decode(payloads).sorted()
    assert list(zip(table.rows_r["atom"], table.rows_r["number"], strict=True)) == [(0, 3), (1, 0), (2, 0), (2, 1)]
    assert table.rows_r["predicted_saddle"].tolist() == [3, 4, 2, 0]
    for k, i in enumerate((3, 4, 2, 0)):
        d = slice(table.offsets[k], table.offsets[k + 1])
        np.testing.assert_array_equal(table.moved_d[d], records[i].moved_d)
        np.testing.assert_array_equal(table.saddle_dc[d], rounded(records[i].saddle_dc))


def test_joining_prefers_the_second() -> None:
    first = decode([encode(fake_record(0, a, 0), 1.0) for a in (0, 1)])
    second = decode([encode(fake_record(0, a, 0), 2.0) for a in (1, 2)])
    assert joined(first, second).rows_r["predicted_saddle"].tolist() == [1, 2, 2]
    assert len(joined(decode([]), decode([]))) == 0


def test_rows_of_an_older_version_are_understood() -> None:
    old = np.dtype([d for d in ROW.descr if d[0] not in ("elastic_error", "predicted_saddle", "calls", "products")] + [
        ("calls", "<i4", (2,))])  # fmt: skip
    layout = Layout.from_plain(Layout(old, ("lost", "accepted"), ("climb", "push")).plain())
    assert layout.row == old
    row = np.zeros((), dtype=old)
    row["atom"], row["state"], row["barrier"], row["calls"] = 4, 1, 1.5, (7, 9)
    new = decode([row.tobytes()], layout).rows_r[0]
    assert (new["atom"], new["barrier"], STATES[new["state"]]) == (4, 1.5, State.ACCEPTED)
    assert np.isnan(new["elastic_error"])
    assert new["products"].tolist() == [0] * len(PHASES)
    assert np.isnan(new["predicted_saddle"])
    calls = dict(zip(PHASES, new["calls"].tolist(), strict=True))
    assert (calls["push"], calls["climb"], sum(calls.values())) == (9, 7, 16)


def test_what_is_unknown_or_damaged_is_refused() -> None:
    with pytest.raises(GlassError, match=r"state 'melted'.*upgrade"):
        decode([encode(fake_record(0, 0, 0))], Layout(ROW, ("melted",), PHASES))
    for read in (row_of, lambda payload: decode([payload])):
        with pytest.raises(GlassError, match="5 bytes"):
            read(b"12345")
