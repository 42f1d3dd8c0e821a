"""Properties of the one driver: invariances, resuming, bits, compiling, structures, precision, interrupts, bad functions."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import descend as ds
from descend.rules import OPTIMIZERS
from descend.trace import Trace

BOWL = "x^2 + 3y^2"
NAMES = [name for name in ds.optimizers.__all__ if OPTIMIZERS[name].ndim is None]
Pair = namedtuple("Pair", "w b")


def banana(p: Any) -> Any:
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def some(name: str, **more: Any) -> Any:
    """An optimizer with a rate at which the bowl and the banana stay finite."""
    rule = OPTIMIZERS[name]
    return rule(lr=1e-3, **more) if "lr" in rule.hyperparameters else rule(**more)


def same_bits(a: Trace, b: Trace) -> bool:
    return list(a.columns) == list(b.columns) and all(
        np.array_equal(a.columns[k].step, b.columns[k].step) and a.columns[k].value.tobytes() == b.columns[k].value.tobytes()
        for k in a.columns
    )


@contextlib.contextmanager
def compilations() -> Iterator[list[str]]:
    """Names of the programs XLA compiles while the block runs."""
    seen: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("Compiling"):
                seen.append(record.getMessage())

    listener, logger = Listener(), logging.getLogger("jax._src.interpreters.pxla")
    logger.addHandler(listener)
    with jax.log_compiles(True):
        try:
            yield seen
        finally:
            logger.removeHandler(listener)


# -- invariances -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_to_maximise_is_to_minimise_the_negative(name: str) -> None:
    up = ds.descend(lambda p: -banana(p), [-1.2, 1.0], some(name, maximize=True), steps=25)
    down = ds.descend(banana, [-1.2, 1.0], some(name), steps=25)
    assert np.abs(up.points - down.points).max() <= 1e-13 * np.abs(down.points).max()
    np.testing.assert_allclose(up.loss, -down.loss, rtol=1e-12)
    assert not np.array_equal(down.points[0], down.points[-1])


@settings(max_examples=10)
@given(st.floats(1e-6, 1e6))
def test_a_scaled_loss_leaves_adams_path_where_eps_is_0(scale: float) -> None:
    factor = np.array(scale)
    for rule in (ds.adam(lr=0.05, eps=0.0), ds.rmsprop(lr=0.05, eps=0.0), ds.adamw(lr=0.05, eps=0.0)):
        plain = ds.descend(banana, [-1.2, 1.0], rule, steps=30)
        scaled = ds.descend(lambda p: factor * banana(p), [-1.2, 1.0], rule, steps=30)
        np.testing.assert_allclose(scaled.points, plain.points, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(scaled.loss, scale * plain.loss, rtol=1e-7)


def test_a_scaled_loss_does_move_adam_where_eps_matters() -> None:
    paths = [ds.descend(lambda p, c=c: c * banana(p), [-1.2, 1.0], ds.adam(lr=0.05), steps=30).points for c in (1.0, 1e-9)]
    assert np.abs(paths[0] - paths[1]).max() > 1e-3


def test_a_scaled_loss_is_a_scaled_rate_for_plain_descent() -> None:
    one = ds.descend(BOWL, [4, 3], ds.sgd(lr=0.125), steps=20)
    two = ds.descend("2(x^2 + 3y^2)", [4, 3], ds.sgd(lr=0.0625), steps=20)
    assert np.array_equal(one.points, two.points)


# -- resuming --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_descent_is_bitwise_an_unbroken_one(name: str) -> None:
    whole = ds.descend(banana, [-1.2, 1.0], some(name), steps=23)
    half = ds.descend(banana, [-1.2, 1.0], some(name), steps=9)
    joined = ds.descend(banana, optimizer=some(name), steps=14, resume=half)
    assert same_bits(whole, joined)
    assert joined.steps == 23
    assert np.array_equal(joined.point, whole.point)
    assert joined.config["start"] == whole.config["start"]


@pytest.mark.parametrize("ending", ["npz", "json"])
@pytest.mark.parametrize(
    "optimizer",
    [ds.adam(lr=0.05), ds.momentum(lr=ds.cosine(1e-3, 30)), ds.lion(lr=0.01)],
    ids=["adam", "momentum on a schedule", "lion"],
)
def test_resuming_from_a_file_is_bitwise_an_unbroken_run(tmp_path: Any, ending: str, optimizer: Any) -> None:
    whole = ds.descend(banana, [-1.2, 1.0], optimizer, steps=30)
    path = ds.descend(banana, [-1.2, 1.0], optimizer, steps=11).save(tmp_path / f"half.{ending}")
    assert same_bits(whole, ds.descend(banana, steps=19, resume=Trace.load(path)))


def tree_loss(tree: Any) -> Any:
    return jnp.sum((tree["w"] - 1) ** 2) + jnp.sum(tree["deep"][0] ** 4) + 3 * tree["deep"][1] ** 2


TREE = {"w": np.array([[3.0, -2.0], [0.5, 1.5]]), "deep": [np.array([1.0, 2.0, 3.0]), np.array(2.0)]}


@pytest.mark.parametrize("ending", ["", "npz", "json"])
def test_trees_resume_bitwise(tmp_path: Any, ending: str) -> None:
    whole = ds.descend(tree_loss, TREE, ds.adam(lr=0.05), steps=20)
    half = ds.descend(tree_loss, TREE, ds.adam(lr=0.05), steps=7)
    if ending:
        half = Trace.load(half.save(tmp_path / f"half.{ending}"))
    assert same_bits(whole, ds.descend(tree_loss, optimizer=ds.adam(lr=0.05), steps=13, resume=half))


def test_resuming_with_another_beta_rebuilds_its_powers() -> None:
    """As if the new β had been there from the start, in the corrections."""
    half = ds.descend(BOWL, [4, 3], ds.adam(lr=0.05), steps=5)
    later = ds.descend(BOWL, optimizer=ds.adam(lr=0.05, beta1=0.5, beta2=0.9), steps=1, resume=half)
    slots = later.state["slots"][0]
    assert (float(slots["k1"]), float(slots["k2"])) == pytest.approx((0.5**6, 0.9**6), rel=1e-12)


def test_what_cannot_be_resumed_is_said() -> None:
    trace = ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=3)
    with pytest.raises(ds.DescendError, match="give either start or resume"):
        ds.descend(BOWL, [4, 3], steps=3, resume=trace)
    with pytest.raises(ds.DescendError, match="no optimizer state to resume from"):
        ds.descend(BOWL, steps=3, resume=trace.replace(state=None))


# -- bits and seeds --------------------------------------------------------------------------------------------------------


def noisy(p: Any, key: Any) -> Any:
    return jnp.sum((p - jax.random.normal(key, p.shape, p.dtype)) ** 2)


def minibatch(seed: int, steps: int = 40, **more: Any) -> Trace:
    goal = ds.Objective(fun=noisy, name="noisy", text="noisy", stochastic=True)
    return ds.descend(goal, None if more else [4.0, 3.0], ds.sgd(lr=0.05), steps=steps, seed=seed, **more)


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    assert same_bits(minibatch(3), minibatch(3))
    assert not same_bits(minibatch(3), minibatch(4))
    assert same_bits(ds.descend(BOWL, [4, 3], ds.adam(lr=0.1), steps=9), ds.descend(BOWL, [4, 3], ds.adam(lr=0.1), steps=9))


def test_a_stochastic_objective_draws_anew_at_each_step_and_resumes_bitwise() -> None:
    trace = minibatch(0)
    draws = trace.points[:-1] - (trace.points[:-1] - trace.points[1:]) / 0.1  # the target of each step, from the step itself
    assert len(np.unique(draws.round(9), axis=0)) == trace.steps
    half = minibatch(0, steps=15)
    assert same_bits(trace, minibatch(0, steps=25, resume=half))


@pytest.mark.parametrize("value", [-1, 2**32, 0.5, "a", True])
def test_a_seed_is_a_whole_number(value: Any) -> None:
    with pytest.raises(ds.DescendError, match="a seed is a whole number"):
        ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=2, seed=value)


# -- compiled once ---------------------------------------------------------------------------------------------------------


def test_the_counter_of_compilations_counts() -> None:
    with compilations() as seen:
        ds.descend(lambda p: jnp.sum(p**6) + 0.123, [1.0, 2.0], ds.sgd(lr=1e-3), steps=2)
    assert len(seen) >= 1


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_values_start_and_steps_never_recompile(name: str) -> None:
    def run(lr: float, start: list[float], steps: int, **more: Any) -> None:
        ds.descend(lambda p: jnp.sum(p**4) + 3 * p[0] ** 2, start, OPTIMIZERS[name](lr=lr, **more), steps=steps)

    beta = next((k for k in ("momentum", "beta1", "rho") if k in OPTIMIZERS[name].hyperparameters), None)
    own = {beta: 0.9} if beta else {}
    run(1e-3, [1.0, 2.0], 5, **own)
    with compilations() as seen:
        run(2e-3, [1.0, 2.0], 5, **own)
        run(1e-3, [-1.0, 0.5], 5, **own)
        run(1e-3, [1.0, 2.0], 4000, **own)
        run(1e-3, [1.0, 2.0], 4500, **own)
        run(1e-3, [1.0, 2.0], 5, **({beta: 0.7} if beta else {}))
    assert seen == []


def test_arrays_closed_over_are_arguments() -> None:
    def run(matrix: np.ndarray, target: np.ndarray) -> Trace:
        return ds.descend(lambda p: jnp.sum((jnp.asarray(matrix) @ p - target) ** 2), [1.0, 2.0], ds.sgd(lr=1e-2), steps=5)

    rng = np.random.default_rng(0)
    first = run(rng.normal(size=(7, 2)), rng.normal(size=7))
    with compilations() as seen:
        second = run(rng.normal(size=(7, 2)), rng.normal(size=7))
    assert seen == []
    assert not np.array_equal(first.points, second.points)


def test_a_schedules_values_are_arguments() -> None:
    ds.descend(BOWL, [4, 3], ds.sgd(lr=ds.cosine(0.1, 10)), steps=10)
    with compilations() as seen:
        ds.descend(BOWL, [4, 3], ds.sgd(lr=ds.cosine(0.05, 20)), steps=15)
    assert seen == []


def test_a_changed_closure_is_seen_though_nothing_is_compiled() -> None:
    scale = np.array([1.0, 1.0])

    def f(p: Any) -> Any:
        return jnp.sum(scale * p**2)

    before = ds.descend(f, [1.0, 1.0], ds.sgd(lr=0.1), steps=3)
    scale[:] = [2.0, 3.0]
    after = ds.descend(f, [1.0, 1.0], ds.sgd(lr=0.1), steps=3)
    np.testing.assert_allclose(before.points[-1], [0.8**3] * 2, rtol=1e-14)
    np.testing.assert_allclose(after.points[-1], [0.6**3, 0.4**3], rtol=1e-14)


# -- structures and precision ----------------------------------------------------------------------------------------------


def pair_loss(tree: Any) -> Any:
    w, b = (tree["w"], tree["b"]) if isinstance(tree, dict) else tree
    return jnp.sum((w - 1) ** 2) + jnp.sum(b**2)


@pytest.mark.parametrize(
    "start",
    [{"w": np.ones((2, 2)) * 3, "b": np.array(2.0)}, [np.ones(4) * 3, np.array(2.0)], Pair(np.ones(4) * 3, np.array(2.0))],
    ids=["dict", "list", "namedtuple"],
)
def test_parameters_may_be_any_tree(start: Any) -> None:
    trace = ds.descend(pair_loss, start, ds.momentum(lr=0.05, momentum=0.5), steps=30)
    flat = ds.descend(
        lambda p: jnp.sum((p[:4] - 1) ** 2) + p[4] ** 2, [3.0, 3, 3, 3, 2], ds.momentum(lr=0.05, momentum=0.5), steps=30
    )
    assert type(trace.point) is type(start)
    np.testing.assert_allclose(trace.loss, flat.loss, rtol=1e-12)
    w, b = (trace.point["w"], trace.point["b"]) if isinstance(start, dict) else trace.point
    np.testing.assert_allclose(np.append(np.ravel(w), b), flat.points[-1], rtol=1e-12)
    assert all(isinstance(leaf, np.ndarray) for leaf in (w, b))


def test_one_number_is_a_point() -> None:
    trace = ds.descend(lambda x: (x - 3) ** 2, 0.0, ds.sgd(lr=0.1), steps=50)
    assert trace.point.shape == ()
    assert trace.point == pytest.approx(3 - 3 * 0.8**50, rel=1e-12)
    assert trace.points.shape == (51, 1)
    assert ds.descend("(x-3)^2", 0, ds.sgd(lr=0.1), steps=50).points[-1, 0] == pytest.approx(float(trace.point), rel=1e-14)


def test_names_may_give_the_coordinates_of_an_expression() -> None:
    by_name = ds.descend(BOWL, {"y": 3, "x": 4}, ds.sgd(lr=0.1), steps=3)
    assert np.array_equal(by_name.points, ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=3).points)


def test_more_than_32_numbers_have_norms_and_no_path() -> None:
    for size, kept in ((32, True), (33, False)):
        trace = ds.descend(lambda p: jnp.sum(p**2), np.ones(size), ds.sgd(lr=0.25), steps=4)
        assert ("point" in trace) is kept
        np.testing.assert_allclose(trace.loss, size * 0.25 ** np.arange(5), rtol=1e-12)
        np.testing.assert_allclose(trace.grad_norm, 2 * np.sqrt(trace.loss), rtol=1e-12)
        np.testing.assert_allclose(trace["update_norm"], 0.25 * trace.grad_norm[:-1], rtol=1e-12)
        np.testing.assert_allclose(trace.point, np.full(size, 0.5**4), rtol=1e-12)


@pytest.mark.parametrize(("dtype", "digits"), [(jnp.float32, 1e-5), (jnp.bfloat16, 0.05), (np.float16, 0.01)])
def test_the_start_decides_the_precision(dtype: Any, digits: float) -> None:
    trace = ds.descend(lambda p: jnp.sum(p**2), jnp.asarray([4.0, 3.0], dtype), ds.adam(lr=0.1), steps=20)
    exact = ds.descend(lambda p: jnp.sum(p**2), [4.0, 3.0], ds.adam(lr=0.1), steps=20)
    assert trace.point.dtype == jnp.dtype(dtype)
    assert trace.config["dtype"] == jnp.dtype(dtype).name
    error = np.abs(trace.points - exact.points).max() / 4
    assert 0 < error < digits
    assert exact.point.dtype == np.float64


def test_the_switch_to_float64_does_not_leak() -> None:
    assert not jax.config.jax_enable_x64
    inside: list[bool] = []

    def run() -> None:
        ds.descend(BOWL, [4, 3], steps=20, callback=lambda _: inside.append(jax.config.jax_enable_x64))
        inside.append(jax.config.jax_enable_x64)

    run()
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside
    assert not any(inside)
    with pytest.raises(ds.DescendError):
        ds.descend(lambda p: p, [1.0, 2.0], ds.sgd(lr=0.1), steps=2)
    with pytest.raises(ZeroDivisionError):
        ds.descend(lambda p: 1 / 0, [1.0, 2.0], ds.sgd(lr=0.1), steps=2)
    assert not jax.config.jax_enable_x64
    assert jnp.asarray(1.0).dtype == jnp.float32


def test_threads_find_the_same_bits() -> None:
    found: dict[int, np.ndarray] = {}
    rates = [0.01 * k for k in range(1, 7)]

    def run(k: int) -> None:
        found[k] = ds.descend(banana, [-1.2, 1.0], ds.adam(lr=rates[k]), steps=50).points

    threads = [threading.Thread(target=run, args=(k,)) for k in range(len(rates))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, lr in enumerate(rates):
        assert np.array_equal(found[k], ds.descend(banana, [-1.2, 1.0], ds.adam(lr=lr), steps=50).points)


def test_a_trace_holds_numpy_arrays_alone() -> None:
    trace = ds.descend(tree_loss, TREE, ds.adam(lr=0.05), steps=3)
    leaves = jax.tree_util.tree_leaves([trace.point, trace.state["slots"], [c.value for c in trace.columns.values()]])
    assert {type(leaf) for leaf in leaves} <= {np.ndarray, np.float64}


# -- callbacks and interrupts ----------------------------------------------------------------------------------------------


def slowly(p: Any) -> float:
    return float(np.sum(p**2))


def test_a_callback_sees_the_trace_grow() -> None:
    seen: list[Trace] = []
    final = ds.descend(slowly, [4.0, 3.0], ds.sgd(lr=0.01), steps=4000, grad=lambda p: 2 * p, callback=seen.append)
    assert len(seen) >= 2
    assert [t.steps for t in seen] == sorted({t.steps for t in seen})
    assert seen[-1].steps == 4000 == final.steps
    for t in seen:
        assert np.array_equal(t.loss, final.loss[: t.steps + 1])
        assert np.array_equal(t.points[-1], t.point)


@pytest.mark.parametrize("grad", [None, lambda p: 2 * p], ids=["jax", "python"])
def test_returning_false_stops_with_the_trace_so_far(grad: Any) -> None:
    f = slowly if grad else lambda p: jnp.sum(p**2)
    trace = ds.descend(f, [4.0, 3.0], ds.sgd(lr=1e-4), steps=50_000, grad=grad, callback=lambda t: t.steps < 10)
    assert 10 <= trace.steps < 50_000
    assert len(trace.loss) == trace.steps + 1 == len(trace.points)
    assert np.array_equal(trace.points[-1], trace.point)
    assert trace.outcome.message.startswith(f"Interrupted after {trace.steps:,} steps: ")
    whole = ds.descend(f, [4.0, 3.0], ds.sgd(lr=1e-4), steps=trace.steps, grad=grad)
    assert np.array_equal(whole.points, trace.points)


def test_returning_none_or_zero_goes_on() -> None:
    for answer in (None, 0, True):
        trace = ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=20, callback=lambda _, a=answer: a)
        assert trace.outcome.kind == "step_budget"
        assert trace.steps == 20


def test_an_interrupt_in_a_callback_returns_the_trace_so_far() -> None:
    def interrupt(trace: Trace) -> None:
        raise KeyboardInterrupt

    trace = ds.descend(BOWL, [4, 3], ds.sgd(lr=1e-4), steps=100_000, callback=interrupt)
    assert 0 < trace.steps < 100_000
    assert trace.outcome.message.startswith("Interrupted after")
    resumed = ds.descend(BOWL, optimizer=ds.sgd(lr=1e-4), steps=10, resume=trace)
    assert same_bits(resumed, ds.descend(BOWL, [4, 3], ds.sgd(lr=1e-4), steps=trace.steps + 10))


def test_an_interrupt_in_the_midst_of_a_step_leaves_a_whole_trace() -> None:
    calls = []

    def f(p: Any) -> float:
        calls.append(1)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return float(np.sum(p**2))

    trace = ds.descend(f, [4.0, 3.0], ds.sgd(lr=0.01), steps=500, grad=lambda p: 2 * p)
    assert trace.steps < 40
    assert np.array_equal(trace.points[-1], trace.point)
    assert trace.state["t"] == trace.steps
    np.testing.assert_allclose(trace.points[:, 0], 4 * 0.98 ** np.arange(trace.steps + 1), rtol=1e-12)


def test_an_interrupt_before_the_first_step_leaves_the_start() -> None:
    calls = []

    def f(p: Any) -> float:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return float(np.sum(p**2))

    trace = ds.descend(f, [4.0, 3.0], ds.sgd(lr=0.01), steps=500, grad=lambda p: 2 * p)
    assert (trace.steps, trace.loss.tolist()) == (0, [25.0])


# -- user functions --------------------------------------------------------------------------------------------------------


def test_what_a_function_raises_reaches_its_author() -> None:
    """In the library the traceback points at the author's line; the command makes a sentence of it."""

    def mine(p: Any) -> Any:
        raise LookupError("no data")

    with pytest.raises(LookupError, match="no data"):
        ds.descend(mine, [1.0], ds.sgd(lr=0.1), steps=2)
    with pytest.raises(LookupError, match="no data"):
        ds.descend(mine, [1.0], ds.sgd(lr=0.1), steps=2, grad=lambda p: 2 * p)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda p: p * 2, "must return one number; it returned shape (2,)"),
        (lambda p: None, "must return one number; it returned nothing"),
        (lambda p: (p[0], p[1]), "must return one number; it returned 2 values"),
        (lambda p: jnp.argmax(p), "must return a real number"),
        (slowly, "slowly cannot be differentiated automatically: it calls numpy"),
        (lambda p: torch.abs(p), "must return one number as a torch tensor; it returned shape (2,)"),
    ],
    ids=["vector", "none", "pair", "whole", "numpy", "torch vector"],
)
def test_functions_that_are_no_objective_are_refused_in_a_sentence(f: Any, words: str) -> None:
    for options in ({"optimizer": ds.sgd(lr=0.1), "steps": 2}, {}):
        with pytest.raises(ds.DescendError) as caught:
            ds.descend(f, [1.0, 2.0], **options)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def test_numpy_and_torch_functions_run_to_the_same_trace() -> None:
    jaxed = ds.descend(lambda p: jnp.sum(p**2), [4.0, 3.0], ds.adam(lr=0.1), steps=30)
    numpy = ds.descend(slowly, [4.0, 3.0], ds.adam(lr=0.1), steps=30, grad=lambda p: 2 * p)
    torched = ds.descend(lambda p: torch.sum(p**2), [4.0, 3.0], ds.adam(lr=0.1), steps=30)
    for other in (numpy, torched):
        np.testing.assert_allclose(other.points, jaxed.points, rtol=1e-12)
        np.testing.assert_allclose(other.loss, jaxed.loss, rtol=1e-12)
        assert list(other.columns) == list(jaxed.columns)
    assert (jaxed.config["engine"], numpy.config["engine"], torched.config["engine"]) == ("jax", "python", "python")


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(ds.DescendError, match=r"the gradient has shape \(3,\) where the parameter has \(2,\)"):
        ds.descend(slowly, [1.0, 2.0], ds.sgd(lr=0.1), steps=2, grad=lambda p: np.ones(3))


