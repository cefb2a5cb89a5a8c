"""Examples in docstrings of the core give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import glass_core

# Modules that need torch or a host are tested with their own extras.
LEFT_OUT = ("glass_core.training", "glass_core.cli")
MODULES = [
    module.name
    for module in pkgutil.walk_packages(glass_core.__path__, "glass_core.")
    if not module.name.startswith(LEFT_OUT)
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0
