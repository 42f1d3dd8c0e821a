"""Fits against hand-derived loops, NumPy's least squares and the numbers a learner is promised."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend as ds
from descend.errors import DescendError
from descend.fitting import Scaling
from descend.objectives.data import DEMOS, dataset, five_demo, line_demo
from descend.objectives.regression import (
    expected_smoothness,
    least_squares,
    mse,
    mse_gradient,
    parameter_names,
    regression,
)
from descend.stability import curvature_at


def raw(demo: str, lr: float, steps: int) -> ds.Fit:
    return ds.fit(DEMOS[demo].make(), optimizer=ds.sgd(lr=lr), steps=steps, standardise=False)


def by_hand(x, y, lr: float, steps: int):
    """The loop of the first lesson: plain Python, gradients derived by hand. Losses before, (w, b) after each update."""
    w = b = 0.0
    n, told = len(x), []
    for _ in range(steps):
        errors = [w * a + b - c for a, c in zip(x, y, strict=True)]
        loss = sum(e * e for e in errors) / n
        dw = 2 / n * sum(e * a for e, a in zip(errors, x, strict=True))
        db = 2 / n * sum(errors)
        w, b = w - lr * dw, b - lr * db
        told.append((loss, w, b))
    return told


# -- the promised numbers -------------------------------------------------------------------------------------------------


def test_the_line_as_promised():
    fit = raw("line", 0.01, 200)
    losses = {0: 49.5459, 40: 1.6826, 80: 0.4559, 120: 0.1656, 160: 0.0969}
    after = {40: (2.134, 1.719), 80: (2.052, 2.391), 120: (2.011, 2.717), 160: (1.992, 2.876)}
    assert {k: round(float(fit.losses[k]), 4) for k in losses} == losses
    assert {k: tuple(fit.path[k + 1].round(3).tolist()) for k in after} == after
    assert (round(fit.coefficients[0], 3), round(fit.intercept, 3)) == (1.982, 2.952)
    exact = fit.least_squares
    assert (round(exact.coefficients[0], 4), round(exact.intercept, 4)) == (1.9727, 3.0267)
    assert round(curvature_limit(fit), 4) == 0.1276


def curvature_limit(fit) -> float:
    return fit.to_dict()["stability"]["lr_limit"]


def test_the_line_step_by_step_against_the_loop_by_hand():
    data = line_demo()
    fit = raw("line", 0.01, 200)
    told = np.array(by_hand(data.X[:, 0].tolist(), data.y.tolist(), 0.01, 200))
    assert np.allclose(fit.losses[:-1], told[:, 0], rtol=1e-12, atol=0)
    assert np.allclose(fit.path[1:], told[:, 1:], rtol=1e-12, atol=1e-14)


def test_a_rate_of_one_diverges_and_says_by_how_much():
    fit = raw("line", 1.0, 200)
    assert fit.trace.outcome.kind == "diverged"
    assert "left the range of numbers" in fit.trace.outcome.message
    told = fit.to_dict()
    assert round(told["stability"]["lr_limit"], 4) == 0.1276
    assert told["stability"]["ratio"] == pytest.approx(7.8368, abs=1e-4)
    assert "no use" in fit.conclusion()[0]
    assert json.loads(fit.to_json())["mse"] is None, "what is not finite is null in JSON"


def test_a_rate_too_small_has_not_brought_b_home():
    fit = raw("line", 1e-4, 200)
    assert (round(fit.coefficients[0], 2), round(fit.intercept, 2)) == (0.61, 0.17)
    fit = raw("line", 1e-4, 10_000)
    assert (round(fit.coefficients[0], 3), round(fit.intercept, 3)) == (2.030, 2.568)
    first, second = fit.conclusion()
    assert "b is 2.568 and belongs at 3.027" in first
    assert "99.982%" in second


@pytest.mark.parametrize("steps", [200, 10_000])
def test_the_steps_said_to_be_needed_are_enough_and_not_far_too_many(steps):
    fit = raw("line", 1e-4, steps)
    said = int(fit.conclusion()[1].split("about ")[1].split(" more")[0].replace(",", ""))
    assert "Arrived" in raw("line", 1e-4, steps + math.ceil(1.05 * said)).conclusion()[-1]
    assert "Not there" in raw("line", 1e-4, steps + int(0.95 * said)).conclusion()[0]


def test_a_parabola_is_beyond_a_line():
    fit = raw("curve", 0.01, 1000)
    assert (round(fit.coefficients[0], 3), round(fit.intercept, 2), round(fit.loss, 1)) == (1.694, 17.01, 197.2)
    assert fit.r2 < 0.1
    assert "Arrived" in fit.conclusion()[-1]


def test_five_points_as_promised():
    fit = raw("five", 0.01, 2000)
    assert (round(fit.coefficients[0], 5), round(fit.intercept, 5)) == (1.99984, 0.00059)
    assert round(curvature_limit(fit), 4) == 0.0845


# -- shapes and gradients -------------------------------------------------------------------------------------------------


def test_the_gradient_has_the_shape_of_the_weights():
    rng = np.random.default_rng(0)
    X, w, y = rng.standard_normal((100, 5)), rng.standard_normal(5), rng.standard_normal(100)
    by_formula = (2 / 100) * X.T @ (X @ w - y)
    assert by_formula.shape == (5,)
    gradient, slope = mse_gradient(X, y, w)
    assert gradient.shape == w.shape
    assert np.allclose(gradient, by_formula, rtol=1e-13)
    assert np.ndim(slope) == 0


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([1, 2, 5, 8]), st.sampled_from([2, 30]), st.integers(0, 2**32 - 1))
def test_the_objective_and_its_slope_for_any_number_of_features(d, n, seed):
    """JAX's gradient against the hand-derived one and against finite differences of a loop over rows."""
    import jax

    rng = np.random.default_rng(seed)
    X, y, p = rng.standard_normal((n, d)), rng.standard_normal(n), rng.standard_normal(d + 1)
    goal = regression(X, y)
    with jax.enable_x64(True):
        value, slope = jax.value_and_grad(goal.fun)(p)
    value, slope = float(value), np.asarray(slope)

    def loop(q) -> float:
        return sum((sum(X[i, j] * q[j] for j in range(d)) + q[d] - y[i]) ** 2 for i in range(n)) / n

    assert value == pytest.approx(loop(p), rel=1e-12)
    assert value == pytest.approx(mse(X, y, p[:-1], p[-1]), rel=1e-12)
    w, b = mse_gradient(X, y, p[:-1], p[-1])
    assert np.allclose(slope, [*w, b], rtol=1e-11, atol=1e-12)
    for k in range(d + 1):
        h = np.zeros(d + 1)
        h[k] = 1e-5
        assert slope[k] == pytest.approx((loop(p + h) - loop(p - h)) / 2e-5, rel=1e-6, abs=1e-6)


