"""Lanczos, L-BFGS and minimising against dense linear algebra."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glass_core.kernels import lbfgs
from glass_core.saddle.lanczos import lowest_mode
from glass_core.saddle.lbfgs import Memory
from glass_core.saddle.minimise import minimise
from glass_core.saddle.settings import Relax

NOTHING = np.empty((0, 30))


def symmetric(seed, size=30, low=-2.0):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(size, size)))
    values = np.concatenate([[low], rng.uniform(0.5, 30, size - 1)])
    return q @ np.diag(values) @ q.T, q[:, 0]


def product(matrix):
    return lambda v: (matrix @ v.reshape(-1)).reshape(v.shape)


class Quadratic:
    def __init__(self, matrix):
        self.matrix = matrix

    def energy_forces(self, x):
        return 0.5 * x.reshape(-1) @ self.matrix @ x.reshape(-1), -(self.matrix @ x.reshape(-1)).reshape(-1, 3)


@pytest.mark.parametrize("seed", range(5))
def test_lowest_mode_is_the_lowest_eigenvector(seed):
    matrix, mode = symmetric(seed)
    start = np.random.default_rng(seed).normal(size=(10, 3))
    found = lowest_mode(product(matrix), start, 30, NOTHING, 0.01)
    assert found.curvature == pytest.approx(-2.0, abs=0.03)
    assert abs(found.direction_nc.reshape(-1) @ mode) > 0.99
    assert np.linalg.norm(found.direction_nc) == pytest.approx(1)


def test_few_vectors_never_go_below_the_lowest_eigenvalue():
    matrix, _ = symmetric(1)
    start = np.random.default_rng(3).normal(size=(10, 3))
    values = [lowest_mode(product(matrix), start, k, NOTHING, 0.01).curvature for k in (2, 4, 8, 16)]
    assert values == sorted(values, reverse=True)
    assert values[-1] >= -2.0 - 1e-6


def test_modes_kept_out_are_not_found():
    matrix, mode = symmetric(2)
    second = np.sort(np.linalg.eigvalsh(matrix))[1]
    start = np.random.default_rng(3).normal(size=(10, 3))
    found = lowest_mode(product(matrix), start, 29, mode[None], 0.01)
    assert found.curvature == pytest.approx(second, rel=0.05)
    assert abs(found.direction_nc.reshape(-1) @ mode) < 1e-9


def test_no_direction_left_gives_an_infinite_curvature():
    assert math.isinf(lowest_mode(product(np.eye(3)), np.ones((1, 3)), 3, np.eye(3), 0.01).curvature)


def test_products_that_are_not_finite_are_told():
    assert math.isnan(lowest_mode(lambda v: v * np.nan, np.ones((10, 3)), 3, NOTHING, 0.01).curvature)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.integers(0, 10_000))
def test_lowest_value_of_tridiagonal_matrices(size, seed):
    rng = np.random.default_rng(seed)
    diagonal, beside = rng.normal(size=size) * 10, rng.normal(size=size)
    dense = np.diag(diagonal) + np.diag(beside[: size - 1], 1) + np.diag(beside[: size - 1], -1)
    expected = np.linalg.eigvalsh(dense)[0]
    value, vector = lbfgs.lowest_value(diagonal, beside, size), np.empty(size)
    assert value == pytest.approx(expected, rel=1e-6, abs=1e-6)
    lbfgs.lowest_vector(diagonal, beside, size, value, vector)
    assert np.linalg.norm(vector) == pytest.approx(1.0)
    assert np.linalg.norm(dense @ vector - expected * vector) < 1e-4


def test_lowest_vector_of_weakly_joined_rows():
    """Its first row has next to no part in it."""
    diagonal, beside, vector = np.array([40.0, 30, 20, 10, 5, -3]), np.full(5, 1e-5), np.empty(6)
    lbfgs.lowest_vector(diagonal, beside, 6, lbfgs.lowest_value(diagonal, beside, 6), vector)
    np.testing.assert_allclose(np.abs(vector), [0, 0, 0, 0, 0, 1], atol=1e-5)


@pytest.mark.parametrize("coupling", [1e-1, 1e-2, 1e-3])
def test_direction_of_a_mode_has_its_curvature(coupling):
    """A chain whose soft end is far from where the space starts."""
    matrix = np.diag(np.r_[np.linspace(40, 4, 29), -3.0]) + coupling * (np.eye(30, k=1) + np.eye(30, k=-1))
    start = np.zeros((10, 3))
    start[0, 0] = 1.0
    for vectors in (5, 14, 30):
        found = lowest_mode(product(matrix), start, vectors, NOTHING, settled=0)
        direction = found.direction_nc.reshape(-1)
        assert direction @ matrix @ direction == pytest.approx(found.curvature, abs=1e-4)


def test_memory_of_all_directions_gives_the_newton_step():
    rng = np.random.default_rng(0)
    matrix, _ = symmetric(4, size=6, low=0.7)
    memory, force = Memory(6, Relax()), rng.normal(size=(2, 3))
    values, vectors = np.linalg.eigh(matrix)
    for value, vector in zip(values, vectors.T, strict=True):
        memory.learn(vector.reshape(2, 3), value * vector.reshape(2, 3), np.zeros((2, 3)))
    expected = np.linalg.solve(matrix, force.reshape(-1))
    np.testing.assert_allclose(memory.step(force).reshape(-1), expected, rtol=1e-9)


def test_memory_forgets_negative_curvature():
    memory, force = Memory(3, Relax()), np.array([[1.0, 2.0, 3.0]])
    memory.learn(np.array([[1.0, 0, 0]]), np.array([[1.0, 0, 0]]), np.array([[2.0, 0, 0]]))
    np.testing.assert_allclose(memory.step(force), 0.03 * force)


def test_minimise_reaches_the_minimum_and_says_when_it_does_not():
    matrix, _ = symmetric(5, low=0.5)
    start = np.random.default_rng(1).normal(size=(10, 3))
    found = minimise(Quadratic(matrix), start, 1e-6)
    assert found.converged
    np.testing.assert_allclose(found.positions_nc, 0, atol=1e-5)
    assert not minimise(Quadratic(matrix), start, 1e-6, most=3).converged


def test_minimise_stops_once_that_is_enough():
    matrix, _ = symmetric(5, low=0.5)
    start = np.random.default_rng(1).normal(size=(10, 3))
    found = minimise(Quadratic(matrix), start, 1e-9, enough=lambda _, energy: energy < 0.1)
    assert found.converged
    assert 1e-6 < found.energy < 0.1


@pytest.mark.parametrize("bad", [0, 4])
def test_longest_vectors_keep_nan(bad):
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    assert lbfgs.largest(vectors) == pytest.approx(np.linalg.norm(vectors, axis=1).max())
    vectors[bad, 1] = np.nan
    assert math.isnan(lbfgs.largest(vectors))
