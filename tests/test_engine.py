"""What compiled code is found by, what a resumed descent takes over, and stop rules across chunks."""

from __future__ import annotations

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import descend as ds
from descend.errors import DescendError
from descend.stability import lr_limit, spectral_radius, suggest_lr


def jitted(y):
    """A loss whose data stands inside a compiled function of its own, out of sight of the program's text."""
    inside = jax.jit(lambda p: jnp.mean((p * jnp.arange(3.0) - y) ** 2))
    return lambda p: inside(p)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.checkpoint, lambda f: lambda p: jax.lax.cond(True, f, f, p)])
def test_functions_that_differ_in_hidden_data_alone_are_told_apart(wrap):
    for y in ([1.0, 2.0, 3.0], [3.0, 2.0, 5.0], [1.0, 2.0, 3.5]):
        expected = np.mean((np.arange(3.0) - y) ** 2)
        goal = wrap(jitted(jnp.asarray(y)))
        assert ds.descend(goal, np.ones(1), ds.sgd(lr=0.01), steps=1).loss[0] == pytest.approx(expected, rel=1e-12)
        made = ds.plane(goal, np.ones(1), ds.sgd(), steps=1, dtype="float64", lr=[0.01])
        assert made["first_loss"][0] == pytest.approx(expected, rel=1e-12)


def test_single_precision_constants_in_a_float64_objective_are_reported():
    told = ds.descend(lambda p: (np.float32(0.1) * p**2).sum(), [1.0, 2.0], ds.sgd(lr=0.1), steps=2).notes
    assert len(told) == 1
    assert "0.100000001" in told[0]
    for clean in (lambda p: (0.1 * p**2).sum(), lambda p: (0.375 * p**2 + p / 3).sum(), "rosenbrock", "ackley"):
        assert ds.descend(clean, [1.0, 2.0], ds.sgd(lr=1e-4), steps=2).notes == ()


def test_the_loss_tolerance_counts_across_chunks_of_one_step():
    def slow(p):
        time.sleep(0.05)
        return float(p @ p)

    trace = ds.descend(slow, np.array([1.0, 2.0]), ds.sgd(lr=0.5), steps=12, tol_loss=1e-3, grad=lambda p: 2 * p)
    fast = ds.descend(lambda p: p @ p, np.array([1.0, 2.0]), ds.sgd(lr=0.5), steps=12, tol_loss=1e-3)
    assert trace.steps == fast.steps < 12
    assert trace.outcome.kind == fast.outcome.kind == "converged"


def batches(p, key):
    data = jnp.linspace(-1, 1, 50)
    rows = jax.random.choice(key, data, (4,))
    return jnp.mean((p - rows) ** 2)


def test_a_resumed_descent_keeps_its_seed():
    goal = ds.Objective(fun=batches, name="batches", text="batches", stochastic=True)
    whole = ds.descend(goal, np.ones(1), ds.sgd(lr=0.1), steps=40, seed=5)
    part = ds.descend(goal, np.ones(1), ds.sgd(lr=0.1), steps=15, seed=5)
    again = ds.descend(goal, resume=part, steps=25)
    np.testing.assert_array_equal(whole.loss, again.loss)
    assert again.config["seed"] == 5


def test_a_resumed_divergence_stays_one():
    part = ds.descend("rosenbrock", [-1.2, 1], ds.sgd(lr=0.1), steps=50)
    again = ds.descend("rosenbrock", resume=part, steps=5)
    assert part.outcome.kind == again.outcome.kind == "diverged"


def test_what_a_trace_cannot_hold_must_be_stated_again():
    start = {"w": np.ones((2, 2)), "b": np.ones(2)}

    def loss(p):
        return (p["w"] ** 2).sum() + (p["b"] ** 2).sum()

    masked = ds.adamw(lr=0.1, weight_decay=0.5, mask={"w": True, "b": False})
    part = ds.descend(loss, start, masked, steps=5)
    with pytest.raises(DescendError, match="state it again"):
        ds.descend(loss, resume=part, steps=5)
    again = ds.descend(loss, resume=part, optimizer=masked, steps=5)
    whole = ds.descend(loss, start, masked, steps=10)
    np.testing.assert_array_equal(whole.loss, again.loss)


