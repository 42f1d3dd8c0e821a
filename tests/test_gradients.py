"""Checking anybody's gradient, and deriving an expression's."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descend.errors import DescendError
from descend.gradients import check_gradient, describe, difference_table
from descend.gradients.calculus import chain_check, rules_used
from descend.gradients.layout import number
from descend.objectives import parse


def bowl(p):
    return p[0] ** 2 + 3 * p[1] ** 2


RNG = np.random.default_rng(0)
X, W, Y = RNG.normal(size=(100, 5)), RNG.normal(size=5), RNG.normal(size=100)


def mse(w):
    return np.mean((X @ w - Y) ** 2)


def mse_slope(w):
    return 2 / 100 * X.T @ (X @ w - Y)


# --- the numbers the lessons print ----------------------------------------------------------------------------------------


def test_secants_of_the_parabola():
    table = difference_table(lambda p: p[0] ** 2, [2.0], [1.0], hs=[0.1, 0.01, 0.001])
    assert [number(float(row.forward[0])) for row in table.rows] == ["2.1", "2.01", "2.001"]
    text = str(describe("x^2", [1.0]))
    assert all(f" {slope} " in text for slope in ("2.1", "2.01", "2.001"))
    for framing in ("rate of change", "tangent", "sensitivity"):
        assert framing in text
    assert "the line 1.0 + 2.0·(x − 1)" in text
    assert "wiggle x by 0.001 and f moves by about 0.002" in text


def test_rules_of_a_polynomial():
    derivation = describe("5x³−2x+7", [1.0])
    assert derivation.partials[0].text == "15x² − 2"
    assert [rule.name for rule in derivation.rules] == ["constant", "constant factor", "power", "sum"]
    assert all(rule.why in str(derivation) for rule in derivation.rules)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("x*y", ["product"]),
        ("x/y", ["quotient"]),
        ("x/3", ["constant factor"]),
        ("e^x", ["exponential"]),
        ("2^x", ["exponential"]),
        ("ln(x)", ["logarithm"]),
        ("exp(2x)", ["constant factor", "chain", "exponential"]),
        ("(3x+1)^2", ["constant", "constant factor", "power", "sum", "chain"]),
        ("|x| + relu(y)", ["sum", "kink"]),
        ("sqrt(x)", ["root"]),
        ("x^2 * 3 * 4", ["constant factor", "power"]),
        ("tanh(x)", ["sigmoid"]),
        ("x^2 + (1+2)^2", ["constant", "power", "sum"]),
    ],
)
def test_rules_found(typed, names):
    assert [rule.name for rule in rules_used(parse(typed))] == names


def test_chain_rule_in_numbers():
    check = chain_check(parse("(3x+1)^2"), 0.0)
    assert check is not None
    assert (check.exact, check.forgotten, check.outer_slope, check.inner_slope, check.u) == (6.0, 2.0, 2.0, 3.0, 1.0)
    assert number(check.secant) == "6.09"
    text = str(describe("(3x+1)²", [0.0]))
    assert "6.09" in text
    assert "inner forgotten" in text
    assert "8e-31" in text
    assert f"{0.25**50:.0e}" == "8e-31"
    assert chain_check(parse("x²"), 1.0) is None
    assert chain_check(parse("(x+y)²"), 1.0) is None


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["sin", "exp", "tanh", "ln", "sqrt", "erf"]), st.integers(1, 5), st.floats(0.1, 2))
def test_chain_product_is_the_derivative(outer, k, x):
    typed = f"{outer}({k}x^2 + 1)"
    check = chain_check(parse(typed), x)
    assert check is not None
    assert check.exact == pytest.approx(float(describe(typed, [x]).gradient[0]), rel=1e-9, abs=1e-300)
    assert check.forgotten * 2 * k * x == pytest.approx(check.exact, rel=1e-12, abs=1e-300)


def test_partial_derivatives():
    derivation = describe("3x²+2xy+y³", [1.0, 2.0])
    assert [p.text for p in derivation.partials] == ["6x + 2y", "2x + 3y²"]
    assert derivation.gradient.tolist() == [10.0, 14.0]
    np.testing.assert_allclose(derivation.steepest, np.array([10, 14]) / math.hypot(10, 14))
    assert "steepest ascent (0.5812, 0.8137)" in str(derivation)


def test_forward_and_central_differences():
    derivation = describe("x² + 3y²", [4.0, 3.0])
    assert derivation.gradient.tolist() == [8.0, 18.0]
    row = next(row for row in derivation.table.rows if row.h == 1e-4)
    assert number(float(row.forward[1])) == "18.0003"
    assert number(float(row.central[1])) == "18.0"
    assert " 18.0003 " in str(derivation)
    errors = [row.forward_error for row in derivation.table.rows]
    assert errors[0] > 100 * errors[3] > 0  # it falls with h
    rough = describe("exp(x) + y", [1.0, 0.0]).table
    best = rough.best().h
    assert 1e-7 < best < 1e-3  # and rises again when rounding takes over
    assert rough.rows[-1].central_error > 10 * rough.best().central_error


def test_shapes():
    check = check_gradient(mse, mse_slope, W)
    assert check
    assert check.total == 5
    for wrong, hint in [
        (lambda w: 2 / 100 * (X @ w - Y), "multiply by Xᵀ"),
        (lambda w: mse_slope(w)[:, None], r"reshape it to \(5,\)"),
        (lambda w: 2 * X * (X @ w - Y)[:, None], "sum or average over its first axis"),
    ]:
        check = check_gradient(mse, wrong, W)
        assert check.ok is False
        assert "the point (5,): the gradient of a scalar loss has the shape of its parameters" in check.message
        with pytest.raises(AssertionError):
            assert check
        assert re.search(hint, check.message)
    with pytest.raises(DescendError, match=r"returned shape \(100,\); a gradient belongs to one number"):
        check_gradient(lambda w: (X @ w - Y) ** 2, mse_slope, W)


# --- what is wrong --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (lambda p: [2 * p[0], -6 * p[1]], "x[1] is wrong: −18.0 given, the slope is 18.0; the sign is flipped"),
        (lambda p: [2 * p[0], 12 * p[1]], "x[1] is wrong: 36.0 given, the slope is 18.0; yours is twice the slope"),
        (lambda p: [p[0], 6 * p[1]], "x[0] is wrong: 4.0 given, the slope is 8.0; yours is half the slope"),
        (lambda p: [2 * p[0], 0.0], "x[1] is wrong: 0.0 given, the slope is 18.0; yours is 0 where the slope is not"),
        (lambda p: [6 * p[1], 2 * p[0]], "the slopes of x[0], x[1] are in each other's places"),
        (lambda p: [2.01 * p[0], 6.01 * p[1]], "the difference is 0.01 times the point: a weight decay term on one side only"),
        (lambda p: [2 * p[0] + 1, 6 * p[1] + 1], "every wrong one is off by the same 1.0"),
        (lambda p: [200 * p[0], 600 * p[1]], "yours is 100 times the slope (a sum where the loss has a mean?)"),
        (lambda p: [0.02 * p[0], 0.06 * p[1]], "yours is 1/100 of the slope (a mean where the loss has a sum?)"),
        (lambda p: [2 * p[0], math.nan], "x[1] is wrong: not finite given, the slope is 18.0; it is not finite"),
    ],
)
def test_names_the_coordinate_and_the_mistake(gradient, message):
    check = check_gradient(bowl, gradient, [4.0, 3.0])
    assert check.ok is False
    assert message in check.message
    assert check.message in str(check)
    json.dumps(check.to_dict(), allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(0, 10**6),
    st.sampled_from(["right", "sign", "scale", "one"]),
    st.floats(1e-3, 1e3),
)
def test_right_is_right_and_wrong_is_wrong(n, seed, mistake, unit):
    """Random quartics in random units: never a false alarm, never a miss of one part in a hundred."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n))
    x = unit * (rng.uniform(0.5, 2, n) * rng.choice([-1, 1], n))

    def f(p):
        return float(np.sum((a @ p) ** 2) + np.sum(np.cos(p / unit)) + 3)

    def grad(p):
        g = 2 * a.T @ (a @ p) - np.sin(p / unit) / unit
        if mistake == "sign":
            return -g
        if mistake == "scale":
            return 1.01 * g
        if mistake == "one":
            g[-1] += 0.01 * np.max(np.abs(g))
        return g

    check = check_gradient(f, grad, x)
    assert check.ok is (mistake == "right"), str(check)
    if mistake == "one":
        assert {c.name for c in check.wrong} == {f"x[{n - 1}]"}


