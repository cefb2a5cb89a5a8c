"""Batch renormalisation: what it equals, and that networks see with it how configurations differ as a whole."""

from __future__ import annotations

import pathlib
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from glass_core.dataset import Configuration, Dataset
from glass_core.graphs.layers import Renormalised, in_one_piece, renormalised
from glass_core.structure import Structure
from glass_core.training import trainer
from glass_core.training.bench import Notes, bench_of
from tests.graphs.small import small_graph
from tests.graphs.tiny import TINY, config, weights
from tests.training.conftest import dataset

__all__ = ["dataset"]


@pytest.fixture
def rows() -> Tensor:
    return 3 * torch.randn((50, 4), generator=torch.Generator().manual_seed(1)) + torch.tensor([2.0, 0.0, -1.0, 9.0])


def _some(kind: type[torch.nn.Module]) -> torch.nn.Module:
    module = kind(4)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([1.0, 2.0, -1.0, 0.5]))
        module.bias.copy_(torch.tensor([0.0, 1.0, 2.0, -3.0]))
    return module


def _gradients(module: torch.nn.Module, rows: Tensor) -> tuple[Tensor, ...]:
    given = rows.clone().requires_grad_()
    out = module(given)
    (out**3).sum().backward()
    return out.detach(), given.grad, module.weight.grad, module.bias.grad


