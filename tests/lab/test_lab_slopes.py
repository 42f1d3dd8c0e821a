"""The slopes page: its answers hold the promised numbers, equal the library's, and junk gets a sentence; then the page."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from descend.cli import main
from descend.errors import DescendError
from descend.gradients import describe, difference_table
from descend.gradients.calculus import RULES
from descend.lab import partials, rules, slopes
from descend.lab.asks import ASKS
from descend.lab.frames import pack, unpack
from descend.lab.words import number

QUESTIONS = ["slope", "errors", "derivation", "factors", "arrows", "partials", "line", "line_at", "line_why", "line_table"]


def ask(name, /, **params):
    """The answer as a page receives it."""
    return unpack(pack(ASKS[name][0](params, None)))


# -- the promised numbers -------------------------------------------------------------------------------------------------


def test_secants_of_a_square_approach_two():
    told = ask("slope", f="x^2", at=1, h=0.1).data
    assert told["table"] == [[0.1, "2.1"], [0.01, "2.01"], [0.001, "2.001"]]
    assert (told["said"]["secant"], told["said"]["slope"]) == ("2.1", "2")
    assert told["reading"]["rate"] == "f rises by 0.21 over a run of 0.1: 2.1 per unit of x. The limit is 2."


def test_three_framings_state_one_number():
    told = ask("slope", f="x^2", at=1, h=0.01).data
    assert "2.01 per unit" in told["reading"]["rate"]
    assert "of slope 2" in told["reading"]["tangent"]
    assert "2.01 times as far" in told["reading"]["sensitivity"]


def test_the_slope_from_the_left():
    told = ask("slope", f="x^2", at=1, h=-0.1).data
    assert told["secant"] == pytest.approx(1.9)
    assert [h for h, _ in told["table"]] == [-0.1, -0.01, -0.001]


def test_a_step_smaller_than_the_grain_moves_nothing():
    told = ask("slope", f="x^2", at=1, h=1e-16).data
    assert told["swallowed"]
    assert told["secant"] == 0
    assert "float64 has no number between" in told["reading"]["rate"]
    assert not ask("slope", f="x^2", at=1, h=1e-15).data["swallowed"]


@pytest.mark.parametrize(("h", "bent"), [(0.5, True), (1e-3, False)])
def test_close_enough_a_curve_is_straight(h, bent):
    frame = ask("slope", f="sin(x)", at=1, h=h)
    offsets, moved = frame.arrays["zoom"].T
    far = np.abs(moved - math.cos(1) * offsets).max() / (2 * frame.data["lean"])
    assert frame.data["bend"] == pytest.approx(far)
    assert ("Still bent" in frame.data["reading"]["tangent"]) == bent


def test_chain_rule_in_numbers():
    chain = ask("derivation", f="(3x+1)^2", at=0).data["chain"]
    assert (chain["secant"], chain["exact"], chain["forgotten"]) == ("6.09", "6", "2")
    assert (chain["outer_slope"], chain["inner_slope"], chain["wrong"]) == ("2", "3", True)


def test_fifty_factors_of_a_quarter_vanish():
    frame = ask("factors", factor=0.25, count=50)
    assert frame.data["last"] == 0.25**50
    assert f"{frame.data['last']:.0e}" == "8e-31"
    assert "vanished" in frame.data["reading"]
    assert frame.arrays["left"].shape == (51,)
    assert "exploded" in ask("factors", factor=1.5, count=50).data["reading"]


def test_derivative_of_a_polynomial_with_its_rules():
    told = ask("derivation", f="5x^3 - 2x + 7", at=1).data
    assert told["slope_text"] == "15x² − 2"
    assert {"constant", "power", "sum"} <= {rule["name"] for rule in told["rules"]}
    assert all(rule["why"] for rule in told["rules"])


def test_every_rule_has_its_mathematics():
    assert set(rules.RULE_LATEX) == set(RULES)


def test_gradient_of_two_inputs():
    told = ask("partials", f="3x^2 + 2xy + y^3", at=[1, 2], box=[[-3, 3], [-3, 3]]).data
    assert told["partials"] == ["6 x + 2 y", "2 x + 3 y^{2}"]
    assert told["gradient"] == [6 + 4, 2 + 12]


def test_gradient_check_prints_what_is_promised():
    rows = ask("partials", f="x^2 + 3y^2", at=[4, 3], box=[[-6, 6], [-6, 6]], h=1e-4).data["check"]["rows"]
    assert rows[1] == {"name": "y", "exact": "18", "forward": "18.0003", "central": "18"}


@given(st.floats(0, 360), st.floats(-5, 5), st.floats(-5, 5))
def test_slope_in_a_direction_is_the_cosine_share(angle, x, y):
    told = ask("partials", f="x^2 + 3y^2", at=[x, y], box=[[-6, 6], [-6, 6]], angle=angle).data
    turned = math.radians(angle)
    assert told["directional"] == pytest.approx(2 * x * math.cos(turned) + 6 * y * math.sin(turned), abs=1e-9)
    if told["cosine"] is not None:
        assert told["directional"] == pytest.approx(told["norm"] * told["cosine"], abs=1e-9 * max(1, told["norm"]))


# -- the library says the same --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", slopes.CURVES, ids=lambda c: c["f"])
def test_every_preset_equals_the_library(curve):
    told = ask("slope", f=curve["f"], at=curve["at"], h=curve["h"], box=curve["box"]).data
    found = describe(curve["f"], [curve["at"]])
    assert told["said"]["slope"] == number(float(found.gradient[0]))
    assert told["said"]["value"] == number(found.value)
    rows = difference_table(found.expression, found.gradient, [curve["at"]], hs=[0.1, 0.01, 0.001]).rows
    assert [s for _, s in told["table"]] == [number(float(row.forward[0])) for row in rows]


@pytest.mark.parametrize("ground", partials.GROUNDS, ids=lambda g: g["f"])
def test_every_surface_equals_the_library(ground):
    told = ask("partials", **{k: ground[k] for k in ("f", "at", "box")}).data
    found = describe(ground["f"], ground["at"])
    assert told["gradient"] == found.gradient.tolist()
    assert told["norm"] == found.norm
    frame = ask("arrows", f=ground["f"], box=ground["box"])
    place, arrow = frame.arrays["places"][17], frame.arrays["gradients"][17]
    assert arrow == pytest.approx(describe(ground["f"], place).gradient, rel=1e-12)


def test_errors_follow_their_laws():
    frame = ask("errors", f="sin(x)", at=1)
    a = frame.arrays
    smooth = (a["h"] > 1e-3) & (a["h"] < 0.1)
    assert a["forward"][smooth] == pytest.approx(a["truncation"][smooth, 0], rel=0.1)
    assert a["central"][smooth] == pytest.approx(a["truncation"][smooth, 1], rel=0.1)
    marks = {mark["kind"]: mark for mark in frame.data["marks"]}
    assert marks["forward"]["h"] == pytest.approx(math.sqrt(2.220446049250313e-16))
    assert marks["central"]["h"] == pytest.approx(2.220446049250313e-16 ** (1 / 3))
    for kind, mark in marks.items():
        assert mark["error"] < 30 * np.nanmin(a[kind][a[kind] > 0]) or mark["error"] < 1e-7
        assert mark["error"] < a[kind][0] / 1e4


def test_the_careful_difference_is_the_tables():
    frame = ask("errors", f="exp(x)", at=0.3)
    hs = [float(frame.arrays["h"][k]) for k in (0, 30, 60, 90)]
    rows = difference_table(describe("exp(x)", [0.3]).expression, [math.exp(0.3)], [0.3], hs).rows
    assert frame.arrays["careful"][[0, 30, 60, 90]] == pytest.approx([r.forward_error for r in rows], rel=1e-3, abs=1e-8)


def test_far_out_a_step_may_move_nothing():
    """At 2²⁷ a step of 1e-8 is lost: the table has no number there, and says so instead of dividing by zero."""
    rows = describe("x^2", [2.0**27]).table.rows
    assert math.isnan(rows[-1].forward[0])
    assert rows[-2].forward[0] == 2.0**28
    assert ask("derivation", f="x^2", at=2.0**27).data["slope"] == "2.684355e+08"


def test_a_corner_is_named():
    assert any("kink" in note for note in ask("derivation", f="|x|", at=0).data["notes"])


def test_outside_its_domain_a_curve_has_no_slope():
    told = ask("slope", f="log(x)", at=-1, h=0.1).data
    assert told["slope"] is None
    assert "no finite value" in told["reading"]["rate"]


@pytest.mark.parametrize("curve", slopes.CURVES, ids=lambda c: c["f"])
def test_copied_code_runs(curve):
    told = ask("derivation", f=curve["f"], at=curve["at"]).data
    words = shlex.split(told["command"])
    result = CliRunner().invoke(main, [*words[1:], "--json"])
    assert result.exit_code == 0, result.output
    slope = json.loads(result.output)["gradient"]["value"][0]
    assert number(slope) == told["slope"]
    compile(told["python"], "copied", "exec")


def test_copied_python_runs(capsys):
    exec(ask("derivation", f="(3x+1)^2", at=0).data["python"], {})
    assert "6.09" in capsys.readouterr().out


# -- junk -----------------------------------------------------------------------------------------------------------------

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FORMULAS = st.sampled_from(["x^2", "log(x)", "1/x", "x^2 + 3y^2", "sqrt(x)", "", "x^^2", "y*z*x", "rosenbrock", "x" * 500, "7"])
NAMES = [
    "f",
    "at",
    "h",
    "box",
    "angle",
    "factor",
    "count",
    "data",
    "optimizer",
    "steps",
    "start",
    "standardise",
    "text",
    "x",
    "y",
]


@pytest.mark.parametrize("name", QUESTIONS)
@given(params=st.dictionaries(st.sampled_from(NAMES), JUNK), f=FORMULAS)
def test_junk_gets_an_answer_or_one_sentence(name, params, f):
    params.setdefault("f", f)
    try:
        frame = ASKS[name][0](params, None)
    except DescendError as error:
        said = str(error)
    else:
        said = json.dumps(unpack(pack(frame)).data, allow_nan=False)
    assert said


@given(
    at=st.floats(-1e6, 1e6),
    h=st.floats(1e-16, 1e3),
    sign=st.sampled_from([-1, 1]),
    f=st.sampled_from([c["f"] for c in slopes.CURVES]),
)
def test_every_point_and_step_is_answered(at, h, sign, f):
    frame = ask("slope", f=f, at=at, h=sign * h)
    low, high = frame.data["box"][1]
    assert low < high
    assert all(frame.data["reading"].values())


# -- the page -------------------------------------------------------------------------------------------------------------

READY = "document.querySelector('descend-slopes .sl-steps td')"
STATE = "document.querySelector('descend-slopes').state"


def opened(page, until, path="/slopes"):
    page.goto(path)
    until(page, READY)
    until(page, "document.querySelector('descend-slopes')?.derived")
    return page


def test_the_page_tells_its_story_untouched(browser_page, until):
    page = opened(browser_page, until)
    cells = page.locator(".sl-steps tr:last-child td").all_inner_texts()
    assert cells == ["2.1", "2.01", "2.001", "2"]
    until(page, "document.querySelector('.sl-check tbody')")
    assert "18.0003" in page.locator(".sl-check").inner_text()
    assert "6.09" in page.locator(".sl-chain").inner_text()


def test_the_point_moves_by_pointer_and_keys(browser_page, until):
    page = opened(browser_page, until)
    knob = page.get_by_role("slider", name="The point, x", exact=True)
    box = knob.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    assert page.evaluate(f"{STATE}.at") > 1.1
    before = page.evaluate(f"{STATE}.at")
    knob.focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(f"{STATE}.at") < before


def test_a_typed_formula_and_its_mistake(browser_page, until):
    page = opened(browser_page, until)
    page.get_by_label("f =").first.fill("x^")
    until(page, "!document.querySelector('.sl-problem').hidden")
    page.get_by_label("f =").first.fill("exp(-x^2)")
    until(page, "document.querySelector('.sl-problem').hidden")
    until(page, "document.querySelector('.sl-number.tangent strong').textContent.startsWith('−0.7357589')")


def test_the_state_is_in_the_link(browser_page, until, open_page):
    page = opened(browser_page, until)
    page.get_by_role("button", name="sin(x)").or_(page.locator(".sl-chip").nth(3)).first.click()
    until(page, "location.hash.includes('sin')")
    other = opened(open_page(), until, "/slopes" + page.evaluate("location.hash"))
    assert other.evaluate(f"{STATE}.f") == "sin(x)"


def test_undo_and_redo_of_both_halves(browser_page, until):
    page = opened(browser_page, until)
    page.locator(".sl-chip").nth(3).click()
    until(page, f"{STATE}.f === 'sin(x)' && location.hash.includes('sin')")
    page.get_by_role("slider", name="The point (x, y)").focus()
    page.keyboard.press("ArrowLeft")
    until(page, f"{STATE}.two.at[0] < 4 && location.hash.includes('3.88')")
    page.keyboard.press("Control+z")
    until(page, f"{STATE}.two.at[0] === 4 && document.querySelector('descend-slopes').two.told.at[0] === 4")
    page.get_by_role("button", name="Undo", exact=True).click()
    until(page, f"{STATE}.f === 'x^2' && document.querySelector('#sl-f').value === 'x^2'")
    until(page, "document.querySelector('[aria-label=Undo]').disabled")
    page.get_by_role("button", name="Redo", exact=True).click()
    until(page, "document.querySelector('descend-slopes').told.text === 'sin(x)'")


@pytest.mark.parametrize(("nth", "name", "told"), [(0, "slopes", "the slope is 2,"), (1, "gradient", "8 along x")])
def test_both_pictures_are_saved(browser_page, until, nth, name, told):
    page = opened(browser_page, until)
    until(page, "document.querySelector('descend-slopes').two.told && document.querySelector('descend-slopes').two.shapes")
    with page.expect_download() as found:
        page.get_by_role("button", name="Save the picture as SVG").nth(nth).click()
    text = Path(found.value.path()).read_text(encoding="utf-8")
    assert found.value.suggested_filename == f"{name}.svg"
    words = "".join(ElementTree.fromstring(text).itertext())
    assert told in words
    assert "descend gradient" in words
    assert "oklab" not in text
    assert "class=" not in text
    with page.expect_download() as found:
        page.get_by_role("button", name="Save the picture as PNG").nth(nth).click()
    pixels = imread(found.value.path())
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 100


@pytest.mark.parametrize("width", [390, 2560])
def test_nothing_is_wider_than_the_screen(open_page, until, width):
    page = opened(open_page(viewport={"width": width, "height": 900}), until)
    assert page.evaluate("document.querySelector('main').scrollWidth") <= width
