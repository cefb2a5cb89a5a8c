"""A graph network with its optimiser on one device: steps, epochs, scores, states."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.graphs.graph import Graph
from glass_core.graphs.layers import renormalised
from glass_core.graphs.networks import Architecture
from glass_core.metrics import pearson
from glass_core.training.checkpoint import Checkpoint, best_epoch, copied
from glass_core.training.moments import Moments
from glass_core.training.optimiser import Optimiser
from glass_core.training.parallel import Ranks

if TYPE_CHECKING:
    from glass_core.graphs.base import Network
    from glass_core.training.graph import GraphSettings

_WARM = 0.25
_LOWEST = 1e-3
_HELD, _FREED = 0.5, 0.9  # shares of all steps between which batch renormalisation is set free
_GAIN = 8.0
_RIDGE = 1e-4  # of the last layer's regression, in squared deviations of what it is given
_LABELS = 100  # for each of its weights that it takes at least
_SETTLED = 0.01  # change of running statistics, in their deviations
_DIVERGED = 10.0  # mean loss of an epoch, where saying the mean label has 1


@dataclass(frozen=True, eq=False)
class Sample:
    """A configuration to train on.

    Attributes:
        graph: all its atoms.
        labels_m: of the labelled atoms, eV, shape (m,).
        group: see ``Dataset``.
        atoms_m: which these are, ascending.
        weights_m: how much each label counts; None: all the same.
    """

    graph: Graph
    labels_m: NDArray[np.float64]
    group: int
    atoms_m: NDArray[np.intp]
    weights_m: NDArray[np.float64] | None = None

    @property
    def weight(self) -> float:
        """Sum of the weights."""
        return float(len(self.labels_m) if self.weights_m is None else self.weights_m.sum())

    def labelled(self, values_n: torch.Tensor) -> torch.Tensor:
        """Of values of all atoms those of the labelled ones."""
        if len(self.atoms_m) == len(values_n):
            return values_n
        return values_n[torch.from_numpy(self.atoms_m).to(values_n.device)]


@dataclass(frozen=True)
class Fit:
    """What is trained, and from which random numbers.

    Attributes:
        architecture: the network.
        settings: how.
        species: number of species.
        centre, scale: the network's target is (label − centre) / scale.
        seed: run and member.
    """

    architecture: Architecture
    settings: GraphSettings
    species: int
    centre: float
    scale: float
    seed: tuple[int, int]

    @property
    def title(self) -> str:
        """For people."""
        seed, member = self.seed
        return f"{self.architecture.name}, seed {seed}" + (f", member {member}" if self.settings.members > 1 else "")

    def key(self, samples: Sequence[Sample], held: int | None) -> str:
        """Hash of all that decides the result, by which a checkpoint knows its run."""
        told = [[s.group, len(s.labels_m), float(s.labels_m.sum()), s.weight] for s in samples]
        content = [asdict(self), held, told]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


class DivergedError(GlassError):
    """The loss is far above that of a network that says the mean, or it or weights are no longer finite.

    Attributes:
        weights: of the network before, by name; None if it had learned nothing.
    """

    weights: dict[str, NDArray[np.float32]] | None = None


class Trainer:
    """The network with its optimiser on one device."""

    def __init__(self, fit: Fit, samples: Sequence[Sample], device: str, group: Ranks) -> None:
        if not samples:
            raise GlassError("no configurations are left to train on; give more groups, or set validation: none")
        self.fit, self.samples, self.device, self.group = fit, samples, device, group
        torch.manual_seed(_number(*fit.seed))
        self.network: Network = fit.architecture.build(fit.species).to(device)
        s = fit.settings
        self.optimiser = Optimiser(self.network, s)
        callable_ = group.distributed(self.network, device)
        self.forward = torch.compile(callable_, dynamic=True) if s.compile else callable_
        scaled = [(sample.labels_m - fit.centre) / fit.scale for sample in samples]
        self.targets = [torch.from_numpy(t).to(device=device, dtype=torch.float32) for t in scaled]
        weights = [sample.weights_m for sample in samples]
        self.weights = [None if w is None else torch.from_numpy(w).to(self.targets[0]) for w in weights]
        plain = [self._loss(torch.zeros_like(t), t, w).item() for t, w in zip(self.targets, self.weights, strict=True)]
        self._plain_loss = float(np.mean(plain))  # of saying the mean label

    def start(self) -> Checkpoint:
        """The state before the first epoch."""
        weights = copied(self.network.state_dict())
        return Checkpoint(0, weights, (), weights, ())

    def load(self, state: Checkpoint) -> None:
        """Goes on from a state."""
        self.network.load_state_dict(dict(state.network))
        if state.optimizer:
            self.optimiser.load(state.optimizer)

    def epoch(self, done: int) -> tuple[float, float]:
        """One pass over the training configurations.

        Returns:
            Mean loss and mean Pearson correlation over the configurations, as the steps found them (with dropout).

        Raises:
            DivergedError: if the mean loss is above ten times that of saying the mean label (or above 10), or it or a
                weight is no longer finite.
        """
        order = np.random.default_rng([*self.fit.seed, done]).permutation(len(self.samples))
        torch.manual_seed(_number(*self.fit.seed, done + 1, self.group.rank))
        self.network.train()
        mine = self.group.share(order)
        steps = len(mine) * self.fit.settings.epochs
        told = []
        for step, index in enumerate(mine):
            share = (done * len(mine) + step + 0.5) / steps
            for each in renormalised(self.network):
                each.freedom = _freedom(share)
            told.append(self._step(index, _rate(self.fit.settings, share)))
        loss, agreement = (self.group.mean(float(np.mean(column))) for column in zip(*told, strict=True))
        finite = all(torch.isfinite(p).all() for p in self.network.parameters())
        if not (finite and loss <= _DIVERGED * max(1.0, self._plain_loss)):
            raise DivergedError(
                f"training diverged in epoch {done + 1} (loss {loss:.4g}, where saying the mean label has "
                f"{self._plain_loss:.3g}). Lower learning_rate ({self.fit.settings.learning_rate:g}) or clip "
                f"({self.fit.settings.clip:g})"
            )
        return loss, agreement

    def _step(self, index: int, rate: float) -> tuple[float, float]:
        self.optimiser.forget()
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.fit.settings.precision == "bfloat16"):
            predicted = self.samples[index].labelled(self.forward(self.samples[index].graph))
        loss = self._loss(predicted.float(), self.targets[index], self.weights[index])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.fit.settings.clip)
        self.optimiser.step(rate)
        found, wanted = (v.detach().cpu().double().numpy() for v in (predicted, self.targets[index]))
        return loss.item(), pearson(found, wanted)

    def _loss(self, predicted: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
        functional, s = torch.nn.functional, self.fit.settings
        error = predicted - target
        mean = error.mean() if weight is None else (weight * error).sum() / weight.sum()
        # Thousands of atoms share one mean: as plain errors, the few means would drown what tells atoms apart.
        apart = error - (1 - s.mean_weight) * mean if s.mean_weight < 1 else error
        function = functional.huber_loss if s.loss == "huber" else functional.mse_loss
        if weight is None:
            return function(apart, torch.zeros_like(apart))
        return (weight * function(apart, torch.zeros_like(apart), reduction="none")).mean()

    def score(self, valid: Sequence[Sample]) -> float:
        """Pearson correlation over all labelled atoms of the validation group, of the network once it is settled."""
        lagging = copied(self.network.state_dict())
        self._average_statistics()
        with torch.no_grad():
            predicted = [s.labelled(self.network(s.graph)).cpu().numpy().astype(np.float64) for s in valid]
        self.network.load_state_dict(lagging)
        return pearson(np.concatenate(predicted), np.concatenate([s.labels_m for s in valid]))

    def settle(self) -> None:
        """Statistics of batch normalisation and the mean of the output, for the weights as they are now.

        The last bias makes the (weighted) mean error over the training configurations zero.
        """
        self._average_statistics()
        with torch.no_grad():
            errors = [t - s.labelled(self.network(s.graph)) for s, t in zip(self.samples, self.targets, strict=True)]
            weights = [torch.ones_like(e) if w is None else w for e, w in zip(errors, self.weights, strict=True)]
            self._last.bias.data += (torch.cat(weights) * torch.cat(errors)).sum() / torch.cat(weights).sum()

    @property
    def _last(self) -> torch.nn.Linear:
        """The layer that ends in the output."""
        return [m for m in self.network.decoder if isinstance(m, torch.nn.Linear)][-1]

    def _average_statistics(self) -> None:
        """Batch normalisation as over all training configurations, without dropout; the network is ready to predict.

        Running statistics lag behind the weights and were taken with dropout. With batch renormalisation the last layer
        is fitted too.
        """
        self.network.eval()
        if renormalised(self.network):
            self._renormalise()
            self._fit_last()
        norms = [m for m in self.network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
        momenta = [m.momentum for m in norms]
        for m in norms:
            m.reset_running_stats()
            m.momentum = None  # a plain average
            m.train()
        with torch.no_grad():
            for sample in self.samples if norms else ():
                self.network(sample.graph)
        self.network.eval()
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum

    def _renormalise(self) -> None:
        """Running statistics of batch renormalisation as over all training configurations, without dropout."""
        norms = renormalised(self.network)
        for _ in norms:  # statistics of a layer change what later ones are given: exact after as many passes at most
            for each in norms:
                each.collect()
            with torch.no_grad():
                for sample in self.samples:
                    self.network(sample.graph)
            if max([each.settle() for each in norms]) < _SETTLED:
                break

    def _fit_last(self) -> None:
        """The last layer by linear regression on all labels at once, where there are many.

        Steps on one configuration after the other hardly tell it how these differ as a whole.
        """
        if sum(len(sample.labels_m) for sample in self.samples) < _LABELS * self._last.in_features:
            return
        given: list[torch.Tensor] = []
        hook = self._last.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
        parts = []
        with torch.no_grad():
            for sample, target, weight in zip(self.samples, self.targets, self.weights, strict=True):
                given.clear()
                self.network(sample.graph)
                rows = sample.labelled(torch.cat(given)).cpu().numpy()
                weights = None if weight is None else weight.cpu().double().numpy()
                parts.append(Moments.of(rows, target.cpu().double().numpy(), weights))
        hook.remove()
        moments = Moments.total(parts)
        weight_f, constant = moments.solve(_RIDGE * np.maximum(np.diag(moments.xx_ff), _RIDGE))
        self._last.weight.data.copy_(torch.from_numpy(weight_f)[None])
        self._last.bias.data.fill_(constant)

    def after(
        self, before: Checkpoint, loss: float, agreement: float, score: float | None, seconds: float
    ) -> Checkpoint:
        """The state after an epoch."""
        told = {
            "loss": loss, "training": agreement, "validation": score, "rate": self.optimiser.rate, "seconds": seconds,
        }  # fmt: skip
        history = (*before.history, told)
        network = copied(self.network.state_dict())
        best = network if best_epoch(history) == len(history) else before.best
        return Checkpoint(before.epoch + 1, network, self.optimiser.state, best, history)


def _rate(settings: GraphSettings, share: float) -> float:
    """Learning rate after a share of all steps."""
    if settings.schedule == "constant":
        return settings.learning_rate
    if share < _WARM:
        return settings.learning_rate * (_LOWEST + (1 - _LOWEST) * share / _WARM)
    cosine = 0.5 * (1 + math.cos(math.pi * (share - _WARM) / (1 - _WARM)))
    return settings.learning_rate * (_LOWEST + (1 - _LOWEST) * cosine)


def _freedom(share: float) -> float:
    """How far batch renormalisation may move after a share of all steps (``Renormalised``)."""
    if share < _HELD:
        return 0.0
    return math.inf if share > _FREED else _GAIN * (share - _HELD)


def _number(*seed: int) -> int:
    return int(np.random.SeedSequence(list(seed)).generate_state(1)[0])
