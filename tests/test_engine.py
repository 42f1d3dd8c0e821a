"""What compiled code is found by, what a resumed descent takes over, and stop rules across chunks."""

from __future__ import annotations

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import descend as ds
from descend import again, compiled, engine
from descend.errors import DescendError
from descend.rules import OPTIMIZERS
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


def test_a_plan_kept_from_before_sees_every_changed_number():
    """Two descents that share a plan, against the same two with nothing to share."""
    first = ds.descend("rosenbrock", np.array([-1.2, 1.0]), ds.adam(lr=0.01), steps=30)
    others = [
        (np.array([0.5, -0.5]), {"lr": 0.01}, 30),
        (np.array([-1.2, 1.0]), {"lr": 0.02, "beta1": 0.8, "eps": 1e-3}, 7),
        (np.array([-1.2, 1.0]), {"lr": 0.01, "beta1": 0.0}, 30),
        (np.array([-1.2, 1.0]), {"lr": 0.01, "weight_decay": 0.1}, 30),
        (np.array([-1.2, 1.0]), {"lr": 0.01, "clip_norm": 0.5}, 30),
        (np.array([-1.2, 1.0]), {"lr": 0.01, "maximize": True}, 5),
        (np.array([-1.2, 1.0]), {"lr": ds.cosine(0.01, 30)}, 30),
    ]
    for start, values, steps in others:
        kept = ds.descend("rosenbrock", start, ds.adam(**values), steps=steps)
        anew = ds.descend(lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2, start, ds.adam(**values), steps=steps)
        np.testing.assert_allclose(kept.points, anew.points, rtol=1e-12, atol=1e-12)
        assert not np.array_equal(kept.points[-1], first.points[-1])
        assert {k: v.shape for k, v in kept.state["slots"][0].items()} == {
            k: v.shape for k, v in anew.state["slots"][0].items()
        }
    optimizer = ds.adam(lr=0.01)
    before = ds.descend("rosenbrock", np.array([-1.2, 1.0]), optimizer, steps=30)
    optimizer.values["lr"] = 0.02
    after = ds.descend("rosenbrock", np.array([-1.2, 1.0]), optimizer, steps=30)
    assert np.array_equal(before.points, first.points)
    assert not np.array_equal(before.points[1], after.points[1])


