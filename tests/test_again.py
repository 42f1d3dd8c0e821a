"""A descent that is found again is the descent it would have been: same rows, same ending, same words."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import descend as ds
from descend import again
from descend.again import Again
from descend.objectives.regression import regression
from descend.rules import OPTIMIZERS
from descend.schedules import Schedule

BOWL = "x^2 + 3y^2"
NARROW = {"lr": 1e-4}


def fresh() -> None:
    again._kept.clear()
    again._once.clear()


def same(one: ds.Trace, other: ds.Trace) -> None:
    assert one.config == other.config
    assert list(one.columns) == list(other.columns)
    for name, column in one.columns.items():
        np.testing.assert_array_equal(column.step, other.columns[name].step)
        np.testing.assert_array_equal(column.value, other.columns[name].value)
    np.testing.assert_array_equal(one.point, other.point)
    assert one.state["t"] == other.state["t"]
    for mine, theirs in zip(one.state["slots"], other.state["slots"], strict=True):
        assert mine.keys() == theirs.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])
            assert np.asarray(mine[name]).dtype == np.asarray(theirs[name]).dtype
    assert (one.outcome, one.variables, one.notes, one.name) == (other.outcome, other.variables, other.notes, other.name)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each attempt to find a descent again gave a trace."""
    told: list[bool] = []
    plain = Again.__call__

    def heard(self: Again, start: Any, name: str) -> ds.Trace | None:
        trace = plain(self, start, name)
        told.append(trace is not None)
        return trace

    monkeypatch.setattr(Again, "__call__", heard)
    return told


@pytest.mark.parametrize("name", [n for n, rule in OPTIMIZERS.items() if rule.ndim is None])
def test_found_again_it_is_the_same(name: str, calls: list[bool]) -> None:
    rule = OPTIMIZERS[name]
    optimizer = rule(**{k: v for k, v in NARROW.items() if k in rule.hyperparameters})
    starts = [[4.0, 3.0], (1, -2), np.array([-0.5, 1e-9]), None]
    kept = [ds.descend("rosenbrock", start, optimizer, steps=12, name="a") for start in starts for _ in range(3)][2::3]
    fresh()
    for start, trace in zip(starts, kept, strict=True):
        fresh()
        same(trace, ds.descend("rosenbrock", start, optimizer, steps=12, name="a"))
    plain = rule.starts_alike and not OPTIMIZERS[name]().scheduled
    assert any(calls) or not plain


@given(x=st.floats(allow_nan=False), y=st.floats(-1e3, 1e3), lr=st.sampled_from([0.1, 0.4, 3.0]))
def test_from_any_start(x: float, y: float, lr: float) -> None:
    if math.isinf(x):
        return
    optimizer = ds.momentum(lr=lr)
    for _ in range(2):
        ds.descend(BOWL, [1.0, 1.0], optimizer, steps=40)
    found = ds.descend(BOWL, [x, y], optimizer, steps=40)
    fresh()
    same(found, ds.descend(BOWL, [x, y], optimizer, steps=40))


def test_one_that_does_not_stay_finite_goes_the_long_way(calls: list[bool]) -> None:
    optimizer = ds.sgd(lr=5.0)
    calm = [ds.descend("x^4", [1e-3], optimizer, steps=60, name="calm") for _ in range(3)]
    assert calls == [True]
    wild = ds.descend("x^4", [2.0], optimizer, steps=60, name="wild")
    assert calls == [True, True]
    fresh()
    same(wild, ds.descend("x^4", [2.0], optimizer, steps=60, name="wild"))
    assert wild.outcome is not None
    assert wild.outcome.kind == "diverged"
    assert wild.steps < 60
    assert len(calm[2].loss) == 61


def test_what_was_given_may_change_afterwards() -> None:
    optimizer, start = ds.sgd(lr=0.1), np.array([4.0, 3.0])
    traces = [ds.descend(BOWL, start, optimizer, steps=20) for _ in range(4)]
    start[:] = 7.0
    for trace in traces:
        assert trace.config["start"] == [4.0, 3.0]
        assert trace.loss[:2].round(4).tolist() == [43.0, 14.56]
        assert trace.points[0].tolist() == [4.0, 3.0]
    traces[2].config["start"] = None
    traces[2].columns["loss"].value[:] = 0
    again_ = ds.descend(BOWL, [4, 3], optimizer, steps=20)
    assert (again_.config["start"], again_.loss[0]) == ([4.0, 3.0], 43.0)


