"""The maps page in Chromium: its story untouched, pointing, zooming, keys, touch, links, the numbers it shows."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

import descend as ds

SMALL = "/maps?objective=ellipse&optimizer=momentum&x=lr=0.01:0.7&y=momentum=0:0.95&steps=120&by=rate&size=64&at=0.42,0.45"
DONE = "document.querySelector('descend-map')?.timings?.complete > 0 && !!document.querySelector('.ds-map-regime').textContent"


@pytest.fixture
def shown(until):
    """Open a map and wait until it is complete."""

    def show(page, address=SMALL):
        page.goto(address)
        until(page, DONE, 90)  # the first one compiles
        return page

    return show


def state(page):
    return page.evaluate("document.querySelector('descend-map').state")


def square(page):
    return page.locator(".ds-map-square").bounding_box()


def drag(page, start, end):
    """With the mouse, between two places in parts of the map, y upwards."""
    box = square(page)
    places = [(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move((places[0][0] + places[1][0]) / 2, (places[0][1] + places[1][1]) / 2)
    page.mouse.move(*places[1])
    page.mouse.up()


def hover(page, x, y):
    box = square(page)
    page.mouse.move(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"])


def colours(page):
    """How many different colours the map's canvas shows, and the share of black."""
    return page.evaluate("""() => {
      const canvas = document.querySelector('.ds-map-raster'), context = canvas.getContext('2d');
      const data = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      let black = 0;
      for (const v of data) black += (v & 0xffffff) === 0;
      return [new Set(data).size, black / data.length];
    }""")


def test_it_tells_its_story_untouched(browser_page, shown, until):
    page = shown(browser_page, "/maps")
    assert page.locator("[aria-pressed=true]").inner_text() == "Momentum"
    assert "2(1 + momentum)/6" in page.locator(".ds-map-story").inner_text()
    assert page.locator(".ds-map-regime").inner_text() == "ripples"
    different, black = colours(page)
    assert different > 100
    # the triangle's edge runs from lr 1/3 to 2/3 over the height, of 0.7 in all: about 0.29 of the square lies beyond it
    assert 0.25 < black < 0.33
    assert urlsplit(page.url).query == ""
    until(page, "document.querySelector('descend-map').view.marks.limit?.length > 10")


def test_the_numbers_of_the_pinned_descent_are_the_librarys(browser_page, shown):
    page = shown(browser_page)
    trace = ds.descend("ellipse", [4, 3], ds.momentum(lr=0.42, momentum=0.45), steps=120)
    factor = math.sqrt(0.45)  # |z|² is the product of the modes, β
    assert page.locator(".ds-map-regime").inner_text() == "ripples"
    assert f"{factor:.4g}" in page.locator(".ds-map-sentence").inner_text()
    values = page.locator(".ds-map-values").inner_text().split()
    assert values[:4] == ["lr", "0.42", "momentum", "0.45"]
    rows = [row.split("\t") for row in page.locator(".ds-map-modes tbody").inner_text().splitlines()]
    assert [(r[0], float(r[1])) for r in rows] == [("x", 2.0), ("y", 6.0)]
    assert page.locator(".ds-map-message").inner_text().startswith("Converged")
    drawn = page.evaluate("Array.from(document.querySelector('descend-map').run.frame.arrays.loss)")
    assert drawn[:20] == pytest.approx(trace.loss[:20].tolist(), rel=1e-4)


def test_pointing_draws_that_very_descent(browser_page, shown, until):
    page = shown(browser_page)
    hover(page, 0.9, 0.2)
    until(page, "document.querySelector('.ds-map-regime').textContent === 'divergence'")
    assert page.locator(".ds-map-which").inner_text() == "The descent under the pointer"
    cell, at = page.evaluate("(() => { const m = document.querySelector('descend-map'); return [m.cell, m.shown.at]; })()")
    assert at == pytest.approx([0.01 + cell[0] * 0.69 / 63, cell[1] * 0.95 / 63], rel=1e-9)
    hover(page, 0.1, 0.1)
    until(page, "document.querySelector('.ds-map-regime').textContent === 'monotone'")
    page.mouse.move(2, 2)
    until(page, "document.querySelector('.ds-map-which').textContent === 'The pinned descent'")
    assert page.locator(".ds-map-regime").inner_text() == "ripples"