def test_a_constant_is_at_rest_where_it_starts() -> None:
    trace = ds.descend(lambda p: 1.0, [4.0, 3.0], ds.sgd(lr=0.1), steps=3)
    assert trace.loss.tolist() == [1.0] * 4
    assert trace.outcome.kind == "stalled"
    assert "flat to second order" in trace.outcome.message


@pytest.mark.parametrize("f", ["log(-x^2)", "sqrt(-1 - x^2)"])
def test_nan_from_the_first_step_is_a_failure_with_a_sentence(f: str) -> None:
    trace = ds.descend(f, [1.0], ds.sgd(lr=0.1), steps=10)
    assert trace.outcome.kind == "failed"
    assert trace.outcome.message == "Failed: the loss is nan at the start point; start where the objective is defined."
    assert trace.steps == 0


# -- outcomes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "start", "options", "kind", "words"),
    [
        ("x^2", [4.0], {"lr": 0.1}, "converged", "Converged: the gradient norm fell to "),
        ("x^2", [4.0], {"lr": 0.1, "steps": 300}, "converged", "Converged: the gradient norm is down to "),
        ("x^2", [4.0], {"lr": 0.1, "steps": 3}, "step_budget", "3 steps took the loss from 16 to 4.1943"),
        ("x^2", [4.0], {"lr": 1.0, "steps": 50}, "stalled", "x changes sign at every step and shrinks no more"),
        ("x^2", [4.0], {"lr": 1.5, "steps": 9}, "diverged", "Diverged: the loss grew from 16 to"),
        ("x^2", [4.0], {"lr": 1.5, "steps": 9000}, "diverged", "left the range of numbers at step 510"),
        ("x^3", [-1.0], {"lr": 0.1, "steps": 3000}, "diverged", "no minimum"),
        ("x^2 - y^2", [1.0, 0.0], {"lr": 0.1, "steps": 300}, "stalled", "at a saddle, not a minimum"),
        ("x^2 - y^2", [1.0, 1e-3], {"lr": 0.1, "steps": 300}, "diverged", "falls without end"),
        ("x - log(x)", [3.2], {"lr": 5.0, "steps": 50}, "failed", "the loss became nan at step"),
        ("x^2/(1+x^2)", [1.0], {"lr": 1e8, "steps": 50}, "stalled", "Stalled on a plateau"),
        ("|x|", [1.02], {"lr": 0.1, "steps": 300}, "stalled", "x changes sign"),
    ],
)
def test_each_outcome_has_its_sentence(f: str, start: list[float], options: dict[str, Any], kind: str, words: str) -> None:
    trace = ds.descend(f, start, ds.sgd(lr=options["lr"]), steps=options.get("steps"))
    assert (trace.outcome.kind, words in trace.outcome.message) == (kind, True), trace.outcome
    assert trace.outcome.message.endswith(".")
    assert "nan " not in trace.outcome.message.replace("became nan", "")


