"""Registers the model classes of this folder."""

from __future__ import annotations

from glass_core.hookspecs import hookimpl


@hookimpl
def glass_models() -> list[str]:
    """Names and classes of the models."""
    return [
        "scnn=glass_core.models.scnn:SCNN",
        "classifier=glass_core.models.classifier:Classifier",
        "linear_barrier=glass_core.models.linear:LinearBarrier",
        "barrier_committee=glass_core.models.committee:BarrierCommittee",
        "graph_barrier=glass_core.models.graph:GraphBarrier",
        "blend=glass_core.models.blend:Blend",
    ]
