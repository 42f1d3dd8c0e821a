"""The maps' asks: a map equals the plane, its descents are its pixels, regimes follow closed forms, junk is one sentence."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import descend as ds
from descend.cli import main
from descend.errors import DescendError
from descend.figures.planemap import DIVERGED, MISSING, SHADES
from descend.lab import maps
from descend.lab.choices import PRESETS
from descend.lab.desk import Talk
from descend.lab.frames import Frame, pack, unpack
from descend.lab.regimes import WORDS, curvature_from, regime_grid, word_of
from descend.lab.spans import LARGEST, chart, goal_named
from descend.planes import linspace


def axis(name, low, high, scale="linear"):
    return {"name": name, "low": low, "high": high, "scale": scale}


MOMENTUM = {
    "objective": "ellipse",
    "optimizer": {"name": "momentum", "values": {}},
    "steps": 150,
    "by": "rate",
    "size": 40,
    "x": axis("lr", 0.01, 0.7),
    "y": axis("momentum", 0.0, 0.95),
}


DAMPED = {"name": "momentum", "values": {"lr_in_velocity": True, "dampening": 0.1}}
FALLING = {"name": "momentum", "values": {"lr": "cosine(0.1, 100)"}}


def talk(heard=None):
    return Talk((lambda frame: None) if heard is None else heard.append)


@pytest.fixture(autouse=True)
def nothing_kept():
    maps._kept.clear()
    yield
    maps._kept.clear()


# -- the map is the plane


@pytest.mark.parametrize("by", ["rate", "steps", "loss"])
def test_a_map_holds_the_planes_values(by):
    frame = maps.map({**MOMENTUM, "by": by}, talk())
    plane = ds.plane(
        "ellipse", [4, 3], ds.momentum(), steps=150, lr=ds.linspace(0.01, 0.7, 40), momentum=ds.linspace(0, 0.95, 40)
    )
    column = {"rate": "rate", "steps": "steps_to", "loss": "loss"}[by]
    np.testing.assert_array_equal(frame.arrays["value"], plane[column].T.astype(np.float32))
    np.testing.assert_array_equal(frame.arrays["index"] == DIVERGED, np.isin(plane["outcome"].T, (3, 4)))
    assert sum(frame.data["outcomes"].values()) == 1600
    assert frame.data["outcomes"]["diverged"] == (plane.outcomes == "diverged").sum()


def test_faster_descents_are_brighter():
    frame = maps.map(MOMENTUM, talk())
    index, rate, palette = frame.arrays["index"], frame.arrays["value"], frame.arrays["palette"]
    shown = index < SHADES
    order = np.argsort(rate[shown])
    assert (np.diff(index[shown][order].astype(int)) <= 0).all()
    brightness = palette[:SHADES].astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(brightness) >= 0).all()
    assert brightness[0] > 15  # the slowest is told apart from black


def test_coarse_images_come_first_and_agree_with_what_is_known(monkeypatch):
    monkeypatch.setattr("descend.planes.compute.SHOW_EVERY", 0.0)
    monkeypatch.setattr(maps, "PAUSE", 0.0)
    monkeypatch.setattr("descend.planes.job.CACHE", 4096)
    heard = []
    last = maps.map({**MOMENTUM, "size": [80, 48], "by": "steps"}, talk(heard))
    assert heard.pop(0).data == {"begun": True}
    assert len(heard) > 3
    strides = [f.data["stride"] for f in heard]
    assert strides == sorted(strides, reverse=True)
    assert strides[0] >= 8
    assert [f.data["done"] for f in heard] == sorted(f.data["done"] for f in heard)
    assert last.data["done"] == 1
    whole = last.arrays["index"]
    assert whole.shape == (48, 80)
    assert (whole != MISSING).all()
    for frame in heard:
        stride, index = frame.data["stride"], frame.arrays["index"]
        assert index.shape == tuple(-(-n // stride) for n in (48, 80))
        if (
            stride < 16
        ):  # every other descent of a level is known from the level before: a step's colour does not depend on others
            np.testing.assert_array_equal(index[::2, ::2], whole[:: 2 * stride, :: 2 * stride])


def test_an_overtaken_map_stops_and_is_not_kept(monkeypatch):
    monkeypatch.setattr("descend.planes.job.CACHE", 4096)
    heard = []
    asked = Talk(heard.append)

    def hear(frame):
        heard.append(frame)
        if "done" in frame.data:
            asked.cancel()

    asked._send = hear
    answer = maps.map({**MOMENTUM, "size": 200, "steps": 400}, asked)
    assert answer.data == {"overtaken": True}
    assert heard[1].data["done"] < 0.5
    assert not maps._kept


def test_another_colour_or_the_way_back_computes_nothing(monkeypatch):
    first = maps.map(MOMENTUM, talk())
    monkeypatch.setattr(maps, "plane", None)
    again = maps.map(MOMENTUM, talk())
    np.testing.assert_array_equal(first.arrays["value"], again.arrays["value"])
    assert maps.map({**MOMENTUM, "by": "loss"}, talk()).data["legend"]["by"] == "loss"


def test_few_planes_are_kept():
    for k in range(maps.KEPT + 3):
        maps.map({**MOMENTUM, "size": 8, "steps": 10 + k}, talk())
    assert len(maps._kept) == maps.KEPT


def test_a_zoom_compiles_nothing():
    from descend.planes import program

    maps.map(MOMENTUM, talk())
    before = {k: v[0]._cache_size() for k, v in program._compiled.items()}
    narrow = axis("lr", 0.1, 0.2)
    maps.map({**MOMENTUM, "x": narrow, "size": 64, "steps": 333}, talk())
    assert {k: v[0]._cache_size() for k, v in program._compiled.items()} == before


def test_float64_where_float32_runs_out_and_no_deeper_than_that():
    deep = {**MOMENTUM, "size": 16, "x": axis("lr", 0.3, 0.3 + 1e-9)}
    assert maps.map(deep, talk()).data["dtype"] == "float64"
    assert maps.map({**MOMENTUM, "size": 16}, talk()).data["dtype"] == "float32"
    deeper = axis("lr", 0.3, 0.3 + 1e-16)
    with pytest.raises(DescendError, match=r"lr has no more numbers between 0\.3 and 0\.300.*as deep as float64 goes"):
        maps.map({**deep, "x": deeper}, talk())


def test_a_map_that_was_warmed_compiles_nothing_more():
    from descend.planes import program

    state = {**MOMENTUM, "objective": "x**2 + 7*y**2", "size": 40}
    program._compiled.clear()
    assert maps.warm(state, talk()).data == {}
    (made,) = program._compiled.values()
    assert made[0]._cache_size() == 1
    maps.map(state, talk())
    assert list(program._compiled.values()) == [made]
    assert made[0]._cache_size() == 1


# -- a pixel is a descent


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p["name"])
def test_every_preset_works_and_its_descents_are_its_pixels(preset):
    state = {**preset["state"], "size": 12, "dtype": "float64"}
    if preset["name"] == "fractal":
        state = {**state, "size": 4, "steps": 20}
    frame = unpack(pack(maps.map(state, talk())))
    assert frame.data["legend"]["by"] == state["by"]
    told = chart(state)
    plane = ds.plane(told.goal, told.start, told.optimizer, steps=told.steps, dtype="float64", **told.axes)
    n = state["size"]
    for cell in ([0, 0], [n // 2, n // 3], [n // 3, n - 1], [1, n // 2]):
        run = maps.run({**state, "cell": cell}, talk())
        there = plane.at(*cell)
        size = max(1.0, float(np.nanmax(np.abs(np.where(np.isfinite(run.arrays["loss"]), run.arrays["loss"], 0)))))
        chaotic = preset["name"] in ("basins", "lr-start", "adam-beta1", "adam-beta2")
        if np.isfinite(there["loss"]) and np.isfinite(run.arrays["loss"]).all() and not (chaotic and there["rate"] > 0.99):
            assert abs(run.arrays["loss"][-1] - there["loss"]) <= 1e-6 * size
        by_value = maps.run({**state, "at": list(run.data["at"])}, talk())
        np.testing.assert_array_equal(run.arrays["loss"], by_value.arrays["loss"])
        assert run.data["regime"] in WORDS
    x, y = preset["state"]["at"]
    assert preset["state"]["x"]["low"] <= x <= preset["state"]["x"]["high"]
    assert preset["state"]["y"]["low"] <= y <= preset["state"]["y"]["high"]
    assert "error" not in maps.run(preset["state"], talk()).data


def test_a_descent_states_the_rate_the_plane_uses():
    state = {**MOMENTUM, "optimizer": {"name": "adam"}, "x": axis("beta1", 0.1, 0.9),
             "y": axis("beta2", 0.1, 0.9), "dtype": "float64", "size": 4}  # fmt: skip
    run = maps.run({**state, "cell": [1, 2]}, talk())
    assert run.data["fixed"]["lr"] == 0.001
    assert "lr=0.001" in chart(state).python
    plane = ds.plane("ellipse", [4, 3], ds.adam(), steps=150, dtype="float64", **chart(state).axes)
    assert run.arrays["loss"][-1] == pytest.approx(plane.loss[1, 2], rel=1e-12)


# -- the words that make it again


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"by": "loss", "tol": 1e-3, "start": [-1.5, 2.25], "optimizer": DAMPED},
        {"x": axis("lr", 1e-3, 0.3, "log"), "y": axis("y", -3, 2)},
        {"objective": "x**2 - x*y + 3*y**4", "start": [1, -1], "dtype": "float64", "size": [9, 5]},
        {"x": axis("lr", 0.3, 0.3000000001)},
        {"objective": "himmelblau", "by": "basin", "optimizer": {"name": "rmsprop", "values": {"lr": 0.05}},
         "x": axis("x", -5, 5), "y": axis("y", -5, 5)},
        {"objective": "trainability", "optimizer": {"name": "sgd"}, "size": 3, "steps": 5, "by": "loss",
         "x": axis("lr_w0", 1, 100, "log"), "y": axis("lr_w1", 1, 9.5, "log")},
    ],
)  # fmt: skip
def test_the_command_and_the_program_make_the_same_plane(changes, tmp_path, monkeypatch):
    import shlex

    monkeypatch.chdir(tmp_path)
    state = {**MOMENTUM, "size": 12, "steps": 40, **changes}
    frame = maps.map(state, talk())
    made = maps._kept[chart(state).key]
    words = shlex.split(frame.data["command"])
    assert words[:2] == ["descend", "map"]
    result = CliRunner().invoke(main, [*words[1:], "--data", "m.npz"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "map.png").exists()
    (tmp_path / "map.png").unlink()
    scope: dict = {}
    exec(frame.data["python"], scope)
    assert (tmp_path / "map.png").exists()
    for other in (ds.Plane.load(tmp_path / "m.npz"), scope["plane"]):
        assert list(other.axes) == list(made.axes)
        for name in made.arrays:
            np.testing.assert_array_equal(other[name], made[name])


def test_the_picture_is_a_png_that_says_what_it_shows():
    frame = maps.picture({**MOMENTUM, "size": 32}, talk())
    image = Image.open(io.BytesIO(frame.arrays["file"].tobytes()))
    about = json.loads(image.text["Description"])
    assert about["axes"]["lr"] == [0.01, 0.7, 32, "linear"]
    assert about["by"] == "rate"
    assert about["version"] == ds.__version__
    assert "--x lr=0.01:0.7" in about["command"]
    assert frame.data["name"] == "ellipse-momentum-lr-momentum.png"


# -- what is predicted


def test_the_limit_is_the_triangle_of_momentum():
    frame = maps.limit(MOMENTUM, talk())
    lr, momentum = frame.arrays["limit"].T
    np.testing.assert_allclose(lr, 2 * (1 + momentum) / 6, rtol=1e-6)
    assert frame.data["name"] == "predicted limit"
    flipped = maps.limit({**MOMENTUM, "x": MOMENTUM["y"], "y": MOMENTUM["x"]}, talk())
    np.testing.assert_allclose(flipped.arrays["limit"][:, 1], lr)


def test_no_limit_is_drawn_where_none_is_known():
    adam = {**MOMENTUM, "optimizer": {"name": "adam"}, "y": axis("beta1", 0, 0.9)}
    frame = maps.limit(adam, talk())
    assert frame.arrays == {}
    assert frame.data["labels"] == []
    curved = maps.limit({**MOMENTUM, "objective": "rosenbrock"}, talk())
    assert "start" in curved.data["name"]


def roots(lr, momentum, curvature):
    """Modes of heavy-ball on λp²/2: z² − (1 + β − lr·λ)z + β = 0."""
    return np.roots([1, -(1 + momentum - lr * curvature), momentum])


@settings(max_examples=150, deadline=None)
@given(st.floats(0.001, 0.9), st.floats(0.0, 0.98))
def test_regimes_of_momentum_follow_the_closed_form(lr, momentum):
    """One direction, λ = 2: monotone below (1 − √β)²/λ, ripples up to (1 + √β)²/λ, oscillation up to 2(1 + β)/λ."""
    edges = [(1 - np.sqrt(momentum)) ** 2 / 2, (1 + np.sqrt(momentum)) ** 2 / 2, 2 * (1 + momentum) / 2]
    if min(abs(lr - e) for e in edges) < 1e-4:
        return
    expected = ["monotone", "ripples", "oscillation", "divergence"][sum(lr > e for e in edges)]
    state = {"objective": "parabola", "optimizer": {"name": "momentum"}, "steps": 20, "size": 2, "dtype": "float64",
             "x": axis("lr", 0.0001, 1),
             "y": axis("momentum", 0, 0.99)}  # fmt: skip
    frame = maps.run({**state, "at": [lr, momentum]}, talk())
    assert frame.data["regime"] == expected
    assert frame.data["directions"][0]["factor"] == pytest.approx(np.abs(roots(lr, momentum, 2)).max(), rel=1e-6)
    if expected == "ripples":
        angle = np.abs(np.angle(roots(lr, momentum, 2))).max()
        assert frame.data["directions"][0]["turn"] == pytest.approx(2 * np.pi / angle, rel=1e-6)


def test_the_grid_of_regimes_is_that_of_the_slowest_direction():
    axes = [linspace(0.01, 0.7, 50), linspace(0.0, 0.95, 40)]
    codes, labels = regime_grid(goal_named("ellipse"), ds.momentum(), (4.0, 3.0), axes, ["lr", "momentum"])
    lrs, momenta = (np.linspace(a.values[0], a.values[-1], codes.shape[0]) for a in axes)
    words = list(WORDS)
    wrong = 0
    for i in range(0, len(momenta), 7):
        for j in range(0, len(lrs), 5):
            every = np.concatenate([roots(lrs[j], momenta[i], curvature) for curvature in (2, 6)])
            size = np.abs(every)
            slowest = every[size >= size.max() - 1e-9]
            wrong += words[codes[i, j]] not in {word_of(z) for z in slowest}
    assert wrong == 0
    assert {"monotone", "ripples", "divergence"} <= {label["word"] for label in labels}
    for label in labels:
        x, y = label["at"]
        assert words[codes[int(y * codes.shape[0]), int(x * codes.shape[1])]] == label["word"]


@pytest.mark.parametrize(
    ("lr", "word"), [(0.05, "monotone"), (0.3, "oscillation"), (1 / 3, "no rest"), (0.4, "divergence"), (0.5, "divergence")]
)
def test_the_rates_of_the_lesson(lr, word):
    """x² + 3y² from (4, 3): 0.3 changes y's sign at every step and converges, 1/3 bounces for ever, 0.4 flies off."""
    state = {
        **MOMENTUM,
        "optimizer": {"name": "sgd"},
        "y": axis("x", 1, 5),
        "dtype": "float64",
    }
    assert maps.run({**state, "at": [lr, 4.0]}, talk()).data["regime"] == word


