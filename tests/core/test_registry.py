"""The registry: ours are found, others' are checked, a refused plugin leaves no trace."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from glass_core import GlassError, hookimpl, hookspecs, registry

HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("glass_")}
OURS = {
    "descriptor": {"scnn", "power_spectrum"},
    "model class": {"scnn", "classifier", "barrier_committee"},
    "attribution": set(),
    "reader": set(),
    "writer": {".dump", ".lammpstrj", ".h5"},
    "potential": {"eam", "lj", "ase", "lammps"},
}


class Plugin:
    """A plugin object with the given hook functions."""

    def __init__(self, **hooks: Callable[..., object]) -> None:
        for name, function in hooks.items():
            setattr(self, name, hookimpl(function))


def plugin(**hooks: object) -> Plugin:
    """A plugin object whose hooks return the given entries."""
    return Plugin(**{name: lambda entries=entries: entries for name, entries in hooks.items()})


@pytest.fixture
def cleanup() -> Iterator[None]:
    before = {name for name, _ in registry.manager().list_name_plugin()}
    yield
    for name, _ in registry.manager().list_name_plugin():
        if name not in before:
            registry.manager().unregister(name=name)


def table() -> dict[str, list[str]]:
    return {what: registry.names(what) for what in OURS}


@pytest.mark.parametrize("what", OURS)
def test_ours_are_registered(what: str) -> None:
    assert OURS[what] <= set(registry.names(what))


@pytest.mark.parametrize("what", OURS)
def test_everything_listed_can_be_imported(what: str) -> None:
    for name in registry.names(what):
        found = registry.find(what, name)
        assert callable(found)
        if what in ("descriptor", "model class"):
            assert found.kind == name


def test_every_hook_is_documented_and_tested() -> None:
    assert set(registry._HOOKS.values()) == set(HOOKS)
    assert set(registry._HOOKS) == set(OURS) == set(ENTRIES)
    for hook in HOOKS.values():
        assert inspect.getdoc(hook)


ENTRIES = {
    "descriptor": ("glass_descriptors", ["mine=glass_core.descriptors.scnn:SCNNDescriptor"]),
    "model class": ("glass_models", ["mine=glass_core.models.scnn:SCNN"]),
    "attribution": ("glass_attributions", ["mine=collections:OrderedDict"]),
    "reader": ("glass_readers", {"mine": "collections:OrderedDict"}),
    "writer": ("glass_writers", {"mine": "collections:OrderedDict"}),
    "potential": ("glass_potentials", {"mine": "collections:OrderedDict"}),
}


@pytest.mark.usefixtures("cleanup")
@pytest.mark.parametrize("what", ENTRIES)
def test_a_plugin_adds_to_every_hook(what: str) -> None:
    hook, entries = ENTRIES[what]
    registry.register(plugin(**{hook: entries}), "others")
    assert "mine" in registry.names(what)
    assert callable(registry.find(what, "mine"))


@pytest.mark.usefixtures("cleanup")
@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ({"glass_models": ["no equals sign"]}, "must read 'kind=package.module:Class', got 'no equals sign'"),
        ({"glass_models": ["mine=package.module"]}, "model class 'mine' must name 'package.module:Class'"),
        ({"glass_descriptors": ["scnn=other:Class"]}, "descriptor 'scnn' exists already"),
        ({"glass_writers": {".h5": "other:write"}}, "writer '.h5' exists already"),
        ({"glass_descriptors": ["fine=other:Class"], "glass_models": ["scnn=other:C"]}, "model class 'scnn' exists"),
    ],
)
def test_a_malformed_plugin_is_refused_and_unregistered(hooks: dict, message: str) -> None:
    before = table()
    with pytest.raises(GlassError, match=message):
        registry.register(plugin(**hooks), "others")
    assert not registry.manager().has_plugin("others")
    assert table() == before


@pytest.mark.usefixtures("cleanup")
def test_a_hook_with_unknown_arguments_is_refused_and_unregistered() -> None:
    def glass_models(settings: object) -> list[str]:
        return []

    before = table()
    with pytest.raises(Exception, match="settings"):
        registry.register(Plugin(glass_models=glass_models), "others")
    assert not registry.manager().has_plugin("others")
    assert table() == before


@pytest.mark.usefixtures("cleanup")
def test_a_plugin_that_raises_is_refused_and_unregistered() -> None:
    def glass_models() -> list[str]:
        raise RuntimeError("no licence")

    with pytest.raises(RuntimeError, match="no licence"):
        registry.register(Plugin(glass_models=glass_models), "others")
    assert not registry.manager().has_plugin("others")
    assert "scnn" in registry.names("model class")


@pytest.mark.usefixtures("cleanup")
def test_a_taken_plugin_name_leaves_the_first_in_place() -> None:
    registry.register(plugin(glass_models=["first=a:B"]), "others")
    with pytest.raises(GlassError, match="'others' is registered already"):
        registry.register(plugin(glass_models=["second=a:B"]), "others")
    assert "first" in registry.names("model class")
    assert "second" not in registry.names("model class")


@pytest.mark.usefixtures("cleanup")
def test_a_kind_twice_within_one_plugin_is_refused() -> None:
    with pytest.raises(GlassError, match="'mine'"):
        registry.register(plugin(glass_models=["mine=a:B", "mine=c:D"]), "others")


def test_a_broken_entry_point_is_reported_and_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint("broken", "no_such_package.plugin", "glass")
    distribution = SimpleNamespace(entry_points=[entry])
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: [distribution])
    monkeypatch.setattr(registry, "_REFUSED", {})
    registry.manager.cache_clear()
    try:
        assert "no_such_package" in registry.refused()["broken"]
        assert "scnn" in registry.names("model class")
    finally:
        monkeypatch.undo()
        registry.manager.cache_clear()


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(GlassError, match=r"unknown descriptor 'snn'; known: .*Did you mean 'scnn'"):
        registry.find("descriptor", "snn")
