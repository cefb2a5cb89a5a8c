"""Which descriptors, models, attributions, readers and writers exist. Listing them imports nothing heavy."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any

import pluggy

from glass_core import hookspecs
from glass_core.errors import GlassError, unknown
from glass_core.settings import checked, conformed

_OURS = (
    "glass_core.descriptors.plugin",
    "glass_core.models.plugin",
    "glass_core.file_formats",
    "glass_core.potentials.plugin",
    "ase_glass.plugin",
    "lammps_hooks.plugin",
    "ovito_glass.plugin",
)
_HOOKS = {
    "descriptor": "glass_descriptors",
    "model class": "glass_models",
    "attribution": "glass_attributions",
    "reader": "glass_readers",
    "writer": "glass_writers",
    "potential": "glass_potentials",
}


@cache
def manager() -> pluggy.PluginManager:
    """The plugin manager with our plugins and those found by entry point.

    A plugin that cannot be loaded or is refused is left unregistered; ``refused()`` tells why.
    """
    plugins = pluggy.PluginManager(hookspecs.PROJECT)
    plugins.add_hookspecs(hookspecs)
    for module in _OURS:
        plugins.register(importlib.import_module(module), name=module)
    for distribution in importlib.metadata.distributions():
        for entry in distribution.entry_points:
            if entry.group == hookspecs.PROJECT and not plugins.is_blocked(entry.name):
                _load(plugins, entry)
    return plugins


def _load(plugins: pluggy.PluginManager, entry: importlib.metadata.EntryPoint) -> None:
    if plugins.has_plugin(entry.name):
        return
    try:
        register(entry.load(), entry.name, plugins)
    except Exception as error:  # noqa: BLE001 - a broken plugin of somebody else must not break ours
        _REFUSED[entry.name] = f"{type(error).__name__}: {error}"


_REFUSED: dict[str, str] = {}


def refused() -> dict[str, str]:
    """Plugins that were found but not accepted, with the reason."""
    manager()
    return dict(_REFUSED)


def register(plugin: object, name: str, plugins: pluggy.PluginManager | None = None) -> None:
    """Adds a plugin (module or object with hook functions) and checks what it offers.

    Raises:
        GlassError: if an entry is malformed or its name is taken; the plugin is then not registered.
    """
    plugins = plugins or manager()
    if plugins.has_plugin(name):
        raise GlassError(f"a plugin named {name!r} is registered already; choose another name")
    before = {what: set(_table(plugins, hook)) for what, hook in _HOOKS.items()}
    try:
        plugins.register(plugin, name=name)
        plugins.check_pending()
        for what, hook in _HOOKS.items():
            _check_names(plugins, plugin, what, hook, before[what])
    except Exception:
        if plugins.has_plugin(name):  # pluggy keeps a plugin whose hooks it refused
            plugins.unregister(name=name)
        raise


def _check_names(plugins: pluggy.PluginManager, plugin: object, what: str, hook: str, taken: set[str]) -> None:
    caller = plugins.subset_hook_caller(hook, [p for p in plugins.get_plugins() if p is not plugin])
    for entries in caller():
        for kind, target in _pairs(entries):
            if ":" not in target:
                raise GlassError(f"{what} {kind!r} must name 'package.module:Class', got {target!r}")
            if kind in taken:
                raise GlassError(f"{what} {kind!r} exists already; choose another name")
            taken = taken | {kind}


def _pairs(entries: Any) -> list[tuple[str, str]]:
    if isinstance(entries, dict):
        return list(entries.items())
    pairs = [str(entry).partition("=") for entry in entries]
    for kind, equals, _ in pairs:
        if not equals:
            raise GlassError(f"a plugin entry must read 'kind=package.module:Class', got {kind!r}")
    return [(kind, target) for kind, _, target in pairs]


def _table(plugins: pluggy.PluginManager, hook: str) -> dict[str, str]:
    return {kind: target for entries in getattr(plugins.hook, hook)() for kind, target in _pairs(entries)}


def names(what: str) -> list[str]:
    """Registered names of one sort: "descriptor", "model class", "attribution", "reader", "writer" or "potential"."""
    return sorted(_table(manager(), _HOOKS[what]))


def find(what: str, name: str) -> Any:
    """The class or function registered under a name, imported now.

    Raises:
        GlassError: for a name that is not registered; the nearest one is offered.
    """
    table = _table(manager(), _HOOKS[what])
    if name not in table:
        raise unknown(what, name, table)
    module, _, attribute = table[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def make(what: str, content: object, where: str) -> Any:
    """An instance of a registered class from a mapping of ``kind`` and settings.

    Args:
        what: as for ``names``.
        content: the mapping; settings of dataclasses are checked against the annotations of their fields.
        where: what to call it in errors.

    Raises:
        GlassError: if it is no mapping, its kind is missing or not registered, or a setting is wrong.
    """
    given = dict(conformed(content, Mapping[str, Any], where))
    if "kind" not in given:
        raise GlassError(f"{where} needs a kind, one of {', '.join(names(what))}")
    cls = find(what, conformed(given.pop("kind"), str, f"kind of {where}"))
    if isinstance(cls, type) and is_dataclass(cls):
        return checked(cls, given, where)
    try:
        return cls(**given)
    except TypeError as error:
        raise GlassError(f"{where}: {error}") from error
