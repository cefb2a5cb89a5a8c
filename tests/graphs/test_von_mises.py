"""Samples of von Mises distributions against SciPy's integrals, and the gradients through them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import torch

from glass_core.graphs.elements import LearnedElements
from glass_core.graphs.rotations import euler_matrices, uniform_rotations
from glass_core.graphs.symmetrise import EdgeEncoder
from glass_core.graphs.von_mises import sample_von_mises
from tests.graphs.small import small_graph, small_network

U = torch.tensor([0.01, 0.2, 0.5, 0.77, 0.999], dtype=torch.float64)


@pytest.mark.parametrize("kappa", [1e-3, 0.3, 1.0, 8.0, 100.0, 5000.0])
def test_samples_are_quantiles(kappa: float) -> None:
    """SciPy integrates the density up to each sample; its own quantiles are approximate from κ = 50."""
    theta = sample_von_mises(torch.tensor(0.7, dtype=torch.float64), torch.tensor(kappa, dtype=torch.float64), U)
    weight = scipy.special.i0e(kappa) * 2 * np.pi
    shares = [
        scipy.integrate.quad(lambda t: np.exp(kappa * (np.cos(t) - 1)) / weight, 0, x - 0.7, epsabs=1e-12)[0] + 0.5
        for x in theta.tolist()
    ]
    np.testing.assert_allclose(shares, U, atol=1e-9)


@pytest.mark.parametrize("kappa", [0.05, 1.0, 8.0, 300.0])
def test_gradients_are_those_of_the_quantiles(kappa: float) -> None:
    location = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    concentration = torch.tensor(kappa, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda m, k: sample_von_mises(m, k, U), (location, concentration), eps=1e-5, atol=1e-5)


def test_many_samples_have_the_mean_direction_and_length() -> None:
    u = torch.rand(200_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    theta = sample_von_mises(torch.tensor(-1.1), torch.tensor(2.0), u[:20_000]).double()
    resultant = torch.exp(1j * theta).mean()
    expected = scipy.special.i1(2.0) / scipy.special.i0(2.0)
    assert abs(abs(resultant) - expected) < 0.01
    assert abs(torch.angle(resultant) + 1.1) < 0.02


def test_euler_matrices_turn_about_each_axis() -> None:
    quarter = torch.pi / 2
    for axis, (start, end) in enumerate((((0, 1, 0), (0, 0, 1)), ((0, 0, 1), (1, 0, 0)), ((1, 0, 0), (0, 1, 0)))):
        angles = torch.zeros(3)
        angles[axis] = quarter
        torch.testing.assert_close(euler_matrices(angles) @ torch.tensor(start).float(), torch.tensor(end).float())
    several = euler_matrices(torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64))
    torch.testing.assert_close(several @ several.T, torch.eye(3, dtype=torch.float64))
    assert torch.linalg.det(several).item() == pytest.approx(1)


def test_uniform_rotations_have_no_preferred_direction() -> None:
    many = uniform_rotations(torch.randn(20_000, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64))
    torch.testing.assert_close(many @ many.mT, torch.eye(3, dtype=torch.float64).expand_as(many))
    torch.testing.assert_close(torch.linalg.det(many), torch.ones(20_000, dtype=torch.float64))
    assert many.mean(0).abs().max() < 0.02
    assert (many[:, :, 0, None] * many[:, None, :, 0]).mean(0).sub(torch.eye(3) / 3).abs().max() < 0.02


def test_half_of_the_learned_elements_are_rotations() -> None:
    torch.manual_seed(0)
    for train in (True, False):
        elements = LearnedElements().train(train)(5)
        assert sorted(torch.linalg.det(elements).round().tolist()) == [-1.0] * 5 + [1.0] * 5


def test_the_loss_reaches_location_and_concentration() -> None:
    """Against finite differences through the whole network, with the same random numbers."""
    _, network = small_network("learned")
    graph = small_graph(network)
    network.double().eval()
    graph = graph.with_vectors(graph.vectors_pc.double())
    encoder = network.edges
    assert isinstance(encoder, EdgeEncoder)
    assert encoder.learned is not None

    def loss() -> torch.Tensor:
        return (network(graph) - 1).square().mean()

    loss().backward()
    for parameter in (encoder.learned.location, encoder.learned.log_concentration):
        gradient = parameter.grad.clone()
        assert gradient.abs().min() > 0
        for index in ((0, 0), (1, 2)):
            values = []
            for step in (1e-6, -1e-6):
                with torch.no_grad():
                    parameter[index] += step
                    values.append(loss().item())
                    parameter[index] -= step
            assert (values[0] - values[1]) / 2e-6 == pytest.approx(gradient[index].item(), rel=1e-3, abs=1e-9)
