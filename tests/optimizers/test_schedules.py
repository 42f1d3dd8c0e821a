"""Schedules against torch's and optax's, step by step; their text form; what they refuse."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import optax
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import DescendError
from descend.schedules import (
    SCHEDULES,
    Schedule,
    constant,
    cosine,
    exponential,
    inverse_sqrt,
    linear,
    multistep,
    one_cycle,
    one_cycle_momentum,
    parse,
    polynomial,
    step_decay,
    warm_restarts,
    warm_up,
    warm_up_stable_decay,
)

L = torch.optim.lr_scheduler


def from_torch(make: Any, steps: int, name: str = "lr", lr: float = 0.4) -> np.ndarray[Any, Any]:
    """The values torch uses for each update, starting from `lr`."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)
    scheduler, values = make(optimizer), []
    for _ in range(steps):
        values.append(optimizer.param_groups[0][name])
        optimizer.step()
        scheduler.step()
    return np.array(values)


TORCH: list[tuple[Schedule, Any, int]] = [
    (constant(0.4), lambda o: L.ConstantLR(o, 1.0), 10),
    (step_decay(0.4, every=7, factor=0.3), lambda o: L.StepLR(o, 7, 0.3), 40),
    (multistep(0.4, at=[3, 10, 11], factor=0.5), lambda o: L.MultiStepLR(o, [3, 10, 11], 0.5), 30),
    (exponential(0.4, factor=0.93), lambda o: L.ExponentialLR(o, 0.93), 40),
    (linear(0.4, steps=15, end=0.1), lambda o: L.LinearLR(o, 1.0, 0.25, 15), 30),
    (polynomial(0.4, steps=20, power=2.5), lambda o: L.PolynomialLR(o, 20, 2.5), 30),
    (cosine(0.4, steps=20, end=0.01, rises=True), lambda o: L.CosineAnnealingLR(o, 20, 0.01), 75),
    (warm_restarts(0.4, steps=5, end=0.01), lambda o: L.CosineAnnealingWarmRestarts(o, 5, 1, 0.01), 30),
    (warm_restarts(0.4, steps=3, growth=2.0), lambda o: L.CosineAnnealingWarmRestarts(o, 3, 2), 200),
    (warm_restarts(0.4, steps=7, growth=3.0), lambda o: L.CosineAnnealingWarmRestarts(o, 7, 3), 300),
    (one_cycle(0.4, steps=50), lambda o: L.OneCycleLR(o, 0.4, 50), 50),
    (
        one_cycle(0.4, steps=40, warm=0.25, divide=10.0, divide_end=100.0, shape="linear"),
        lambda o: L.OneCycleLR(o, 0.4, 40, pct_start=0.25, anneal_strategy="linear", div_factor=10, final_div_factor=100),
        40,
    ),
    (one_cycle(0.4, steps=40, three_phase=True), lambda o: L.OneCycleLR(o, 0.4, 40, three_phase=True), 40),
    (
        warm_up(0.4, steps=10, start=0.1),
        lambda o: L.LinearLR(o, 0.25, 1.0, 10),
        20,
    ),
]


