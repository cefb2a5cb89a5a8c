"""Settings from outside, checked against the types of a dataclass's fields.

Bounds stand beside the type, ``dropout: Annotated[float, Range(least=0, most=1)]``, or come with one of
the names below.
"""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields
from numbers import Integral, Real
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from glass_core.errors import GlassError, unknown


@dataclass(frozen=True)
class Range:
    """Bounds of a number."""

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf

    def check(self, value: float, name: str) -> None:
        """Raises GlassError for a value out of bounds."""
        if not (self.least <= value <= self.most and self.above < value < self.below):
            raise GlassError(f"{name} must be {self}, got {value!r}")

    def __str__(self) -> str:
        bounds = {"≥": self.least, "≤": self.most, ">": self.above, "<": self.below}
        return " and ".join(f"{sign} {bound:g}" for sign, bound in bounds.items() if math.isfinite(bound))


@dataclass(frozen=True)
class NotEmpty:
    """At least one entry."""

    def check(self, value: tuple[Any, ...], name: str) -> None:
        """Raises GlassError for an empty list."""
        if not value:
            raise GlassError(f"{name} must have at least one entry, got none")


@dataclass(frozen=True)
class Distinct:
    """No entry twice."""

    def check(self, value: tuple[Any, ...], name: str) -> None:
        """Raises GlassError for a repeated entry."""
        for k, entry in enumerate(value):
            if entry in value[:k]:
                raise GlassError(f"{name} must be distinct, got {entry!r} twice")


Positive = Annotated[float, Range(above=0)]
NotNegative = Annotated[float, Range(least=0)]
Share = Annotated[float, Range(least=0, most=1)]
Rate = Annotated[float, Range(above=0, most=1000)]
Count = Annotated[int, Range(least=1)]
Whole = Annotated[int, Range(least=0)]

_PLAIN: Mapping[Any, tuple[type, str]] = {
    bool: (bool, "true or false"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a text"),
}


def checked(cls: type[Any], content: object, where: str) -> Any:
    """An instance of a settings dataclass from keys and values.

    Args:
        cls: the dataclass. Its annotations tell what each value may be.
        content: a mapping; lists become tuples.
        where: what to call it in errors.

    Raises:
        GlassError: for an unknown key (the nearest one is offered), a missing one, or a value that is not
            what the annotation says.
    """
    given: Mapping[str, Any] = conformed(content, Mapping[str, Any], where)
    known = {f.name: f for f in fields(cls) if f.init}
    for key in given:
        if key not in known:
            raise unknown(f"key in {where}", key, known)
    for name, f in known.items():
        if name not in given and f.default is MISSING and f.default_factory is MISSING:
            raise GlassError(f"{where} needs the key {name!r}")
    hints = field_types(cls)
    return cls(**{key: conformed(value, hints.get(key, Any), f"{key} in {where}") for key, value in given.items()})


def field_types(cls: type[Any]) -> dict[str, Any]:
    """Types of the fields of a class, but for those that are imported for type checkers alone."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        for name, hint in inspect.get_annotations(base).items():
            one = type(base.__name__, (), {"__annotations__": {name: hint}, "__module__": base.__module__})
            with suppress(NameError):
                found |= get_type_hints(one, include_extras=True)
    return found


def conformed(value: Any, hint: Any, name: str) -> Any:
    """The value if it is what ``hint`` says, with lists as tuples.

    ``hint`` may be made of bool, int, float (finite), str, Literal, ``tuple[X, ...]``, Mapping,
    ``X | None``, and Annotated with checks; any other hint accepts anything.

    Raises:
        GlassError: if it is not; ``name`` tells what the value is.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        inner = conformed(value, arguments[0], name)
        for mark in arguments[1:]:
            if isinstance(mark, (Range, NotEmpty, Distinct)):
                mark.check(inner, name)
        return inner
    if hint in _PLAIN:
        return _plain(value, hint, name)
    if origin is Literal and value not in arguments:
        raise GlassError(f"{name} must be {' or '.join(map(repr, arguments))}, got {value!r}")
    if origin is tuple and arguments[-1] is Ellipsis:
        return _tuple(value, arguments[0], name)
    if origin in (Union, types.UnionType) and len(arguments) == 2 and arguments[1] is type(None):
        return None if value is None else conformed(value, arguments[0], name)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(value, arguments[1], name)
    return value


def _plain(value: Any, hint: type, name: str) -> Any:
    kind, words = _PLAIN[hint]
    if not isinstance(value, kind) or (isinstance(value, bool) and hint is not bool):
        raise GlassError(f"{name} must be {words}, got {value!r}")
    if isinstance(value, Real) and not math.isfinite(value):
        raise GlassError(f"{name} must be finite, got {value!r}")
    return value


def _tuple(value: Any, hint: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise GlassError(f"{name} must be a list, got {value!r}")
    return tuple(conformed(entry, hint, f"entry {k} of {name}") for k, entry in enumerate(value))


def _mapping(value: Any, hint: Any, name: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise GlassError(f"{name} must hold keys and values, got {value!r}")
    return {key: conformed(entry, hint, f"{key} in {name}") for key, entry in value.items()}
