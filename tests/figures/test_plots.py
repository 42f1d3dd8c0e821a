"""Figures as they are drawn: every layout, nothing that is not finite in any artist, files."""

from __future__ import annotations

import io
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.contour import ContourSet
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.quiver import Quiver
from matplotlib.text import Text

from descend.errors import DescendError
from descend.figures import draw_fit, draw_fit_many, draw_traces, save_figure, trace_html
from descend.figures.fit import mse_plane
from descend.objectives import Objective, resolve
from descend.trace import Outcome, Trace, column

from .conftest import quadratic_trace

BOWL = resolve("x² + 3y²")
LINE = resolve("(x-3)²")


def numbers_in(figure):
    """Every number that any artist of the figure is drawn from, in data coordinates."""
    for axes in figure.axes:
        yield np.array([*axes.get_xlim(), *axes.get_ylim()])
        for artist in axes.findobj():
            if isinstance(artist, Line2D) and artist.get_transform() is not None and artist in axes.lines:
                yield np.asarray(artist.get_xdata(), float)
                yield np.asarray(artist.get_ydata(), float)
            elif isinstance(artist, LineCollection | PathCollection | ContourSet):
                for path in artist.get_paths():
                    yield np.asarray(path.vertices, float)
            elif isinstance(artist, Quiver):
                for values in (artist.XY, artist.U, artist.V):
                    yield np.asarray(np.ma.getdata(values), float)
            elif isinstance(artist, Text) and artist in axes.texts:
                yield np.asarray(artist.get_position(), float)
                if hasattr(artist, "xy"):
                    yield np.asarray(artist.xy, float)


def assert_finite(figure):
    seen = list(numbers_in(figure))
    assert sum(v.size for v in seen) > 8
    assert all(np.isfinite(v).all() and np.abs(v).max(initial=0) < 1e200 for v in seen)


def png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    file.seek(0)
    return imread(file)


def words(figure):
    return " | ".join(t.get_text() for t in [*figure.texts, *(t for a in figure.axes for t in a.findobj(Text))] if t.get_text())


def one(lr, steps=20, kind="step_budget"):
    """(x − 3)² from 0 in closed form."""
    x = 3 - 3 * (1 - 2 * lr) ** np.arange(steps + 1)
    at = np.arange(steps + 1)
    return Trace(
        {"loss": column(at, (x - 3) ** 2), "point": column(at, x[:, None])},
        outcome=Outcome(kind, "So it went."),
        config={"optimizer": "sgd", "hyperparameters": {"lr": lr}},
        variables=("x",),
    )


def layouts():
    many = quadratic_trace([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], 0.1, 30)
    bare = Trace({"loss": column(range(5), [5, 4, 3, 2, 1.0])})
    with_norm = Trace({"loss": column(range(5), [5, 4, 3, 2, 1.0]), "grad_norm": column(range(5), [9, 8, 7, 6, 5.0])})
    bowl = [
        quadratic_trace([2, 6], [4, 3], lr, 20, k) for lr, k in ((0.001, "step_budget"), (0.1, "converged"), (0.4, "diverged"))
    ]
    return {
        "plane": ([bowl[1]], BOWL, 2),
        "plane of three": (bowl, BOWL, 2),
        "plane without objective": ([bowl[1]], False, 3),
        "curve": ([one(0.1)], LINE, 2),
        "curve that flies off": ([one(1.1, 60, "diverged")], LINE, 2),
        "curve of three": ([one(0.1), one(1.0), one(1.1, 60, "diverged")], LINE, 2),
        "five variables": ([many], None, 6),
        "ten variables": ([quadratic_trace(np.arange(1, 11), np.ones(10), 0.05, 30)] * 2, None, 7),
        "loss alone": ([bare], None, 1),
        "loss and gradient": ([with_norm], None, 2),
        "single point": ([quadratic_trace([2, 6], [4, 3], 0.1, 0)], BOWL, 2),
        "start at the minimum": ([quadratic_trace([2, 6], [0, 0], 0.1, 5)], BOWL, 2),
        "named surface": ([quadratic_trace([2, 6], [-1, 0.5], 0.01, 5)], resolve("rosenbrock"), 2),
        "constant": ([quadratic_trace([0, 0], [1, 1], 0.1, 5)], resolve("0x+0y+7"), 2),
        "not defined everywhere": ([quadratic_trace([2, 6], [4, 3], 0.1, 20)], resolve("log(x)+y²"), 2),
        "defined nowhere": ([quadratic_trace([2, 6], [4, 3], 0.1, 20)], resolve("log(0-1-x²)+y"), 2),
    }


@pytest.mark.parametrize("name", layouts())
def test_every_layout_is_drawn(name, tmp_path):
    traces, goal, axes = layouts()[name]
    figure = draw_traces(traces, goal=goal)
    assert len(figure.axes) == axes
    assert_finite(figure)
    picture = imread(save_figure(figure, tmp_path / "a.png"))
    assert picture.shape[1] > 900
    assert 0.01 < (picture[..., :3].min(axis=2) < 0.95).mean() < 0.95  # there is ink, and there is paper