@pytest.mark.parametrize(
    ("f", "start", "options", "kind", "words"),
    [
        ("1 - x^2", [4.0], {"steps": 200}, "converged", "Converged to a maximum"),
        ("1 - x^2", [4.0], {}, "converged", "Converged to a maximum"),
        ("1 - x^2", [4.0], {"steps": 5}, "step_budget", "maximising, 5 steps took the loss from -15 to"),
        ("-10x^2 - y^2", [4.0, 1.0], {"steps": 30}, "diverged", "the steps are too large"),
        ("x^2", [4.0], {"steps": 60}, "diverged", "no maximum that way"),
        ("x^2 - y^2", [0.0, 1.0], {"steps": 200}, "stalled", "not a maximum"),
    ],
)
def test_a_climb_is_judged_as_a_climb(f: str, start: list[float], options: dict[str, Any], kind: str, words: str) -> None:
    trace = ds.descend(f, start, ds.sgd(lr=0.12, maximize=True), **options)
    assert (trace.outcome.kind, words in trace.outcome.message) == (kind, True), trace.outcome


def test_explicit_steps_run_all_of_them_even_where_nothing_moves() -> None:
    for n in (1, 7, 4096, 4097, 9000):
        trace = ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=n)
        assert trace.steps == n
        assert len(trace.loss) == len(trace.grad_norm) == len(trace.points) == n + 1
        assert len(trace["update_norm"]) == len(trace["lr"]) == n
        assert trace.step.tolist() == list(range(n + 1))


