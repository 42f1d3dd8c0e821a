"""What figures show: boxes, clipped paths, curves and thinning, as numbers."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from descend.figures.data import (
    Box,
    clip_segments,
    curve_view,
    equal_scales,
    finite_path,
    loss_view,
    number,
    outcome_words,
    path_view,
    thin,
    trace_labels,
    view_box,
)
from descend.trace import Outcome, Trace, column

wild = st.one_of(
    st.floats(-1e3, 1e3), st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e308, -1e308, 1e150])
)
coordinates = st.floats(-1e6, 1e6)
paths = st.integers(1, 40).flatmap(lambda n: arrays(np.float64, (n, 2), elements=coordinates))
box = Box(np.array([-2.0, -1.0]), np.array([3.0, 1.5]))


@given(paths, st.lists(st.tuples(coordinates, coordinates), max_size=3), st.floats(0.2, 5))
def test_the_view_holds_starts_and_minima(path, anchors, aspect):
    view = view_box([path], anchors, aspect=aspect)
    assert np.all(view.size > 0)
    assert view.contains(path[0])
    assert all(view.contains(np.array(a)) for a in anchors)


@given(paths, st.tuples(coordinates, coordinates))
def test_the_view_is_no_wider_than_the_reach(path, anchor):
    core = Box.around([path[0], np.array(anchor)])
    view = view_box([path], [anchor], pad=0.0)
    if core.size.max() > 1e-3 * max(1.0, np.abs(core.centre).max()):
        assert np.all(view.size <= 3.0 * core.size.max() * (1 + 1e-9))


def test_a_diverging_run_does_not_squash_a_converging_one(bowl):
    healthy, sick = bowl(0.1), bowl(0.4, steps=200)
    alone = view_box([healthy.points], [[0, 0]])
    both = view_box([healthy.points, finite_path(sick)], [[0, 0]])
    assert np.abs(sick.points).max() > 1e20
    assert both.size.max() < 3.5 * alone.size.max()


def test_the_domain_is_shown_whole_unless_the_descent_plays_in_a_corner_of_it():
    domain = [(-5.0, 5.0), (-5.0, 5.0)]
    wide = view_box([np.array([[4.0, 4.0], [-3.0, 2.0]])], domain=domain)
    assert wide.low.tolist() == [-5, -5]
    assert wide.high.tolist() == [5, 5]
    corner = view_box([np.array([[0.1, 0.1], [0.0, 0.0]])], domain=domain)
    assert corner.size.max() < 1


@given(st.floats(0.2, 5), st.floats(0.01, 100), st.floats(0.01, 100))
def test_equal_scales_widen_one_side_only(aspect, width, height):
    before = Box(np.zeros(2), np.array([width, height]))
    after = equal_scales(before, aspect)
    assert np.all(after.size >= before.size * (1 - 1e-12))
    if 1 / 6 < width / height / aspect < 6:
        assert after.size[0] / after.size[1] == pytest.approx(aspect)
    else:
        assert np.array_equal(after.size, before.size)


def test_a_path_without_extent_still_has_a_view():
    for start in ([0.0, 0.0], [1e9, -3.0]):
        view = view_box([np.array([start, start])])
        assert view.contains(np.array(start))
        assert np.all(view.size > 0)


@pytest.mark.parametrize("start", [0.0, 1.0, -250.0, 3e-7])
def test_where_nothing_moves_the_view_is_as_wide_as_the_place_is_far(start):
    view = view_box([np.array([[start], [start]])], pad=0.0)
    assert view.size[0] == pytest.approx(abs(start) or 2)
    assert view.centre[0] == pytest.approx(start)


@given(arrays(np.float64, (12, 2, 2), elements=st.floats(-10, 10)))
def test_clipping_against_a_dense_sample(segments):
    clipped, visible = clip_segments(segments, box)
    t = np.linspace(0, 1, 2001)[:, None]
    inner, outer = box.scaled(1 - 1e-2), box.scaled(1 + 1e-9)
    for segment, cut, seen in zip(segments, clipped, visible, strict=True):
        sample = segment[0] * (1 - t) + segment[1] * t
        if inner.contains(sample).any():
            assert seen
        if not outer.contains(sample).any() and not seen:
            continue
        if seen:
            assert outer.contains(cut).all()
            inside = sample[box.contains(sample)]
            if len(inside):  # the ends of the cut are the ends of the stretch inside
                length = np.abs(segment[1] - segment[0]).max() / 1000 + 1e-9
                assert np.abs(cut[0] - inside[0]).max() <= length
                assert np.abs(cut[1] - inside[-1]).max() <= length


@given(st.integers(1, 60).flatmap(lambda n: arrays(np.float64, (n, 2), elements=st.floats(-20, 20))))
def test_a_path_view_stays_inside_and_keeps_its_ends(path):
    path = np.concatenate([[[0.0, 0.0]], path])
    view = path_view(path, box)
    near = box.scaled(1 + 1e-9)
    assert near.contains(view.segments).all()
    assert near.contains(view.points).all()
    assert view.index[0] == 0
    assert np.array_equal(view.points[0], path[0])
    assert (view.exit is None) == bool(box.contains(path[-1]))
    assert np.array_equal(view.last, path[-1])
    if view.exit is not None:
        on_frame = np.isclose(view.exit[0], box.low) | np.isclose(view.exit[0], box.high)
        assert on_frame.any()
    else:
        assert np.array_equal(view.points[-1], path[-1])


def test_a_bouncing_path_of_many_points_is_drawn_with_few():
    path = np.tile([[1.0, 1.0], [1.0, -0.5]], (50_000, 1))
    view = path_view(path, box)
    assert len(view.segments) <= 4
    assert len(view.points) <= 3
    assert sorted({tuple(p) for p in view.segments.reshape(-1, 2)}) == [(1.0, -0.5), (1.0, 1.0)]


def test_unbroken_lines_join_their_segments():
    path = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [9.0, 1.0], [9.0, 0.5], [2.0, 0.5]])
    lines = path_view(path, box).lines()
    assert [line.tolist() for line in lines] == [[[0, 0], [1, 0], [1, 1], [3, 1]], [[3, 0.5], [2, 0.5]]]


@given(arrays(np.float64, st.integers(3000, 9000), elements=st.floats(-1, 1)), st.data())
def test_thinning_keeps_every_spike(values, data):
    at = data.draw(st.integers(0, len(values) - 1))
    values[at] = 50.0
    x, y = thin(np.arange(float(len(values))), values)
    assert len(x) <= 2400
    assert 50.0 in y
    assert y[list(x).index(at)] == 50.0
    assert x[0] == 0
    assert x[-1] == len(values) - 1
    assert np.all(np.diff(x) > 0)
    assert np.array_equal(values[x.astype(int)], y)


@given(st.lists(st.lists(wild, min_size=1, max_size=60), min_size=1, max_size=4), st.sampled_from([0.0, -2.5, 1e9]))
def test_nothing_that_is_not_finite_leaves_a_curve_view(series, offset):
    view = curve_view([(np.arange(len(s)), s) for s in series], offset=offset)
    assert all(math.isfinite(v) for v in (*view.xlim, *view.ylim))
    assert view.xlim[0] < view.xlim[1]
    assert view.ylim[0] < view.ylim[1]
    if view.scale == "log":
        assert view.ylim[0] > 0
    for curve in view.curves:
        assert np.isfinite(curve.x).all()
        assert np.isfinite(curve.y).all()
        assert view.scale == "linear" or np.all(curve.y > 0)


def test_a_healthy_curve_is_shown_whole(bowl):
    view = loss_view([bowl(0.1)])
    (curve,) = view.curves
    assert view.scale == "log"
    assert curve.exit is None
    assert curve.y[0] == 43.0
    assert curve.y[-1] == pytest.approx(0.00213, abs=5e-6)
    assert view.ylim[0] < curve.y.min()
    assert view.ylim[1] > 43


def test_a_diverging_curve_leaves_the_frame_and_says_where_to(bowl):
    view = loss_view([bowl(0.4, steps=2000)])
    (curve,) = view.curves
    assert curve.exit is not None
    assert curve.exit[1] == 1
    assert curve.last == math.inf
    assert view.ylim[1] < 1e12
    assert view.xlim[1] < 60  # nothing is left to see later


def test_the_minimum_is_subtracted_only_where_it_lies_below():
    losses = [12.0, 10.1, 10.01, 10.0]
    trace = Trace({"loss": column(range(4), losses)})
    view = loss_view([trace], 10.0)
    assert view.offset == 10.0
    assert view.scale == "log"
    assert view.curves[0].y[:3] == pytest.approx([2.0, 0.1, 0.01])
    assert loss_view([trace], 11.0).offset == 0.0
    assert loss_view([trace], math.nan).offset == 0.0


def test_a_negative_loss_gets_a_linear_axis():
    view = loss_view([Trace({"loss": column(range(3), [5.0, -1.0, -3.0])})])
    assert view.scale == "linear"
    assert view.ylim[0] < -3
    assert view.ylim[1] > 5


def test_labels_tell_runs_apart(bowl):
    assert trace_labels([bowl(0.1), bowl(0.4)]) == ("sgd  lr 0.1", "sgd  lr 0.4")
    twins = trace_labels([bowl(0.1), bowl(0.1)])
    assert len(set(twins)) == 2
    adam = {"optimizer": "adam", "hyperparameters": {"lr": 0.1, "beta1": 0.9, "beta2": 0.999}}
    other = {"optimizer": "adam", "hyperparameters": {"lr": 0.1, "beta1": 0.5, "beta2": 0.999}}
    assert trace_labels([Trace({}, config=adam), Trace({}, config=other)]) == (
        "adam  lr 0.1  beta1 0.9",
        "adam  lr 0.1  beta1 0.5",
    )


def test_outcomes_in_few_words(bowl):
    assert outcome_words(bowl(0.1)) == "loss 0.00213 after 20 steps"
    assert outcome_words(bowl(0.4, kind="diverged")) == "diverged, loss 1.89×10⁷"
    nan = Trace({"loss": column([0, 1], [1.0, math.nan])}, outcome=Outcome("failed", ""))
    assert outcome_words(nan) == "failed, loss no number"


@given(wild)
def test_numbers_are_written_so_that_they_read_back(value):
    text = number(value)
    if math.isfinite(value):
        ordinary = text.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-", ",")).replace("×10", "e")
        assert abs(Decimal(ordinary) - Decimal(value)) <= Decimal("0.006") * abs(Decimal(value))
    else:
        assert text in ("∞", "−∞", "no number")