def test_rules_whose_slots_begin_at_the_parameters_are_not_begun_at_anothers():
    for name in ("schedule_free_sgd", "prodigy", "asgd"):
        starts = [np.array([-1.2, 1.0]), np.array([0.3, 0.4])]
        kept = [ds.descend("rosenbrock", start, OPTIMIZERS[name](), steps=20) for start in starts]
        anew = ds.descend(lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2, starts[1], OPTIMIZERS[name](), steps=20)
        if "lr" not in OPTIMIZERS[name].hyperparameters or not kept[1].config["lr_predicted"]:
            np.testing.assert_allclose(kept[1].points, anew.points, rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(kept[1].points[0], starts[1])


def test_traces_of_one_program_share_no_memory():
    traces = [ds.descend("rosenbrock", np.array([-1.2, k]), ds.adam(lr=0.01), steps=40) for k in (1.0, 2.0, 3.0)]
    seen = [t.points.copy() for t in traces]
    traces[1].points[:] = 0.0
    traces[1].loss[:] = 0.0
    ds.descend("rosenbrock", np.array([-1.2, 4.0]), ds.adam(lr=0.01), steps=400)
    np.testing.assert_array_equal(traces[0].points, seen[0])
    np.testing.assert_array_equal(traces[2].points, seen[2])
    for trace, start in ((traces[0], 1.0), (traces[2], 3.0)):
        again = ds.descend("rosenbrock", np.array([-1.2, start]), ds.adam(lr=0.01), steps=40)
        np.testing.assert_array_equal(trace.loss, again.loss)
        np.testing.assert_array_equal(trace.point, trace.points[-1])


def test_the_last_row_is_that_of_a_longer_descent():
    """It is worked out in the same call, from the point reached, and its update is not made."""
    for steps in (1, 5, 4095, 4096, 4097, 16_384, 16_385):
        short = ds.descend("rosenbrock", np.array([-1.2, 1.0]), ds.adam(lr=0.01), steps=steps)
        long = ds.descend("rosenbrock", np.array([-1.2, 1.0]), ds.adam(lr=0.01), steps=steps + 3)
        np.testing.assert_array_equal(short.loss, long.loss[: steps + 1])
        np.testing.assert_array_equal(short.grad_norm, long.grad_norm[: steps + 1])
        np.testing.assert_array_equal(short.point, long.points[steps])
        assert short.state["t"] == steps


def test_the_slope_of_the_loss_and_the_shape_of_a_row_make_no_difference_to_where_a_rule_stops():
    for where in (1, 2, 100, 999, 1000):
        whole = ds.descend("x^2 + 3y^2", [4, 3], ds.sgd(lr=0.01), steps=1000)
        bound = float(whole.grad_norm[where])
        for budget in (where, where + 1, 1000):
            trace = ds.descend("x^2 + 3y^2", [4, 3], ds.sgd(lr=0.01), steps=budget, tol_grad=bound)
            assert (trace.steps, trace.outcome.kind) == (where, "converged")
            np.testing.assert_array_equal(trace.points, whole.points[: where + 1])
            np.testing.assert_array_equal(trace.point, whole.points[where])


@pytest.mark.parametrize("huge", [1e160, 1e300])
def test_gradients_whose_squares_overflow_are_finite_all_the_same(huge):
    trace = ds.descend(lambda p: huge * (p[0] + p[1]), [1e-3, 1e-3], ds.sgd(lr=1e-310), steps=3)
    np.testing.assert_allclose(trace.grad_norm, np.sqrt(2) * huge, rtol=1e-15)
    assert trace.steps == 3


@pytest.mark.parametrize("dtype", [jnp.bfloat16, np.float16, np.float32])
def test_rules_that_report_another_point_keep_narrow_types(dtype):
    trace = ds.descend(lambda p: jnp.sum(p**2), jnp.asarray([4.0, 3.0], dtype), ds.schedule_free_sgd(lr=0.1), steps=20)
    assert trace.point.dtype == jnp.dtype(dtype)
    assert trace.loss[-1] < 0.5 * trace.loss[0]


@pytest.mark.parametrize("name", ["sgd", "adam", "nadam", "ademamix", "radam", "lamb", "asgd", "schedule_free_adamw"])
def test_the_loop_of_a_small_descent_is_one_function(monkeypatch, name):
    """Twenty times faster than an operation at a time. Radam's and lamb's are, only where arrays are carried."""
    chosen = []

    def choose(forms, *arguments, plain=compiled._one_function):
        chosen.append((plain(forms, *arguments), arguments))
        return chosen[-1][0]

    monkeypatch.setattr(compiled, "_one_function", choose)
    for cache in (compiled._loops, engine._plans, again._kept):
        cache.clear()
    ds.descend("exp(x) + 3y^2 - x*y", [0.5, 3.0], OPTIMIZERS[name](lr=1e-3), steps=5)
    (form, arguments), *more = chosen
    assert not more
    shapes = jax.tree_util.tree_map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), arguments)
    with jax.enable_x64(True):
        assert "xla_cpu_small_call" in form.lower(*shapes).compile().as_text()


@pytest.mark.parametrize("fun", ["rosenbrock", lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2])
@pytest.mark.parametrize("name", ["adam", "schedule_free_sgd", "asgd"])
def test_where_a_descent_ended_is_where_the_same_number_of_updates_end(name, fun):
    """The last row may come with an update too many; the point and the state are those before it."""
    optimizer = OPTIMIZERS[name](lr=1e-3)
    p, state = np.array([-1.2, 1.0]), None
    state = optimizer.init(p)
    slope = jax.grad(lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2)
    for _ in range(9):
        with jax.enable_x64(True):
            g = np.asarray(slope(p))
        p, state = optimizer.step(p, g, state)
    for _ in range(4):  # the long way twice, found again twice
        trace = ds.descend(fun, [-1.2, 1.0], optimizer, steps=9)
        assert trace.state["t"] == 9
        np.testing.assert_allclose(trace.point, p, rtol=1e-12)
        for key, value in trace.state["slots"][0].items():
            np.testing.assert_allclose(value, state["slots"][0][key], rtol=1e-11, atol=1e-300)


def test_what_descents_share_cannot_be_written_to():
    traces = [ds.descend("rosenbrock", [-1.2, 1.0], ds.adam(lr=0.003), steps=7) for _ in range(4)]
    for trace in traces:
        for column in (trace.columns["loss"].step, trace.columns["update_norm"].step, trace["lr"]):
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 5
        trace.loss[0] = -1.0  # its own
    assert ds.descend("rosenbrock", [-1.2, 1.0], ds.adam(lr=0.003), steps=7).loss[0] > 0
