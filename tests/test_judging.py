"""How descents are judged: each outcome against its look-alike."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import descend as ds
from descend.objectives import Objective
from descend.schedules import multistep
from descend.stopping import Stop

BOWL = "x^2 + 3y^2"


def outcome(f: Any, start: Any, optimizer: Any, **options: Any) -> tuple[str, str]:
    found = ds.descend(f, start, optimizer, **options).outcome
    assert found is not None
    assert found.message.endswith(".")
    return found.kind, found.message


@pytest.mark.parametrize(
    ("f", "start", "steps", "kind", "words"),
    [
        ("-x^2", [3.0], None, "converged", "Converged to a maximum: "),
        ("-x^2", [3.0], 40, "step_budget", "maximising, 40 steps took the loss from -9 to -1.59016e-07"),
        ("y^2 - x^2", [3.0, 0.0], 100, "stalled", "Stalled at a saddle, not a maximum"),
        ("-x^2", [0.0], 3, "converged", "the start is a stationary point, a maximum"),
        ("x^2", [0.0], 3, "stalled", "the start is a stationary point, a minimum"),
        ("x^2", [3.0], 100, "diverged", "the loss rises without end"),
        ("x^2", [3.0], 9000, "diverged", "the loss rises without end"),
        ("-12x^2", [3.0], 20, "diverged", "the steps are too large"),
        ("-12x^2", [3.0], 9000, "diverged", "maximising, the loss fell from -108 and left the range of numbers"),
        ("-10x^2", [3.0], 20, "stalled", "x changes sign at every step and shrinks no more"),
    ],
)
def test_a_climb_is_judged_upside_down(f: str, start: list[float], steps: int | None, kind: str, words: str) -> None:
    found, message = outcome(f, start, ds.sgd(lr=0.1, maximize=True), steps=steps)
    assert (found, words in message) == (kind, True), message


def noisy_bowl(p: Any, key: Any) -> Any:
    """A batch of eight of the targets of a mean: its optimum is 0, its loss there about 1."""
    return jnp.mean((p[0] - jax.random.normal(key, (8,))) ** 2)


@pytest.mark.parametrize("steps", [12, 40, 300])
@pytest.mark.parametrize("lr", [0.05, 0.4])
def test_noise_around_the_optimum_is_no_growth(steps: int, lr: float) -> None:
    goal = Objective(noisy_bowl, "noisy", "noisy", stochastic=True)
    kinds = [outcome(goal, [0.0], ds.sgd(lr=lr), steps=steps, seed=seed)[0] for seed in range(40)]
    assert set(kinds) == {"step_budget"}


@pytest.mark.parametrize("steps", [12, 40, 300])
@pytest.mark.parametrize("start", [0.0, 3.0])
def test_minibatch_descents_that_blow_up_are_told_all_the_same(steps: int, start: float) -> None:
    goal = Objective(noisy_bowl, "noisy", "noisy", stochastic=True)
    kinds = [outcome(goal, [start], ds.sgd(lr=1.4), steps=steps, seed=seed)[0] for seed in range(20)]
    assert set(kinds) == {"diverged"}


@pytest.mark.parametrize("steps", range(1, 31))
def test_an_excursion_from_the_minimum_is_no_divergence(steps: int) -> None:
    kind, message = outcome("x^2", [1e-9], ds.adam(lr=0.1), steps=steps)
    assert kind in ("step_budget", "stalled"), message


@pytest.mark.parametrize("seed", range(12))
def test_bouncing_among_many_minima_is_no_divergence_and_no_trend(seed: int) -> None:
    start = np.random.default_rng(seed).uniform(-4, 4, 2)
    kind, message = outcome("rastrigin", start, ds.sgd(lr=0.1), steps=100)
    assert kind != "diverged", message
    assert "falling" not in message


@pytest.mark.parametrize("steps", [4, 10, 20, 50])
@pytest.mark.parametrize(
    ("f", "start", "rule"),
    [
        ("(x-3)^2", [0.0], ds.sgd(lr=1.1)),
        (BOWL, [4, 3], ds.sgd(lr=0.4)),
        ("x^2 + 2y^2", [-5, -2], ds.sgd(lr=0.6)),
        (BOWL, [4, 3], ds.momentum(lr=0.7)),
    ],
)
def test_divergence_shows_in_few_steps(f: str, start: list[float], rule: Any, steps: int) -> None:
    kind, message = outcome(f, start, rule, steps=steps)
    assert kind == "diverged"
    assert "the loss grew from" in message


@pytest.mark.parametrize("steps", [30, 100, 400])
def test_growth_under_an_oscillation_is_divergence(steps: int) -> None:
    limit = 2 * 1.9 / 6
    assert outcome(BOWL, [4, 3], ds.momentum(lr=1.02 * limit), steps=steps)[0] == "diverged"
    assert outcome(BOWL, [4, 3], ds.momentum(lr=0.9 * limit), steps=steps)[0] != "diverged"


def test_at_the_limit_it_is_stalled() -> None:
    assert outcome(BOWL, [4, 3], ds.sgd(lr=1 / 3), steps=20)[0] == "stalled"


# -- at rest --------------------------------------------------------------------------------------------------------------


def test_a_minimum_above_the_start_is_a_minimum() -> None:
    # the first step leaps from the deep left valley over the hump into the right one, which is the shallower
    f, start = "(x^2 - 1)^2 + 0.3x", -1.2
    slope = 4 * start * (start**2 - 1) + 0.3
    leap = 2.2 / -slope
    over = ds.descend(f, [start], ds.sgd(lr=multistep(leap, [1], 0.05 / leap)), steps=400)
    assert over.point[0] > 0.9
    assert over.loss[-1] > over.loss[0]
    assert over.outcome is not None
    assert over.outcome.kind == "converged"
    assert "Converged to a local minimum" in over.outcome.message
    assert "above the" in over.outcome.message


@pytest.mark.parametrize(
    ("f", "start", "kind", "words"),
    [
        ("x^2", [0.0], "converged", "the start is a stationary point, a minimum"),
        ("x^2 - y^2", [0.0, 0.0], "stalled", "at a saddle, not a minimum: the start is a stationary point"),
        ("-x^2", [0.0], "stalled", "the start is a stationary point, a maximum"),
        ("0x + 3", [1.0], "stalled", "the start is a stationary point, flat to second order"),
        ("x^2 + y^4", [0.0, 0.0], "stalled", "curvature cannot say what it is"),
        ("easom", [50.0, 50.0], "stalled", "the start is a stationary point, flat to second order"),
        ("-exp(-(x-4)^2 - (y-4)^2)*cos(x)", [20.0, 19.0], "stalled", "the start is a stationary point, flat to second order"),
    ],
)
@pytest.mark.parametrize("steps", [None, 20])
def test_a_stationary_start_is_told(f: str, start: list[float], kind: str, words: str, steps: int | None) -> None:
    found, message = outcome(f, start, ds.sgd(lr=0.1), steps=steps)
    assert (found, words in message) == (kind, True), message
    assert "fell to" not in message


def test_a_plain_is_no_saddle() -> None:
    f = "-cos(x)*cos(y)*exp(-(x-3.14159)^2 - (y-3.14159)^2)"
    for at in (7.5, 8.0, 9.0, 12.0):
        kind, message = outcome(f, [at, at], ds.sgd(lr=0.1))
        assert "saddle" not in message
        assert kind in ("stalled", "converged")


@pytest.mark.parametrize("scale", [1e-9, 1e-15])
def test_small_scales_have_saddles_too(scale: float) -> None:
    kind, message = outcome(f"{scale}*(x^2 - y^2)", [1.0, 0.0], ds.sgd(lr=0.1 / scale), steps=300)
    assert (kind, "at a saddle" in message) == ("stalled", True), message


def test_within_the_tolerance_from_the_start_is_said_so() -> None:
    kind, message = outcome("x^2", [1e-4], ds.sgd(lr=0.1), tol_grad=1e-3)
    assert kind == "converged"
    assert "at the start, 0.0002, is within the tolerance 0.001 already" in message


def test_a_tolerance_nobody_stated_is_relative_to_the_first_gradient() -> None:
    small = Stop(1e-6, relative=True).from_gradient(4e-9)
    assert small.tol_grad == pytest.approx(4e-15)
    assert Stop(1e-6, relative=True).from_gradient(40.0).tol_grad == 1e-6
    assert Stop(1e-6).from_gradient(4e-9).tol_grad == 1e-6
    assert Stop(1e-6, relative=True).from_gradient(0.0).tol_grad == 0


# -- trends ---------------------------------------------------------------------------------------------------------------


def test_a_trend_is_told_where_there_is_one() -> None:
    assert "still falling by 0.4% a step" in outcome("x^2", [4.0], ds.sgd(lr=0.001), steps=100)[1]
    assert "still falling" in outcome("x^2 - 100", [4.0], ds.sgd(lr=0.001), steps=100)[1]