def test_a_direction_the_start_does_not_leave_counts_for_nothing():
    state = {**MOMENTUM, "optimizer": {"name": "sgd"}, "start": [4, 0], "dtype": "float64"}
    state["y"] = axis("x", 1, 5)
    told = maps.run({**state, "at": [0.4, 4.0]}, talk()).data
    assert [d["name"] for d in told["directions"]] == ["x"]
    assert told["regime"] == "monotone"  # 1 − 2·0.4 = 0.2 along x; y would diverge but stays 0
    both = maps.run({**state, "start": [4, 1e-3], "at": [0.4, 4.0]}, talk()).data
    assert both["regime"] == "divergence"


def test_one_step_where_the_rate_is_the_inverse_of_the_curvature():
    state = {**MOMENTUM, "objective": "bowl", "optimizer": {"name": "sgd"}, "dtype": "float64"}
    state["y"] = axis("x", 1, 5)
    assert maps.run({**state, "at": [0.5, 4.0]}, talk()).data["regime"] == "one step"


def test_other_rules_are_told_from_the_run():
    def word(optimizer, lr, **values):
        state = {**MOMENTUM, "optimizer": {"name": optimizer, "values": values}, "dtype": "float64", "steps": 60}
        state["y"] = axis("x", 1, 5)
        return maps.run({**state, "at": [lr, 4.0]}, talk()).data["regime"]

    assert word("adam", 0.01) == "monotone"  # 60 steps of about 0.01 come nowhere near
    assert word("adam", 0.5) == "ripples"
    assert word("signsgd", 0.7) == "hovering"
    assert word("lion", 1.0) in ("hovering", "ripples", "oscillation")


