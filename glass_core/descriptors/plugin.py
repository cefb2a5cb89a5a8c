"""Registers the descriptors of this folder."""

from __future__ import annotations

from glass_core.hookspecs import hookimpl


@hookimpl
def glass_descriptors() -> list[str]:
    """Names and classes of the descriptors."""
    return [
        "scnn=glass_core.descriptors.scnn:SCNNDescriptor",
        "power_spectrum=glass_core.descriptors.power_spectrum:PowerSpectrum",
        "elastic_response=glass_core.descriptors.elastic_response:ElasticResponse",
        "anisotropy=glass_core.descriptors.anisotropy:Anisotropy",
        "stack=glass_core.descriptors.stack:Stack",
    ]