def test_what_happened_is_said():
    healthy, sick = quadratic_trace([2, 6], [4, 3], 0.1, 20), quadratic_trace([2, 6], [4, 3], 0.4, 2000, "diverged")
    text = words(draw_traces([healthy], goal=BOWL))
    assert "start (4, 3)" in text
    assert "after 20 steps" in text
    assert "minimum" in text
    assert "step_budget it is." in text
    text = words(draw_traces([healthy, sick], goal=BOWL, title="Two runs"))
    assert "Two runs" in text
    assert "sgd  lr 0.4:  diverged, loss ∞" in text
    assert "off to y = " in text
    assert "to ∞ at step" in text


def test_the_limit_is_said_where_it_is_known():
    class Known:
        ratio = 1.2

    run = quadratic_trace([2, 6], [4, 3], 0.4, 20, "diverged")
    assert "lr is 1.2 times the largest stable one" in words(draw_traces([run], goal=BOWL, stability=Known()))
    Known.ratio = math.inf
    assert "largest stable" not in words(draw_traces([run], goal=BOWL, stability=[Known(), None]))


def test_the_end_at_the_minimum_and_the_end_elsewhere_are_told_apart():
    there = draw_traces([quadratic_trace([2, 6], [4, 3], 0.1, 200)], goal=BOWL)
    assert "after 200 steps, at the minimum" in words(there)
    crawling = draw_traces([quadratic_trace([2, 6], [4, 3], 0.001, 20)], goal=BOWL)
    assert "at the minimum" not in words(crawling)
    assert "minimum" in words(crawling)


def test_the_surface_is_found_again_from_the_configuration_only_when_it_gives_the_losses():
    run = quadratic_trace([2, 6], [4, 3], 0.1, 20, objective="x² + 3y²")
    assert any(isinstance(c, Quiver) for c in draw_traces([run]).axes[0].collections)
    assert not any(isinstance(c, Quiver) for c in draw_traces([run], goal=False).axes[0].collections)
    wrong = quadratic_trace([2, 6], [4, 3], 0.1, 20, objective="x² + 2y²")
    assert not any(isinstance(c, Quiver) for c in draw_traces([wrong]).axes[0].collections)
    for text in ("f(x, y)", "", "x +", "model.py:loss"):
        assert draw_traces([run.replace(config={"objective": text})]).axes


wild = st.one_of(
    st.floats(-10, 10), st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 1e160, 5e-324])
)
goals = {1: LINE, 2: BOWL, 3: None}


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([1, 2, 3]), st.integers(1, 3), st.booleans())
def test_no_value_ever_spoils_a_figure(data, d, runs, with_goal):
    traces = []
    for _ in range(runs):
        n = data.draw(st.integers(1, 12))
        start = data.draw(st.lists(st.floats(-1e6, 1e6), min_size=d, max_size=d))
        later = data.draw(st.lists(st.lists(wild, min_size=d, max_size=d), min_size=n - 1, max_size=n - 1))
        losses = data.draw(st.lists(wild, min_size=n, max_size=n))
        kind = data.draw(st.sampled_from(["converged", "step_budget", "stalled", "diverged", "failed"]))
        columns = {"loss": column(range(n), losses), "point": column(range(n), [start, *later])}
        traces.append(Trace(columns, outcome=Outcome(kind, kind), variables=tuple("xyz"[:d])))
    figure = draw_traces(traces, goal=goals[d] if with_goal else False)
    assert_finite(figure)
    assert png(figure).size


def test_a_hundred_thousand_points_make_a_small_drawing():
    run = quadratic_trace([2, 6], [4, 3], 1 / 3, 100_000)
    figure = draw_traces([run], goal=BOWL)
    drawn = sum(v.size for v in numbers_in(figure))
    assert drawn < 60_000
    loss = figure.axes[1].lines[0]
    assert max(loss.get_ydata()) == 43.0


def test_nothing_to_draw_is_said_in_one_sentence():
    with pytest.raises(DescendError, match="at least one trace"):
        draw_traces([])
    with pytest.raises(DescendError, match="trace 2 of 2 has no losses"):
        draw_traces([quadratic_trace([2, 6], [4, 3], 0.1, 3), Trace({})])


