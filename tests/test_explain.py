"""What is told about a descent must hold of it: each promise and each advice against the run it speaks of."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import descend as ds
from descend.explain import Explanation, explain
from descend.objectives import resolve
from descend.schedules import warm_up
from descend.trace import Trace

BOWL = "x^2 + 3y^2"


def told(f: str, start: list[float], optimizer: Any, **options: Any) -> tuple[Trace, Explanation]:
    goal = resolve(f)
    trace = ds.descend(goal, start, optimizer, **options)
    return trace, explain(goal, optimizer, trace, np.array(start))


def text(found: Explanation) -> str:
    return " ".join([*found.why, *found.advice])


def promised(found: Explanation) -> int | None:
    match = re.search(r"to a millionth in ([\d,]+) step", text(found))
    return int(match[1].replace(",", "")) if match else None


@pytest.mark.parametrize(
    ("f", "start", "floor", "sign"),
    [
        ("x^2 + 5", [4.0], 5.0, 1),
        (BOWL, [4.0, 3.0], 0.0, 1),
        ("x^2 + 50y^2 - 7", [4.0, 3.0], -7.0, 1),
        ("1 - x^2", [3.0], 1.0, -1),
    ],
)
def test_a_millionth_is_of_the_loss_above_its_minimum(f: str, start: list[float], floor: float, sign: int) -> None:
    _, found = told(f, start, ds.sgd(lr=0.003, maximize=sign < 0), steps=200)
    steps = promised(found)
    assert steps is not None
    assert found.lr is not None
    trace = ds.descend(f, start, ds.sgd(lr=found.lr, maximize=sign < 0), steps=steps)
    assert sign * (trace.loss[-1] - floor) <= 1.0001e-6 * sign * (trace.loss[0] - floor)


@pytest.mark.parametrize(
    ("f", "start", "rule"),
    [
        ("rosenbrock", [-1.2, 1.0], ds.sgd(lr=6.64e-4)),
        ("rosenbrock", [-1.2, 1.0], ds.sgd(lr=1e-4)),
        (BOWL, [4.0, 3.0], ds.sgd(lr=0.01, weight_decay=0.1)),
        (BOWL, [4.0, 3.0], ds.sgd(lr=0.01, clip_norm=1.0)),
        (BOWL, [4.0, 3.0], ds.schedule_free_sgd(lr=0.05)),
    ],
)
def test_no_millionth_where_none_can_be_promised(f: str, start: list[float], rule: Any) -> None:
    assert "millionth" not in text(told(f, start, rule, steps=100)[1])


@pytest.mark.parametrize("steps", [5, 50])
@pytest.mark.parametrize(
    ("f", "start", "rule"),
    [
        (BOWL, [4.0, 3.0], ds.momentum(lr=0.1, momentum=1.0)),
        (BOWL, [4.0, 3.0], ds.sgd(lr=0.4)),
        ("x^2 + 50y^2", [4.0, 3.0], ds.sgd(lr=0.001)),
        ("rosenbrock", [-1.2, 1.0], ds.sgd(lr=0.001)),
        ("rosenbrock", [-1.2, 1.0], ds.momentum(lr=0.001)),
        ("x^2", [4.0], ds.adam(lr=0.001)),
        ("himmelblau", [0.0, 0.0], ds.adam(lr=5.0)),
    ],
)
def test_advice_beats_what_was_run(f: str, start: list[float], rule: Any, steps: int) -> None:
    trace, found = told(f, start, rule, steps=steps)
    if found.lr is None:
        assert not any(line.startswith("--lr") for line in found.advice)
        return
    tried = ds.descend(f, start, rule.with_values(lr=found.lr), steps=steps)
    failed = trace.outcome is not None and trace.outcome.kind in ("diverged", "failed")
    assert tried.loss[-1] < trace.loss[0 if failed else -1]


def test_momentum_without_friction_is_not_told_a_worse_rate() -> None:
    trace, found = told(BOWL, [4.0, 3.0], ds.momentum(lr=0.1, momentum=1.0), steps=50)
    assert ds.descend(BOWL, [4, 3], ds.momentum(lr=0.288, momentum=1.0), steps=50).loss[-1] > trace.loss[-1]
    assert "0.288" not in text(found)


def test_close_to_the_best_is_said_of_quadratics_alone() -> None:
    assert "close to the best" in text(told(BOWL, [4.0, 3.0], ds.sgd(lr=0.25), steps=20)[1])
    for f, start in (("rosenbrock", [-1.2, 1.0]), ("x^2 - y^2", [2.0, 1e-3]), ("beale", [1.0, 1.0])):
        lr = resolve(f) and ds.descend(f, start, steps=5).config["hyperparameters"]["lr"]
        assert "close to the best" not in text(told(f, start, ds.sgd(lr=lr), steps=100)[1])


@pytest.mark.parametrize(
    ("rule", "start", "steps"),
    [
        (ds.rprop(lr=0.4), 4.0, None),
        (ds.signsgd(lr=0.1), 4.0, 100),
        (ds.adam(lr=1e-3), 0.0, None),
        (ds.adam(lr=0.4), 4.0, None),
    ],
)
def test_what_converged_is_not_said_to_hover(rule: Any, start: float, steps: int | None) -> None:
    trace, found = told("x^2", [start], rule, steps=steps)
    assert trace.outcome is not None
    assert trace.outcome.kind == "converged"
    assert "hover" not in text(found)
    assert "not settle" not in text(found)


def test_which_sign_rules_hover() -> None:
    assert "near a minimum it hovers" in text(told("x^2", [4.0], ds.lion(lr=0.3), steps=50)[1])
    assert "need not hover" in text(told("x^2", [4.0], ds.rprop(lr=0.4), steps=10)[1])


def test_at_a_stationary_point_no_rate_is_advised() -> None:
    for rule in (ds.sgd(lr=0.1), ds.adam(lr=0.1), ds.lion(lr=0.1)):
        found = told("x^2", [0.0], rule)[1]
        assert found.why == ["The gradient at the start is 0, so no learning rate moves it; another start does."]
        assert found.advice == []


def test_of_a_schedule_the_largest_value_counts() -> None:
    found = told(BOWL, [4.0, 3.0], ds.sgd(lr=warm_up(0.1, 20)), steps=60)[1]
    assert "its largest value, 0.1." in found.why[0]
    assert "0.1 is 0.3 times that: y shrinks to 0.4 of itself a step." in found.why[1]
    assert found.statement.ratio == pytest.approx(0.3)


def test_clipping_bounds_the_step_and_no_limit_is_told() -> None:
    for rule in (ds.sgd(lr=0.4, clip_norm=1.0), ds.adam(lr=0.4, clip_value=0.1), ds.momentum(lr=0.4, clip_global_norm=1.0)):
        found = told(BOWL, [4.0, 3.0], rule, steps=30)[1]
        assert "Clipping bounds the gradient" in text(found)
        assert "stable below" not in text(found)
        assert (found.statement.lr_limit, found.statement.ratio) == (None, None)


def test_a_climb_has_the_limit_of_the_function_upside_down() -> None:
    up, down = (told(f, [4.0, 3.0], ds.sgd(lr=0.1, maximize=m), steps=20)[1] for f, m in (("-x^2 - 3y^2", True), (BOWL, False)))
    assert up.statement.to_dict() == pytest.approx(down.statement.to_dict())
    assert up.why[1:] == down.why


def test_a_flat_start_and_a_fall_without_end_are_given_no_rate() -> None:
    assert told("easom", [20.0, 20.0], ds.sgd(lr=1.0), steps=20)[1].advice == []
    assert told("x^3", [-1.0], ds.sgd(lr=0.1))[1].advice == []
