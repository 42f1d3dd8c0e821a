"""The norms that descents write down, of gradients of any size and type."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import descend as ds
from descend.compiled import _norm
from descend.objectives.regression import regression
from descend.rows import norm

SIZES = {"float32": (1e-35, 1e-30, 1e-21, 1e-15, 1.0, 1e15, 1e30), "float64": (1e-150, 1.0, 1e150, 1e200, 1e300)}
SIZES["bfloat16"] = SIZES["float32"]


@pytest.mark.parametrize(("kind", "size"), [(kind, size) for kind, sizes in SIZES.items() for size in sizes])
@pytest.mark.parametrize("constant", [False, True])
def test_of_any_size(kind: str, size: float, constant: bool) -> None:
    with jax.enable_x64(kind == "float64"):
        x = jnp.array([3.0, -4.0], kind) * jnp.asarray(size, kind)
        found = jax.jit(lambda: _norm([x]))() if constant else jax.jit(lambda x: _norm([x]))(x)
        assert float(found) == pytest.approx(math.hypot(*map(float, x)), rel=1e-6, abs=0)
    assert norm(np.array(x, np.float64)) == pytest.approx(math.hypot(*map(float, x)), rel=1e-12, abs=0)


def test_of_arrays_of_two_types() -> None:
    start = {"a": np.ones(2), "b": np.ones(2, np.float32)}
    trace = ds.descend(lambda p: 1e25 * p["b"].sum() + p["a"].sum(), start, ds.sgd(lr=1e-30), steps=2)
    np.testing.assert_allclose(trace.grad_norm, math.sqrt(2) * 1e25, rtol=1e-6)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0])
def test_what_is_not_finite_or_zero_stays_so(value: float) -> None:
    expected = abs(value)
    for kind in ("float32", "float64"):
        with jax.enable_x64(kind == "float64"):
            np.testing.assert_equal(float(_norm([jnp.array([value, 0.0], kind)])), expected)
    np.testing.assert_equal(norm(np.array([value, 0.0])), expected)


def test_a_small_gradient_of_float32_is_no_stationary_point() -> None:
    trace = ds.descend(lambda p: (p**2).sum(), np.full(2, 1e-21, np.float32), ds.sgd(lr=0.1))
    assert trace.outcome is not None
    assert trace.steps > 10
    assert "stationary" not in trace.outcome.message


def test_data_are_handed_over_in_the_precision_of_the_moment() -> None:
    """float32 parameters on float64 data, with JAX's float64 switched off and on."""
    goal: Any = regression(np.arange(5.0)[:, None], np.ones(5))
    narrow = ds.descend(goal, np.zeros(2, np.float32), ds.sgd(lr=0.01), steps=3)
    jax.config.update("jax_enable_x64", True)
    try:
        wide = ds.descend(goal, np.zeros(2, np.float32), ds.sgd(lr=0.01), steps=3)
        assert wide.outcome == narrow.outcome
    finally:
        jax.config.update("jax_enable_x64", False)
    np.testing.assert_allclose(wide.loss, narrow.loss, rtol=1e-6)
