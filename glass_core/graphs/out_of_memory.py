"""The ways of numpy and torch to say that memory is short, as one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from glass_core.errors import GlassError


@contextmanager
def memory_errors(cure: str) -> Iterator[None]:
    """What runs out of memory inside raises a GlassError that ends in ``cure``."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        torch_says = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
        if isinstance(error, MemoryError) or torch_says:
            raise GlassError(f"out of memory; {cure}") from error
        raise