def test_the_curvature_is_that_of_the_design():
    data = five_demo()
    design = np.column_stack([data.X, np.ones(5)])
    found = curvature_at(regression(data.X, data.y), np.zeros(2))
    assert np.allclose(found.eigenvalues, np.linalg.eigvalsh(2 / 5 * design.T @ design), rtol=1e-12)


# -- standardising is undone ----------------------------------------------------------------------------------------------

UNITS = st.floats(-6, 6).map(lambda e: 10.0**e)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([1, 2, 4]), st.integers(0, 2**32 - 1), st.lists(UNITS, min_size=5, max_size=5), st.floats(-3, 3))
def test_a_converged_standardised_fit_is_the_plain_least_squares(d, seed, units, shift):
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((60, d)) + shift) * np.array(units[:d])
    y = (X / np.array(units[:d]) @ rng.standard_normal(d) + 0.1 * rng.standard_normal(60) + shift) * units[4]
    fit = ds.fit(X, y, ds.sgd(lr=0.2), steps=400)
    w, b, scale = fit.coefficients, fit.intercept, y.std()
    design = np.column_stack([X / units[:d], np.ones(60)])
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    assert np.allclose(w * units[:d], best[:-1], rtol=0, atol=1e-9 * scale)
    assert abs(b - best[-1]) <= 1e-9 * scale
    assert np.allclose(fit.predict(X), design @ best, rtol=0, atol=1e-9 * scale)
    assert fit.loss == pytest.approx(float(np.mean((design @ best - y) ** 2)), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_scaling_there_and_back(d, seed):
    rng = np.random.default_rng(seed)
    data = dataset(
        rng.standard_normal((20, d)) * 10.0 ** rng.uniform(-4, 4, d) + rng.standard_normal(d), rng.standard_normal(20) * 50
    )
    scaling = Scaling.standard(data)
    X, y = scaling.apply(data)
    assert np.all(abs(X.mean(axis=0)) <= 1e-15 * (1 + abs(scaling.centre) / scaling.scale))
    assert np.allclose([*X.std(axis=0), y.std()], 1)
    p = rng.standard_normal((3, d + 1))
    own = scaling.undo(p)
    rounding = 1e-14 * (1 + (abs(scaling.centre) / scaling.scale).sum()) * abs(p).max()
    assert np.allclose(scaling.do(own), p, rtol=0, atol=rounding)
    for q, o in zip(p, own, strict=True):  # the same predictions, in either units
        mine = scaling.y_centre + scaling.y_scale * (X @ q[:-1] + q[-1])
        assert np.allclose(mine, data.X @ o[:-1] + o[-1], rtol=0, atol=rounding * scaling.y_scale)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_least_squares_leaves_residuals_at_right_angles(d, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((40, d)) + 3, rng.standard_normal(40)
    found = least_squares(X, y)
    r = X @ found.coefficients + found.intercept - y
    assert np.allclose(X.T @ r, 0, atol=1e-10)
    assert abs(r.sum()) < 1e-10
    assert found.full_rank


def test_undetermined_coefficients_are_said_and_the_smallest_answer_is_reached():
    x = np.linspace(-1, 1, 20)
    X, y = np.column_stack([x, 2 * x]), 3 * x + 1
    found = least_squares(X, y)
    assert (found.rank, found.parameters, found.full_rank) == (2, 3, False)
    design = np.column_stack([X, np.ones(20)])
    assert np.allclose([*found.coefficients, found.intercept], np.linalg.pinv(design) @ y, atol=1e-12)
    fit = ds.fit(X, y, ds.sgd(lr=0.2), steps=500, standardise=False)
    assert np.allclose(fit.coefficients, found.coefficients, atol=1e-9), "from zero, descent finds the answer of least norm"
    assert "1 direction undetermined" in fit.conclusion()[0]
    few = ds.fit([[1.0, 0.0], [0.0, 1.0]], [1.0, 3.0], ds.sgd(lr=0.2), steps=50)
    assert not few.least_squares.full_rank, "two rows do not determine three coefficients"


# -- the fit --------------------------------------------------------------------------------------------------------------


def test_the_predicted_rate_is_used_and_said():
    fit = ds.fit(line_demo(), steps=100)
    assert fit.trace.config["lr_predicted"]
    assert fit.optimizer.hyperparameters["lr"] == 0.5
    assert fit.lr_reason
    stated = ds.fit(line_demo(), lr=0.1, steps=100)
    assert not stated.trace.config["lr_predicted"]
    assert stated.optimizer.hyperparameters["lr"] == 0.1
    own = ds.fit(line_demo(), optimizer=ds.sgd(lr=0.2), lr=0.1, steps=100)
    assert own.optimizer.hyperparameters["lr"] == 0.2


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop", "adam"])
def test_every_optimizer_reaches_least_squares_at_its_predicted_rate(name):
    fit = ds.fit(line_demo(), optimizer=getattr(ds, name))
    tolerance = 0.05 if name == "rmsprop" else 1e-6  # it hovers at the size of its rate
    assert fit.loss - fit.least_squares.mse <= tolerance * fit.data.y.var()


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_the_target_unit_changes_nothing_but_the_unit(name):
    data = line_demo()
    one, other = (ds.fit(data.X, unit * data.y, getattr(ds, name)) for unit in (1, 1e6))
    assert one.trace.outcome.kind == other.trace.outcome.kind == "converged"
    assert other.coefficients[0] == pytest.approx(1e6 * one.coefficients[0], rel=1e-5)
    assert other.loss == pytest.approx(1e12 * one.loss, rel=1e-9)


def test_a_start_in_the_data_units_and_predictions():
    fit = ds.fit([1, 2, 3, 4, 5], [2, 4, 6, 8, 10], ds.sgd(lr=0.01), steps=1, start=[2, 0])
    assert np.allclose(fit.path[0], [2, 0], atol=1e-12)
    assert fit.losses[0] == pytest.approx(0, abs=1e-24)
    assert np.allclose(fit.predict([6, 7]), [12, 14])
    assert fit.predict(np.ones((4, 1))).shape == (4,)
    with pytest.raises(DescendError, match="1 feature"):
        fit.predict(np.ones((4, 2)))
    two = ds.fit(np.random.default_rng(0).standard_normal((9, 2)), np.arange(9.0), ds.sgd(lr=0.1), steps=5)
    assert two.predict([1.0, 2.0]).shape == (1,)
    with pytest.raises(DescendError, match="2 features"):
        two.predict([1.0, 2.0, 3.0])


def test_a_fit_prints_itself_and_is_strict_json():
    fit = ds.fit({"a": [1, 2, 3, 5], "b": [3, 1, 4, 1], "y": [2, 4, 6, 11]}, "y", steps=5, lr=0.1)
    text = str(fit)
    assert repr(fit).startswith("Fit(y = w1·a + w2·b + b0: MSE ")
    assert text.startswith("y = w1·a + w2·b + b0\n")
    assert "least squares" in text
    told = json.loads(fit.to_json())
    assert list(told["coefficients"]) == ["a", "b"]
    assert told["intercept"] == fit.intercept
    assert told["loss"]["first"] == pytest.approx(np.var([2, 4, 6, 11]))
    assert told["data"]["rows"] == 4
    assert told["steps"] == 5


def test_many_features_have_no_path_but_a_fit():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 70))
    fit = ds.fit(X, X @ np.arange(70.0), steps=300)
    assert fit.path is None
    assert np.allclose(fit.coefficients, np.arange(70), atol=0.5)
    assert len(fit.names) == 71