@pytest.mark.parametrize(("ours", "make", "steps"), TORCH, ids=lambda x: repr(x) if isinstance(x, Schedule) else "")
def test_equals_torch(ours: Schedule, make: Any, steps: int) -> None:
    np.testing.assert_allclose(ours(np.arange(steps)), from_torch(make, steps), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("shape", ["cosine", "linear"])
def test_the_momentum_of_one_cycle_equals_torch(shape: Any, three_phase: bool) -> None:
    ours = one_cycle_momentum(40, low=0.8, high=0.93, warm=0.4, shape=shape, three_phase=three_phase)
    theirs = from_torch(
        lambda o: L.OneCycleLR(
            o,
            0.4,
            40,
            pct_start=0.4,
            anneal_strategy=shape[:3] if shape == "cosine" else shape,
            base_momentum=0.8,
            max_momentum=0.93,
            three_phase=three_phase,
        ),
        40,
        "momentum",
    )
    np.testing.assert_allclose(ours(np.arange(40)), theirs, rtol=1e-12)


OPTAX: list[tuple[Schedule, Any]] = [
    (cosine(0.4, steps=30), optax.cosine_decay_schedule(0.4, 30)),
    (cosine(0.4, steps=30, end=0.1), optax.cosine_decay_schedule(0.4, 30, alpha=0.25)),
    (polynomial(0.4, steps=30, power=1.7, end=0.1), optax.polynomial_schedule(0.4, 0.1, 1.7, 30)),
    (exponential(0.4, factor=0.3, every=10), optax.exponential_decay(0.4, 10, 0.3)),
    (linear(0.4, steps=30, end=0.7), optax.linear_schedule(0.4, 0.7, 30)),
    (warm_up(cosine(0.4, steps=25, end=0.1), steps=10, start=0.05), optax.warmup_cosine_decay_schedule(0.05, 0.4, 10, 35, 0.1)),
    (warm_up(0.4, steps=10), optax.warmup_constant_schedule(0.0, 0.4, 10)),
    (one_cycle(0.4, steps=40, dialect="optax"), optax.cosine_onecycle_schedule(40, 0.4)),
    (
        one_cycle(0.4, steps=41, warm=0.33, divide=5.0, divide_end=50.0, dialect="optax"),
        optax.cosine_onecycle_schedule(41, 0.4, 0.33, 5.0, 50.0),
    ),
    (
        warm_up_stable_decay(0.4, steps=40, warm=8, decay=12, end=0.1),
        optax.join_schedules(
            [optax.linear_schedule(0.0, 0.4, 8), optax.constant_schedule(0.4), optax.linear_schedule(0.4, 0.1, 12)], [8, 28]
        ),
    ),
    (
        warm_up_stable_decay(0.4, steps=40, warm=8, decay=12, tail="cosine"),
        optax.join_schedules(
            [optax.linear_schedule(0.0, 0.4, 8), optax.constant_schedule(0.4), optax.cosine_decay_schedule(0.4, 12)], [8, 28]
        ),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), OPTAX, ids=lambda x: repr(x) if isinstance(x, Schedule) else "")
def test_equals_optax(ours: Schedule, theirs: Any) -> None:
    import jax

    steps = np.arange(60)
    with jax.enable_x64(True):
        values = np.array([float(theirs(jax.numpy.asarray(float(t)))) for t in steps])
    np.testing.assert_allclose(ours(steps), values, rtol=1e-12, atol=1e-15)


def test_torchs_cosine_rises_again_and_ours_does_not() -> None:
    np.testing.assert_array_equal(cosine(1.0, steps=10)(np.arange(10, 30)), 0.0)
    assert cosine(1.0, steps=10, rises=True)(20) == pytest.approx(1.0)


def test_one_cycle_of_torch_and_of_optax_differ_at_almost_every_step() -> None:
    steps = np.arange(40)
    same = np.isclose(one_cycle(0.4, steps=40)(steps), one_cycle(0.4, steps=40, dialect="optax")(steps), rtol=1e-6)
    assert same.sum() <= 2


def test_inverse_sqrt_halves_when_the_steps_are_four_times_as_many() -> None:
    s = inverse_sqrt(0.4, steps=100)
    np.testing.assert_allclose(s([0, 50, 100, 400, 1600, 6400]), [0, 0.2, 0.4, 0.2, 0.1, 0.05], rtol=1e-12)
    np.testing.assert_allclose(np.diff(s(np.arange(101))), 0.004, rtol=1e-9)
    # Vaswani et al., equation 3, with its steps counted from 1 and its constant taken out
    t = np.arange(1, 2000)
    np.testing.assert_allclose(s(t), 0.4 * 10 * np.minimum(t**-0.5, t * 100**-1.5), rtol=1e-12)


def test_the_tail_of_a_stable_schedule() -> None:
    s = warm_up_stable_decay(1.0, steps=100, warm=10, decay=16, tail="sqrt")
    np.testing.assert_allclose(s([84, 85, 88, 93, 100, 200]), [1, 0.75, 0.5, 0.25, 0, 0], atol=1e-12)
    assert (s(np.arange(10, 85)) == 1).all()


def test_warm_up_from_one_wastes_no_update() -> None:
    np.testing.assert_allclose(warm_up(1.0, steps=4, from_one=True)([0, 1, 2, 3, 4, 5]), [0.25, 0.5, 0.75, 1, 1, 1])


# -- every schedule ----------------------------------------------------------------------------------------------------------

EVERY = [s for s, *_ in TORCH] + [s for s, _ in OPTAX] + [inverse_sqrt(0.4, steps=9), one_cycle_momentum(20)]


def test_every_schedule_has_a_row() -> None:
    assert {repr(s).split("(")[0] for s in EVERY} == set(SCHEDULES)


@pytest.mark.parametrize("s", EVERY, ids=repr)
def test_text_form_comes_back(s: Schedule) -> None:
    steps = np.arange(100)
    again = parse(repr(s))
    assert again == s
    np.testing.assert_array_equal(again(steps), s(steps))


@pytest.mark.parametrize("s", EVERY, ids=repr)
def test_values_are_float64_finite_and_of_the_shape_asked_for(s: Schedule) -> None:
    many = s(np.arange(12).reshape(3, 4))
    assert many.shape == (3, 4)
    assert many.dtype == np.float64
    assert s(5).shape == ()
    assert float(s(5)) == many[1, 1]
    assert np.isfinite(s([0, 1, 10**3, 10**6])).all()
    assert (s([0, 1, 10**3, 10**6]) >= 0).all()


@given(st.integers(1, 50), st.floats(1.05, 4.0), st.integers(0, 5000))
def test_restarts_never_leave_their_band(steps: int, growth: float, t: int) -> None:
    value = float(warm_restarts(1.0, steps=steps, growth=growth, end=0.25)(t))
    assert 0.25 <= value <= 1.0


@given(st.integers(1, 40), st.integers(2, 4), st.integers(0, 6))
def test_restarts_start_again_at_the_top(steps: int, growth: int, cycle: int) -> None:
    at = steps * (growth**cycle - 1) // (growth - 1)
    assert float(warm_restarts(1.0, steps=steps, growth=float(growth))(at)) == pytest.approx(1.0)


@given(st.floats(1e-6, 10.0), st.integers(1, 10**6))
def test_repr_keeps_every_digit(value: float, steps: int) -> None:
    s = cosine(value, steps=steps)
    assert float(parse(repr(s))(0)) == float(s(0))


def test_a_plain_number_is_a_constant() -> None:
    assert parse(" 0.1 ")(7) == 0.1
    assert parse("warm_restarts(.1, 5)") == warm_restarts(0.1, steps=5)
    assert parse("cosine(0.1, steps=5, rises=true)") == cosine(0.1, steps=5, rises=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cosin(0.1, steps=5)", "there is no schedule 'cosin'; there are constant, step_decay"),
        ("cosin(0.1, steps=5)", "did you mean cosine?"),
        (
            "cosine(0.1)",
            "cosine: missing a required argument: 'steps'; it is written cosine(value, steps, end=0.0, rises=False)",
        ),
        ("cosine(0.1, stepz=5)", "cosine: "),
        ("cosine(0.1, steps=0)", "cosine's steps is a whole number of steps, at least 1; got 0"),
        ("cosine(0.1, steps=2.5)", "whole number"),
        ("cosine(fast, steps=2)", "cosine's value is a finite number; got 'fast'"),
        ("cosine(1e999, steps=2)", "finite number"),
        ("one_cycle(0.1, steps=9, shape=cubic)", "one_cycle's shape is one of cosine, linear; got 'cubic'"),
        ("one_cycle(0.1, steps=9, warm=1.5)", "share of its steps between 0 and 1; got 1.5"),
        ("warm_up_stable_decay(1, steps=5, warm=3, decay=3)", "must fit into its 5 steps"),
        ("warm_restarts(1, steps=5, growth=.5)", "at least 1"),
        ("multistep(1, at=5)", "list of steps"),
        ("cosine", "'cosine' is not a schedule"),
        ("__import__('os').system('true')", "a schedule takes numbers"),
        ("cosine(0.1, steps=2**99)", "'2 ** 99'"),
        ("cosine(**x)", "a schedule takes"),
        ("(" * 300, "not a schedule"),
        ("x" * 501, "at most 500 characters"),
        ("", "not a schedule"),
    ],
)
def test_refusals_are_one_sentence(text: str, says: str) -> None:
    with pytest.raises(DescendError, match=re.escape(says)) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
