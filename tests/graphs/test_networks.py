"""Every network as a model: contract, invariance, chunks, files, refusals."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from glass_core import Structure, predict
from glass_core.errors import GlassError
from glass_core.graphs import compiled, networks
from glass_core.graphs.compiled import CompiledSymGNN
from glass_core.graphs.egat import EGAT
from glass_core.graphs.graph import Graph
from glass_core.graphs.hops import hops_of
from glass_core.graphs.networks import Architecture
from glass_core.graphs.on_torch import OnTorch, weights_of
from glass_core.graphs.shapes import weight_shapes
from glass_core.model_file import load_model, save_model
from glass_core.models.graph import GraphBarrier
from glass_core.neighbours import find_neighbours
from glass_core.testing import check_model, example_glass
from glass_core.training.measures import invariance_error
from tests.graphs.small import INVARIANT, NETWORKS, small_graph, small_model, small_network


@pytest.mark.parametrize("name", NETWORKS)
def test_contract(name: str) -> None:
    skip = () if name in INVARIANT else ("rotation", "reflection")
    done = check_model(small_model(name), seed=3, skip=skip)
    assert {"ghosts", "chunks", "receptive_field", "file"} <= set(done)


def test_what_is_not_invariant_says_so(glass: Structure) -> None:
    errors = {name: invariance_error(small_model(name), glass, "barrier") for name in NETWORKS}
    assert max(errors[name] for name in INVARIANT) < 1e-5
    assert min(error for name, error in errors.items() if name not in INVARIANT) > 1e-5


def test_the_invariance_error_falls_with_the_number_of_samples(glass: Structure) -> None:
    model = small_model("uniform")
    errors = []
    for samples in (1, 8, 64):
        settings = {**model.architecture.settings, "test_samples": samples}
        other = replace(model, architecture=Architecture(model.architecture.name, settings))
        errors.append(invariance_error(other, glass, "barrier"))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_a_committee_is_mean_and_deviation(glass: Structure) -> None:
    model = small_model("length", members=3)
    alone = [replace(model, members=(m,))(glass)["barrier"].values for m in model.members]
    result = model(glass)
    np.testing.assert_allclose(result["barrier"].values, np.mean(alone, axis=0), rtol=1e-6)
    np.testing.assert_allclose(result["barrier_std"].values, np.std(alone, axis=0, ddof=1), rtol=1e-4)


def test_graph_of_some_centres_is_the_smallest_that_its_layers_need() -> None:
    structure = example_glass(("Cu", "Zr"), cells=8, seed=5)
    near = find_neighbours(structure, 3.0)
    centre = np.array([17], dtype=np.int32)
    reached = [set(centre.tolist())]
    for _ in range(3):
        reached.append(reached[-1] | set(near.j_p[np.isin(near.i_p, list(reached[-1]))].tolist()))
    graph = hops_of(structure, 3.0, 3, centre)
    assert graph.nodes == tuple(len(r) for r in reversed(reached))
    counts = np.diff(near.offsets)
    assert graph.edges[1:] == tuple(int(counts[list(r)].sum()) for r in reversed(reached[:-1]))
    assert len(graph.i_p) == graph.edges[0] == graph.edges[1]


def test_self_edges_stand_first() -> None:
    structure = example_glass(("Cu", "Zr"), cells=2, seed=5)
    plain, own = (hops_of(structure, 3.0, 1, self_edges=flag) for flag in (False, True))
    assert len(own.j_p) == len(plain.j_p) + structure.n_atoms
    first = own.offsets[:-1]
    np.testing.assert_array_equal(own.j_p[first], np.arange(structure.n_atoms))
    assert not own.vectors_pc[first].any()


@pytest.mark.parametrize("name", [name for name, (kind, s) in NETWORKS.items() if s.get("messages") == "gated"])
def test_compiled_loops_say_what_torch_says(glass: Structure, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model(name, members=2)
    assert isinstance(model._evaluator, CompiledSymGNN)
    centres = np.array([40, 3, 11], np.int32)
    found = [model(glass)["barrier"].values, model(glass, centres)["barrier"].values]
    monkeypatch.setattr(compiled, "supports", lambda _: False)
    slow = replace(model)
    assert isinstance(slow._evaluator, OnTorch)
    np.testing.assert_allclose(found[0], slow(glass)["barrier"].values, atol=2e-6 * model.scale)
    np.testing.assert_allclose(found[1], found[0][centres], atol=2e-6 * model.scale)


@pytest.mark.parametrize("normalisation", ["batch", "renorm", "none"])
@pytest.mark.parametrize("radial", [0, 4])
@pytest.mark.parametrize("symmetrisation", ["length", "learned", "none", "uniform"])
def test_shapes_of_weights_are_those_of_torch(symmetrisation: str, radial: int, normalisation: str) -> None:
    chosen = {"symmetrisation": symmetrisation, "radial": radial, "normalisation": normalisation, "messages": "gated"}
    architecture = Architecture.checked("symgnn", {**chosen, "heads": [3, 2, 1], "width": 6}, "settings")
    found = {name: array.shape for name, array in weights_of(architecture.build(2)).items()}
    assert weight_shapes(architecture.typed, 2) == found


def test_gated_messages_need_no_torch(tmp_path: pathlib.Path, glass: Structure) -> None:
    model = small_model("gated")
    save_model(model, tmp_path / "m.safetensors")
    np.save(tmp_path / "positions.npy", glass.positions_nc)
    code = f"""
