"""The playground as people use it: in a browser, with pointer, keyboard and finger."""

from __future__ import annotations

import io
import json
import math
import struct
import xml.dom.minidom
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend as ds
from descend.figures.data import number
from descend.lab.descents import asked
from descend.lab.presets import PRESETS

ELEMENT = "document.querySelector('descend-playground')"
READY = f"Boolean({ELEMENT}?.frame && {ELEMENT}.past?.states.length)"


@pytest.fixture
def play(open_page: Callable[..., Any], until: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the playground at a query and waits until it has drawn."""

    def at(query: str = "", **options: Any) -> Any:
        page = open_page(**options)
        page.goto("/" + query)
        until(page, READY)
        return page

    return at


def start_of(page: Any) -> list[float]:
    return list(page.evaluate(f"{ELEMENT}.state.start"))


def rest(page: Any, until: Callable[..., Any], count: int) -> None:
    """Wait until so many states are kept."""
    until(page, f"{ELEMENT}.past.states.length === {count}")


# -- numbers ---------------------------------------------------------------------------------------------------------------


def test_numbers_are_written_as_the_library_writes_them(play: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**63, 4000, dtype=np.int64).view(np.float64)
    values = [v for v in (*bits.tolist(), *(-bits[:200]).tolist()) if math.isfinite(v)]
    values += [s * v for v in 10 ** rng.uniform(-8, 12, 4000) for s in (1, -1)]
    values += [k / 8 for k in range(0, 3000, 7)] + [k / 16 for k in range(16000, 17000)]  # halves, where rounding parts ways
    values += [
        1000.5,
        1001.5,
        12345.5,
        99999.4,
        99999.5,
        99999.6,
        999.5,
        0.0001,
        0.00009999,
        0.125,
        2.5,
        100.0,
        -0.0,
        0.0,
        1e22,
        5e-324,
    ]
    digits = [1, 2, 3, 4, 6]
    asked_for = [[v, d] for v in values for d in digits]
    script = """async (asked) => {
        const { number } = await import("/static/format.js");
        return JSON.stringify(JSON.parse(asked).map(([value, digits]) => number(value, digits)));
    }"""
    got = json.loads(play().evaluate(script, json.dumps(asked_for)))
    wrong = [(v, d, g, number(v, d)) for (v, d), g in zip(asked_for, got, strict=True) if g != number(v, d)]
    assert not wrong, wrong[:5]


def test_the_page_shows_the_library_s_numbers(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    """For every preset: what each run came to, and the exact values under the pointer."""
    page = play()
    for preset in PRESETS:
        told = asked(preset.state)
        page.get_by_role("combobox", name="Examples").select_option(preset.key)
        until(page, f"{ELEMENT}.frame.start.join() === '{','.join(f'{v:g}' for v in told.start)}'")
        until(page, f"{ELEMENT}.frame.runs.length === {len(told.optimizers)} && {ELEMENT}.ground.text === '{told.goal.text}'")
        if preset.question:
            assert page.locator(".ds-outcome").all_inner_texts() == [""] * len(told.optimizers)
            page.locator(".ds-choice").first.click()
        for k in range(len(told.optimizers)):
            trace = told.trace(k)
            assert trace.outcome is not None
            until(page, f"document.querySelectorAll('.ds-outcome')[{k}].textContent === {trace.outcome.message!r}")
            for step in (0, trace.steps // 2, trace.steps):
                assert page.evaluate(f"{ELEMENT}.figure.words({k}, {step})")[1:] == exact(trace, step)


def exact(trace: Any, step: int) -> list[str]:
    """The lines of a tip: point, loss and gradient norm of a step."""
    point = ", ".join(f"{n} = {number(float(v), 4)}" for n, v in zip(trace.variables, trace.points[step], strict=True))
    return [point, f"loss {number(float(trace.loss[step]), 4)}", f"‖gradient‖ {number(float(trace.grad_norm[step]), 4)}"]


def test_the_limit_stands_on_the_slider_and_can_be_taken(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?objective=x**2+3*y**2&start=4,3&optimizer=sgd:lr=0.4&steps=20".replace("+3", "%2B3"))
    until(page, "!document.querySelector('.ds-mark-limit').hidden")
    mark = page.locator(".ds-mark-limit")
    assert "predicted limit 0.333" in mark.get_attribute("aria-label")
    place = page.evaluate("document.querySelector('.ds-mark-limit').style.left")
    low, high = (page.evaluate(f"Number(document.querySelector('.ds-log input[type=range]').{end})") for end in ("min", "max"))
    assert float(place.rstrip("%")) == pytest.approx(100 * (math.log10(1 / 3) - low) / (high - low), abs=0.01)
    assert "beyond the predicted limit" in page.locator(".ds-log input[type=range]").get_attribute("aria-valuetext")
    mark.focus()
    page.keyboard.press("Enter")
    until(page, f"{ELEMENT}.state.optimizers[0].values.lr === 0.333")


# -- the start -------------------------------------------------------------------------------------------------------------


def test_dragging_moves_the_start_and_the_run_follows(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    box = page.locator(".ds-start").bounding_box()
    before = start_of(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for k in range(1, 11):
        page.mouse.move(x + 6 * k, y - 5 * k)
        if k <= 3:  # answered while the pointer is down
            until(page, f"{ELEMENT}.timings.length >= {k}")
    page.mouse.up()
    rest(page, until, 2)
    after = start_of(page)
    assert after[0] > before[0]
    assert after[1] > before[1]
    until(page, f"{ELEMENT}.frame.start.every((v, i) => v === {ELEMENT}.state.start[i])")
    told = asked({**PRESETS[0].state, "start": after})
    last = page.evaluate(f"Array.from({ELEMENT}.frame.arrays.points2)")
    np.testing.assert_array_equal(np.reshape(last, (-1, 2)), told.trace(2).points)
    assert f"start={after[0]:g},{after[1]:g}" in page.url


def test_arrow_keys_move_the_start_and_shift_moves_it_farther(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    handle = page.locator(".ds-start")
    assert handle.get_attribute("role") == "slider"
    assert handle.get_attribute("aria-valuetext") == "x −5, y −2"
    handle.focus()
    size = page.evaluate(f"(([a, b]) => b - a)({ELEMENT}.ground.box[0])")
    places = [start_of(page)]
    for key in ("ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
        until(page, f"{ELEMENT}.frame.start.join() !== '{','.join(f'{v:g}' for v in places[-1])}'")
        places.append(start_of(page))
    assert places[1][0] - places[0][0] == pytest.approx(0.01 * size, abs=size / 300)
    assert places[2][1] - places[1][1] == pytest.approx(0.1 * size, abs=size / 300)


def test_a_finger_moves_the_start(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    plane = page.locator(".ds-plane").bounding_box()
    page.touchscreen.tap(plane["x"] + plane["width"] * 0.25, plane["y"] + plane["height"] * 0.25)
    rest(page, until, 2)
    (x0, x1), (y0, y1) = page.evaluate(f"{ELEMENT}.ground.box")
    assert start_of(page) == pytest.approx([x0 + 0.25 * (x1 - x0), y1 - 0.25 * (y1 - y0)], abs=(x1 - x0) / 200)


# -- link, undo, sharing ---------------------------------------------------------------------------------------------------


def test_the_link_holds_everything(play: Callable[..., Any]) -> None:
    query = (
        "?objective=x**2%2B3*y**2&start=4,-3&optimizer=adam:lr=cosine(0.1, 40),beta1=0.8&optimizer=sgd:lr=0.3,clip_norm=2"
        "&steps=37&seed=11&noise=0.25&tol-grad=0.001&tol-loss=1e-9&arrows=1&at=5&chosen=1"
    )
    page = play(query)
    state = page.evaluate(f"{ELEMENT}.state")
    assert state["optimizers"] == [
        {"name": "adam", "values": {"lr": "cosine(0.1, 40)", "beta1": 0.8}},
        {"name": "sgd", "values": {"lr": 0.3, "clip_norm": 2}},
    ]
    assert (state["steps"], state["seed"], state["noise"], state["tol_grad"], state["tol_loss"]) == (37, 11, 0.25, 0.001, 1e-9)
    assert (state["start"], state["arrows"], state["at"], state["chosen"]) == ([4, -3], True, 5, 1)
    again = play(page.evaluate("location.search"))
    assert again.evaluate(f"{ELEMENT}.state") == state
    trace = ds.descend(
        ds.noisy("x**2+3*y**2", 0.25), [4, -3], ds.sgd(lr=0.3, clip_norm=2), steps=37, seed=11, tol_grad=1e-3, tol_loss=1e-9
    )
    assert again.evaluate(f"Array.from({ELEMENT}.frame.arrays.loss1)") == trace.loss.tolist()


def test_the_link_holds_every_digit(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?objective=x**2%2B3*y**2&start=0.1234567890123456,-3.000000000000001&optimizer=sgd:lr=0.3333333333333333")
    page.get_by_label("Steps", exact=True).and_(page.locator("input[type=text]")).fill("41")
    page.keyboard.press("Enter")
    until(page, "location.search.includes('steps=41')")
    again = play(page.evaluate("location.search"))
    assert again.evaluate(f"{ELEMENT}.state.start") == [0.1234567890123456, -3.000000000000001]
    assert again.evaluate(f"{ELEMENT}.state.optimizers[0].values.lr") == 0.3333333333333333


def test_undo_and_the_browser_s_back_return(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    before = start_of(page)
    page.locator(".ds-start").focus()
    page.keyboard.press("ArrowUp")
    rest(page, until, 2)
    slider = page.locator(".ds-log input[type=range]").first
    slider.focus()
    page.keyboard.press("Shift+ArrowRight")
    rest(page, until, 3)
    page.keyboard.press("Control+z")
    until(page, f"{ELEMENT}.state.optimizers[0].values.lr === 0.4")
    page.go_back()
    until(page, f"{ELEMENT}.state.start.join() === '{','.join(f'{v:g}' for v in before)}'")
    page.keyboard.press("Control+Shift+z")
    until(page, f"{ELEMENT}.state.start.join() !== '{','.join(f'{v:g}' for v in before)}'")
    assert page.evaluate(f"{ELEMENT}.past.states.length") == 3


def saved(page: Any, name: str, folder: Path) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path.read_bytes()


def test_pictures_can_be_taken_along(play: Callable[..., Any], tmp_path: Path) -> None:
    from PIL import Image

    page = play("?preset=zigzag")
    width, height = page.evaluate(f"{ELEMENT}.figure.size")
    png = Image.open(io.BytesIO(saved(page, "PNG", tmp_path)))
    assert png.size == (round(2 * width), round(2 * (height + 30)))
    svg = xml.dom.minidom.parseString(saved(page, "SVG", tmp_path))
    assert "descend run" in svg.getElementsByTagName("desc")[0].firstChild.data
    words = {"".join(n.data for n in t.childNodes) for t in svg.getElementsByTagName("text")}
    assert {"optimum", "GD", "Momentum", "Adam"} <= words
    raw = saved(page, "GIF", tmp_path)
    assert struct.unpack("<HH", raw[6:10])[0] <= 640
    gif = Image.open(io.BytesIO(raw))
    assert gif.n_frames == 21
    assert gif.info["loop"] == 0
    frames = []
    for k in (0, 20):
        gif.seek(k)
        frames.append(np.asarray(gif.convert("RGB"), float))
    shown = np.asarray(png.convert("RGB").resize(gif.size), float)
    assert np.abs(frames[1] - shown).mean() < 4  # the last frame is the picture, in 256 colours
    assert np.abs(frames[0] - frames[1]).mean() > 1


# -- the rest --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["plane", "surface"])
def test_what_is_nowhere_is_left_out_of_a_saved_picture(play: Callable[..., Any], tmp_path: Path, view: str) -> None:
    page = play(f"?objective=sqrt(-1-x**2)%2By&start=1,1&optimizer=sgd:lr=0.1&steps=5&view={view}")
    svg = saved(page, "SVG", tmp_path).decode()
    xml.dom.minidom.parseString(svg)
    assert "NaN" not in svg
    assert "Infinity" not in svg


def test_a_prediction_comes_before_the_runs(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?preset=which")
    (preset,) = (p for p in PRESETS if p.key == "which")
    assert page.locator(".ds-choice").all_inner_texts() == [c.text for c in preset.choices]
    assert page.evaluate(f"{ELEMENT}.figure.look.hidden") is True
    assert page.locator(".ds-mark-limit:visible").count() == 0
    for k, choice in enumerate(preset.choices):
        page.locator(".ds-choice").nth(k).click()
        assert page.locator(".ds-feedback").inner_text() == choice.feedback
    assert page.evaluate(f"{ELEMENT}.figure.look.hidden") is False
    until(page, "document.querySelectorAll('.ds-outcome')[2].textContent.startsWith('Diverged')")


def test_a_start_beyond_the_ground_gets_a_new_one(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?preset=bowl")
    field = page.get_by_role("textbox", name="Start x")
    field.fill("40")
    field.press("Enter")
    until(page, f"{ELEMENT}.ground.box[0][1] > 40")
    assert page.evaluate(f"{ELEMENT}.frame.start") == [40, 3]


def test_pointing_at_the_curves_tells_the_losses_of_that_step(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?preset=zigzag")
    chart = page.locator(".ds-chart .u-over").bounding_box()
    page.mouse.move(chart["x"] + chart["width"] / 2, chart["y"] + chart["height"] / 2)
    until(page, "document.querySelector('.ds-axis').textContent.includes('at step 10')")
    told = asked(PRESETS[0].state)
    losses = [number(float(told.trace(k).loss[10]), 4) for k in range(3)]
    words = ", ".join(f"{name} {loss}" for name, loss in zip(("GD", "Momentum", "Adam"), losses, strict=True))
    assert page.locator(".ds-axis").inner_text() == f"loss at step 10: {words}"
    assert page.evaluate(f"{ELEMENT}.figure.look.at") == 10


def test_steps_go_forth_and_back_and_play(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    at = f"{ELEMENT}.state.at"
    page.get_by_role("button", name="To the start").click()
    assert page.evaluate(at) == 0
    page.get_by_role("button", name="One step forward").click()
    page.get_by_role("button", name="One step forward").click()
    page.get_by_role("button", name="One step back").click()
    assert page.evaluate(at) == 1
    page.get_by_role("combobox", name="Speed").select_option("30")
    page.get_by_role("button", name="Play").click()
    until(page, f"{at} === null")
    until(page, "document.querySelector('[aria-label=Play]') !== null")


def test_the_anatomy_and_the_rule_show_the_step_s_numbers(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?preset=zigzag&chosen=2&at=4")
    page.locator(".ds-open").nth(2).click()
    until(page, "document.querySelectorAll('.ds-value')[1]?.textContent.startsWith('=')")
    until(page, "document.querySelector('.ds-rule .katex') !== null")
    g = asked(PRESETS[0].state).trace(2).points[:5] * [0.2, 4]
    m = sum((0.1 * 0.9 ** (4 - k) * g[k] for k in range(5)), np.zeros(2))
    assert page.locator(".ds-value").first.inner_text() == f"= ({', '.join(number(v, 4) for v in m)})"
    assert f"({', '.join(number(-v, 3) for v in m)})" in page.locator(".ds-parts figcaption").nth(1).inner_text()


def test_an_optimizer_is_added_with_a_predicted_rate_changed_and_removed(
    play: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = play("?objective=x**2%2B3*y**2&start=4,3&optimizer=sgd:lr=0.1&steps=20")
    page.get_by_role("combobox", name="Add an optimizer").select_option("momentum")
    until(page, "document.querySelectorAll('.ds-card').length === 2")
    rate = page.evaluate(f"{ELEMENT}.state.optimizers[1].values.lr")
    assert (
        rate
        == asked({"objective": "x**2+3*y**2", "start": [4, 3], "steps": 20, "optimizers": [{"name": "momentum"}]})
        .trace(0)
        .config["hyperparameters"]["lr"]
    )
    page.locator(".ds-open").nth(1).click()
    field = page.get_by_role("textbox", name="Momentum momentum")
    field.fill("0.5")
    field.press("Enter")
    until(page, f"{ELEMENT}.frame.runs[1].values.momentum === 0.5")
    page.get_by_role("button", name="Remove SGD").click()
    until(page, f"{ELEMENT}.frame.runs.length === 1")
    assert page.evaluate(f"{ELEMENT}.frame.runs[0].name") == "momentum"


def test_what_is_wrong_is_said_beside_the_formula_and_the_picture_stays(
    play: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = play()
    formula = page.get_by_label("minimise")
    formula.fill("x^2 +")
    formula.press("Enter")
    until(page, "document.querySelector('.ds-problem').textContent.includes('something is missing')")
    assert formula.get_attribute("aria-invalid") == "true"
    formula.fill("sin(x) + x^2/10")
    formula.press("Enter")
    until(page, f"{ELEMENT}.ground.dimensions === 1 && document.querySelector('.ds-problem').textContent === ''")


@pytest.mark.parametrize(
    "query", ["?objective=x^2%2By^2%2Bz^2&start=1,2,3", "?objective=x^2&start=1", "?objective=easom&view=surface"]
)
@pytest.mark.parametrize("width", [390, 2560])
def test_every_kind_of_ground_fits_the_window(play: Callable[..., Any], query: str, width: int) -> None:
    page = play(query, viewport={"width": width, "height": 900}, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    drawn = page.evaluate(
        f"(c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size)"
        f"({ELEMENT}.figure.over)"
    )
    assert drawn > 5


def test_every_control_has_a_name_and_is_reached_by_tab(play: Callable[..., Any]) -> None:
    page = play("?preset=zigzag")
    page.locator(".ds-open").first.click()
    nameless = page.evaluate(
        "[...document.querySelectorAll('descend-playground :is(button, input, select, [role=slider])')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert nameless == []
    skipped = page.evaluate(
        "[...document.querySelectorAll('descend-playground [tabindex]')].filter(e => e.tabIndex < 0).length"
    )
    assert skipped == 0


@pytest.mark.parametrize("busy", [False, True])
def test_what_changes_before_a_new_formula_is_drawn_is_not_lost(browser_page, until, busy):
    """A new formula is compiled for a while. A drag on the ground that goes counts for nothing; a setting counts, and ground,
    run and state are in the end of one descent."""
    formula = f"x^4 + {7 + busy}*y^2 + 0.125*x*y"
    browser_page.goto("/")
    until(browser_page, f"{ELEMENT}?.ground && {ELEMENT}.frame")
    browser_page.evaluate(
        f"""() => {{
          if ({json.dumps(busy)}) {ELEMENT}.startAt([1.5, 1], false); // another run is on its way
          {ELEMENT}.objective({json.dumps(formula)});
          {ELEMENT}.startAt([0.5, 0.25], true);
          {ELEMENT}.state.steps = 7;
          {ELEMENT}.change(true);
        }}"""
    )
    until(browser_page, f"{ELEMENT}.ground.text.includes('0.125') && {ELEMENT}.frame.text === {ELEMENT}.ground.text")
    until(browser_page, f"[...{ELEMENT}.transport.channels.values()].every((c) => !c.flying && !c.waiting)")
    shown = browser_page.evaluate(
        f"[{ELEMENT}.state.start, {ELEMENT}.frame.start, {ELEMENT}.frame.steps, {ELEMENT}.state.steps]"
    )
    assert shown == [[1, 1], [1, 1], 7, 7]
    assert browser_page.evaluate(f"{ELEMENT}.state.optimizers.every((o) => typeof o.values.lr === 'number')")


# -- stumbles --------------------------------------------------------------------------------------------------------------


def test_a_formula_that_cannot_be_read_leaves_the_picture_and_its_controls(
    play: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = play("?objective=x**2+%2B+3*y**2&start=4,3&optimizer=sgd:lr=0.1&steps=20")
    text = page.locator(".ds-setup input[type=text]").first
    text.fill("x**")
    text.press("Enter")
    until(page, "document.querySelector('.ds-problem').textContent.includes('something is missing')")
    assert text.input_value() == "x**"
    page.get_by_label("Start x", exact=True).fill("2")
    page.get_by_label("lr", exact=True).first.fill("0.2")
    until(page, f"{ELEMENT}.frame.start[0] === 2 && {ELEMENT}.frame.runs[0].values.lr === 0.2")
    assert page.evaluate(f"{ELEMENT}.state.objective") == "x**2 + 3*y**2"
    text.fill("x**2 + y**4")
    text.press("Enter")
    until(page, f"{ELEMENT}.frame.text.includes('y⁴') && !document.querySelector('.ds-problem').textContent")


def test_a_drag_while_examples_change_never_mixes_them(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    page.evaluate(f"""async () => {{
        const it = {ELEMENT};
        for (let i = 0; i < 80; i++) {{
            if (i % 4 === 0) it.example(["parabola", "zigzag", "bounce", "bowl"][(i / 4) % 4]);
            it.figure.page.start(i % 8 < 4 ? [i / 10] : [i / 10, 1], false);
            await new Promise((done) => setTimeout(done, 7));
        }}
    }}""")
    until(page, f"{ELEMENT}.changing === null && {ELEMENT}.frame.start.length === 2")
    assert page.evaluate(f"{ELEMENT}.state.objective") == "x**2 + 3*y**2"
    until(page, f"String({ELEMENT}.state.start) === String({ELEMENT}.frame.start) && {ELEMENT}.ground.dimensions === 2")


def test_focus_stays_where_a_card_was_and_the_last_card_stays(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?preset=zigzag")
    page.get_by_label("Remove SGD").focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.ds-card').length === 2")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove Momentum"
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.ds-card').length === 1")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Optimizer 1"
    assert not page.get_by_label("Remove Adam").is_visible()
    page.get_by_label("Optimizer 1").select_option("lion")
    until(page, f"{ELEMENT}.frame.runs[0].name === 'lion'")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Optimizer 1"


def test_a_number_that_is_not_taken_says_what_is(play: Callable[..., Any]) -> None:
    page = play()
    for label, bad in [("lr", "0"), ("Seed", "1.5"), ("Start x", "0,1")]:
        field = page.get_by_label(label, exact=True).first
        field.fill(bad)
        assert field.get_attribute("aria-invalid") == "true"
        assert "number" in field.get_attribute("title")
        field.press("Enter")
        page.locator(".ds-refused", has_text=f'not "{bad}"').wait_for()
    field.fill("1")
    assert field.get_attribute("title") == ""
    assert not field.evaluate("field => field.nextElementSibling?.matches('.ds-refused') ?? false")
