"""Torch without a C++ compiler that works, as an error for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from glass_core.errors import GlassError

_COMPILER = ("InvalidCxxCompiler", "CppCompileError")  # none there, or one that fails


@contextmanager
def compiler_errors() -> Iterator[None]:
    """What fails inside for want of a C++ compiler raises a GlassError."""
    try:
        yield
    except RuntimeError as error:
        # By name, since importing torch's compiler for its classes would take seconds of every training.
        if type(getattr(error, "inner_exception", None)).__name__ in _COMPILER:
            raise GlassError("no C++ compiler works here; install a C++ compiler, or set compile: false") from error
        raise