def test_kinks_are_not_mistakes():
    for slope in (-1.0, 0.0, 0.3, 1.0):
        check = check_gradient(lambda p: abs(p[0]) + p[1] ** 2, lambda p, s=slope: [s, 2 * p[1]], [0.0, 3.0])
        assert check, str(check)
        assert "x[0] stands on a kink" in check.message
    assert not check_gradient(lambda p: abs(p[0]) + p[1] ** 2, lambda p: [1.5, 2 * p[1]], [0.0, 3.0])
    assert check_gradient(lambda p: abs(p[0]), lambda p: [1.0], [1e-3])
    # with a long step a smooth curve's two sides differ as well: that is no kink and excuses nothing
    assert check_gradient(lambda p: p[0] ** 2, lambda p: [2.05], [1.0], h=0.1).ok is False


def test_single_precision_inside_is_not_called_wrong():
    x, y = X.astype(np.float32), Y.astype(np.float32)

    def f(w):
        return float(np.mean((x @ w.astype(np.float32) - y) ** 2))

    assert check_gradient(f, mse_slope, W), str(check_gradient(f, mse_slope, W))
    assert not check_gradient(f, lambda w: 2 * mse_slope(w), W)


def test_cannot_tell():
    check = check_gradient(lambda x: np.sqrt(x), lambda x: np.inf, 0.0)
    assert check.ok is None
    assert not check
    assert check.message.startswith("cannot tell at x")
    with pytest.raises(DescendError, match="the function is not finite at the point"):
        check_gradient(lambda p: p[0] / np.zeros(1)[0], lambda p: p, [1.0])
    with pytest.raises(DescendError, match="the point holds a number that is not finite"):
        check_gradient(bowl, bowl, [np.nan, 1.0])
    with pytest.raises(DescendError, match="a step size h is a positive number"):
        check_gradient(bowl, bowl, [1.0, 1.0], h=0.0)
    with pytest.raises(DescendError, match="the point must hold numbers only"):
        check_gradient(bowl, bowl, {"a": "text"})


