"""The species map: what it reads, what it refuses, and which of its entries count for a type."""

from __future__ import annotations

from typing import Any

import pytest

from glass_core import GlassError
from glass_core.species_map import as_species_map, parse_species_map, species_of_type

TYPES = {"1": "Cu", "2": "Zr"}


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("", {}),
        ("1=Cu,2=Zr", TYPES),
        (" 1 = Cu ;\n2=Zr, ", TYPES),
        ("1=Cu,1=Cu", {"1": "Cu"}),
        ("-1=Cu", {"-1": "Cu"}),
        ("Type A=Cu", {"Type A": "Cu"}),
    ],
)
def test_text(text: str, table: dict[str, str]) -> None:
    assert parse_species_map(text) == table


@pytest.mark.parametrize("text", ["Cu", "1=", "=Cu", "1=Cu, 1=Zr", "1=Cu 2=Zr", "1=Cu=Zr", "1:Cu"])
def test_mistakes_in_text(text: str) -> None:
    with pytest.raises(GlassError, match="species map"):
        parse_species_map(text)


def test_text_a_mapping_or_nothing() -> None:
    assert as_species_map(None) == {}
    assert as_species_map("1=Cu;2=Zr") == TYPES
    assert as_species_map({1: "Cu", 2: "Zr"}) == TYPES


@pytest.mark.parametrize("value", [3, ["1=Cu"], {"1": None}, {"1": ""}, {"1": 29}])
def test_what_is_no_species_map(value: Any) -> None:
    with pytest.raises(GlassError, match="species map"):
        as_species_map(value)


@pytest.mark.parametrize(
    ("number", "name", "species_map", "expected"),
    [
        ("1", "", TYPES, "Cu"),
        ("1", "2", TYPES, "Zr"),
        ("1", "Zr", {}, "Zr"),
        ("1", "Cu", TYPES, "Cu"),
        ("", "Zr", TYPES, "Zr"),
        ("1", "copper", {"copper": "Cu"}, "Cu"),
        ("1", "copper", {"copper": "Cu", "1": "Cu"}, "Cu"),
        ("1", "Zr", {"Zr": "Cu", "1": "Cu"}, "Cu"),
    ],
)
def test_species_of_a_type(number: str, name: str, species_map: dict[str, str], expected: str) -> None:
    assert species_of_type(number, name, species_map, "a.dump") == expected


@pytest.mark.parametrize(
    ("number", "name", "message"),
    [
        ("3", "", r"type 3 in a\.dump has no species; say which: 3=Cu .* --species 3=Cu"),
        ("-1", "", r"type -1 in a\.dump has no species.* --species=-1=Cu"),
        ("1", "5", r"type 5 in a\.dump has no species"),
        ("1", "Zr", r"type 1 in a\.dump is Zr by its name 'Zr' and Cu by its number; leave 1=Cu out .*Zr=Cu"),
        ("1", "copper", r"type 1 in a\.dump is copper by its name 'copper' and Cu by its number.*copper=Cu"),
    ],
)
def test_refused_types(number: str, name: str, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        species_of_type(number, name, TYPES, "a.dump")