def test_names_of_parameters_avoid_those_of_the_data():
    assert parameter_names(["w"]) == ("k1", "b")
    assert not set(parameter_names(["w1", "b"])) & {"w1", "b"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"batch_size": 2.5}, "batch_size must be a whole number"),
        ({"model": "cubist"}, "there is no model 'cubist'"),
        ({"start": [1]}, "one finite number for each of w, b"),
        ({"start": [1, math.nan]}, "one finite number"),
        ({"lr": -1}, "above 0"),
        ({"steps": 0}, "steps must be a whole number"),
        ({"optimizer": "adam"}, "an optimizer such as"),
    ],
)
def test_options_that_cannot_work(options, words):
    with pytest.raises(DescendError, match=words):
        ds.fit(line_demo(), **options)


def test_values_whose_squares_leave_the_range_of_numbers():
    with pytest.raises(DescendError, match="give them in another unit"):
        ds.fit([1e200, 2e200, 5e200], [1, 2, 3])
    fit = ds.fit([1e200, 2e200, 5e200], [1, 2, 3], standardise=False, lr=0.1, steps=5)
    assert fit.trace.outcome.kind in ("diverged", "failed")


# -- batches --------------------------------------------------------------------------------------------------------------


def batched(**options):
    settings_ = {"steps": 60, "lr": 0.05, "batch_size": 10, "seed": 1} | options
    return ds.fit(line_demo(), **settings_)