def test_many_coordinates_are_sampled_and_one_direction_catches_the_rest():
    x = np.random.default_rng(3).normal(size=1500)
    right = check_gradient(lambda w: np.sum(w**4), lambda w: 4 * w**3, x)
    assert right
    assert (len(right.coordinates), right.total) == (200, 1500)
    checked = {c.name for c in right.coordinates}
    outside = next(i for i in np.argsort(-np.abs(x)) if f"x[{i}]" not in checked)

    def wrong(w):
        g = 4 * w**3
        g[outside] *= 2
        return g

    check = check_gradient(lambda w: np.sum(w**4), wrong, x)
    assert check.ok is False
    assert "a coordinate outside the sample of 200 is wrong" in check.message


def test_torch_jax_and_trees():
    import jax
    import jax.numpy as jnp
    import torch

    xt, yt = torch.tensor(X), torch.tensor(Y)
    w = torch.tensor(W, dtype=torch.float32, requires_grad=True)
    check = check_gradient(lambda w: ((xt @ w - yt) ** 2).mean(), lambda w: 2 / 100 * xt.T @ (xt @ w - yt), w)
    assert check
    assert max(c.error for c in check.coordinates) < 1e-8  # float64 whatever the point came in
    loss = lambda w: jnp.mean((X @ w - Y) ** 2)  # noqa: E731
    check = check_gradient(loss, jax.grad(loss), jnp.asarray(W))
    assert check
    assert max(c.error for c in check.coordinates) < 1e-8
    assert not jax.config.jax_enable_x64
    tree = {"w": np.ones((2, 2)), "b": 3.0}
    f = lambda t: np.sum(t["w"] ** 2) * t["b"]  # noqa: E731
    assert check_gradient(f, lambda t: {"w": 2 * t["w"] * t["b"], "b": np.sum(t["w"] ** 2)}, tree)
    check = check_gradient(f, lambda t: {"w": 2 * t["w"], "b": np.sum(t["w"] ** 2)}, tree)
    assert {c.name for c in check.wrong} == {"w[0, 0]", "w[0, 1]", "w[1, 0]", "w[1, 1]"}
    assert "yours is 1/3 of the slope" in check.message
    assert "has 1 arrays, the point has 2" in check_gradient(f, lambda t: [t["w"]], tree).message


