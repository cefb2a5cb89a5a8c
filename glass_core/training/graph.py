"""Training of graph networks: SymGNN and its baselines."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glass_core.arrays import Arrays
from glass_core.dataset import Configuration, Dataset
from glass_core.errors import GlassError
from glass_core.graphs.hops import hops_of
from glass_core.graphs.on_torch import require_torch
from glass_core.model_file import save_model
from glass_core.models.base import ModelCard
from glass_core.models.domain import Domain
from glass_core.models.graph import Flag, GraphBarrier, architecture
from glass_core.models.guard import Guard
from glass_core.settings import Count, NotNegative, Positive, Rate, Share, checked
from glass_core.training.bench import Notes, Values, portion, predicted_values
from glass_core.training.config import TrainingConfig
from glass_core.training.rows import features_of, make_descriptor, standardisation
from glass_core.training.weights import LabelNoise

if TYPE_CHECKING:
    from glass_core.training.trainer import DivergedError, Fit


@dataclass(frozen=True)
class GraphSettings(LabelNoise):
    """How a graph network is trained.

    Attributes:
        network: "symgnn", "schnet", "egnn", "gcn", "edge_gcn" or "species_mlp".
        architecture: settings of the network (see ``glass_core/graphs``).
        epochs: passes over the configurations, one step each.
        optimizer: "adamw" for all parameters, as published, or "muon" for the matrices of hidden layers, see
            ``Optimiser``: less loss after the same epochs.
        learning_rate: at its highest.
        schedule: "one_cycle" rises for a quarter of all steps and falls to nearly nothing; "constant" as published.
        weight_decay: decoupled (AdamW).
        clip: largest norm of a gradient.
        loss: "mse", or "huber" with its corner at one standard deviation of the labels.
        mean_weight: share of a configuration's mean error that counts. 1 is the plain loss; less lets a step on one
            configuration learn what tells its atoms apart rather than how its mean differs from that of the last.
        validation: "rotate" trains each member without one more group and keeps its best epoch on that group; "none"
            trains on all groups to the last epoch.
        patience: with validation, epochs without a better score after which training stops. It should exceed the
            quarter of the epochs in which "one_cycle" rises: before, networks have hardly begun to learn.
        members: networks, each with its own validation group and starting weights.
        precision: "bfloat16" for mixed precision.
        compile: let torch compile the network, which pays for long runs; on a CPU it needs a C++ compiler.
    """

    network: str
    architecture: Mapping[str, Any] = field(default_factory=dict)
    epochs: Count = 60
    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: Rate = 3e-3
    schedule: Literal["one_cycle", "constant"] = "one_cycle"
    weight_decay: NotNegative = 1e-4
    clip: Positive = 1.0
    loss: Literal["mse", "huber"] = "mse"
    mean_weight: Share = 1.0
    validation: Literal["rotate", "none"] = "rotate"
    patience: Count = 30
    members: Count = 1
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False


class GraphBench:
    """Graphs of a data set, and the training of networks on them.

    Args:
        config: what to train.
        dataset: labelled configurations.
        device: torch device.
        flagged: whether models tell what is out of their domain.
    """

    def __init__(self, config: TrainingConfig, dataset: Dataset, device: str, flagged: bool = True) -> None:
        self.settings: GraphSettings = checked(GraphSettings, config.settings, f"settings of {config.model}")
        wanted = {"network": self.settings.network, "architecture": self.settings.architecture}
        require_torch()
        self.architecture = architecture(wanted)
        if config.thermal:
            raise GlassError("thermal is for models on descriptors; remove it from this configuration")
        self.spread_noise = self.settings.label_noise if self.settings.members > 1 else None
        self._config, self._dataset, self._device = config, dataset, device
        self._descriptor = make_descriptor(config, dataset) if flagged else None

    @cached_property
    def _samples(self) -> dict[str, Any]:
        """Graph and label of each configuration by name."""
        from glass_core.graphs.graph import Graph
        from glass_core.training.trainer import Sample

        network = self.architecture.build(len(self._dataset.species))
        samples = {}
        for c in self._dataset:
            if c.structure.n_atoms < 2:
                raise GlassError(f"configuration {c.name!r} has one atom, of which no network learns; leave it out")
            known = c.structure.with_species(self._dataset.species, owner="the data set")
            hops = hops_of(known, network.cutoff, network.hops, self_edges=network.self_edges)
            atoms, labels = c.labelled(self._config.label)
            errors = c.noise(self._config.label)[atoms]
            weights = self.settings.weights(errors)
            samples[c.name] = Sample(Graph.of(hops).to(self._device), labels, c.group, atoms, weights)
        return samples

    @cached_property
    def _features(self) -> dict[str, Any]:
        """Descriptors of the labelled atoms of each configuration, by name."""
        atoms = {c.name: c.labelled(self._config.label)[0] for c in self._dataset}
        return {c.name: features_of(self._descriptor, c.structure, atoms[c.name]) for c in self._dataset}

    def fit(self, left_out: int | None, seed: int, notes: Notes) -> GraphBarrier:
        """Trains the members on the other groups."""
        from glass_core.training.epochs import run
        from glass_core.training.trainer import DivergedError, Fit

        kept = [c for c in self._dataset if c.group != left_out]
        labels = np.concatenate([c.labelled(self._config.label)[1] for c in kept])
        centre, scale = float(labels.mean()), float(labels.std())
        if not scale > 0:
            raise GlassError(f"all labels are {centre:g} eV; there is nothing to learn")
        groups = sorted({c.group for c in kept})
        trained = []
        for c in range(self.settings.members):
            held = groups[c % len(groups)] if self.settings.validation == "rotate" else None
            checkpoint = notes.checkpoint and notes.checkpoint.with_name(f"{notes.checkpoint.name}-m{c}")
            fit = Fit(self.architecture, self.settings, len(self._dataset.species), centre, scale, (seed, c))
            samples = [self._samples[k.name] for k in kept]
            title = f"member {c + 1}/{self.settings.members}, " if self.settings.members > 1 else ""
            tell = portion(notes.tell, c / self.settings.members, (c + 1) / self.settings.members, title)
            try:
                trained.append(run(fit, samples, held, self._device, Notes(checkpoint, tell)))
            except DivergedError as error:
                raise self._with_last_good(error, fit, checkpoint) from error
        members = tuple(t.weights for t in trained)
        content: dict[str, Any] = {"training_seconds": sum(t.seconds for t in trained)}
        if learned := [found for weights in members if (found := learned_distributions(weights))]:
            content["von_mises"] = learned
        card = ModelCard(self.settings.network, content=content)
        species, flag = self._dataset.species, self._flag(kept)
        glasses, quantile = [c.structure for c in kept], self._config.domain_quantile
        guard = None if flag is None else Guard.fit(glasses, species, quantile)
        return GraphBarrier(self.architecture, species, members, centre, scale, flag, card, self._device, guard)

    def _with_last_good(self, error: DivergedError, fit: Fit, checkpoint: pathlib.Path | None) -> GlassError:
        """The error, once what was learned before is kept as a model."""
        from glass_core.training.parallel import ranks

        if error.weights is None or checkpoint is None or not ranks().first:
            return error
        path = checkpoint.with_name(f"{checkpoint.name}-last_good.safetensors")
        species, card = self._dataset.species, ModelCard(self.settings.network)
        save_model(GraphBarrier(self.architecture, species, (error.weights,), fit.centre, fit.scale, None, card), path)
        return GlassError(f"{error}; what was learned before is kept as a model, {path}")

    def _flag(self, kept: list[Configuration]) -> Flag | None:
        if self._descriptor is None:
            return None
        features = np.concatenate([self._features[c.name] for c in kept])
        mean, std = standardisation(features)
        domain = Domain.fit((features - mean) / std, quantile=self._config.domain_quantile, margin=1.25)
        return Flag(self._descriptor, mean, std, domain)

    def values(self, model: GraphBarrier, group: int) -> Values:
        """``predicted_values`` of a group."""
        return predicted_values(model, self._dataset, self._config.label, group)


def learned_distributions(weights: Arrays) -> dict[str, dict[str, tuple[float, float]]]:
    """Location (radians, within ±π) and concentration of each Euler angle's von Mises distribution, if learned.

    Args:
        weights: of SymGNN, by name.

    Returns:
        ``{"rotations": {"α": (μ, κ), …}, "reflections": {…}}``, the latter of non-rotations (determinant −1); empty
        for a network without such distributions.
    """
    if "edges.learned.location" not in weights:
        return {}
    location = np.angle(np.exp(1j * weights["edges.learned.location"].astype(float)))
    concentration = np.exp(weights["edges.learned.log_concentration"].astype(float))
    return {
        kind: dict(zip("αβγ", zip(location[row].tolist(), concentration[row].tolist(), strict=True), strict=True))
        for row, kind in enumerate(("rotations", "reflections"))
    }


MODELS = ("graph",)
