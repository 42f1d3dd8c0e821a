"""The playground's asks: what they answer is what the library finds, and whatever is wrong is one sentence."""

from __future__ import annotations

import json
import math
import shlex
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend as ds
from descend.equations import latex
from descend.errors import DescendError
from descend.figures.data import loss_view, number
from descend.lab import words
from descend.lab.anatomy import dissect
from descend.lab.asks import ASKS
from descend.lab.descents import asked
from descend.lab.desk import Talk
from descend.lab.frames import Frame, pack, unpack
from descend.lab.presets import PRESETS, Preset
from descend.rules import OPTIMIZERS
from descend.stability import lr_limit

BOWL = "x**2 + 3*y**2"
MINE = ("catalogue", "ground", "run", "limits", "explain", "point", "anatomy", "share")
STATE = {"objective": BOWL, "start": [4, 3], "steps": 20, "seed": 0, "optimizers": [{"name": "sgd", "values": {"lr": 0.4}}]}


def ask(name: str, params: Any) -> Frame:
    """The answer to a question, as the page reads it: through bytes and strict JSON."""
    return unpack(pack(ASKS[name][0](params, Talk(lambda _frame: None))))


def with_rules(*texts: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {**STATE, "optimizers": [{"name": name, "values": values} for name, values in texts], **more}


# -- presets ---------------------------------------------------------------------------------------------------------------


def as_written(value: float, like: str) -> str:
    """The number with as many digits as the promise has."""
    mantissa, _, exponent = like.partition("e")
    return f"{value:.{len(mantissa.partition('.')[2])}{'e' if exponent else 'f'}}"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.key)
def test_a_preset_shows_what_it_promises(preset: Preset) -> None:
    answer = ask("run", preset.state)
    assert len(answer.data["runs"]) == len(preset.state["optimizers"])
    assert preset.expected, "a preset that expects nothing shows nothing"
    for k, promised in enumerate(preset.expected):
        run, points, loss = answer.data["runs"][k], answer.arrays[f"points{k}"], answer.arrays[f"loss{k}"]
        found: dict[str, float] = {"loss": loss[-1], **dict(zip(answer.data["variables"], points[-1], strict=True))}
        for key, value in promised.items():
            if key == "outcome":
                assert run["outcome"] == value
            elif key == "changes":
                assert value.items() <= run["sign_changes"].items()
            else:
                assert as_written(float(found[key]), value) == value


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.key)
def test_a_preset_is_the_library_s_own_run(preset: Preset) -> None:
    answer, state = ask("run", preset.state), preset.state
    for k, told in enumerate(state["optimizers"]):
        rule = getattr(ds, told["name"])(**told["values"])
        stops = {key: state.get(key) for key in ("tol_grad", "tol_loss")}
        trace = ds.descend(state["objective"], state["start"], rule, steps=state["steps"], seed=state["seed"], **stops)
        np.testing.assert_array_equal(answer.arrays[f"points{k}"], trace.points)
        np.testing.assert_array_equal(answer.arrays[f"loss{k}"], trace.loss)
        np.testing.assert_array_equal(answer.arrays[f"grad_norm{k}"], trace.grad_norm)
        assert trace.outcome is not None
        assert answer.data["runs"][k]["message"] == trace.outcome.message
        assert answer.data["runs"][k]["last"] == number(float(trace.loss[-1]), 4)


def test_every_question_has_one_right_answer_and_words_for_each() -> None:
    asking = [p for p in PRESETS if p.question]
    assert asking
    for preset in asking:
        assert [c.right for c in preset.choices].count(True) == 1
        assert len({c.feedback for c in preset.choices}) == len(preset.choices) >= 3
        assert all(c.shows is None or c.shows < len(preset.state["optimizers"]) for c in preset.choices)


def test_the_right_answer_to_which_flies_off_is_the_one_that_does() -> None:
    (preset,) = (p for p in PRESETS if p.key == "which")
    (right,) = (c for c in preset.choices if c.right)
    outcomes = [run["outcome"] for run in ask("run", preset.state).data["runs"]]
    assert [k for k, kind in enumerate(outcomes) if kind == "diverged"] == [right.shows]


# -- asks ------------------------------------------------------------------------------------------------------------------


def test_the_catalogue_holds_every_rule_for_plain_numbers_with_its_equations() -> None:
    data = ask("catalogue", {}).data
    assert [o["name"] for o in data["optimizers"]] == [r.name for r in OPTIMIZERS.values() if r.ndim is None]
    assert all(o["equations"] == latex(OPTIMIZERS[o["name"]]) for o in data["optimizers"])
    assert {p["key"] for p in data["presets"]} == {p.key for p in PRESETS}