# --- describing -----------------------------------------------------------------------------------------------------------


def test_points_without_a_derivative_are_said():
    cusp = describe("sqrt(x²+y²)", [0.0, 0.0])
    assert cusp.table is None
    assert "there is no derivative at this point in x, y" in cusp.notes[0]
    assert cusp.to_dict()["gradient"]["value"] == [None, None]
    corner = describe("|x| + y", [0.0, 1.0])
    assert "in x the point stands on a kink: slope −1.0 to the left, 1.0 to the right" in corner.notes[0]
    outside = describe("ln(x)", [-1.0])
    assert "no finite value at this point" in outside.notes[0]
    assert "not finite" in str(outside)
    for derivation in (cusp, corner, outside):
        json.dumps(derivation.to_dict(), allow_nan=False)
    near_the_edge = describe("sqrt(x)", [1e-3])  # x − 0.1 has no root
    assert "not finite" in str(near_the_edge)
    assert near_the_edge.to_dict()["differences"][0]["central"] == [None]
    assert near_the_edge.table.best().central_error < 1e-8
    assert describe("|x|", [0.5]).notes == ()
    assert "the slope is zero" in str(describe("x³", [0.0]))


def test_wrong_points():
    for at, sentence in [
        ([1.0], r"takes 2 coordinates \(x, y\)"),
        ([1.0, np.inf], "not finite"),
        ([[1.0, 2.0]], r"shape \(1, 2\)"),
    ]:
        with pytest.raises(DescendError, match=sentence):
            describe("x² + y", at)
    with pytest.raises(DescendError, match="up to 50 are derived one by one"):
        describe("+".join(f"x{i}" for i in range(60)), [0.0] * 60)


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("relu(x)^2 + softplus(y) + sigmoid(x y)", [0.3, -0.7]),
        ("max(x, y, 2x) + min(x^2, y)", [0.9, 0.4]),
        ("cbrt(x) + hypot(x, y) + atan2(y, x)", [0.9, 0.4]),
        ("log2(x) + log10(y) + |x - y|^3", [0.9, 0.4]),
        ("asin(x) acos(y) + atan(x) + tan(y)", [0.3, 0.4]),
        ("asinh(x) + acosh(1+x) + atanh(y)", [0.3, 0.4]),
        ("sinh(x) cosh(y) + ceil(x) floor(y) + step(x)", [0.3, 0.4]),
        ("x^y + 2^x + π^x + τ y", [0.9, 0.4]),
        ("x^-3 / (1 + y^2) - (x y)^(1/3)", [0.9, 0.4]),
    ],
)
def test_every_function_is_derived_rightly(typed, at):
    derivation = describe(typed, at)
    assert check_gradient(derivation.expression, derivation.gradient, at), typed
    assert derivation.table.best().central_error < 1e-8


def test_lines_fit_a_terminal():
    for typed, at in [("x² + 3y²", [4, 3]), ("sin(x)tanh(y) + |x| + sqrt(y) + erf(x)/y", [1, 2]), ("exp(-x^2)", [1])]:
        lines = str(describe(typed, at)).split("\n")
        assert max(map(len, lines)) <= 120, max(lines, key=len)
        assert all(line == line.rstrip() for line in lines)
