"""Models of every kind with random weights, standardised on a small glass."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from glass_core.descriptors.base import Descriptor
from glass_core.descriptors.power_spectrum import PowerSpectrum
from glass_core.descriptors.scnn import SCNNDescriptor
from glass_core.descriptors.stack import Stack
from glass_core.models.base import DescriptorModel, ModelCard
from glass_core.models.calibration import StandardError
from glass_core.models.classifier import Classifier
from glass_core.models.committee import BarrierCommittee
from glass_core.models.domain import Domain
from glass_core.models.linear import LinearBarrier
from glass_core.models.scnn import SCNN
from glass_core.testing import example_glass

SPECIES = ("Cu", "Zr")


def layers(random: np.random.Generator, *widths: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases of a network."""
    return [
        (
            random.normal(0, width**-0.5, (after, width)).astype(np.float32),
            random.normal(0, 0.1, after).astype(np.float32),
        )
        for width, after in itertools.pairwise(widths)
    ]


def _parts(descriptor: Descriptor) -> dict:
    features = descriptor(example_glass(SPECIES, cells=4, seed=11)).astype(np.float32)
    mean, std = features.mean(axis=0), features.std(axis=0) + 1e-3
    domain = Domain.fit((features - mean) / std, axes=4, quantile=0.9)
    return {"descriptor": descriptor, "mean_f": mean, "std_f": std, "domain": domain, "card": ModelCard("small")}


def small_scnn(cutoff: float = 4.0, seed: int = 0) -> SCNN:
    """SCNN on 64 features."""
    random = np.random.default_rng(seed)
    descriptor = SCNNDescriptor(SPECIES, cutoff, 4, 6, 1)
    return SCNN(
        **_parts(descriptor),
        embedding=layers(random, descriptor.n_features, 16, 8),
        constraints_vz=random.uniform(0, 1, (4, 8)).astype(np.float32),
        classifier_cv=np.array([[1, 1, -0.5, -0.5], [-0.5, -0.5, 1, 1]], dtype=np.float32),
        activation="relu",
    )


def small_barrier(members: int = 3, seed: int = 0) -> BarrierCommittee:
    """Committee on power spectra."""
    random = np.random.default_rng(seed)
    descriptor = PowerSpectrum(SPECIES, 3.8, 3, 3, 2)
    networks = tuple(layers(random, descriptor.n_features, 8, 1) for _ in range(members))
    return BarrierCommittee(**_parts(descriptor), members=networks, activation="silu", centre=1.6, scale=0.3)


def small_classifier(seed: int = 0) -> Classifier:
    """Classifier without a domain."""
    random = np.random.default_rng(seed)
    descriptor = SCNNDescriptor(SPECIES, 3.6, 3, 4, 0, "paper")
    parts = _parts(descriptor) | {"domain": None}
    return Classifier(**parts, layers=layers(random, descriptor.n_features, 8, 1), activation="relu")


def changed(model: DescriptorModel) -> DescriptorModel:
    """The same kind and size of model, with other numbers."""
    return replace(model, mean_f=model.mean_f + 0.5)


def small_linear(members: int = 3, seed: int = 0) -> LinearBarrier:
    """Two-state committee on power spectra and elastic response; its gate is half open on the small glass."""
    random = np.random.default_rng(seed)
    parts = ({"kind": "power_spectrum", "n_max": 2, "l_max": 2, "shells": 1},
             {"kind": "elastic_response", "law": "morse", "radii": (1.3, 1.5), "radius": 3.5, "shells": 1})  # fmt: skip
    common = _parts(Stack(SPECIES, parts))
    names = common["descriptor"].names()
    gate = names.index("2:morse1(imbalance)")
    centre, width = float(common["mean_f"][gate]), float(common["std_f"][gate])
    weights = [random.normal(0, 0.01, (members, len(names))).astype(np.float32) for _ in range(2)]
    sketches = [random.normal(0, 0.02, (5, len(names))).astype(np.float32) for _ in range(2)]
    rest, motion = (
        StandardError(random.normal(0, 0.1, len(names)).astype(np.float32), sketch, 50.0, floor, 0.3)
        for sketch, floor in zip(sketches, (0.1, 0.2), strict=True)
    )
    return LinearBarrier(
        **common, gate=gate, gate_low=centre - width, gate_high=centre + width,
        rest_cf=weights[0], rest_c=np.full(members, 1.5), motion_cf=weights[1], motion_c=np.full(members, 1.2),
        motion_domain=replace(common["domain"], threshold=0.5 * common["domain"].threshold),
        label_noise=0.1, rest_error=rest, motion_error=motion,
    )  # fmt: skip