def test_only_what_cannot_change_is_kept(calls: list[bool]) -> None:
    factor = [1.0]
    for value in (1.0, 2.0, 3.0, 4.0):
        factor[0] = value
        trace = ds.descend(lambda p: factor[0] * (p**2).sum(), [1.0, 1.0], ds.sgd(lr=0.1), steps=3)
        assert trace.loss[0] == 2 * value
    for seed in (0, 1, 0):
        ds.descend(ds.noisy(ds.objective(BOWL), 0.5), [1.0, 1.0], ds.sgd(lr=0.1), steps=3, seed=seed)
    for _ in range(3):
        ds.descend(BOWL, [1.0, 1.0], ds.sgd(lr=ds.cosine(0.1, 10)), steps=3)
        ds.descend(BOWL, [1.0, 1.0], ds.sgd(lr=0.1), steps=3, tol_grad=1e-3)
        ds.descend(BOWL, [1.0, 1.0], ds.sgd, steps=3)
    assert calls == []


def test_bad_starts_are_told_as_ever() -> None:
    optimizer = ds.sgd(lr=0.1)
    for _ in range(3):
        ds.descend(BOWL, [4, 3], optimizer, steps=20)
    for start, said in (
        ([1.0], "2 variables"),
        ([math.nan, 1.0], "finite"),
        (["1", "2"], "real numbers"),
        ([[1.0, 2.0]], "one number for each"),
        ({"x": 1.0}, "the start names x"),
    ):
        with pytest.raises(ds.DescendError, match=said):
            ds.descend(BOWL, start, optimizer, steps=20)
    assert ds.descend(BOWL, {"x": 4.0, "y": 3.0}, optimizer, steps=20).loss[0] == 43.0


def test_an_interrupt_gives_the_trace_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer = ds.sgd(lr=0.1)
    for _ in range(3):
        ds.descend(BOWL, [4, 3], optimizer, steps=20)

    def interrupted(self: Again, start: Any, name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Again, "__call__", interrupted)
    trace = ds.descend(BOWL, [4, 3], optimizer, steps=20)
    assert (trace.config["interrupted"], trace.loss.tolist()) == (True, [43.0])
    assert trace.outcome is not None
    assert trace.outcome.message.startswith("Interrupted")


def test_an_objective_is_told_from_a_later_one_in_its_place() -> None:
    for power in range(2, 40):
        goal = ds.objective(f"x^{power} + 1")
        for _ in range(3):
            assert ds.descend(goal, [2.0], ds.sgd(lr=1e-30), steps=2).loss[0] == 2.0**power + 1
        del goal


def test_a_rate_that_is_not_stated_is_predicted_also_where_the_default_was_stated_before() -> None:
    predicted = ds.descend(BOWL, [4, 3], ds.adam(), steps=20)
    for _ in range(3):
        assert ds.descend(BOWL, [4, 3], ds.adam(lr=1e-3), steps=20).config["hyperparameters"]["lr"] == 1e-3
    same(ds.descend(BOWL, [4, 3], ds.adam(), steps=20), predicted)
    assert predicted.config["hyperparameters"]["lr"] != 1e-3


@pytest.mark.parametrize("seed", [True, 1.0, np.float64(1)])
def test_what_equals_a_seed_is_none(seed: Any) -> None:
    for _ in range(3):
        ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=20, seed=1)
    with pytest.raises(ds.DescendError, match="a seed is a whole number"):
        ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=20, seed=seed)


def test_traces_share_no_hyperparameters() -> None:
    traces = [ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=20) for _ in range(4)]
    traces[2].config["hyperparameters"]["lr"] = 99.0
    traces.append(ds.descend(BOWL, [4, 3], ds.sgd(lr=0.1), steps=20))
    assert [t.config["hyperparameters"]["lr"] for t in traces] == [0.1, 0.1, 99.0, 0.1, 0.1]


def test_an_empty_start_of_many_variables_is_told() -> None:
    goal = regression(np.eye(40), np.ones(40))
    for _ in range(3):
        ds.descend(goal, np.zeros(41), ds.sgd(lr=0.01), steps=5)
    with pytest.raises(ds.DescendError, match="41 variables"):
        ds.descend(goal, [], ds.sgd(lr=0.01), steps=5)


