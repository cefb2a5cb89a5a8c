"""The shipped kinds of model: contract, equations of their heads, what the domain flags."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glass_core import Structure, predict
from glass_core.errors import GlassError
from glass_core.models.base import DescriptorModel, Model
from glass_core.models.domain import Domain
from glass_core.models.networks import forward, pack, silu, unpack
from glass_core.testing import check_model
from tests.core.small_models import layers, small_barrier, small_classifier, small_linear, small_scnn


def test_contract(any_model: DescriptorModel) -> None:
    assert isinstance(any_model, Model)
    done = check_model(any_model, seed=3)
    assert {"ghosts", "file", "chunks"} <= set(done)


def test_committee_is_mean_and_deviation_of_its_members(glass: Structure) -> None:
    whole = small_barrier(3)
    alone = [replace(whole, members=(member,))(glass)["barrier"].values for member in whole.members]
    result = whole(glass)
    np.testing.assert_allclose(result["barrier"].values, np.mean(alone, axis=0), rtol=1e-6)
    np.testing.assert_allclose(result["barrier_std"].values, np.std(alone, axis=0, ddof=1), rtol=1e-5)
    assert result["barrier"].unit == result["barrier_std"].unit == "eV"


def test_one_member_has_no_deviation(glass: Structure) -> None:
    assert "barrier_std" not in small_barrier(1)(glass)


def test_a_single_linear_layer_is_a_linear_model(glass: Structure, random: np.random.Generator) -> None:
    parts = small_barrier(1)
    line = replace(parts, members=(layers(random, parts.descriptor.n_features, 1),))
    weight, bias = line.members[0][0]
    x = (parts.descriptor(glass) - parts.mean_f) / parts.std_f
    expected = 1.6 + 0.3 * (x @ weight[0] + bias[0])
    np.testing.assert_allclose(line(glass)["barrier"].values, expected, rtol=1e-4)


def test_scnn_follows_its_equations(glass: Structure) -> None:
    scnn = small_scnn()
    result = {name: out.values for name, out in scnn(glass).items()}
    z = (scnn.descriptor(glass) - scnn.mean_f) / scnn.std_f
    for weight, bias in scnn.embedding:
        z = np.maximum(z @ weight.T + bias, 0)
    s = scnn.constraints_vz
    cosine = z @ s.T / (np.linalg.norm(z, axis=1)[:, None] * np.linalg.norm(s, axis=1))
    scores = cosine @ scnn.classifier_cv.T
    softmax = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(result["high_barrier_probability"], softmax[:, 1], atol=1e-5)
    np.testing.assert_allclose(result["logit"], np.log(softmax[:, 1] / softmax[:, 0]), atol=1e-5)
    np.testing.assert_allclose([result[f"similarity_{v}"] for v in range(4)], cosine.T, atol=1e-5)
    assert result["cluster"].tolist() == cosine.argmax(axis=1).tolist()


def test_a_vanishing_embedding_has_no_similarity(glass: Structure) -> None:
    scnn = small_scnn()
    dead = [(weight, np.full_like(bias, -1e6)) for weight, bias in scnn.embedding]
    result = replace(scnn, embedding=dead)(glass)
    assert not result["similarity_0"].values.any()
    assert np.isfinite(result["logit"].values).all()


def test_classifier_probability_is_the_logistic_of_its_logit(glass: Structure) -> None:
    result = small_classifier()(glass)
    logit = result["logit"].values
    np.testing.assert_allclose(result["high_barrier_probability"].values, 1 / (1 + np.exp(-logit)))
    assert "out_of_domain" not in result


def test_activations_do_not_overflow() -> None:
    x = np.array([-1e4, -100, 0, 100, 1e4], dtype=np.float32)
    np.testing.assert_allclose(silu(x), [0, 0, 0, 100, 1e4], atol=1e-6)


def test_networks_pack_and_unpack(random: np.random.Generator) -> None:
    network = layers(random, 5, 4, 3, 1)
    again = unpack(pack(network, "a."), "a.")
    x = random.normal(size=(7, 5)).astype(np.float32)
    assert np.array_equal(forward(x, network, "silu"), forward(x, again, "silu"))


def test_domain_flags_what_is_unlike_training(random: np.random.Generator) -> None:
    scales = np.array([5.0, 2.0, 1.0, 0.5, 0.1, 0.1])
    x = (random.normal(size=(4000, 6)) * scales).astype(np.float32)
    domain = Domain.fit(x, axes=3, quantile=0.99)
    assert domain.outside(x).mean() == pytest.approx(0.01, abs=0.003)
    assert domain.outside(np.array([[0, 0, 0, 0, 5.0, 0]], dtype=np.float32)).all()  # off the axes
    assert domain.outside(np.array([[60.0, 0, 0, 0, 0, 0]], dtype=np.float32)).all()  # along them
    assert not domain.outside(np.zeros((1, 6), dtype=np.float32)).any()
    again = Domain.from_tensors(domain.tensors())
    assert again is not None
    assert np.array_equal(again.distance(x), domain.distance(x))


def test_a_gas_is_out_of_domain(random: np.random.Generator) -> None:
    gas = Structure(random.uniform(0, 60, (60, 3)), np.zeros(60, int), ("Cu",))
    assert predict(small_barrier(), gas)["out_of_domain"].values.mean() > 0.5


def test_two_states_follow_their_gate(glass: Structure) -> None:
    model = small_linear(3)
    features = model.descriptor(glass)
    x = (features - model.mean_f) / model.std_f
    rest, motion = x @ model.rest_cf.T + model.rest_c, x @ model.motion_cf.T + model.motion_c
    t = np.clip((features[:, model.gate] - model.gate_low) / (model.gate_high - model.gate_low), 0, 1)
    g = (3 * t**2 - 2 * t**3)[:, None]
    assert (g == 0).any()
    assert ((g > 0.1) & (g < 0.9)).any()
    result = model(glass)
    np.testing.assert_allclose(result["barrier"].values, (rest * (1 - g) + motion * g).mean(axis=1), atol=1e-4)
    outside = np.where(g[:, 0] > 0.5, model.motion_domain.outside(x), model.domain.outside(x))
    assert (model.motion_domain.outside(x) != model.domain.outside(x)).any()
    assert result["out_of_domain"].values.tolist() == outside.tolist()
    variance = [
        e.floor**2 + e.slope**2 * (1 / e.count + (((x - e.centre_f) @ e.sketch_qf.T) ** 2).sum(axis=1))
        for e in (model.rest_error, model.motion_error)
    ]
    expected = np.sqrt((1 - g[:, 0]) * variance[0] + g[:, 0] * variance[1])
    np.testing.assert_allclose(result["barrier_std"].values, expected, rtol=1e-5)
    with pytest.raises(GlassError, match="rest_error_numbers must be"):
        replace(model, rest_error=replace(model.rest_error, floor=-1.0))
    with pytest.raises(GlassError, match="label_noise must be"):
        replace(model, label_noise=float("nan"))
    with pytest.raises(GlassError, match="gate must be one of"):
        replace(model, gate=10_000)
    with pytest.raises(GlassError, match="gate_low must be below gate_high"):
        replace(model, gate_low=9.0, gate_high=1.0)