import sys
sys.modules["torch"] = None
import numpy as np
from glass_core import Structure, load_model, predict
x = np.load({str(tmp_path / "positions.npy")!r})
glass = Structure(x, {glass.types_n.tolist()}, ("Cu", "Zr"), np.array({glass.cell_cc.tolist()}), True)
found = predict(load_model({str(tmp_path / "m.safetensors")!r}), glass)["barrier"].values
np.save({str(tmp_path / "found.npy")!r}, found)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), predict(model, glass)["barrier"].values)


@pytest.mark.parametrize("name", ["learned", "length"])
def test_blocks_of_an_evaluation_do_not_matter(glass: Structure, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from glass_core.graphs import egat, symmetrise

    model = small_model(name)
    whole = predict(model, glass)["barrier"].values
    monkeypatch.setattr(egat, "_BLOCK_EDGES", 100)
    monkeypatch.setattr(symmetrise, "_BLOCK_EDGES", 77)
    np.testing.assert_allclose(predict(model, glass)["barrier"].values, whole, atol=1e-6)


def test_evaluation_repeats_itself_whatever_the_random_state(glass: Structure) -> None:
    model = small_model("learned")
    first = predict(model, glass)["barrier"].values
    torch.manual_seed(99)
    np.testing.assert_array_equal(predict(model, glass)["barrier"].values, first)


def test_single_precision_is_enough(glass: Structure) -> None:
    """Double precision changes predictions by less than a thousandth of their spread."""
    architecture, network = small_network("length")
    network.eval()
    graph = small_graph(network, glass)
    with torch.no_grad():
        single = network(graph)
        double = network.double()(graph.with_vectors(graph.vectors_pc.double()))
    assert (single - double).abs().max() < 1e-3 * double.std()
    assert architecture.settings["heads"] == (2, 1)


@pytest.mark.parametrize("name", NETWORKS)
def test_atoms_without_neighbours_and_no_atoms_at_all(name: str) -> None:
    model = small_model(name)
    single = Structure([[0, 0, 0]], [0], ("Cu", "Zr"))
    apart = Structure([[0, 0, 0], [50, 0, 0]], [0, 0], ("Cu", "Zr"))
    alone = predict(model, single)["barrier"].values
    np.testing.assert_allclose(predict(model, apart)["barrier"].values, alone[[0, 0]], atol=1e-6)
    assert model(apart, np.zeros(0, np.int32))["barrier"].values.shape == (0,)
    assert predict(model, apart, centres=[])["barrier"].values.shape == (0,)


@pytest.mark.parametrize("name", ["learned", "schnet", "egnn"])
def test_several_threads_load_and_predict_at_once(tmp_path, glass: Structure, name: str) -> None:
    """As OVITO does; gradients stay switched on in every thread."""
    path = tmp_path / "m.safetensors"
    model = small_model(name)
    save_model(model, path)
    expected = predict(model, glass)["barrier"].values

    def work(_: int) -> tuple[np.ndarray, bool]:
        return predict(load_model(path), glass, chunk_centres=100)["barrier"].values, torch.is_grad_enabled()

    with ThreadPoolExecutor(4) as pool:
        for values, gradients in pool.map(work, range(8)):
            np.testing.assert_allclose(values, expected, atol=1e-5)
            assert gradients


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 10**9}, "width in settings must be ≥ 1 and ≤ 1024"),
        ({"radial": 1}, "radial must be 0 or at least 2 Gaussians, got 1"),
    ],
)
def test_settings_that_no_network_can_have(settings: dict, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        Architecture.checked("symgnn", settings, "settings")
    with pytest.raises(GlassError, match="gaussians in settings must be ≥ 2"):
        Architecture.checked("schnet", {"gaussians": 1}, "settings")


_OTHER = {
    "cutoff": 4.0,
    "width": 12,
    "layers": 3,
    "normalisation": "layer",
    "dropout": 0.5,
    "radial": 4,
    "gaussians": 12,
    "heads": [2],
    "head_width": 5,
    "symmetrisation": "uniform",
    "samples": 3,
    "test_samples": 3,
    "messages": "gated",
    "edge_dropout": 0.5,
    "self_edges": False,
}


@pytest.mark.parametrize(
    ("kind", "setting"),
    [(kind, f.name) for kind, (settings, *_) in networks.NETWORKS.items() for f in fields(settings)],
)
def test_every_setting_changes_the_network(glass: Structure, kind: str, setting: str) -> None:
    base = {"symmetrisation": "learned", "edge_dropout": 0.0} if kind == "symgnn" else {}
    found = []
    for changes in ({}, {setting: _OTHER[setting]}):
        network = Architecture.checked(kind, {**base, **changes}, "settings").build(2)
        shapes = {name: tuple(p.shape) for name, p in network.state_dict().items()}
        graph = small_graph(network, glass)
        with torch.no_grad():
            for name, p in sorted(network.named_parameters()):
                p.copy_(0.1 * torch.sin(torch.arange(p.numel()) + len(name)).view(p.shape) + 0.05)
            torch.manual_seed(0)
            training, *_ = [network(graph) for _ in range(20)]  # more than one step for the statistics
            found.append((shapes, training, network.eval()(graph)))
    (shapes, training, still), (others, trained, evaluated) = found
    assert shapes != others or not (torch.equal(training, trained) and torch.equal(still, evaluated))


def test_weights_that_cannot_be_folded_are_refused() -> None:
    model = small_model("gated learned")
    for changes, message in (
        ({"edges.first_norm.running_var": -1.0}, r"edges\.first_norm\.running_var must be ≥ 0, got -1"),
        ({"edges.second_norm.running_var": 0.0, "edges.second.weight": 3e38}, "weights are too large to compute with"),
    ):
        arrays = dict(model.members[0])
        arrays |= {name: np.full_like(arrays[name], value) for name, value in changes.items()}
        with pytest.raises(GlassError, match=message):
            replace(model, members=(arrays,))


def test_loading_leaves_the_random_state_alone() -> None:
    model = small_model("gated learned")
    torch.manual_seed(0)
    before = torch.get_rng_state()
    replace(model)
    assert torch.equal(torch.get_rng_state(), before)


def test_damaged_numbers_of_a_file_are_refused() -> None:
    model = small_model("length")
    tensors, settings = model.tensors(), model.settings()
    whole = {**tensors, "member0.decoder.0.bias": np.zeros(8, np.int64)}
    for changes, arrays, message in (
        ({"scale": -1.0}, tensors, "scale must be > 0, got -1"),
        ({}, whole, r"member0\.decoder\.0\.bias must be floating point numbers, got int64"),
        ({}, {**tensors, "std_f": 0 * tensors["std_f"]}, "std_f must be > 0, got 0"),
    ):
        with pytest.raises(GlassError, match=message):
            GraphBarrier.from_parts({**settings, **changes}, arrays, model.card)


def test_short_memory_is_an_error_with_its_cure(glass: Structure, monkeypatch: pytest.MonkeyPatch) -> None:
    models = small_model("length"), small_model("gated")

    def full(*_: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    def full_too(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("glass_core.graphs.symgnn.SymGNN.forward", full)
    monkeypatch.setattr("glass_core.kernels.attention.encode", full_too)
    for model in models:
        with pytest.raises(GlassError, match=r"out of memory; predict in smaller chunks \(--chunk"):
            predict(model, glass)


def test_what_cannot_be_a_model_is_refused(tmp_path) -> None:
    with pytest.raises(GlassError, match=r"unknown network 'symgn'.*Did you mean 'symgnn'"):
        Architecture.checked("symgn", {}, "settings")
    with pytest.raises(GlassError, match=r"unknown key in settings.*'cutof'.*Did you mean 'cutoff'"):
        Architecture.checked("symgnn", {"cutof": 3}, "settings")
    with pytest.raises(GlassError, match="symmetrisation in settings must be 'learned' or"):
        Architecture.checked("symgnn", {"symmetrisation": "some"}, "settings")
    model = small_model("length")
    with pytest.raises(GlassError, match=r"no device 'cuda:7' on this machine; devices: cpu"):
        model.on("cuda:7")
    for name in ("quantum", "meta", "cpu:7"):
        with pytest.raises(GlassError, match=f"no device '{name}'"):
            model.on(name)
    wrong = {k: v for k, v in model.members[0].items() if k != "decoder.0.bias"}
    with pytest.raises(KeyError, match=r"member0\.decoder\.0\.bias"):
        replace(model, members=(wrong,))
    with pytest.raises(GlassError, match=r"member0\.decoder\.0\.bias must have shape \(8,\), got \(3,\)"):
        replace(model, members=({**model.members[0], "decoder.0.bias": np.zeros(3, np.float32)},))
    path = tmp_path / "m.safetensors"
    save_model(model, path)
    assert isinstance(load_model(path), GraphBarrier)


@pytest.mark.parametrize("gated", [False, True])
def test_attention_averages_neighbours_and_gates_count_them(gated: bool) -> None:
    """Two or four equal neighbours are the same to one layer of attention."""
    corners = 2.0 * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    states = []
    torch.manual_seed(0)
    layer = EGAT(width=8, heads=2, head_width=4, kind="none", gated=gated, last=True)
    for neighbours in (2, 4):
        cross = Structure(np.vstack([[0, 0, 0], corners[:neighbours]]), [0] * (1 + neighbours), ("Cu",))
        graph = Graph.of(hops_of(cross, 2.5, 1))
        atom, edge = torch.ones(graph.nodes[0], 8), torch.ones(len(graph.i_p), 8)
        states.append(layer(atom, edge, graph, 1)[0][0])
    assert torch.allclose(states[0], states[1], atol=1e-6) is not gated
