"""What must not change a verdict: the unit of the loss, the numbering of the steps, thinning where still decidable."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descend.doctor import diagnose
from descend.doctor.series import alternation, noise, thin, trend
from descend.doctor.signals import read_signals
from descend.trace import Column, Trace, column

from .conftest import load_cases

CASES = load_cases()
UNITLESS = [
    "lr-too-high/sick",
    "lr-too-high/well",
    "flipped-sign/sick",
    "missing-zero-grad/sick",
    "spike/sick",
    "not-stepping/sick",
]


def scaled(t: Trace, factor: float) -> Trace:
    """The same run with the loss in another unit: gradients scale with it and lr against it."""
    power = {"loss": 1, "val_loss": 1, "grad_norm": 1, "lr": -1}
    return Trace({k: Column(c.step, c.value * factor ** power.get(k, 0)) for k, c in t.columns.items()})


@pytest.mark.parametrize("name", UNITLESS)
@pytest.mark.parametrize("factor", [1e-4, 3.7, 1e5])
def test_the_unit_of_the_loss_does_not_flip_a_verdict(name, factor):
    before, after = diagnose(CASES[name]), diagnose(scaled(CASES[name], factor))
    assert {before.verdict, after.verdict} != {"healthy", "fault"}


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_numbering_of_steps_does_not_matter(name):
    t = CASES[name]
    moved = Trace({k: Column(c.step + 5000, c.value) for k, c in t.columns.items()})
    a, b = diagnose(t), diagnose(moved)
    assert a.verdict == b.verdict
    assert [f.condition for f in a.found] == [f.condition for f in b.found]
    assert all(y.steps == (x.steps[0] + 5000, x.steps[1] + 5000) for x, y in zip(a.found, b.found, strict=True))


@pytest.mark.parametrize("name", sorted(n for n in CASES if len(CASES[n].loss) >= 60))
def test_every_second_row_does_not_turn_a_verdict_round(name):
    t = CASES[name]
    half = Trace(
        {k: Column(c.step[::2], c.value[::2]) if k in ("loss", "lr", "grad_norm") else c for k, c in t.columns.items()}
    )
    if "spike" in name or "hot" in name:
        pytest.skip("a spike of one row may lie between the rows that are left")
    assert {diagnose(t).verdict, diagnose(half).verdict} != {"healthy", "fault"}


@pytest.mark.parametrize("name", sorted(n for n in CASES if "accuracy" in CASES[n].columns))
def test_accuracy_in_percent_is_the_same_run(name):
    t = CASES[name]
    percent = Trace({k: Column(c.step, c.value * (100 if "accuracy" in k else 1)) for k, c in t.columns.items()})
    if np.nanmax(t["accuracy"]) * 100 <= 1.5:
        pytest.skip("an accuracy that low is ambiguous in percent")
    assert diagnose(t).to_dict() == diagnose(percent).to_dict()


@given(
    st.lists(st.one_of(st.floats(width=32), st.just(math.nan), st.just(math.inf)), max_size=60),
    st.lists(st.integers(-5, 40), max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_any_numbers_give_a_diagnosis(values, steps):
    n = min(len(values), len(steps))
    d = diagnose(Trace({"loss": column(steps[:n], values[:n]), "val_loss": column(steps[:n], values[:n][::-1])}))
    assert d.verdict in ("healthy", "fault", "cannot_tell")
    assert d.sentence
    assert all(0 <= f.confidence <= 1 for f in d.findings)


@given(st.integers(4, 300), st.floats(-5, 5), st.floats(-100, 100))
@settings(max_examples=40, deadline=None)
def test_a_straight_line_has_no_noise_and_no_zigzag(n, slope, start):
    y = start + slope * np.arange(n)
    assert noise(y) <= 1e-9 * (1 + np.abs(y).max())
    if abs(slope) > 1e-3:
        assert alternation(y) == 0
        assert np.allclose(trend(y), y)


def test_thinning_keeps_the_mean():
    y = np.random.default_rng(0).normal(size=100_000)
    short = thin(column(range(len(y)), y))
    assert len(short) == 1000
    assert np.isclose(short.value.mean(), y.mean())


def test_signals_that_need_a_column_are_absent_without_it():
    s = read_signals(Trace({"loss": column(range(30), np.linspace(3, 1, 30))}))
    assert math.isnan(s["val_rise"])
    assert math.isnan(s["efficiency_whole"])
    assert not math.isnan(s["fall_half"])


def test_a_converged_loss_printed_with_four_decimals_is_no_fault():
    u = np.arange(50) / 50
    loss = np.round(0.7 * np.exp(-20 * u), 4)
    val = np.round(0.02 + 0.7 * np.exp(-20 * u) + 0.001 * np.random.default_rng(0).normal(size=50), 4)
    accuracy = np.round(1 - 0.4 * np.exp(-20 * u), 4)
    columns = {"loss": column(range(50), loss), "val_loss": column(range(50), val), "accuracy": column(range(50), accuracy)}
    d = diagnose(
        Trace(columns, config={"resolution": "epoch", "lossy": ["rounded"], "rounding": {"loss": 1e-4, "val_loss": 1e-4}})
    )
    assert d.verdict != "fault"