def test_the_axes_come_from_the_library_and_are_finite() -> None:
    params = with_rules(("sgd", {"lr": 0.4}), ("sgd", {"lr": 0.1}), steps=1500)
    answer = ask("run", params).data["loss"]
    told = asked(params)
    view = loss_view([told.trace(0), told.trace(1)], None)
    assert (tuple(answer["x"]), tuple(answer["y"])) == (view.xlim, view.ylim)
    assert all(math.isfinite(v) for v in (*answer["x"], *answer["y"]))
    assert answer["exits"][0][1] == 1
    assert answer["exits"][1] is None or answer["exits"][1][1] == -1


def test_the_minimum_is_subtracted_where_it_is_known() -> None:
    params = {"objective": "branin", "start": [6, 12], "steps": 30, "optimizers": [{"name": "adam", "values": {"lr": 0.3}}]}
    assert ask("run", params).data["loss"]["offset"] == pytest.approx(0.39788735772973816)


def test_the_ground_of_two_variables_is_the_objective_on_its_box() -> None:
    answer = ask("ground", STATE)
    (x0, x1), (y0, y1) = answer.data["box"]
    values = answer.arrays["values"]
    rows, columns = values.shape
    x, y = np.linspace(x0, x1, columns), np.linspace(y0, y1, rows)
    np.testing.assert_allclose(values, x[None, :] ** 2 + 3 * y[:, None] ** 2, rtol=1e-6, atol=1e-5)
    assert x1 - x0 == pytest.approx(y1 - y0)  # one unit is as long on both axes: a gradient stands upright on its contour
    assert x0 < 4 < x1
    assert y0 < 3 < y1
    np.testing.assert_allclose(answer.data["level"]["points"], [[0, 0]], atol=1e-6)


def test_a_given_box_is_kept() -> None:
    box = [[-1.0, 2.0], [0.5, 0.75]]
    assert ask("ground", {**STATE, "box": box}).data["box"] == box


def test_a_moving_ground_has_fewer_points_and_keeps_its_levels() -> None:
    answer = ask("ground", {**STATE, "grid": 48, "levels": [2.0, 1.0, 30.0]})
    assert answer.arrays["values"].shape == (48, 48)
    assert answer.arrays["levels"].tolist() == [1, 2, 30]
    assert answer.data["levels"] == ["1", "2", "30"]
    for wrong in ({"grid": 4}, {"grid": 5000}, {"grid": "48"}, {"levels": [1.0] * 100}, {"levels": ["1"]}, {"levels": 3}):
        with pytest.raises(DescendError):
            ask("ground", {**STATE, **wrong})


def test_far_from_the_minimum_the_contours_are_those_of_the_view() -> None:
    """Where the minimum lies outside, levels that begin at its height would leave the view without a line."""
    answer = ask("ground", {**STATE, "box": [[3.99, 4.01], [2.99, 3.01]]})
    values, levels = answer.arrays["values"], answer.arrays["levels"]
    assert sum(values.min() < level < values.max() for level in levels) >= 8
    assert len(set(answer.data["levels"])) == len(levels)  # each is written with the digits that tell it from the next


def test_deep_in_a_view_neighbours_are_told_apart() -> None:
    """float32 has no more than a few steps over so little a rise; the answer then holds float64."""
    params = {"objective": "x**2 + y**2 + 1", "start": [1e-3, 0], "steps": 3, "box": [[-1e-5, 1e-5], [-1e-5, 1e-5]]}
    values = ask("ground", params).arrays["values"]
    x = np.linspace(-1e-5, 1e-5, len(values))
    np.testing.assert_allclose(values - 1, x[None, :] ** 2 + x[:, None] ** 2, atol=3e-16)
    assert ask("ground", {**params, "box": [[-1.0, 1.0], [-1.0, 1.0]]}).arrays["values"].dtype == np.float32


def test_the_ground_of_one_variable_is_its_curve_and_of_three_there_is_none() -> None:
    line = ask("ground", {"objective": "(x-3)^2", "start": [0], "steps": 5})
    curve = line.arrays["curve"]
    np.testing.assert_allclose(curve[:, 1], (curve[:, 0] - 3) ** 2, rtol=1e-12, atol=1e-12)
    assert line.data["dimensions"] == 1
    many = ask("ground", {"objective": "x^2+y^2+z^2", "start": [1, 2, 3], "steps": 5})
    assert many.data["box"] is None
    assert many.data["dimensions"] == 3