def test_a_long_descent_is_held_once() -> None:
    trace = ds.descend(BOWL, [4, 3], ds.sgd(lr=1e-6), steps=40_000)
    assert len(trace.loss) == 40_001
    made = trace.__dict__["_look"]
    assert all(np.shares_memory(part.loss, trace.loss) for part in made.parts)
    assert trace.outcome is not None


def test_traces_that_were_not_looked_at_keep_their_own_rows() -> None:
    """They share one book, which is needed again before any of them is looked at."""
    optimizer = ds.adam(lr=0.01)
    starts = [np.array([-1.0 + 0.1 * k, 1.0]) for k in range(12)]
    held = [ds.descend("rosenbrock", x, optimizer, steps=60) for x in starts]
    longer = ds.descend("rosenbrock", starts[0], optimizer, steps=90)
    for trace, x in zip(held, starts, strict=True):
        np.testing.assert_array_equal(trace.points[0], x)
        again = ds.descend("rosenbrock", x, optimizer, steps=61)
        np.testing.assert_array_equal(trace.points, again.points[:-1])
        assert len(trace.loss) == 61
    np.testing.assert_array_equal(longer.points[:61], held[0].points)


def test_threads_that_share_a_book() -> None:
    optimizer = ds.adam(lr=0.02)
    right = {k: ds.descend("rosenbrock", np.array([0.1 * k, 1.0]), optimizer, steps=50).loss.copy() for k in range(8)}

    def wrong(own: int) -> list[int]:
        found: list[int] = []
        held = []
        for i in range(200):
            k = (own + i) % 8
            held.append((k, ds.descend("rosenbrock", np.array([0.1 * k, 1.0]), optimizer, steps=50)))
            if i % 3 == own % 3:
                found += [k for k, trace in held if not np.array_equal(trace.loss, right[k])]
                held.clear()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(wrong, range(4)))


def test_the_point_is_where_it_ended_though_the_rows_were_written_to() -> None:
    for _ in range(4):
        trace = ds.descend("rosenbrock", [-1.2, 1.0], ds.adam(lr=0.02), steps=30)
        last = trace.points[-1].copy()
        trace.points[:] = -99.0
        np.testing.assert_array_equal(trace.point, last)
        trace.point[:] = 7.0
        assert trace.outcome is not None


def test_a_state_is_that_of_its_schedule_as_it_was() -> None:
    factor = [1e-3]
    schedule = Schedule("mine", lambda t: factor[0] * np.ones_like(np.asarray(t, float)))
    before = ds.descend("rosenbrock", [-1.2, 1.0], ds.momentum(lr=schedule), steps=9)
    expected = ds.descend("rosenbrock", [-1.2, 1.0], ds.momentum(lr=schedule), steps=9).state["slots"][0]
    factor[0] = 5.0
    for name, value in before.state["slots"][0].items():
        np.testing.assert_array_equal(value, expected[name])


def test_what_a_trace_was_made_of_goes_when_all_of_it_was_looked_at() -> None:
    for _ in range(4):
        trace = ds.descend("rosenbrock", [-1.2, 1.0], ds.adam(lr=0.02), steps=30)
        assert "_look" in trace.__dict__
        whole = trace.__getstate__()
        assert "_look" not in trace.__dict__
        assert whole.keys() == set(trace.__dict__)


def test_columns_of_every_length_are_not_kept() -> None:
    lengths = []

    def watch(trace: ds.Trace) -> None:
        lengths.append(len(trace.loss))

    ds.descend("x^2 + 3y^2", [4, 3], ds.sgd(lr=1e-7), steps=60_000, callback=watch)
    assert len(lengths) > 2
    trace = ds.descend("x^2 + 3y^2", [4, 3], ds.sgd(lr=1e-7), steps=60_000, callback=watch)
    assert len(trace.__dict__["_look"].account._along) == 1


def test_a_state_is_told_wherever_it_is_asked_for() -> None:
    traces = [ds.descend("rosenbrock", [-1.2, 1.0], ds.adam(lr=0.02), steps=30) for _ in range(6)]
    expected = traces[0].state["slots"][0]["m"]

    @jax.jit
    def asks(x: Any) -> Any:
        return x + traces[4].state["slots"][0]["m"].sum()

    assert float(asks(1.0)) == pytest.approx(1.0 + expected.sum(), rel=1e-6)
    with jax.numpy_dtype_promotion("strict"):
        np.testing.assert_array_equal(traces[5].state["slots"][0]["m"], expected)
