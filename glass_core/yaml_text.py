"""YAML as people write it."""

from __future__ import annotations

import pathlib
import re
from typing import Any

from glass_core.errors import GlassError

# YAML 1.1, which PyYAML reads, takes 1e-3 for text: its floats need a dot, and a sign in the exponent.
_FLOAT = re.compile(r"([-+]?(\d[\d_]*)(\.\d*)?[eE][-+]?\d+|[-+]?\.\d+[eE][-+]?\d+)$")


def read_yaml(file: pathlib.Path) -> Any:
    """The content of a file as plain values. Unlike in YAML 1.1, ``1e-3`` is a number, and no key may stand twice.

    Raises:
        GlassError: for what is no YAML.
    """
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc] # yaml comes without types
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [key.value for key, _ in node.value]  # before those of `<<`, which may be said again, are added
            for key, _ in node.value:
                if keys.count(key.value) > 1:
                    raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} twice", key.start_mark)
            return super().construct_mapping(node, deep)

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader)
    except (yaml.YAMLError, ValueError) as error:
        raise GlassError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from error