def test_limits_and_reasons_are_the_library_s() -> None:
    params = with_rules(("sgd", {"lr": 0.4}), ("momentum", {"lr": 0.1, "momentum": 0.5}), ("lion", {"lr": 0.1}))
    found = ask("limits", params).data
    assert found["limits"][0] == pytest.approx(2 / 6)
    assert found["limits"][1] == pytest.approx(2 * 1.5 / 6)
    assert found["limits"][2] is None
    told = ask("explain", params).data["runs"]
    assert told[0]["limit"] == pytest.approx(2 / 6)
    assert "stable below 2/6 = 0.3333" in told[0]["why"][0]
    assert told[0]["verdict"] != "healthy"
    assert "Learning rate too high" in told[0]["doctor"]
    assert told[0]["try_lr"] == pytest.approx(0.25)


@pytest.mark.parametrize("objective", [BOWL, f"-({BOWL})"])
def test_of_a_run_that_climbs_no_fault_is_told_and_its_limit_is_that_of_the_ground_upside_down(objective: str) -> None:
    """Climbing f is descending −f, digit for digit: so are the limits."""
    climbing = with_rules(("sgd", {"lr": 0.1, "maximize": True}), ("adam", {"lr": 0.1, "maximize": True}), objective=objective)
    turned = with_rules(("sgd", {"lr": 0.1}), ("adam", {"lr": 0.1}), objective=f"-({objective})")
    assert ask("limits", climbing).data["limits"] == pytest.approx(ask("limits", turned).data["limits"])
    for run in ask("explain", climbing).data["runs"]:
        assert "told to climb" in run["doctor"]
        assert run["found"] == []


@pytest.mark.parametrize("name", [r.name for r in OPTIMIZERS.values() if r.ndim is None and r.kind == "linear"])
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.5}], ids=["plain", "decayed"])
def test_the_quick_limit_is_the_library_s_at_any_curvature(name: str, options: dict[str, Any]) -> None:
    if "lr" not in OPTIMIZERS[name].hyperparameters:
        return
    optimizer = OPTIMIZERS[name](**options)
    for steep in (0.04, 1.0, 3.7, 1506.0):
        params = with_rules(
            (name, options), objective=f"x**2 + {steep / 2}*y**2" if steep >= 2 else f"{steep / 2}*(x**2 + y**2)"
        )
        limit, reference = ask("limits", params).data["limits"][0], lr_limit(optimizer, steep)
        assert limit == (None if reference is None or math.isinf(reference) else pytest.approx(reference, rel=1e-6))


def test_a_point_s_value_is_the_objective_there() -> None:
    assert ask("point", {"objective": BOWL, "point": [4, 3]}).data["value"] == 43
    assert ask("point", {"objective": "log(x) + y^2", "point": [-1, 3]}).data["value"] is None


# -- anatomy ---------------------------------------------------------------------------------------------------------------

WHOLE = [r.name for r in OPTIMIZERS.values() if r.ndim is None]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.5, "weight_decay": 0.1}], ids=["plain", "clipped and decayed"])
def test_the_parts_of_a_step_make_the_step(name: str, options: dict[str, Any]) -> None:
    """What the equations give is where the run went; the gradient is the one the run recorded."""
    told = asked(with_rules((name, options), steps=6))
    trace = told.trace(0)
    parts = dissect(told, 0, 3)
    assert math.hypot(*parts["gradient"]) == pytest.approx(trace.grad_norm[3], rel=1e-12)
    assert len(parts["equations"]) == len(latex(told.optimizers[0]))
    before, after = (np.asarray(told.trace(0, n).point, float) for n in (3, 4))
    np.testing.assert_allclose(parts["update"], after - before, rtol=1e-12)
    rule = told.optimizers[0].rule
    if not rule.sums:  # the last value of p in the rule's own equations is the next point
        assert parts["values"]["p"] == f"({', '.join(number(float(v), 4) for v in after)})"


def test_momentum_and_v_are_the_running_means_by_hand() -> None:
    told = asked(with_rules(("adam", {"lr": 0.1}), steps=5))
    points = told.trace(0).points
    m = v = np.zeros(2)
    for point in points[:4]:
        g = point * [2, 6]
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    parts = dissect(told, 0, 3)
    np.testing.assert_allclose(parts["momentum"]["value"], m, rtol=1e-12)
    np.testing.assert_allclose(parts["square"]["value"], v, rtol=1e-12)
    np.testing.assert_allclose(parts["gradient"], points[3] * [2, 6], rtol=1e-12)


