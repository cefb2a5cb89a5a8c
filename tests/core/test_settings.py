"""Values from outside against the annotations of a dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from glass_core import GlassError
from glass_core.settings import Count, NotEmpty, Positive, Range, Share, checked


@dataclass(frozen=True)
class Oven:
    """Something with a setting of every kind."""

    name: str
    heat: Positive = 1.0
    trays: Count = 1
    door: bool = False
    share: Share = 0.5
    angle: Annotated[float, Range(above=0, below=1)] = 0.5
    mode: Literal["grill", "bake"] = "bake"
    marks: Annotated[tuple[float, ...], NotEmpty()] = (1.0,)
    lines: tuple[tuple[int, ...], ...] = ()
    owner: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    anything: Any = None


def test_right_values_are_taken_and_lists_become_tuples() -> None:
    given = {"name": "a", "heat": 3, "trays": np.int64(2), "lines": [[1, 2], []], "owner": "me", "extra": {"k": [1]}}
    assert checked(Oven, given, "oven") == Oven("a", 3, 2, lines=((1, 2), ()), owner="me", extra={"k": [1]})
    assert checked(Oven, {"name": "a", "owner": None}, "oven") == Oven("a")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "name in oven must be a text, got 3"),
        ({"heat": "x"}, "heat in oven must be a number, got 'x'"),
        ({"heat": True}, "heat in oven must be a number, got True"),
        ({"heat": 0}, "heat in oven must be > 0, got 0"),
        ({"heat": float("nan")}, "heat in oven must be finite, got nan"),
        ({"heat": float("inf")}, "heat in oven must be finite, got inf"),
        ({"trays": 1.0}, "trays in oven must be a whole number, got 1.0"),
        ({"trays": 0}, "trays in oven must be ≥ 1, got 0"),
        ({"door": 1}, "door in oven must be true or false, got 1"),
        ({"share": 2}, "share in oven must be ≥ 0 and ≤ 1, got 2"),
        ({"angle": 1}, "angle in oven must be > 0 and < 1, got 1"),
        ({"mode": "fry"}, "mode in oven must be 'grill' or 'bake', got 'fry'"),
        ({"marks": []}, "marks in oven must have at least one entry"),
        ({"marks": 3}, "marks in oven must be a list, got 3"),
        ({"marks": "12"}, "marks in oven must be a list, got '12'"),
        ({"marks": [1, None]}, "entry 1 of marks in oven must be a number, got None"),
        ({"lines": [[1], [2.5]]}, "entry 0 of entry 1 of lines in oven must be a whole number"),
        ({"owner": 3}, "owner in oven must be a text"),
        ({"extra": None}, "extra in oven must hold keys and values, got None"),
        ({"heet": 1}, "unknown key in oven 'heet'.*Did you mean 'heat'"),
    ],
)
def test_wrong_values_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(GlassError, match=message):
        checked(Oven, {"name": "a", **change}, "oven")


def test_a_missing_key_and_no_mapping_are_named() -> None:
    with pytest.raises(GlassError, match="oven needs the key 'name'"):
        checked(Oven, {}, "oven")
    with pytest.raises(GlassError, match="oven must hold keys and values, got \\['name'\\]"):
        checked(Oven, ["name"], "oven")