def test_with_a_tolerance_explicit_steps_are_a_budget() -> None:
    trace = ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=500, tol_grad=1e-3)
    assert trace.steps < 50
    assert trace.outcome.kind == "converged"


def test_a_stop_rule_holds_at_the_same_step_whatever_the_chunks() -> None:
    """In one compiled call, and a step at a time from Python."""
    f = ds.descend(lambda p: jnp.sum(p**2), [4.0, 3.0], ds.sgd(lr=0.01), tol_grad=1e-3)
    g = ds.descend(slowly, [4.0, 3.0], ds.sgd(lr=0.01), tol_grad=1e-3, grad=lambda p: 2 * p)
    expected = next(n for n in range(1000) if 10 * 0.98**n <= 1e-3)
    assert f.steps == g.steps == expected
    assert np.array_equal(f.points[-1], f.point)
    assert np.array_equal(g.points[-1], g.point)
    assert f.state["t"] == g.state["t"] == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps must be a whole number of at least 1; got 0"),
        ({"steps": 2.5}, "steps must be a whole number"),
        ({"steps": True}, "steps must be a whole number"),
        ({"tol_grad": -1}, "tol_grad must be a finite number of at least 0"),
        ({"tol_loss": math.nan}, "tol_loss must be a finite number of at least 0"),
        ({"tol_loss": "a"}, "tol_loss must be a finite number of at least 0"),
        ({"optimizer": "adam"}, "an optimizer is a rule with its hyperparameters, such as adam(lr=0.1); got 'adam'"),
        ({"start": [4]}, "has 2 variables (x, y) and starts at one number for each; the start has 1 number"),
        ({"start": [[4, 3]]}, "the start is nested"),
        ({"start": {"x": 4}}, "the start names x"),
        ({"start": [4, math.nan]}, "the start point must be finite"),
        ({"start": "4,3"}, "the start point must be real numbers"),
        ({"start": [4, 1j]}, "the start point must be real numbers"),
        ({"start": None}, "a start point is needed: one number for each of x, y"),
        ({"objective": 3}, "an objective is an expression"),
    ],
)
def test_bad_input_is_one_sentence(options: dict[str, Any], words: str) -> None:
    given_ = {"objective": BOWL, "start": [4, 3], "optimizer": ds.sgd(lr=0.1)} | options
    with pytest.raises(ds.DescendError) as caught:
        ds.descend(**given_)
    assert words in str(caught.value)


@pytest.mark.parametrize("lr", [0, -0.1, math.nan, math.inf, "fast"])
def test_a_rate_is_a_positive_number(lr: Any) -> None:
    with pytest.raises(ds.DescendError, match="sgd's lr"):
        ds.sgd(lr=lr)


@pytest.mark.parametrize(("name", "told"), [("lamb", True), ("lars", True), ("adam", False)])
def test_a_rule_made_for_matrices_remarks_on_a_vector(name: str, told: bool) -> None:
    trace = ds.descend("x**2 + 3*y**2", [4, 3], getattr(ds, name)(lr=0.1), steps=3)
    assert any(note.startswith(f"{name} scales each array as a whole") for note in trace.notes) is told
    matrix = ds.descend(lambda p: (p**2).sum(), np.ones((2, 3)), getattr(ds, name)(lr=0.1), steps=3)
    assert matrix.notes == ()