def test_what_an_equation_reads_is_told_with_it() -> None:
    """The carried m is the one before the step, and what an equation before it has renewed is the new one."""
    told = asked(with_rules(("adam", {"lr": 0.1}), steps=5))
    first, last = dissect(told, 0, 1)["equations"][0], dissect(told, 0, 1)["equations"][-1]
    g0, g1 = np.array([8.0, 18.0]), np.array([3.9 * 2, 2.9 * 6])
    assert f"mₜ₋₁ = ({number(0.8, 4)}, {number(1.8, 4)})" in first["uses"]
    assert f"g = ({number(g1[0], 4)}, {number(g1[1], 4)})" in first["uses"]
    assert "β₁ = 0.9" in first["uses"]
    m_hat = (0.09 * g0 + 0.1 * g1) / (1 - 0.81)
    assert f"m\u0302 = ({number(m_hat[0], 4)}, {number(m_hat[1], 4)})" in last["uses"]
    assert "pₜ₋₁ = (3.9, 2.9)" in last["uses"]


def test_the_noise_of_a_step_is_the_one_the_run_had() -> None:
    told = asked({**STATE, "noise": 0.8, "seed": 9, "optimizers": [{"name": "sgd", "values": {"lr": 0.1}}]})
    points, parts = told.trace(0).points, dissect(told, 0, 7)
    np.testing.assert_allclose(parts["gradient"], (points[7] - points[8]) / 0.1, rtol=1e-10)
    assert not np.allclose(parts["gradient"], points[7] * [2, 6])


# -- sharing ---------------------------------------------------------------------------------------------------------------

SHARED = [
    *(p.state for p in PRESETS),
    with_rules(("adam", {"lr": "cosine(0.1, 40)", "beta2": 0.99}), ("sgd", {}), noise=0.3, seed=7),
    with_rules(
        ("sgd", {"lr": 0.1, "clip_norm": 2.5, "maximize": True}), ("nadam", {"lr": 1 / 3}), tol_grad=1e-3, tol_loss=1e-9
    ),
    {**STATE, "objective": "-x**2 + x**4", "start": [-1.5], "steps": 30},
    {**STATE, "objective": "rosenbrock", "start": [-1.2, 1.0]},
]


@pytest.mark.parametrize("state", SHARED, ids=lambda s: f"{s['objective']}, {len(s['optimizers'])} rules")
def test_the_command_and_the_program_give_the_page_s_numbers(state: dict[str, Any], command: Any) -> None:
    page, shared = ask("run", state), ask("share", state).data
    words = shlex.split(shared["command"])
    assert words[:2] == ["descend", "run"]
    told = command.json(*words[1:])
    scope: dict[str, Any] = {}
    exec(compile(shared["python"], "<shared>", "exec"), scope)
    assert len(told["runs"]) == len(scope["traces"]) == len(state["optimizers"])
    for k, run in enumerate(told["runs"]):
        points = page.arrays[f"points{k}"]
        assert run["point"] == points[-1].tolist()
        np.testing.assert_array_equal(scope["traces"][k].points, points)
        np.testing.assert_array_equal(scope["traces"][k].loss, page.arrays[f"loss{k}"])


# -- whatever is wrong -----------------------------------------------------------------------------------------------------

BAD: dict[str, dict[str, Any]] = {
    "no objective": {"objective": None},
    "an objective that is a list": {"objective": ["x"]},
    "an empty one": {"objective": "  "},
    "half a formula": {"objective": "x^2 +"},
    "a file": {"objective": "evil.py:f"},
    "a long one": {"objective": "+".join(["x"] * 300)},
    "too many variables": {"objective": "a+b+c+d+f+g+h+k+l"},
    "a start of the wrong length": {"start": [1, 2, 3]},
    "a start that is text": {"start": "4,3"},
    "a start that is not finite": {"start": [math.nan, 1]},
    "a start of truth values": {"start": [True, 1]},
    "optimizers that are an object": {"optimizers": {"name": "sgd"}},
    "an optimizer without a name": {"optimizers": [{}]},
    "an unknown optimizer": {"optimizers": [{"name": "sdg"}]},
    "an unknown hyperparameter": {"optimizers": [{"name": "sgd", "values": {"rate": 1}}]},
    "a mask": {"optimizers": [{"name": "sgd", "values": {"mask": [True]}}]},
    "values that are a list": {"optimizers": [{"name": "sgd", "values": [1]}]},
    "a rate below 0": {"optimizers": [{"name": "sgd", "values": {"lr": -1}}]},
    "a rate that is an object": {"optimizers": [{"name": "sgd", "values": {"lr": {}}}]},
    "a bad schedule": {"optimizers": [{"name": "sgd", "values": {"lr": "cosine("}}]},
    "a schedule that is a program": {"optimizers": [{"name": "sgd", "values": {"lr": "__import__('os').getcwd()"}}]},
    "too many optimizers": {"optimizers": [{"name": "sgd"}] * 9},
    "no steps": {"steps": 0},
    "half a step": {"steps": 1.5},
    "endless steps": {"steps": 10**9},
    "steps beyond any number": {"steps": 10**400},
    "noise below 0": {"noise": -1},
    "noise that is text": {"noise": "1"},
    "noise that is all": {"noise": 1e150},
    "a seed below 0": {"seed": -1},
    "a tolerance below 0": {"tol_grad": -1},
    "a tolerance that is text": {"tol_loss": "x"},
}


