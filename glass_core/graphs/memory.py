"""torch's ways to say that memory is short, as one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from glass_core.errors import GlassError


@contextmanager
def memory_errors(cure: str) -> Iterator[None]:
    """What runs out of memory inside raises a GlassError that ends in ``cure``."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise GlassError(f"out of memory; {cure}") from error
        raise