def test_a_click_pins_and_the_link_keeps_it(browser_page, shown, until):
    page = shown(browser_page)
    hover(page, 0.2, 0.15)
    until(page, "document.querySelector('descend-map').cell !== null")
    page.mouse.down()
    page.mouse.up()
    at = state(page)["at"]
    assert at[0] < 0.2
    query = parse_qs(urlsplit(page.url).query)
    assert [float(v) for v in query["at"][0].split(",")] == at
    assert page.evaluate("document.querySelector('descend-map').entries.length") == 1
    before = state(page)
    page.reload()
    until(page, DONE)
    assert {k: v for k, v in state(page).items() if v is not None} == {k: v for k, v in before.items() if v is not None}


def test_dragging_zooms_again_and_again_and_the_way_back_is_kept(browser_page, shown, until):
    page = shown(browser_page)
    first = state(page)
    for depth in range(1, 4):
        drag(page, (0.25, 0.25), (0.75, 0.75))
        until(page, f"document.querySelector('descend-map').entry === {depth}")
        until(page, DONE)
    zoomed = state(page)
    width = zoomed["x"]["high"] - zoomed["x"]["low"]
    assert width == pytest.approx(0.69 / 8, rel=0.05)
    assert (zoomed["x"]["low"] + zoomed["x"]["high"]) / 2 == pytest.approx(0.355, rel=0.02)
    page.locator(".ds-map-square").focus()
    page.keyboard.press("Backspace")
    until(page, "document.querySelector('descend-map').entry === 2")
    page.go_back()
    until(page, "document.querySelector('descend-map').entry === 1")
    page.locator("[data-do=back]").click()
    until(page, "document.querySelector('descend-map').entry === 0")
    assert state(page)["x"] == first["x"]
    assert page.locator("[data-do=back]").is_disabled()
    page.locator("[data-do=forward]").click()
    until(page, "document.querySelector('descend-map').entry === 1")
    assert state(page)["x"]["low"] > first["x"]["low"]