@pytest.mark.parametrize("wrong", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("name", ["run", "ground", "limits", "explain", "anatomy", "share"])
def test_what_is_wrong_is_one_sentence(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(DescendError) as caught:
        ask(name, {**STATE, **wrong})
    assert str(caught.value)


@pytest.mark.parametrize(
    "box",
    [
        5,
        [],
        [[0, 1]],
        [[0, 1], [0]],
        [[0, 1], 5],
        [[1, 0], [0, 1]],
        [[0, 0], [0, 1]],
        [[0, math.inf], [0, 1]],
        [["0", 1], [0, 1]],
        {},
    ],
)
def test_a_box_that_is_none_is_refused(box: Any) -> None:
    with pytest.raises(DescendError, match="box"):
        ask("ground", {**STATE, "box": box})


@pytest.mark.parametrize("wrong", [{"k": 1}, {"k": -1}, {"k": "0"}, {"step": 20}, {"step": -1}, {"step": 0.5}, {"step": None}])
def test_a_step_that_is_not_there_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DescendError):
        ask("anatomy", {**STATE, **wrong})


def test_a_step_after_the_end_of_a_run_is_refused() -> None:
    with pytest.raises(DescendError, match="there is no step"):
        ask("anatomy", {**STATE, "steps": 5000, "step": 4000})


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["sgd", "x", "lr"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "values", "lr", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = [
    "objective",
    "start",
    "steps",
    "seed",
    "noise",
    "tol_grad",
    "tol_loss",
    "optimizers",
    "box",
    "grid",
    "levels",
    "k",
    "step",
    "point",
]


@settings(max_examples=150)
@given(name=st.sampled_from(MINE), junk=st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=4), whole=st.booleans())
def test_junk_is_answered_or_refused_in_a_sentence(name: str, junk: dict[str, Any], whole: bool) -> None:
    params = {**STATE, "steps": 3, **junk} if whole else junk
    said = ""
    try:
        json.dumps(ask(name, params).data, allow_nan=False)
    except DescendError as refused:
        said = str(refused)
        answered = False
    else:
        answered = True
    assert answered or 0 < len(said) < 2000


@pytest.mark.parametrize("ask", ["ground", "arrows"])
def test_heights_beyond_float32_are_drawn_without_a_warning(ask):
    """A warning of descend's own modules is an error here; on the page such heights are ∞."""
    steep = "1e60*(x^2 + y^2)"
    params = {"objective": steep, "start": [0.1, 0.1], "steps": 2, "f": steep, "box": [[-2.5, 2.5], [-2.5, 2.5]]}
    frame = ASKS[ask][0](params, Talk(lambda _frame: None))
    assert np.isinf(frame.arrays["values"]).any()


def test_the_doctor_does_not_contradict_the_outcome() -> None:
    for preset in PRESETS:
        told = asked(preset.state)
        for k, said in enumerate(ask("explain", dict(preset.state)).data["runs"]):
            outcome = told.trace(k).outcome
            assert outcome is not None
            assert "converged" not in said["doctor"] or outcome.kind == "converged", (preset.key, said["doctor"])
            assert "nan" not in said["doctor"]
    bounce = next(p for p in PRESETS if p.key == "bounce")
    assert "not stepping" not in ask("explain", dict(bounce.state)).data["runs"][0]["doctor"]


@settings(max_examples=300)
@given(st.integers(1, 999), st.integers(-3, 0), st.booleans())
def test_a_number_in_a_sentence_is_written_as_on_a_label(digits: int, power: int, negative: bool) -> None:
    value = (-1 if negative else 1) * digits * 10.0**power
    assert words.number(value) == number(value)
