"""The surface beneath a path: levels, downhill directions, level points, users' functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from descend.figures.data import Box
from descend.figures.field import contour_levels, count_of_basins, evaluator, field_on, slopes, stationary_near
from descend.objectives import Objective, resolve

square = Box(np.array([-5.0, -5.0]), np.array([5.0, 5.0]))


def surface(text):
    values = evaluator(resolve(text), 2)
    assert values is not None
    return values


@given(arrays(np.float64, (20, 20), elements=st.floats(-1e100, 1e100) | st.just(float("nan"))))
def test_levels_are_finite_increasing_and_above_the_minimum(values):
    levels = contour_levels(values)
    assert np.isfinite(levels).all()
    assert np.all(np.diff(levels) > 0)
    if len(levels):
        assert levels[0] >= np.nanmin(values)
        assert levels[-1] <= np.nanmax(values)


def test_levels_of_a_bowl_are_evenly_spaced_rings():
    x, y = np.meshgrid(np.linspace(-5, 5, 201), np.linspace(-5, 5, 201))
    radii = np.sqrt(contour_levels(x**2 + y**2, 0.0))
    gaps = np.diff(radii)
    assert gaps.max() < 2.5 * gaps.min()
    assert len(radii) == 14


def test_levels_reach_down_to_the_floor_of_a_steep_valley():
    x, y = np.meshgrid(np.linspace(-2, 2, 201), np.linspace(-1, 3, 201))
    levels = contour_levels((1 - x) ** 2 + 100 * (y - x**2) ** 2, 0.0)
    assert levels[0] < 1
    assert levels[-1] > 500


def test_a_restless_surface_is_drawn_quietly():
    quiet = field_on(surface("x² + y²"), square)
    restless = field_on(surface("20 + x² - 10cos(2pi x) + y² - 10cos(2pi y)"), square)
    valley = field_on(surface("(1-x)^2 + 100(y-x^2)^2"), square)
    assert count_of_basins(quiet.values) <= 1
    assert count_of_basins(valley.values) <= 1
    assert 50 < count_of_basins(restless.values) <= 121  # one near each pair of whole numbers
    assert len(valley.levels) == len(quiet.levels)
    assert len(restless.levels) < len(quiet.levels)
    assert len(restless.arrows) == len(restless.downhill) == 0
    assert len(quiet.arrows) == len(quiet.downhill) > 100


def test_a_constant_has_no_levels():
    assert len(contour_levels(np.full((9, 9), 7.0))) == 0
    assert len(field_on(surface("0x + 0y + 7"), square).levels) == 0


@pytest.mark.parametrize(
    ("text", "gradient"),
    [
        ("x² + 3y²", lambda x, y: (2 * x, 6 * y)),
        ("3x² + 2x*y + y³", lambda x, y: (6 * x + 2 * y, 2 * x + 3 * y**2)),
        ("sin(x) + cos(y)", lambda x, y: (np.cos(x), -np.sin(y))),
    ],
)
def test_arrows_point_against_the_gradient(text, gradient):
    field = field_on(surface(text), square)
    slope = np.stack(gradient(*field.arrows.T), axis=1)
    size = np.hypot(*slope.T)
    steep = size > 0.3
    assert steep.sum() > 100
    assert np.abs(field.downhill + slope / size[:, None])[steep].max() < 0.05
    assert np.hypot(*field.downhill.T) == pytest.approx(np.ones(len(size)))


def test_values_outside_the_domain_are_masked():
    field = field_on(surface("log(x) + y²"), square)
    assert np.isnan(field.values[:, field.x < 0]).all()
    assert np.isfinite(field.values[:, field.x > 0]).all()
    assert np.isfinite(field.arrows).all()
    assert np.isfinite(field.downhill).all()


@given(
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
    st.floats(-0.9, 0.9),
    st.floats(-4, 4),
    st.floats(-4, 4),
)
def test_the_minimum_of_a_quadratic_is_found(cx, cy, a, b, share, x0, y0):
    c = share * np.sqrt(a * b)

    def values(p):
        dx, dy = p[:, 0] - cx, p[:, 1] - cy
        return a * dx**2 + b * dy**2 + 2 * c * dx * dy + 5

    found = stationary_near(values, np.array([x0, y0]), 2.0)
    assert found is not None
    assert found.kind == "minimum"
    assert found.point == pytest.approx([cx, cy], abs=1e-5)
    assert found.value == pytest.approx(5, abs=1e-8)


def test_level_points_are_told_apart():
    rosenbrock = stationary_near(surface("(1-x)^2 + 100(y-x^2)^2"), np.array([-1.2, 1.0]), 2.0)
    assert rosenbrock is not None
    assert rosenbrock.point == pytest.approx([1, 1], abs=1e-4)
    saddle = stationary_near(surface("x² - y²"), np.array([1e-3, 0.0]), 3.0)
    assert saddle is not None
    assert saddle.kind == "saddle"
    assert stationary_near(surface("x + y"), np.array([1.0, 1.0]), 1.0) is None
    assert stationary_near(surface("exp(x) + y²"), np.array([0.0, 0.0]), 1.0) is None


def test_slopes_of_one_variable():
    values = evaluator(resolve("(x-3)²"), 1)
    assert values is not None
    assert slopes(values, np.array([0.0, 3.0, 6.0]), 1e-5) == pytest.approx([-6, 0, 6], abs=1e-8)


def elementwise(p):
    return p[0] ** 2 + 3 * p[1] ** 2


def summed(p):
    return sum(c**2 * k for c, k in zip(p.tolist(), (1, 3), strict=True))


def with_jax(p):
    import jax.numpy as jnp

    return jnp.sum(jnp.array([1.0, 3.0]) * p**2)


def reducing(p):
    """On (2, n) arrays it gives one number: only a check finds out."""
    return (p**2).sum() + 2 * p[1] ** 2


def picky(p):
    if p[0] < 0:
        raise ValueError("no")
    return float(p[0] ** 2 + 3 * p[1] ** 2)


@pytest.mark.parametrize(
    ("function", "backend"),
    [(elementwise, "jax"), (with_jax, "jax"), (summed, "numpy"), (reducing, "numpy"), (reducing, "jax"), (picky, "numpy")],
)
@pytest.mark.parametrize("n", [5, 400])
def test_users_functions_are_evaluated_point_for_point(function, backend, n):
    points = np.random.default_rng(0).uniform(-5, 5, (n, 2))
    values = evaluator(Objective(function, "f", "f", backend=backend), 2)
    assert values is not None
    expected = points[:, 0] ** 2 + 3 * points[:, 1] ** 2
    if function is picky:
        expected[points[:, 0] < 0] = np.nan
    assert values(points) == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert values(points[:3]) == pytest.approx(expected[:3], rel=1e-12, nan_ok=True)


def test_a_minibatch_loss_has_no_surface():
    assert evaluator(Objective(lambda p, key: p[0], "f", "f", stochastic=True), 2) is None
    assert evaluator(None, 2) is None
    assert evaluator(resolve("x² + y²"), 3) is None
