"""Settings of searches as a user gives them: a preset, changed by a file, changed by single values."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from glass_core.errors import GlassError, unknown
from glass_core.paths import existing_file
from glass_core.saddle.settings import ArtnSettings, preset
from glass_core.yaml_text import read_yaml

_WORDS: Mapping[str, Any] = {"null": None, "true": True, "false": False}


def chosen_settings(
    name: str, file: str | os.PathLike[str] | None = None, assignments: Sequence[str] = ()
) -> ArtnSettings:
    """The preset ``name``, with what the file and then the assignments change.

    Args:
        name: of a preset.
        file: YAML with the keys of ``ArtnSettings``, as many as wanted.
        assignments: each like ``climb.force=0.03``; "null" for None.

    Raises:
        GlassError: for an unknown preset or key (the nearest one is offered), a wrong value, or a file that
            cannot be read.

    >>> chosen_settings("bauchy2024", assignments=["climb.force=0.03"]).climb.force
    0.03
    """
    content = preset(name).as_dict()
    if file is not None:
        _merge(content, _read(file), str(file))
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise GlassError(f"a setting must read like climb.force=0.03, got {assignment!r}")
        nested: Any = _value(value.strip())
        for part in reversed(key.strip().split(".")):
            nested = {part: nested}
        _merge(content, nested, f"--set {assignment}")
    return ArtnSettings.from_dict(content)


def changed_settings(base: ArtnSettings, changes: Mapping[str, Any]) -> ArtnSettings:
    """Settings with what differs from ``base``, nested as they are.

    Raises:
        GlassError: for an unknown key (the nearest one is offered) or a wrong value.

    >>> changed_settings(preset("strict"), {"climb": {"force": 0.03}}).climb.force
    0.03
    """
    content = base.as_dict()
    _merge(content, changes, "the search settings")
    return ArtnSettings.from_dict(content)


def _read(file: str | os.PathLike[str]) -> Mapping[str, Any]:
    path = existing_file(file, "settings file", "give a YAML file")
    content = read_yaml(path)
    if not isinstance(content, Mapping):
        raise GlassError(f"{path} must hold keys and values such as `climb: {{force: 0.03}}`")
    return content


def _merge(content: dict[str, Any], changes: Mapping[Any, Any], where: str) -> None:
    """Puts changes into nested settings, in place."""
    for key, value in changes.items():
        if key not in content:
            raise unknown("setting", key, content, f"(in {where})")
        old = content[key]
        if isinstance(old, dict) != isinstance(value, Mapping):
            wanted = f"settings such as {next(iter(old))}" if isinstance(old, dict) else "one value"
            raise GlassError(f"{key} in {where} must hold {wanted}, got {value!r}")
        if isinstance(old, dict):
            _merge(old, value, where)
        else:
            content[key] = float(value) if isinstance(old, float) and _whole(value) else value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _value(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