def test_curvature_of_a_quadratic_is_known_to_hold_everywhere():
    assert curvature_from(goal_named("ellipse"), (4.0, 3.0))[1]
    assert not curvature_from(goal_named("rosenbrock"), (-1.2, 1.0))[1]


# -- basins


def test_basins_are_where_the_descents_come_to_rest():
    slow = {"name": "sgd", "values": {"lr": 0.01}}
    state = {"objective": "himmelblau", "optimizer": slow, "steps": 300, "by": "basin", "size": 21,
             "x": axis("x", -5, 5),
             "y": axis("y", -5, 5)}  # fmt: skip
    frame = maps.map(state, talk())
    minima = ds.SURFACES["himmelblau"].minima if hasattr(ds, "SURFACES") else goal_named("himmelblau").minima
    assert len(frame.data["legend"]["ticks"]) == 4
    from descend.figures.basins import SHADES as EACH

    grid = np.linspace(-5, 5, 21)
    seen = set()
    for i in range(0, 21, 3):
        for j in range(0, 21, 3):
            end = ds.descend("himmelblau", [grid[j], grid[i]], ds.sgd(lr=0.01), steps=3000).points[-1]
            apart = [np.abs(end - m).max() for m in minima]
            index = int(frame.arrays["index"][i, j])
            if min(apart) < 1e-3 and index < SHADES:
                assert index // EACH == int(np.argmin(apart))
                seen.add(index // EACH)
    assert seen == {0, 1, 2, 3}


def test_basins_without_known_minima_are_found():
    state = {"objective": "(x**2 - 1)**2 + (y**2 - 4)**2", "optimizer": {"name": "sgd", "values": {"lr": 0.02}}, "steps": 400,
             "by": "basin", "size": 24, "x": axis("x", -2, 2),
             "y": axis("y", -3, 3)}  # fmt: skip
    told = {text for _, text in maps.map(state, talk()).data["legend"]["ticks"]}
    assert told == {"(1, 2)", "(−1, 2)", "(1, −2)", "(−1, −2)"}


# -- junk, and bounds

WORDS_OF_PARAMS = ["name", "low", "high", "scale", "values", "lr"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS_OF_PARAMS), inner, max_size=4),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["objective", "optimizer", "start", "steps", "tol", "x", "y", "by", "dtype", "at", "cell", "size"]),
        JUNK,
        min_size=1,
        max_size=2,
    ),
    st.sampled_from([maps.map, maps.run, maps.limit, maps.choices, maps.picture]),
)
def test_junk_is_one_sentence(junk, ask):
    state = {**MOMENTUM, "size": 4, "steps": 4, "at": [0.1, 0.5], **junk}
    if isinstance(state["steps"], int) and state["steps"] > 50:
        state["steps"] = 10**9
    try:
        frame, sentence = ask(state, talk()), ""
    except DescendError as error:
        frame, sentence = None, str(error)
    assert len(sentence.splitlines()) in (0, 1, 3)  # a sentence; under one about a formula, the formula with the place marked
    assert len(sentence) < 500
    if frame is not None:
        assert isinstance(frame, Frame)
        pack(frame)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": LARGEST + 1}, "descents along an axis"),
        ({"size": 1}, "descents along an axis"),
        ({"steps": 5001}, "between 1 and 5000 steps"),
        ({"steps": 5000, "size": LARGEST}, "fewer descents or steps"),
        ({"by": "colour"}, "the colour one of"),
        ({"y": MOMENTUM["x"]}, "two different ones"),
        ({"x": axis("eps", 0, 1)}, "neither a hyperparameter"),
        ({"x": axis("nesterov", 0, 1)}, "neither a hyperparameter"),
        ({"x": axis("lr", 0, 1)}, "lr"),
        ({"x": axis("lr", 0, 1, "log")}, "positive"),
        ({"x": axis("lr", 1, 0.5, "log")}, "from low to high"),
        ({"y": axis("momentum", 0, 1.5)}, "momentum"),
        ({"optimizer": FALLING, "x": MOMENTUM["y"], "y": axis("x", 0, 1)}, "schedule"),
        ({"objective": "f.py:f"}, "command line"),
        ({"objective": "trainability", "size": 1024, "x": axis("lr_w0", 1, 2, "log")}, "fewer descents or steps"),
        ({"objective": "trainability", "by": "basin", "x": axis("lr_w0", 1, 2, "log")}, "basins"),
        ({"optimizer": {"name": "muon"}}, "works on matrices alone"),
        ({"optimizer": {"name": "momentum", "values": {"clip_norm": 10**400}}}, "float64 holds"),
    ],
)  # fmt: skip
def test_bounds_are_told_in_a_sentence(changes, sentence):
    with pytest.raises(DescendError, match=sentence):
        maps.map({**MOMENTUM, **changes}, talk())


