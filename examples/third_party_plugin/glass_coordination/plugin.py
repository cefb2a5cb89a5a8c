"""What this package adds to glass."""

from __future__ import annotations

from glass_core import hookimpl


@hookimpl
def glass_descriptors() -> list[str]:
    return ["ring_counts=glass_coordination.descriptor:RingCounts"]


@hookimpl
def glass_models() -> list[str]:
    return ["coordination=glass_coordination.model:Coordination"]
