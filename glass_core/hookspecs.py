"""Hooks by which plugins add to glass (pluggy).

A plugin is any object with one or more of these functions, marked with ``glass_core.hookimpl``. Ours
are listed in ``glass_core.registry``; those of other packages are found by an entry point in the
group ``glass``::

    [project.entry-points.glass]
    my_plugin = "my_package.plugin"
"""

from __future__ import annotations

from collections.abc import Mapping

import pluggy

PROJECT = "glass"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def glass_descriptors() -> list[str]:  # type: ignore[empty-body]
    """Descriptor classes as ``"kind=package.module:Class"``; nothing is imported until one is used."""


@hookspec
def glass_models() -> list[str]:  # type: ignore[empty-body]
    """Model classes as ``"kind=package.module:Class"``; nothing is imported until one is used."""


@hookspec
def glass_attributions() -> list[str]:  # type: ignore[empty-body]
    """Attribution classes as ``"kind=package.module:Class"``."""


@hookspec
def glass_readers() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Readers of structure files for the command line: ``{"name": "package.module:function"}``.

    ``function(path, species_map, index) -> Frame`` raises GlassError for files it cannot read.
    """


@hookspec
def glass_writers() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Writers of annotated structures by file ending: ``{".extxyz": "package.module:function"}``.

    ``function(path, frame, outputs, info)`` with outputs as ``{name: PerAtom}`` and info as plain scalars.
    """


@hookspec
def glass_potentials() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Interatomic potentials by scheme, for ``glass label --potential SCHEME:TEXT``.

    ``{"scheme": "package.module:function"}`` with ``function(text) -> Potential`` (see ``glass_core.potentials.base``),
    which raises GlassError for a text that it cannot use.
    """