def test_same_seed_same_bits_other_seed_other_bits():
    one, again, other = batched(), batched(), batched(seed=2)
    assert one.trace.loss.tobytes() == again.trace.loss.tobytes()
    assert one.trace.points.tobytes() == again.trace.points.tobytes()
    assert one.trace.loss.tobytes() != other.trace.loss.tobytes()
    assert one.intercept != other.intercept


@pytest.mark.parametrize("size", [100, 1000])
def test_a_batch_of_all_rows_is_no_batch(size):
    one, none = batched(batch_size=size), batched(batch_size=None)
    assert one.trace.points.tobytes() == none.trace.points.tobytes()
    assert one.batch_size is None


def test_a_step_on_a_batch_is_the_step_on_those_rows():
    """The first step's loss and gradient, from the rows its key draws, by the hand-derived formula."""
    import jax

    fit = batched(standardise=False, lr=0.01, batch_size=8, steps=1)
    data = line_demo()
    key = jax.random.fold_in(np.array([0, 1], dtype=np.uint32), 0)
    rows = np.asarray(jax.random.randint(key, (8,), 0, 100, dtype="int32"))
    w, b = mse_gradient(data.X[rows], data.y[rows], [0.0])
    assert fit.losses[0] == pytest.approx(mse(data.X[rows], data.y[rows], [0.0]), rel=1e-12)
    assert np.allclose(fit.path[1], [-0.01 * w[0], -0.01 * b], rtol=1e-12)