def test_double_click_zooms_out_within_what_is_allowed(browser_page, shown, until):
    page = shown(browser_page)
    box = square(page)
    page.mouse.dblclick(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    until(page, "document.querySelector('descend-map').entry === 1")
    until(page, DONE)
    now = state(page)
    assert now["x"]["high"] > 0.9
    assert 0 < now["x"]["low"] <= 0.01
    assert 0 <= now["y"]["low"] < now["y"]["high"] <= 1


def test_everything_by_keyboard(browser_page, shown, until):
    page = shown(browser_page)
    page.locator(".ds-map-square").focus()
    before = page.evaluate("document.querySelector('descend-map').scales.map((s, k) => s.cell(s.part([0.42, 0.45][k])))")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate("document.querySelector('descend-map').cell") == [before[0] - 2, before[1] + 1]
    until(page, "document.querySelector('.ds-map-said').textContent.includes('lr')")
    page.keyboard.press("Enter")
    assert state(page)["at"][0] < 0.42
    page.keyboard.press("+")
    until(page, "document.querySelector('descend-map').entry === 1")
    assert state(page)["x"]["high"] - state(page)["x"]["low"] == pytest.approx(0.345, rel=0.05)
    page.keyboard.press("-")
    until(page, "document.querySelector('descend-map').entry === 2")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('descend-map').entry === 1")


def test_two_fingers_zoom_and_one_points(open_page, shown, until):
    page = shown(open_page(viewport={"width": 390, "height": 844}, has_touch=True))
    box = square(page)
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        told = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": k} for k, (x, y) in enumerate(points)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

    touch("touchStart", (0.9, 0.9))
    until(page, "document.querySelector('.ds-map-regime').textContent === 'divergence'")
    touch("touchEnd")
    assert state(page)["at"][0] > 0.6
    touch("touchStart", (0.4, 0.5), (0.6, 0.5))
    touch("touchMove", (0.2, 0.5), (0.8, 0.5))
    touch("touchEnd")
    until(page, "document.querySelector('descend-map').entry === 1")
    assert state(page)["x"]["high"] - state(page)["x"]["low"] == pytest.approx(0.69 / 3, rel=0.1)


@pytest.mark.parametrize(("width", "height", "scheme"), [(390, 844, "dark"), (1280, 800, "light"), (2560, 1440, "dark")])
def test_it_fits_every_width(open_page, shown, width, height, scheme):
    page = shown(open_page(viewport={"width": width, "height": height}, color_scheme=scheme))
    right = page.evaluate("""Math.max(...Array.from(document.querySelectorAll('descend-map *'),
      (e) => e.closest('.ds-map-presets') ? 0 : e.getBoundingClientRect().right))""")
    assert right <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = square(page)
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert colours(page)[0] > 50


def test_controls_make_another_map(browser_page, shown, until):
    page = shown(browser_page)
    page.locator("[name=optimizer]").select_option("adam")
    until(page, "document.querySelector('descend-map').now.optimizer.name === 'adam'")
    until(page, DONE)
    now = state(page)
    assert now["x"]["name"] == "lr"
    assert now["y"]["name"] == "beta1"  # momentum is none of Adam's
    page.locator("[name=objective]").fill("x**2 + 10*y**2")
    page.locator("[name=objective]").press("Tab")
    until(page, "document.querySelector('descend-map').now.objective === 'x**2 + 10*y**2'")
    until(page, DONE)
    page.locator("[name=objective]").fill("x**2 +")
    page.locator("[name=objective]").press("Tab")
    until(page, "!document.querySelector('.ds-map-error').hidden")
    assert "Traceback" not in page.locator(".ds-map-error").inner_text()


def test_too_deep_is_said_and_the_way_back_works(browser_page, shown, until):
    page = shown(browser_page, SMALL.replace("lr=0.01:0.7", "lr=0.333:0.333000000000006"))
    before = state(page)
    page.locator(".ds-map-square").focus()
    page.keyboard.press("+")
    said = page.locator(".ds-map-told").inner_text()
    assert re.fullmatch(
        r"The axis lr has no more numbers between 0\.333\d* and 0\.333\d*: this is as deep as float64 goes\.", said
    )
    assert state(page) == before  # the map stays, and nothing was added to the history
    assert page.evaluate("document.querySelector('descend-map').entry") == 0
    assert page.locator(".ds-map-error").is_hidden()
    page.keyboard.press("-")
    until(page, "document.querySelector('descend-map').entry === 1")
    until(page, DONE)
    page.keyboard.press("Backspace")
    until(page, "document.querySelector('descend-map').entry === 0")
    until(page, DONE)
    assert "float64" in page.locator(".ds-map-told").inner_text()


def test_a_rectangle_too_small_to_be_shown_goes_with_the_pointer(browser_page, shown, until):
    page = shown(browser_page, SMALL.replace("lr=0.01:0.7", "lr=0.333:0.333000000000006"))
    drag(page, (0.4, 0.4), (0.6, 0.6))
    until(page, "document.querySelector('.ds-map-told').textContent.includes('no more numbers')")
    corner = "document.querySelectorAll('.ds-map-stage canvas')[1].getContext('2d').getImageData(2, 2, 1, 1).data[3]"
    assert page.evaluate(corner) == 0


def test_a_link_too_deep_is_said_and_the_way_out_works(browser_page, until):
    browser_page.goto(SMALL.replace("lr=0.01:0.7", "lr=0.333:0.333000000000001"))
    until(browser_page, "!!document.querySelector('.ds-map-error')?.textContent")
    assert "lr has no more numbers between 0.333 and 0.333000000000001" in browser_page.locator(".ds-map-error").inner_text()
    browser_page.locator("[data-preset=momentum]").click()
    until(browser_page, DONE, 90)
    assert browser_page.locator(".ds-map-error").is_hidden()


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [("linear", 0.333, 0.333 + 4e-15), ("linear", 0.333, 0.333 + 2e-14), ("linear", 1.0, 1.0 + 2.1e-14), ("log", 0.3, 0.3001)],
)
def test_the_page_tells_the_same_numbers_apart_as_the_engine(browser_page, shown, scale, low, high):
    page = shown(browser_page)
    axis = (ds.logspace if scale == "log" else ds.linspace)(low, high, 96)
    told = page.evaluate(
        "async ([axis, n]) => (await import('/static/pages/maps/scale.js')).apart(axis, n)",
        [{"low": low, "high": high, "scale": scale}, 96],
    )
    assert told == (len(set(axis.values.tolist())) == 96)


