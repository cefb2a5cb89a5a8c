"""The user's map from the types of a file to species: reading it, and looking a type up in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from glass_core.errors import GlassError

SpeciesMap = Mapping[str, str]

_NUMBER = re.compile(r"-?[0-9]+")
_SEPARATOR = re.compile(r"[,;\n]")
_SPECIES = re.compile(r"[^\s=]+")


def is_number(name: str) -> bool:
    """Whether a type is called by a number only, and so tells nothing about its species."""
    return _NUMBER.fullmatch(name) is not None


def parse_species_map(text: str) -> dict[str, str]:
    """Type → species from what a user types; commas, semicolons or line breaks separate the entries.

    Raises:
        GlassError: for an entry that is not ``type=species``, or a type that is given two species.

    >>> parse_species_map("1=Cu, 2=Zr")
    {'1': 'Cu', '2': 'Zr'}
    """
    table: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in _SEPARATOR.split(text))):
        key, _, name = (part.strip() for part in entry.partition("="))
        if not key or not _SPECIES.fullmatch(name):
            raise GlassError(
                f"species map entry {entry!r} must read type=species, with commas between, as in 1=Cu,2=Zr"
            )
        if table.setdefault(key, name) != name:
            raise GlassError(f"species map gives type {key} twice, as {table[key]} and {name}; keep one")
    return table


def parse_type_names(text: str) -> dict[str, str]:
    """The same, or species alone: those of types 1, 2, ….

    Raises:
        GlassError: as ``parse_species_map``, or for a species that is no name.

    >>> parse_type_names("Cu, Zr") == parse_type_names("1=Cu, 2=Zr")
    True
    """
    if "=" in text:
        return parse_species_map(text)
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not _SPECIES.fullmatch(name) or is_number(name):
            raise GlassError(f"species must read like Cu,Zr (those of types 1, 2, …) or 1=Cu,2=Zr, got {text!r}")
    return {str(k): name for k, name in enumerate(names, 1)}


def as_species_map(value: str | Mapping[str, str] | Mapping[int, str] | None) -> dict[str, str]:
    """A species map from a mapping, from text, or from None (an empty one).

    Raises:
        GlassError: for anything else, or a species that is no name.

    >>> as_species_map({1: "Cu"}) == as_species_map("1=Cu")
    True
    """
    if value is None:
        return {}
    if isinstance(value, str):
        return parse_species_map(value)
    if not isinstance(value, Mapping):
        raise GlassError(f"species map must be text such as '1=Cu' or a mapping {{'1': 'Cu'}}, got {value!r}")
    for key, name in value.items():
        if not (isinstance(name, str) and name):
            raise GlassError(f"species map gives type {key} the species {name!r}, which is no name; write {key}=Cu")
    return {str(key): name for key, name in value.items()}


def species_of_type(number: str, name: str, species_map: SpeciesMap, source: str) -> str:
    """Species of one type of a file: what the map says of its name, else the name, else what it says of the number.

    A number says nothing about a type that has a name: programs number named types as they come.

    Args:
        number: the type's number in the file, "" if it has none.
        name: the type's name in the file, "" or a number if it has none.
        species_map: type → species, ``{"1": "Cu", "2": "Zr"}``; names may be mapped too.
        source: what to call the file in errors.

    Raises:
        GlassError: for a type without a name and an entry, as types are never guessed; or if the map gives its
            number another species than its name has.
    """
    key = name or number
    if key not in species_map and is_number(key):
        option = f"--species={key}=Cu" if key.startswith("-") else f"--species {key}=Cu"
        raise GlassError(
            f"type {key} in {source} has no species; "
            f"say which: {key}=Cu in the species map, {option} on the command line"
        )
    species = species_map.get(key, key)
    other = species if is_number(key) else species_map.get(number, species)
    if other != species:
        raise GlassError(
            f"type {number} in {source} is {species} by its name {name!r} and {other} by its number; "
            f"leave {number}={other} out of the species map, or map the name: {name}={other}"
        )
    return species