def test_the_mean_over_batches_is_the_loss_of_all_rows():
    import jax

    data = line_demo()
    goal, p = regression(data.X, data.y, batch_size=10), np.array([1.0, 0.5])
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.PRNGKey(0), 4000)
        losses = np.asarray(jax.jit(jax.vmap(lambda k: goal.fun(p, k)))(keys))
    full = mse(data.X, data.y, [1.0], 0.5)
    assert abs(losses.mean() - full) < 4 * losses.std() / math.sqrt(4000)


def test_the_reported_loss_is_that_of_all_rows_and_batches_come_close():
    fit = batched(lr=None, steps=None)
    data = line_demo()
    assert fit.loss == pytest.approx(mse(data.X, data.y, fit.coefficients, fit.intercept), rel=1e-12)
    assert fit.trace.steps == 1000
    assert fit.loss < 1.3 * fit.least_squares.mse
    assert "𝓛" in fit.lr_reason
    told = fit.to_dict()
    assert told["advice"] == [], "what holds for all rows is no advice for batches"
    assert f"1/(2𝓛) = {fit.optimizer.hyperparameters['lr']:.3g}" in told["why"][-1]


@pytest.mark.parametrize("batch", [1, 4, 32])
@pytest.mark.parametrize("seed", range(3))
def test_the_predicted_rate_for_batches_never_diverges(batch, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_t(3, (200, 3))  # heavy tails: some rows are far steeper than all rows together
    fit = ds.fit(X, X @ [1.0, -2.0, 3.0] + rng.standard_normal(200), batch_size=batch, steps=2000, seed=seed)
    assert fit.r2 > 0.5


def test_the_expected_smoothness_lies_between_that_of_all_rows_and_of_the_steepest():
    X = np.random.default_rng(0).standard_normal((50, 3))
    largest = curvature_at(regression(X, np.zeros(50)), np.zeros(4)).largest
    steepest = max(np.linalg.eigvalsh(2 * np.outer(row, row))[-1] for row in np.column_stack([X, np.ones(50)]))
    assert expected_smoothness(X, 1, largest) == pytest.approx(steepest)
    assert largest < expected_smoothness(X, 10, largest) < steepest
    assert expected_smoothness(X, 10**9, largest) == pytest.approx(largest)


@pytest.mark.parametrize(
    ("shape", "copies", "words"),
    [
        ((30, 1), 1, "one direction is flat"),
        ((30, 1), 2, "2 directions are flat"),
        ((5, 12), 0, "8 directions are flat"),
        ((40, 300), 0, "261 directions are flat"),
        ((400, 300), 0, "only the largest curvature is known"),
    ],
)
def test_a_rate_below_the_limit_is_explained_without_a_change_of_curvature(shape, copies, words):
    rng = np.random.default_rng(3)
    X = rng.normal(size=shape)
    X = np.hstack([X, *(k * X for k in range(2, copies + 2))])
    reason = ds.fit(X, rng.normal(size=shape[0]), steps=3).lr_reason
    assert reason.startswith("half the limit ")
    assert f", since {words}" in reason
    assert "the curvature changes" not in reason