@pytest.mark.parametrize("which", [{"cell": [True, 0]}, {"cell": [0.5, 0]}, {"at": [True, 0.5]}, {"at": [10**400, 0.5]}])
def test_a_descent_is_named_by_numbers(which):
    with pytest.raises(DescendError, match="by its cell or by a value"):
        maps.run({**MOMENTUM, "size": 4, "steps": 4, **which}, talk())


def test_a_schedule_and_a_start_beyond_float64_offer_axes_too():
    told = {"optimizer": {"name": "adam", "values": {"lr": "cosine(0.1, 10)"}}, "objective": "ellipse", "start": [10**400, 1]}
    frame = maps.choices(told, talk())
    assert unpack(pack(frame)).data["axes"][0]["value"].startswith("cosine(0.1")


def test_every_axis_offered_can_be_taken():
    for objective in ("ellipse", "x**2 + y**4", "parabola", "trainability"):
        for optimizer in ("sgd", "momentum", "adam", "rprop", "adafactor", "lion", "schedule_free_adamw", "asgd"):
            offered = maps.choices({"objective": objective, "optimizer": {"name": optimizer}}, talk()).data["axes"]
            assert offered[0]["name"] == "lr"
            for axis, other in zip(offered, offered[1:] + offered[:1], strict=True):
                if axis["name"] == other["name"]:
                    continue
                chart({"objective": objective, "optimizer": {"name": optimizer}, "steps": 5, "size": 8, "by": "rate", "x": axis,
                       "y": other})  # fmt: skip