def test_a_torch_optimizer_descends_on_a_jax_function():
    torch = pytest.importorskip("torch")
    trace = ds.descend(lambda p: jnp.sum(p**2), [1.0, 2.0], functools.partial(torch.optim.Adagrad, lr=0.1), steps=5)
    p = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adagrad([p], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        (p**2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(trace.point, p.detach().numpy(), rtol=0, atol=1e-14)


def test_limits_with_decay_are_those_of_the_run():
    """Averaged SGD's own decay and L2 decay under Adam's scaling both take part in the limit."""
    rule = ds.asgd(lr=1.0, lambd=0.5)
    limit = lr_limit(rule, 2.0)
    assert limit == pytest.approx(2 / 2.5, rel=1e-6)
    for factor, grows in ((0.98, False), (1.02, True)):
        trace = ds.descend("x²", [1.0], ds.asgd(lr=factor * limit, lambd=0.5, alpha=0.0), steps=200)
        assert (abs(trace.state["slots"][0]["ax"]).max() > 1) == grows or (abs(np.asarray(trace.point)).max() > 1) == grows


def test_averaging_rules_are_predicted_without_their_averages():
    goal = ds.objective("x² + 3y²")
    for name, factor in (("asgd", 0.5), ("schedule_free_sgd", None)):
        suggestion = suggest_lr(goal, np.array([4.0, 3.0]), getattr(ds, name)())
        assert suggestion.factor == (None if factor is None else pytest.approx(factor, abs=1e-3))
        trace = ds.descend(goal, [4, 3], getattr(ds, name)(), steps=200)
        assert trace.loss[-1] < 1e-6 * trace.loss[0]


def test_no_limit_is_claimed_under_clipping():
    assert lr_limit(ds.sgd(clip_norm=0.1), 6.0) is None
    assert suggest_lr(ds.objective("x² + 3y²"), np.array([4.0, 3.0]), ds.sgd(clip_norm=0.1)).lr == 0.25


def test_input_that_cannot_work_is_one_sentence():
    with pytest.raises(DescendError, match=r"given by name: adam\(lr=0.1\)"):
        ds.adam(0.1)
    with pytest.raises(DescendError, match="at most 10,000,000,000"):
        ds.descend("x²", [1.0], ds.sgd(lr=0.1), steps=10**20)
    with pytest.raises(DescendError, match="resume is a Trace or the file"):
        ds.descend("x²", resume=3, steps=1)


def test_a_descent_goes_on_from_a_file_and_says_when_the_objective_is_another(tmp_path):
    part = ds.descend("x²", [1.0], ds.momentum(lr=0.1), steps=5)
    part.save(tmp_path / "part.npz")
    again = ds.descend("x²", resume=tmp_path / "part.npz", steps=5)
    np.testing.assert_array_equal(again.loss, ds.descend("x²", [1.0], ds.momentum(lr=0.1), steps=10).loss)
    assert again.notes == ()
    assert "another objective" in ds.descend("3x²", resume=part, steps=5).notes[0]


def test_an_adaptive_rate_is_suggested_within_half_its_first_limit():
    from descend.stability import stability

    goal, point = ds.objective("rosenbrock"), np.array([-1.2, 1.0])
    first = ds.descend(goal, point, ds.rmsprop(lr=1e-300), steps=1)
    told = stability(goal, ds.rmsprop(), point, state=first.state)
    assert told.lr_suggested <= told.lr_limit / 2


@pytest.mark.parametrize("lr", [1e308, 1e200])
def test_rates_beyond_the_range_of_numbers_do_not_break_the_prediction(lr):
    assert np.isinf(spectral_radius(ds.momentum(), lr, 1e300))
