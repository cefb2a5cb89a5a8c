"""Epochs of training a graph network: resumable after each, with the same result as without interruption."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import require_package
from glass_core.graphs.on_torch import weights_of
from glass_core.graphs.out_of_memory import memory_errors
from glass_core.training.allocator import keep_freed_memory
from glass_core.training.bench import Notes
from glass_core.training.checkpoint import Checkpoint, best_epoch, read_checkpoint
from glass_core.training.compilation import compiler_errors
from glass_core.training.curves import Curves
from glass_core.training.parallel import ranks
from glass_core.training.trainer import DivergedError, Fit, Sample, Trainer

if TYPE_CHECKING:
    from glass_core.training.graph import GraphSettings

_NAMED = 8  # groups in a title

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Trained:
    """What training a network gives.

    Attributes:
        weights: by name.
        seconds: time in epochs, those before interruptions included.
    """

    weights: Weights
    seconds: float


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
            memory, or a compiler where steps are to be compiled.
        DivergedError: see ``Trainer.epoch``; holds the weights of the best epoch before.
        MissingExtraError: without matplotlib, where curves are to be drawn.
    """
    group = ranks()
    keep_freed_memory()
    if notes.checkpoint:
        require_package("matplotlib", "train")
    cure = "make the network smaller (width, head_width, samples), or use a device with more memory"
    with memory_errors(cure), compiler_errors():
        trainer = Trainer(fit, [s for s in samples if s.group != held], device, group)
        curves = _curves(fit, samples, held, notes) if notes.checkpoint and group.first else None
        state = _train(trainer, [s for s in samples if s.group == held], fit.key(samples, held), notes, curves)
        weights = _settled(trainer, state)
    return Trained(weights, sum(entry.get("seconds") or 0.0 for entry in state.history))


def _curves(fit: Fit, samples: Sequence[Sample], held: int | None, notes: Notes) -> Curves:
    """Learning curves beside the state."""
    assert notes.checkpoint is not None
    groups = sorted({s.group for s in samples} - {held})
    known = f"group {', '.join(map(str, groups))}" if len(groups) <= _NAMED else f"{len(groups)} groups"
    title = f"{fit.title}\ntrained on {known}" + ("" if held is None else f"; validated on {held}")
    return Curves(notes.checkpoint.with_name(f"{notes.checkpoint.name}.png"), title)


def _settled(trainer: Trainer, state: Checkpoint) -> Weights:
    """Weights of the best epoch, ready to predict."""
    trainer.network.load_state_dict(dict(state.best))
    trainer.settle()
    return weights_of(trainer.network)


def _train(trainer: Trainer, valid: Sequence[Sample], key: str, notes: Notes, curves: Curves | None) -> Checkpoint:
    """The state after the last epoch, from the last one that was written."""
    group, settings = trainer.group, trainer.fit.settings
    path = notes.checkpoint and notes.checkpoint.with_name(f"{notes.checkpoint.name}.checkpoint.safetensors")
    # Ranks that read or scored for themselves could disagree about going on, and wait for each other for ever.
    state = (group.from_first(lambda: read_checkpoint(path, key)) if path else None) or trainer.start()
    trainer.load(state)
    while not _finished(state, settings):
        start = time.perf_counter()
        try:
            loss, agreement = trainer.epoch(state.epoch)
        except DivergedError as error:
            if curves:
                curves.draw(state.history)
            error.weights = _settled(trainer, state) if state.epoch else None
            raise
        # All score, since statistics of batches are shared on GPUs, and a rank alone would wait for the others.
        score = trainer.score(valid) if valid else None
        score = group.from_first(lambda: score)  # noqa: B023 - called at once
        state = trainer.after(state, loss, agreement, score, time.perf_counter() - start)
        if path and group.first:
            state.write(path, key)
        if curves and not _finished(state, settings):
            curves.draw_now_and_then(state.history)
        if notes.tell:
            notes.tell(_title(state, settings), state.epoch / settings.epochs)
    if curves:
        curves.draw(state.history)
    return state


def _finished(state: Checkpoint, settings: GraphSettings) -> bool:
    return state.epoch >= settings.epochs or state.epoch - best_epoch(state.history) >= settings.patience


def _title(state: Checkpoint, settings: GraphSettings) -> str:
    last = state.history[-1]
    what = "" if last["validation"] is None else f", validation r = {last['validation']:.3f}"
    return f"epoch {state.epoch}/{settings.epochs}, loss {last['loss']:.3f}, r = {last['training']:.3f}{what}"