def test_a_map_about_to_be_chosen_is_warmed(browser_page, shown, until):
    page = shown(browser_page)
    page.evaluate("""() => {
      const { transport } = document.querySelector('descend-map'), ask = transport.ask.bind(transport);
      window.warmed = [];
      transport.ask = (channel, name, params, ...rest) => {
        if (name === 'map_warm') window.warmed.push(params.objective);
        return ask(channel, name, params, ...rest);
      };
    }""")
    chip = page.locator("[data-preset=rmsprop]")
    chip.hover()
    until(page, "window.warmed.length === 1")
    page.locator("[data-preset=lr-start]").focus()
    until(page, "window.warmed.length === 2")
    page.locator("[data-preset=momentum]").hover()
    chip.hover()
    page.wait_for_timeout(400)
    assert page.evaluate("window.warmed.filter((name) => name === 'ravine').length") == 1


def test_what_is_waited_for_is_named(browser_page, shown, until):
    page = shown(browser_page)
    page.evaluate("""() => {
      const map = document.querySelector('descend-map');
      map.transport.follow = (channel, ask, params, onframe) => {
        window.begin = () => onframe({ begun: true });
        return new Promise(() => {});
      };
      map.change({ size: 128 });
    }""")
    told = "document.querySelector('.ds-map-told').textContent"
    until(page, f"{told}.startsWith('waiting for another')")
    page.evaluate("window.begin()")
    until(page, f"{told}.startsWith('compiling the program for these axes')")


def test_the_picture_is_saved_with_its_parameters(browser_page, shown):
    page = shown(browser_page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save PNG").click()
    image = Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    about = json.loads(image.text["Description"])
    assert about["axes"]["lr"] == [0.01, 0.7, 64, "linear"]
    assert waiting.value.suggested_filename == "ellipse-momentum-lr-momentum.png"


def test_command_and_program_are_copied(open_page, shown):
    page = shown(open_page(permissions=["clipboard-read", "clipboard-write"]))
    page.get_by_role("button", name="Copy as command").click()
    page.wait_for_timeout(200)
    assert page.evaluate("navigator.clipboard.readText()").startswith("descend map ellipse --optimizer momentum")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_timeout(200)
    assert re.fullmatch(r"http://.*/maps\?objective=ellipse.*at=0.42,0.45", page.evaluate("navigator.clipboard.readText()"))


@pytest.mark.parametrize("preset", ["basins", "lr-start", "rmsprop"])
def test_presets_are_maps_of_their_own(browser_page, shown, until, preset):
    page = shown(browser_page)
    page.locator(f"[data-preset={preset}]").click()
    until(page, "document.querySelector('descend-map').entry === 1")
    until(page, DONE)
    assert page.locator("[aria-pressed=true]").get_attribute("data-preset") == preset
    assert colours(page)[0] > 50
    assert page.locator(".ds-map-legend li, .ds-map-ramp").count() >= 1


def test_an_element_without_a_link_keeps_its_own_history(browser_page, shown, until):
    page = shown(browser_page)
    page.evaluate("document.querySelector('descend-map').linked = false")
    address = page.url
    page.locator("[data-do=in]").click()
    until(page, "document.querySelector('descend-map').entry === 1")
    page.locator("[data-do=back]").click()
    until(page, "document.querySelector('descend-map').entry === 0")
    assert page.url == address


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("x-low", "abc", "got 'abc'"),
        ("x-high", "", "got ''"),
        ("steps", "many", "got 'many'"),
        ("steps", "", "got ''"),
        ("start", "4, three", "'three'"),
        ("values", "rubbish", 'not "rubbish"'),
    ],
)
def test_what_is_no_number_is_said_in_the_words_that_were_typed(browser_page, shown, until, field, typed, said):
    page = shown(browser_page)
    page.locator(f".ds-map-form [name={field}]").fill(typed)
    page.keyboard.press("Enter")
    until(page, "!document.querySelector('.ds-map-error').hidden")
    assert said in page.locator(".ds-map-error").inner_text()


def test_a_schedule_among_the_other_values_keeps_its_commas(browser_page, shown, until):
    address = SMALL.replace("x=lr=0.01:0.7", "x=dampening=0:0.9")
    page = shown(browser_page, address)
    page.locator(".ds-map-form [name=values]").fill("lr=cosine(0.1, 60), nesterov=true")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('descend-map').state.optimizer.values.nesterov === true")
    assert state(page)["optimizer"]["values"]["lr"] == "cosine(0.1, 60)"
    page.reload()
    until(page, "document.querySelector('descend-map')?.state?.optimizer.values.nesterov === true")
    assert state(page)["optimizer"]["values"]["lr"] == "cosine(0.1, 60)"
