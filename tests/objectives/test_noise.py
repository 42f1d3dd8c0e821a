"""Noise on a gradient: the loss stays the true one, the gradient is right in the mean and as wide as was asked for."""

from __future__ import annotations

import re
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import descend as ds
from descend.errors import DescendError
from descend.objectives import noisy, resolve

BOWL = "x**2 + 3*y**2"


def seen(sigma: float, count: int, at: tuple[float, float] = (4.0, 3.0)) -> np.ndarray:
    """So many gradients of the noisy bowl at one point, shape (count, 2)."""
    goal = noisy(BOWL, sigma)
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.PRNGKey(0), count)
        return np.asarray(jax.vmap(jax.grad(goal.fun), (None, 0))(np.array(at), keys))


def test_the_gradient_is_the_true_one_plus_noise_of_the_width_asked_for() -> None:
    drawn = seen(0.5, 40_000)
    error = 0.5 / np.sqrt(len(drawn))
    np.testing.assert_allclose(drawn.mean(axis=0), [8, 18], atol=5 * error)
    np.testing.assert_allclose(drawn.std(axis=0), 0.5, rtol=5 / np.sqrt(2 * len(drawn)))
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 5 / np.sqrt(len(drawn))


@given(x=st.floats(-1e6, 1e6), y=st.floats(-1e6, 1e6), sigma=st.floats(0, 1e6))
def test_the_loss_is_the_true_one(x: float, y: float, sigma: float) -> None:
    goal, key = noisy(BOWL, sigma), np.array([0, 1], np.uint32)
    with jax.enable_x64(True):
        got = goal.fun(np.array([x, y]), key) if goal.stochastic else goal.fun(np.array([x, y]))
    assert float(got) == pytest.approx(x * x + 3 * y * y, rel=1e-14)


def test_the_path_is_the_plain_one_plus_the_decayed_noise() -> None:
    """On a bowl SGD is linear: the difference from the quiet path is the sum of the noises, each shrunk since it came."""
    lr, steps = 0.1, 12
    trace = ds.descend(noisy(BOWL, 0.7), [4, 3], ds.sgd(lr=lr), steps=steps, seed=5)
    key = np.array([0, 5], np.uint32)
    shrink = 1 - lr * np.array([2.0, 6.0])
    apart = np.zeros(2)
    with jax.enable_x64(True):
        for step in range(steps):
            (own,) = jax.random.split(jax.random.fold_in(key, step), 1)
            apart = shrink * apart - lr * 0.7 * np.asarray(jax.random.normal(own, (2,), np.float64))
    np.testing.assert_allclose(trace.points[-1], shrink**steps * [4, 3] + apart, rtol=1e-10)
    np.testing.assert_allclose(trace.loss, trace.points[:, 0] ** 2 + 3 * trace.points[:, 1] ** 2, rtol=1e-12)


def test_the_seed_decides_and_another_seed_differs() -> None:
    def run(seed: int) -> Any:
        return ds.descend(ds.noisy(BOWL, 0.7), [4, 3], ds.adam(lr=0.1), steps=20, seed=seed).points

    assert np.array_equal(run(3), run(3))
    assert not np.allclose(run(3), run(4))


def test_trees_of_arrays_get_noise_of_their_own_in_each() -> None:
    goal = noisy(lambda p: (p["a"] ** 2).sum() + p["b"] ** 2, 1.0)
    start = {"a": np.zeros(3), "b": np.array(0.0)}
    with jax.enable_x64(True):
        got = jax.grad(goal.fun)(start, np.array([0, 1], np.uint32))
    values = np.concatenate([np.asarray(got["a"]), [float(got["b"])]])
    assert len(set(values.tolist())) == 4
    assert np.all(values != 0)


def test_divergence_stays_infinite_and_is_no_nan() -> None:
    trace = ds.descend(noisy("x**4", 0.1), [10.0], ds.sgd(lr=1.0), steps=50)
    assert trace.outcome is not None
    assert trace.outcome.kind == "diverged"
    assert not np.isnan(trace.loss[:-1]).any()


def test_no_noise_is_the_objective_itself() -> None:
    assert noisy("rosenbrock", 0) is resolve("rosenbrock")


@pytest.mark.parametrize("sigma", [-1, float("nan"), float("inf"), "0.5", None, True])
def test_what_is_no_standard_deviation_is_refused(sigma: Any) -> None:
    with pytest.raises(DescendError, match="noise is a standard deviation"):
        noisy(BOWL, sigma)


def test_noise_upon_noise_and_foreign_gradients_are_refused() -> None:
    with pytest.raises(DescendError, match="random already"):
        noisy(noisy(BOWL, 1.0), 1.0)
    with pytest.raises(DescendError, match="gradient from elsewhere"):
        noisy(resolve(lambda p: (p**2).sum(), grad=lambda p: 2 * p), 1.0)


def test_the_command_runs_with_noise_and_says_so(command: Any) -> None:
    options = ("--start", "4,3", "--steps", "20", "--lr", "0.1", "--noise", "0.7", "--seed", "3")
    answer = command.json("run", BOWL, *options)
    trace = ds.descend(ds.noisy(BOWL, 0.7), [4, 3], ds.sgd(lr=0.1), steps=20, seed=3)
    assert answer["runs"][0]["point"] == trace.points[-1].tolist()
    assert answer["objective"] == "x² + 3y² with noise 0.7 on its gradient"
    text = command("run", BOWL, *options).stdout
    assert re.search(r"seen as +x² \+ 3y² with noise 0.7 on its gradient", text)
    assert "stable below" in text  # what is predicted is predicted of the objective itself
    assert "noise is a standard deviation" in command.refused("run", BOWL, "--start", "4,3", "--noise", "-1")
