"""Epochs of training a graph network: resumable after each, with the same result as without interruption."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from glass_core.errors import GlassError
from glass_core.graphs.graph import Graph
from glass_core.graphs.memory import memory_errors
from glass_core.graphs.networks import Architecture, Network
from glass_core.metrics import pearson
from glass_core.models.graph import weights_of
from glass_core.report.canvas import require_matplotlib
from glass_core.training.allocator import keep_freed_memory
from glass_core.training.bench import Notes
from glass_core.training.checkpoint import Checkpoint, State, read_checkpoint
from glass_core.training.parallel import Ranks, ranks

if TYPE_CHECKING:
    from glass_core.training.graph import GraphSettings

Weights = dict[str, NDArray[np.float32]]
_WARM = 0.25
_LOWEST = 1e-3


@dataclass(frozen=True, eq=False)
class Sample:
    """A configuration to train on.

    Attributes:
        graph: all its atoms.
        labels_n: eV.
        group: see ``Dataset``.
    """

    graph: Graph
    labels_n: NDArray[np.float64]
    group: int


@dataclass(frozen=True, eq=False)
class Trained:
    """What training a network gives.

    Attributes:
        weights: by name.
        seconds: time in epochs, those before interruptions included.
    """

    weights: Weights
    seconds: float


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

    def key(self, samples: Sequence[Sample], held: int | None) -> str:
        """Hash of all that decides the result, by which a checkpoint knows its run."""
        content = [asdict(self), held, [[s.group, len(s.labels_n), float(s.labels_n.sum())] for s in samples]]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def run(fit: Fit, samples: Sequence[Sample], held: int | None, device: str, notes: Notes) -> Trained:
    """Trains a network.

    The state is written after every epoch: the same call goes on from there. Random numbers of an epoch come from
    the seed and the epoch's number alone, so on a CPU the result does not depend on interruptions (on a GPU, sums
    in another order change last bits). Under ``torchrun`` the configurations of an epoch are shared out among the
    ranks, whose gradients are averaged: another number of ranks gives another result.

    Args:
        fit: network, settings, seed.
        samples: training configurations; those of group ``held`` only for validation.
        held: validation group; None for none.
        device: torch device.
        notes: where to keep the state and tell progress.

    Raises:
        GlassError: if nothing is left to train on; for a checkpoint that is damaged or of another run; without
            memory; or if the loss is no longer finite: the state of the last good epoch is kept.
        MissingExtraError: without matplotlib, where curves are to be drawn.
    """
    group = ranks()
    keep_freed_memory()
    if notes.checkpoint:
        require_matplotlib()
    with memory_errors("make the network smaller (width, head_width, samples), or use a device with more memory"):
        trainer = _Trainer(fit, [s for s in samples if s.group != held], device, group)
        state = _train(trainer, [s for s in samples if s.group == held], fit.key(samples, held), notes)
        trainer.network.load_state_dict(dict(state.best))
        trainer.settle()
    if notes.checkpoint and group.first:
        from glass_core.training.curves import draw_curves

        draw_curves(state.history, notes.checkpoint.with_name(f"{notes.checkpoint.name}.png"))
    return Trained(weights_of(trainer.network), sum(entry.get("seconds") or 0.0 for entry in state.history))


def _train(trainer: _Trainer, valid: Sequence[Sample], key: str, notes: Notes) -> Checkpoint:
    """The state after the last epoch, from the last one that was written."""
    group, settings = trainer.group, trainer.fit.settings
    path = notes.checkpoint and notes.checkpoint.with_name(f"{notes.checkpoint.name}.checkpoint.safetensors")
    # Ranks that read or scored for themselves could disagree about going on, and wait for each other for ever.
    state = (group.from_first(lambda: read_checkpoint(path, key)) if path else None) or trainer.start()
    trainer.load(state)
    while not _finished(state, settings):
        start = time.perf_counter()
        loss = trainer.epoch(state.epoch)
        score = group.from_first(lambda: trainer.score(valid)) if valid else None
        state = trainer.after(state, loss, score, time.perf_counter() - start)
        if path and group.first:
            state.write(path, key)
        if notes.tell:
            notes.tell(_title(state, settings), state.epoch / settings.epochs)
    return state


def _finished(state: Checkpoint, settings: GraphSettings) -> bool:
    return state.epoch >= settings.epochs or state.epoch - best_epoch(state.history) >= settings.patience


def best_epoch(history: Sequence[Any]) -> int:
    """The epoch (from 1) with the highest validation score; the last without validation.

    The correlation of constant predictions is nan: such an epoch is the best only while there is no other.
    """
    scores = np.array([entry["validation"] for entry in history], dtype=float)
    return int(np.nanargmax(scores)) + 1 if np.isfinite(scores).any() else len(scores)


def _title(state: Checkpoint, settings: GraphSettings) -> str:
    last = state.history[-1]
    what = "" if last["validation"] is None else f", validation r = {last['validation']:.3f}"
    return f"epoch {state.epoch}/{settings.epochs}, loss {last['loss']:.3f}{what}"


class _Trainer:
    """The network with its optimiser on one device."""

    def __init__(self, fit: Fit, samples: Sequence[Sample], device: str, group: Ranks) -> None:
        if not samples:
            raise GlassError("no configurations are left to train on; give more groups, or set validation: none")
        self.fit, self.samples, self.device, self.group = fit, samples, device, group
        torch.manual_seed(_number(*fit.seed))
        self.network: Network = fit.architecture.build(fit.species).to(device)
        s = fit.settings
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay, amsgrad=True
        )
        callable_ = group.distributed(self.network, device)
        self.forward = torch.compile(callable_, dynamic=True) if s.compile else callable_
        scaled = [(sample.labels_n - fit.centre) / fit.scale for sample in samples]
        self.targets = [torch.from_numpy(t).to(device=device, dtype=torch.float32) for t in scaled]

    def start(self) -> Checkpoint:
        """The state before the first epoch."""
        weights = _copy(self.network.state_dict())
        return Checkpoint(0, weights, (), weights, ())

    def load(self, state: Checkpoint) -> None:
        """Goes on from a state."""
        self.network.load_state_dict(dict(state.network))
        if state.optimizer:
            groups = self.optimizer.state_dict()["param_groups"]
            self.optimizer.load_state_dict({"state": dict(enumerate(state.optimizer)), "param_groups": groups})

    def epoch(self, done: int) -> float:
        """One pass over the training configurations; returns the mean loss."""
        order = np.random.default_rng([*self.fit.seed, done]).permutation(len(self.samples))
        torch.manual_seed(_number(*self.fit.seed, done + 1, self.group.rank))
        self.network.train()
        mine = self.group.share(order)
        steps = len(mine) * self.fit.settings.epochs
        losses = []
        for step, index in enumerate(mine):
            rate = _rate(self.fit.settings, (done * len(mine) + step + 0.5) / steps)
            losses.append(self._step(index, rate))
        mean = self.group.mean(float(np.mean(losses)))
        if not (math.isfinite(mean) and all(torch.isfinite(p).all() for p in self.network.parameters())):
            raise GlassError(
                f"training diverged in epoch {done + 1} (loss {mean}); the state before it is kept. "
                f"Lower learning_rate ({self.fit.settings.learning_rate:g}) or clip ({self.fit.settings.clip:g})"
            )
        return mean

    def _step(self, index: int, rate: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.fit.settings.precision == "bfloat16"):
            predicted = self.forward(self.samples[index].graph)
        loss = self._loss(predicted.float(), self.targets[index])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.fit.settings.clip)
        self.optimizer.step()
        return loss.item()

    def _loss(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        functional, s = torch.nn.functional, self.fit.settings
        error = predicted - target
        mean = error.mean()
        # Thousands of atoms share one mean: as plain errors, the few means would drown what tells atoms apart.
        apart = error - (1 - s.mean_weight) * mean if s.mean_weight < 1 else error
        return (functional.huber_loss if s.loss == "huber" else functional.mse_loss)(apart, torch.zeros_like(apart))

    def score(self, valid: Sequence[Sample]) -> float:
        """Pearson correlation over all atoms of the validation group."""
        self.network.eval()
        with torch.no_grad():
            predicted = [self.network(s.graph).cpu().numpy().astype(np.float64) for s in valid]
        return pearson(np.concatenate(predicted), np.concatenate([s.labels_n for s in valid]))

    def settle(self) -> None:
        """Statistics of batch normalisation and the mean of the output, for the weights as they are now.

        Running statistics lag behind the weights and were taken with dropout; here they are averaged over all training
        configurations without it. Then the last bias makes the mean error over these zero.
        """
        self.network.eval()
        norms = [m for m in self.network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
        momenta = [m.momentum for m in norms]
        for m in norms:
            m.reset_running_stats()
            m.momentum = None  # a plain average
            m.train()
        with torch.no_grad():
            for sample in self.samples:
                self.network(sample.graph)
            self.network.eval()
            errors = [t - self.network(s.graph) for s, t in zip(self.samples, self.targets, strict=True)]
            last = [m for m in self.network.decoder if isinstance(m, torch.nn.Linear)][-1]
            last.bias.data += torch.cat(errors).mean()
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum

    def after(self, before: Checkpoint, loss: float, score: float | None, seconds: float) -> Checkpoint:
        """The state after an epoch."""
        rate = self.optimizer.param_groups[0]["lr"]
        history = (*before.history, {"loss": loss, "validation": score, "rate": rate, "seconds": seconds})
        network = _copy(self.network.state_dict())
        moments = self.optimizer.state_dict()["state"]
        optimizer = tuple(_copy(moments[index]) for index in sorted(moments))
        best = network if best_epoch(history) == len(history) else before.best
        return Checkpoint(before.epoch + 1, network, optimizer, best, history)


def _rate(settings: GraphSettings, share: float) -> float:
    """Learning rate after a share of all steps."""
    if settings.schedule == "constant":
        return settings.learning_rate
    if share < _WARM:
        return settings.learning_rate * (_LOWEST + (1 - _LOWEST) * share / _WARM)
    cosine = 0.5 * (1 + math.cos(math.pi * (share - _WARM) / (1 - _WARM)))
    return settings.learning_rate * (_LOWEST + (1 - _LOWEST) * cosine)


def _copy(state: State) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def _number(*seed: int) -> int:
    return int(np.random.SeedSequence(list(seed)).generate_state(1)[0])