def test_drawing_leaves_no_global_state():
    before = dict(mpl.rcParams)
    figure = draw_traces([quadratic_trace([2, 6], [4, 3], 0.1, 20)], goal=BOWL)
    figure.savefig(io.BytesIO(), format="svg")
    assert dict(mpl.rcParams) == before
    code = "import descend.figures, sys; bad = {'matplotlib', 'jax', 'sympy', 'torch'} & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = (
        "import sys, descend.figures as f; from descend.trace import Trace, column;"
        "f.draw_traces([Trace({'loss': column([0, 1], [2.0, 1.0])})]);"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- files ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_same_figure_gives_the_same_bytes(ending, tmp_path):
    run = quadratic_trace([2, 6], [4, 3], 0.3, 20)
    first, second = (save_figure(draw_traces([run], goal=BOWL), tmp_path / f"{k}.{ending}", about={"lr": 0.3}) for k in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert mpl.rcParams["svg.hashsalt"] is None


def test_an_svg_is_well_formed_and_undated(tmp_path):
    path = save_figure(draw_traces([quadratic_trace([2, 6], [4, 3], 0.3, 20)], goal=BOWL), tmp_path / "a.SVG")
    text = path.read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "dc:date" not in text
    drawn = " ".join(e.get(name, "") for e in ElementTree.fromstring(text).iter() for name in ("d", "x", "y", "transform"))
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_a_png_carries_what_made_it(tmp_path):
    image_module = pytest.importorskip("PIL.Image")
    path = save_figure(draw_traces([one(0.1)], goal=LINE), tmp_path / "a.png", about={"optimizer": "sgd", "lr": math.inf})
    with image_module.open(path) as image:
        assert image.text["Description"] == '{"optimizer": "sgd", "lr": null}'
        assert image.text["Software"] == "descend"


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.png.gz"])
def test_other_endings_are_refused(name, tmp_path):
    with pytest.raises(DescendError, match=r"saved as \.png or \.svg"):
        save_figure(draw_traces([one(0.1)], goal=LINE), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_half_written(tmp_path, monkeypatch):
    figure = draw_traces([one(0.1)], goal=LINE)
    with pytest.raises(DescendError, match="could not write"):
        save_figure(figure, tmp_path / "missing" / "a.png")
    target = tmp_path / "a.png"
    target.write_bytes(b"before")

    def full(*_args, **_options):
        _args[0].write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(DescendError, match="No space left"):
        save_figure(figure, target)
    assert target.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_notebook_html_is_escaped():
    run = quadratic_trace([2, 6], [4, 3], 0.1, 3).replace(
        outcome=Outcome("failed", "<script>alert('x')</script> & more"), name='"><b>'
    )
    html = trace_html(run)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert '"><b>' not in html
    assert html.count("<img") == 1
    assert [e.tag for e in ElementTree.fromstring(html).iter()] == ["div", "p", "img"]
    assert "<img" not in trace_html(Trace({}))


# -- fits -----------------------------------------------------------------------------------------------------------------


def fit_path(lr, steps, x, y):
    w = b = 0.0
    path, losses = [(w, b)], []
    with np.errstate(all="ignore"):
        for _ in range(steps):
            error = w * x + b - y
            losses.append(np.mean(error**2))
            w, b = w - lr * 2 * np.mean(error * x), b - lr * 2 * np.mean(error)
            path.append((w, b))
        losses.append(np.mean((w * x + b - y) ** 2))
    return np.array(path), np.array(losses)


@pytest.mark.parametrize(("lr", "steps"), [(0.01, 200), (1.0, 600), (1e-4, 50)])
def test_a_line_fit_is_drawn(lr, steps, tmp_path):
    x = np.linspace(-5, 5, 101)
    y = 2 * x + 3 + 0.3 * np.sin(40 * x)
    path, losses = fit_path(lr, steps, x, y)
    slope, intercept = np.polyfit(x, y, 1)
    figure = draw_fit(x, y, path, losses, (slope, intercept), x_label="size", y_label="price", least_loss=0.045)
    assert len(figure.axes) == 3
    assert_finite(figure)
    text = words(figure)
    assert "least squares" in text
    assert "size" in text
    assert ("off to (" in text) == (lr == 1.0)
    assert save_figure(figure, tmp_path / "fit.svg").stat().st_size > 10_000


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=20), st.floats(-5, 5), st.floats(-5, 5))
def test_the_plane_is_the_mean_squared_error(points, w, b):
    x, y = np.array(points).T
    assert mse_plane(x, y, [[w, b]])[0] == pytest.approx(np.mean((w * x + b - y) ** 2), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("scale", [1.0, 1e200, math.inf, math.nan])
def test_a_fit_of_several_features_is_drawn(scale):
    rng = np.random.default_rng(1)
    features, truth = rng.normal(size=(80, 20)), np.arange(20.0) - 8
    y = features @ truth
    with np.errstate(all="ignore"):
        figure = draw_fit_many(
            y, y * scale, [10.0, 5.0 * scale, 1.0], [f"feature number {i}" for i in range(20)], truth * scale, truth
        )
    assert len(figure.axes) == 3
    assert_finite(figure)
    assert png(figure).size
    assert "14 largest of 20" in words(figure)


def test_a_user_function_is_drawn_on_its_surface():
    goal = Objective(lambda p: p[0] ** 2 + 3 * p[1] ** 2, "f", "f(p)", backend="numpy")
    figure = draw_traces([quadratic_trace([2, 6], [4, 3], 0.1, 20)], goal=goal)
    assert any(isinstance(c, Quiver) for c in figure.axes[0].collections)