def test_without_freedom_it_is_batch_normalisation(rows: Tensor) -> None:
    for ours, theirs in zip(*(_gradients(_some(k), rows) for k in (Renormalised, torch.nn.BatchNorm1d)), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_with_freedom_training_gives_what_predictions_do(rows: Tensor) -> None:
    module = _some(Renormalised)
    module.running_mean.fill_(1.0)
    module.running_var.fill_(2.0)
    module.freedom, module.momentum = 1e9, 0.0
    trained = module(rows)
    wanted = (rows - 1) / 2**0.5 * module.weight + module.bias
    torch.testing.assert_close(module.eval()(rows), wanted, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(trained, wanted, atol=1e-4, rtol=1e-4)


def test_freedom_bounds_what_is_moved(rows: Tensor) -> None:
    module = _some(Renormalised)
    module.momentum, module.freedom = 0.0, 0.5
    module.running_mean.fill_(1e3)
    module.running_var.fill_(1e-3)
    plain = (rows - rows.mean(0)) / rows.std(0, correction=0)
    torch.testing.assert_close(module(rows), (1.5 * plain - 1.0) * module.weight + module.bias, atol=1e-4, rtol=1e-4)


def test_running_statistics_follow_and_settle(rows: Tensor) -> None:
    module = _some(Renormalised)
    module(rows)
    torch.testing.assert_close(module.running_mean, 0.1 * rows.mean(0))
    torch.testing.assert_close(module.running_var, 0.9 + 0.1 * (rows**2).mean(0))
    module.eval().collect()
    with torch.no_grad():
        assert in_one_piece(module)
        for some in (rows, 3 * rows):
            module(some)
        module.settle()
        assert not in_one_piece(module)
    torch.testing.assert_close(module.running_mean, 2 * rows.mean(0))
    torch.testing.assert_close(module.running_var, 5 * rows.var(0, correction=0) + rows.mean(0) ** 2)


def test_it_is_set_free_as_training_goes_on(dataset: Dataset) -> None:
    found = []
    original = trainer.Trainer._step

    def watched(self: trainer.Trainer, *arguments):
        found.append({m.freedom for m in renormalised(self.network)})
        return original(self, *arguments)

    settings = config(epochs=10, validation="none", architecture={**TINY, "normalisation": "renorm"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.Trainer, "_step", watched)
        bench_of(settings, dataset).fit(0, 0, Notes())
    freedoms = [freedom for (freedom,) in found]
    assert len(freedoms) == 20
    assert freedoms[:10] == [0.0] * 10
    assert all(0 < a < b < 4 for a, b in pairwise(freedoms[10:18]))
    assert freedoms[18:] == [np.inf] * 2


def test_settled_networks_normalise_as_over_all_configurations(dataset: Dataset) -> None:
    """What each normalisation is given, over all configurations, has the mean that it takes off."""
    settings = config(epochs=6, validation="none", architecture={**TINY, "normalisation": "renorm"})
    model = bench_of(settings, dataset).fit(None, 0, Notes())
    network = model.architecture.build(2)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in model.members[0].items()})
    network.eval()
    norms = renormalised(network)
    before = [m.running_mean.clone() for m in norms]
    for m in norms:
        m.collect()
    with torch.no_grad():
        for c in dataset:
            network(small_graph(network, c.structure))
    for m, mean in zip(norms, before, strict=True):
        m.settle()
        assert ((m.running_mean - mean).abs() < 0.02 * m.running_var.sqrt() + 1e-6).all()


@pytest.mark.parametrize(("kind", "same"), [("renorm", True), ("batch", False)])
def test_what_is_trained_is_what_predicts(dataset: Dataset, kind: str, same: bool) -> None:
    """Of a glass stretched by 5 % and one that is not: batch normalisation hides from training how they differ."""
    plain = next(iter(dataset)).structure
    wide = Structure(1.05 * plain.positions_nc, plain.types_n, plain.species, 1.05 * plain.cell_cc, True)
    glasses = [Configuration(str(k), k, s, *_labels(s)) for k, s in enumerate((plain, wide))]
    architecture = {**TINY, "symmetrisation": "length", "radial": 6, "messages": "gated", "normalisation": kind}
    model = bench_of(config(epochs=3, validation="none", architecture=architecture), Dataset(tuple(glasses), {})).fit(
        None, 0, Notes()
    )
    network = model.architecture.build(2)
    network.load_state_dict({n: torch.from_numpy(a) for n, a in model.members[0].items()}, strict=False)
    graph = small_graph(network, wide)
    for each in renormalised(network):
        each.freedom, each.momentum = np.inf, 0.0
    with torch.no_grad():
        predicted, trained = network.eval()(graph), network.train()(graph)
    off = float((trained - predicted).abs().mean() / predicted.std())
    assert off < 1e-5 if same else off > 0.05


def _labels(structure: Structure) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    ids = np.arange(structure.n_atoms)
    return ids, {"barrier": 1.5 + 0.3 * structure.types_n + 0.05 * np.sin(ids)}


def test_the_last_layer_is_fitted_where_labels_are_many(dataset: Dataset) -> None:
    """Some hundred labels leave it as it was trained; once they are said to be enough, the error falls."""
    settings = config(epochs=6, validation="none", architecture={**TINY, "normalisation": "renorm"})
    errors = {}
    for least in (1000, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trainer, "_LABELS", least)
            model = bench_of(settings, dataset).fit(None, 0, Notes())
        errors[least] = np.mean(
            [np.square(model(c.structure)["barrier"].values - c.label("barrier")).mean() for c in dataset]
        )
        if least == 1000:
            kept = model.members[0]["decoder.12.weight"]
    assert errors[1] < 0.95 * errors[1000]
    assert not np.array_equal(kept, model.members[0]["decoder.12.weight"])


def test_an_interrupted_training_ends_the_same(tmp_path: pathlib.Path, dataset: Dataset) -> None:
    settings = config(epochs=6, validation="none", architecture={**TINY, "normalisation": "renorm"})
    whole = bench_of(settings, dataset).fit(0, 0, Notes(tmp_path / "whole"))
    original, count = trainer.Trainer.epoch, []

    def killed(self: trainer.Trainer, done: int):
        count.append(done)
        if done == 4 and count.count(4) == 1:
            raise KeyboardInterrupt
        return original(self, done)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.Trainer, "epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            bench_of(settings, dataset).fit(0, 0, Notes(tmp_path / "cut"))
        again = bench_of(settings, dataset).fit(0, 0, Notes(tmp_path / "cut"))
    assert count == [0, 1, 2, 3, 4, 4, 5]
    np.testing.assert_array_equal(weights(whole), weights(again))
