"""Curves in a terminal."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.figures.labels import place_labels
from descend.figures.text import DOWN, NOT_A_NUMBER, UP, loss_plot, sparkline
from descend.trace import Trace, column

BARS = "▁▂▃▄▅▆▇█"


@given(st.lists(st.floats(), max_size=200), st.integers(1, 80), st.sampled_from([True, False, "auto"]))
def test_a_sparkline_has_one_symbol_a_stretch(values, width, log):
    line = sparkline(values, width, log)
    assert len(line) == min(len(values), width)
    assert set(line) <= set(BARS + UP + DOWN + NOT_A_NUMBER)


@given(st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=60))
def test_a_sparkline_is_monotone(values):
    line = sparkline(values, log=False)
    for a, b, p, q in zip(values[:-1], values[1:], line[:-1], line[1:], strict=True):
        assert a > b or BARS.index(p) <= BARS.index(q)
    if max(values) > min(values):
        assert line[int(np.argmax(values))] == "█"
        assert line[int(np.argmin(values))] == "▁"


def test_a_sparkline_shows_spikes_and_divergence():
    values = np.ones(1000)
    values[500] = 9
    assert sparkline(values, 20).count("█") == 1
    values[900] = math.nan
    values[100] = math.inf
    line = sparkline(values, 20)
    assert (line[2], line[10], line[18]) == (UP, "█", NOT_A_NUMBER)
    assert sparkline([], 10) == ""
    assert sparkline([1, 10, 100, 1000], log="auto") == "▁▃▆█"
    assert sparkline([1, 10, 100, 0.0]) == "▁▅█↓"


@given(
    st.lists(st.lists(st.floats(), min_size=1, max_size=80), min_size=1, max_size=3), st.integers(10, 90), st.integers(3, 12)
)
def test_a_loss_plot_is_as_large_as_asked(series, width, height):
    text = loss_plot([Trace({"loss": column(range(len(s)), s)}) for s in series], width, height)
    lines = text.split("\n")
    assert len(lines) == height + 2 + len(series)
    margin = lines[height].index("└")
    assert all(line[margin] == "│" for line in lines[:height])
    assert all(len(line) <= margin + 1 + width for line in lines[:height])


def test_a_loss_plot_falls_where_the_loss_falls_and_marks_divergence(bowl):
    text = loss_plot([bowl(0.1, 40), bowl(0.4, 40, "diverged")], 40, 9)
    rows = text.split("\n")[:9]
    healthy = [max((k for k, row in enumerate(rows) if len(row) > c and row[c] == "●"), default=None) for c in range(12, 50)]
    seen = [h for h in healthy if h is not None]
    assert seen == sorted(seen)
    assert seen[-1] == 8
    assert UP in rows[0]
    assert "■ sgd  lr 0.4: diverged" in text
    broken = loss_plot([Trace({"loss": column(range(3), [3.0, 2.0, math.nan])})])
    assert NOT_A_NUMBER in broken


def test_labels_do_not_overlap_or_leave_the_frame():
    rng = np.random.default_rng(0)
    for _ in range(40):
        anchors = rng.uniform(20, 260, (4, 2))
        labels = place_labels(["start (4, 3)", "minimum", "after 20 steps", "off to y = 9"], anchors, (280, 280))
        for i, a in enumerate(labels):
            assert a.x >= 0
            assert a.y >= 0
            assert a.x + a.width <= 280
            assert a.y + a.height <= 280
            for b in labels[:i]:
                apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
                assert apart


@pytest.mark.parametrize("width", [0, -3])
def test_no_width_no_line(width):
    assert sparkline([1, 2], width) == ""
