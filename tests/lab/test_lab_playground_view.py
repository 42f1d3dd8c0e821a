"""Looking closer at the playground's ground: contours under the pointer, zoom and pan by wheel, drag, fingers and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

ELEMENT = "document.querySelector('descend-playground')"
BOX = f"{ELEMENT}.figure.view.box"
BOWL = "?objective=x**2%2B3*y**2&start=4,3&optimizer=sgd:lr=0.1&steps=12"
#: Whether a bitmap shows anything.
INKED = "(c) => new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer).some((p) => p !== 0)"
AT_REST = f"{ELEMENT}.ground.arrays.values?.shape[0] === 140 && String({ELEMENT}.ground.box) === String({BOX})"


@pytest.fixture
def play(open_page: Callable[..., Any], until: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the playground at a query and waits until it has drawn and kept its first state."""

    def at(query: str = BOWL, **options: Any) -> Any:
        page = open_page(**options)
        page.goto("/" + query)
        until(page, f"Boolean({ELEMENT}?.frame && {ELEMENT}.past?.states.length)")
        return page

    return at


class Plane:
    """Where points of the ground lie in the window."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.area = page.locator(".ds-plane").bounding_box()

    def place(self, x: float, y: float) -> tuple[float, float]:
        px, py = self.page.evaluate(f"(([x, y]) => [{ELEMENT}.figure.view.x(x), {ELEMENT}.figure.view.y(y)])([{x}, {y}])")
        return self.area["x"] + px, self.area["y"] + py

    def part(self, across: float, down: float) -> tuple[float, float]:
        return self.area["x"] + across * self.area["width"], self.area["y"] + down * self.area["height"]

    def point(self, across: float, down: float) -> np.ndarray:
        """The point of the ground there."""
        (x0, x1), (y0, y1) = self.page.evaluate(BOX)
        return np.array([x0 + across * (x1 - x0), y1 - down * (y1 - y0)])

    def side(self) -> float:
        (x0, x1), _ = self.page.evaluate(BOX)
        return float(x1 - x0)

    def wheel(self, turned: float) -> None:
        self.page.keyboard.down("Control")
        self.page.mouse.wheel(0, turned)
        self.page.keyboard.up("Control")


# -- contours --------------------------------------------------------------------------------------------------------------


def test_the_contour_under_the_pointer_is_drawn_stronger_with_its_level(
    play: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = play()
    plane, levels = Plane(page), page.evaluate(f"Array.from({ELEMENT}.ground.arrays.levels)")
    names = page.evaluate(f"{ELEMENT}.ground.levels")
    for k in (3, 6):
        page.mouse.move(*plane.place(levels[k] ** 0.5, 0.0))  # x² = level on the axis, away from the path
        until(page, f"{ELEMENT}.figure.picked === {k}")
        assert page.evaluate(f"({INKED})({ELEMENT}.figure.line)")
        assert float(names[k].replace(",", "")) == pytest.approx(levels[k], rel=0.005)
    page.mouse.move(*plane.place((levels[6] ** 0.5 + levels[7] ** 0.5) / 2, 0.0))
    until(page, f"{ELEMENT}.figure.picked === null && {ELEMENT}.figure.line.hidden")


def test_a_drag_looks_for_no_contour(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    plane = Plane(page)
    page.mouse.move(*plane.place(page.evaluate(f"{ELEMENT}.ground.arrays.levels[4]") ** 0.5, 0.0))
    until(page, f"!{ELEMENT}.figure.line.hidden")
    page.evaluate(
        f"""(figure => {{
            const {{ pick }} = figure;
            window.picks = 0;
            figure.pick = (here) => {{ window.picks += here ? 1 : 0; return pick.call(figure, here); }};
        }})({ELEMENT}.figure)"""
    )
    page.mouse.down()
    for k in range(5):
        page.mouse.move(*plane.part(0.5 + 0.02 * k, 0.4))
    until(page, f"{ELEMENT}.timings.length > 0")
    assert page.evaluate(f"[{ELEMENT}.figure.line.hidden, window.picks]") == [True, 0]
    page.mouse.up()


# -- zoom and pan ----------------------------------------------------------------------------------------------------------


def test_the_wheel_zooms_about_the_pointer_and_the_link_holds_the_view(
    play: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = play()
    plane = Plane(page)
    before, side = plane.point(0.25, 0.7), plane.side()
    page.mouse.move(*plane.part(0.25, 0.7))
    for _ in range(4):
        plane.wheel(-100)
    until(page, f"{ELEMENT}.state.box !== null && {AT_REST}")
    assert plane.side() < 0.5 * side
    np.testing.assert_allclose(plane.point(0.25, 0.7), before, atol=2e-3 * side)
    assert page.evaluate(f"{ELEMENT}.state.start") == [4, 3]
    until(page, "location.search.includes('box=')")
    again = play(page.evaluate("location.search"))
    assert again.evaluate(BOX) == page.evaluate(f"{ELEMENT}.state.box")
    assert again.evaluate(f"{ELEMENT}.ground.box") == page.evaluate(f"{ELEMENT}.state.box")


def test_the_contours_of_a_view_are_the_objective_s(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play(BOWL + "&box=0.5,0.75,-0.125,0.125")
    until(page, AT_REST)
    values = np.reshape(page.evaluate(f"Array.from({ELEMENT}.ground.arrays.values)"), (140, 140))
    x, y = np.linspace(0.5, 0.75, 140), np.linspace(-0.125, 0.125, 140)
    np.testing.assert_allclose(values, x[None, :] ** 2 + 3 * y[:, None] ** 2, rtol=1e-6)


def test_an_ordinary_wheel_scrolls_the_page_and_tells_how_to_zoom(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play(viewport={"width": 1280, "height": 500})
    page.mouse.move(*Plane(page).part(0.3, 0.3))
    page.mouse.wheel(0, 120)
    until(page, "window.scrollY > 0 && !document.querySelector('.ds-hint').hidden")
    assert page.evaluate(f"{ELEMENT}.state.box") is None


def test_shift_and_a_drag_move_the_view_and_a_drag_the_start(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    plane = Plane(page)
    held, side = plane.point(0.4, 0.6), plane.side()
    page.keyboard.down("Shift")
    page.mouse.move(*plane.part(0.4, 0.6))
    page.mouse.down()
    page.mouse.move(*plane.part(0.5, 0.4))
    until(page, f"{ELEMENT}.ground.arrays.values.shape[0] < 140")  # coarse while it moves
    levels = page.evaluate(f"Array.from({ELEMENT}.ground.arrays.levels)")
    page.mouse.move(*plane.part(0.7, 0.2))
    assert page.evaluate(f"Array.from({ELEMENT}.ground.arrays.levels)") == levels  # the same lines, moved
    page.mouse.up()
    page.keyboard.up("Shift")
    until(page, AT_REST)
    np.testing.assert_allclose(plane.point(0.7, 0.2), held, atol=2e-3 * side)
    assert plane.side() == pytest.approx(side, rel=1e-3)
    assert page.evaluate(f"{ELEMENT}.state.start") == [4, 3]
    page.mouse.move(*plane.part(0.3, 0.3))
    page.mouse.down()
    page.mouse.up()
    until(page, f"{ELEMENT}.state.start[0] !== 4")
    np.testing.assert_allclose(page.evaluate(f"{ELEMENT}.state.start"), plane.point(0.3, 0.3), atol=5e-3 * side)


def test_shift_and_a_click_change_nothing(play: Callable[..., Any]) -> None:
    page = play()
    page.keyboard.down("Shift")
    page.mouse.click(*Plane(page).part(0.4, 0.6))
    page.keyboard.up("Shift")
    assert page.evaluate(f"[{ELEMENT}.state.box, {ELEMENT}.state.start]") == [None, [4, 3]]


def test_a_view_is_undone_and_done_again(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    whole = page.evaluate(BOX)
    page.get_by_role("button", name="Look closer").click()
    until(page, f"{ELEMENT}.past.states.length === 2")
    closer = page.evaluate(f"{ELEMENT}.state.box")
    page.keyboard.press("Control+z")
    until(page, f"{ELEMENT}.state.box === null && String({BOX}) === '{','.join(repr(v) for side in whole for v in side)}'")
    page.keyboard.press("Control+Shift+z")
    until(page, f"String({BOX}) === '{','.join(f'{v:g}' for side in closer for v in side)}'")


def test_fit_shows_everything_again(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    whole, fit = page.evaluate(BOX), page.get_by_role("button", name="Show everything again")
    assert not fit.is_visible()
    page.get_by_role("button", name="Look closer").click()
    until(page, AT_REST)
    fit.click()
    until(page, f"{ELEMENT}.state.box === null && String({BOX}) === '{','.join(repr(v) for side in whole for v in side)}'")
    assert not fit.is_visible()
    until(page, "!location.search.includes('box=')")


def test_a_double_click_fits_and_leaves_the_start_where_it_was(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play(BOWL + "&box=3,5,2,4")
    page.mouse.dblclick(*Plane(page).part(0.2, 0.8))
    until(page, f"{ELEMENT}.state.box === null && {AT_REST} && {ELEMENT}.frame.start.join() === '4,3'")
    assert page.evaluate(f"{ELEMENT}.state.start") == [4, 3]


def test_keys_zoom_about_the_middle_and_fit(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    plane = Plane(page)
    side, centre = plane.side(), plane.point(0.5, 0.5)
    page.locator(".ds-start").focus()
    page.keyboard.press("+")
    until(page, f"{ELEMENT}.state.box && {AT_REST}")
    assert plane.side() == pytest.approx(side * 2 / 3, rel=1e-3)
    np.testing.assert_allclose(plane.point(0.5, 0.5), centre, atol=1e-3 * side)
    page.keyboard.press("-")
    until(page, f"{ELEMENT}.state.box[0][1] - {ELEMENT}.state.box[0][0] > {0.99 * side} && {AT_REST}")
    page.keyboard.press("0")
    until(page, f"{ELEMENT}.state.box === null")


def test_a_view_that_is_let_go_at_once_does_not_come_back(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play()
    plane = Plane(page)
    page.locator(".ds-start").focus()
    page.mouse.move(*plane.part(0.3, 0.3))
    plane.wheel(-120)
    page.keyboard.press("0")  # the wheel has not yet come to rest
    page.wait_for_timeout(500)
    until(page, AT_REST)
    assert page.evaluate(f"{ELEMENT}.state.box") is None
    assert not page.get_by_role("button", name="Show everything again (0)").is_visible()


DOCTOR = "document.querySelector('.ds-says')?.textContent.includes"


def test_a_pointer_that_rests_without_being_lifted_is_told_of_its_own_descent(
    play: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = play(BOWL.replace("0.1", "0.4"))
    until(page, f"{DOCTOR}('from 43 ')")
    page.mouse.move(*Plane(page).place(4, 3))
    page.mouse.down()
    page.mouse.move(*Plane(page).place(2, 1), steps=12)
    x, y = page.evaluate(f"{ELEMENT}.state.start")
    climbs = f"from {x**2 + 3 * y**2:.4g} "
    until(page, f"{DOCTOR}('{climbs}')")
    assert climbs in page.locator(".ds-outcome").inner_text()
    page.mouse.up()


def test_a_drag_that_becomes_a_zoom_is_told_of_where_the_start_was_left(
    play: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = play(BOWL.replace("0.1", "0.4"), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.locator(".ds-plane").scroll_into_view_if_needed()
    until(page, f"{DOCTOR}('from 43 ')")
    plane = Plane(page)
    from_, to = plane.place(4, 3), plane.place(2, 3)
    touch(page, "touchStart", [from_])
    touch(page, "touchMove", [((from_[0] + to[0]) / 2, from_[1])])
    touch(page, "touchMove", [to])
    other = plane.part(0.2, 0.8)
    touch(page, "touchStart", [to, other])
    touch(page, "touchMove", [to, (other[0] - 20, other[1] + 20)])
    touch(page, "touchEnd", [])
    until(page, f"{ELEMENT}.state.box !== null && {AT_REST}")
    x, y = page.evaluate(f"{ELEMENT}.state.start")
    assert x < 3
    until(page, f"{DOCTOR}('from {x**2 + 3 * y**2:.4g} ')")
    until(page, f"{ELEMENT}.past.states.length > 1")


def touch(page: Any, kind: str, points: list[tuple[float, float]]) -> None:
    session = page.touches = getattr(page, "touches", None) or page.context.new_cdp_session(page)
    told = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})


@pytest.mark.parametrize("query", [BOWL, BOWL + "&view=surface"])
def test_two_fingers_zoom_about_what_is_between_them(play: Callable[..., Any], until: Callable[..., Any], query: str) -> None:
    page = play(query, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.locator(".ds-plane").scroll_into_view_if_needed()
    plane = Plane(page)
    middle, side = plane.point(0.5, 0.5), plane.side()
    turn = page.evaluate(f"{ELEMENT}.figure.surface.turn")
    touch(page, "touchStart", [plane.part(0.4, 0.5)])
    touch(page, "touchStart", [plane.part(0.4, 0.5), plane.part(0.6, 0.5)])
    for k in range(1, 5):
        touch(page, "touchMove", [plane.part(0.4 - 0.05 * k, 0.5), plane.part(0.6 + 0.05 * k, 0.5)])
    touch(page, "touchEnd", [])
    until(page, f"{ELEMENT}.state.box !== null && {AT_REST}")
    assert plane.side() == pytest.approx(side / 3, rel=0.02)
    np.testing.assert_allclose(plane.point(0.5, 0.5), middle, atol=0.01 * side)
    assert page.evaluate(f"{ELEMENT}.state.start") == [4, 3]
    assert page.evaluate(f"{ELEMENT}.figure.surface.turn") == turn


def test_the_curve_of_one_variable_is_seen_closer_too(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?objective=(x-1)**2&start=-2&optimizer=sgd:lr=0.1&steps=9")
    (x0, x1), _ = page.evaluate(BOX)
    page.get_by_role("button", name="Look closer").click()
    until(page, f"String({ELEMENT}.ground.box[0]) === String({ELEMENT}.state.box?.[0])")
    (low, high), (bottom, top) = page.evaluate(BOX)
    assert high - low == pytest.approx((x1 - x0) * 2 / 3, rel=1e-3)
    assert bottom < 0 < top  # fitted to the piece of the curve


def test_a_view_cannot_be_so_small_that_numbers_run_out(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play(BOWL + "&box=0.99999,1.00001,0.99999,1.00001")
    for _ in range(60):
        page.locator(".ds-start").press("+")
    until(page, AT_REST)
    (x0, x1), _ = page.evaluate(BOX)
    assert 1e-9 < x1 - x0 < 3e-8
    assert page.evaluate("document.querySelector('.ds-problem').textContent") == ""


@pytest.mark.parametrize("box", ["1,0,0,1", "a,1,0,1", "0,1", "0,1,0,1,2", "0,Infinity,0,1"])
def test_a_view_that_is_none_is_not_taken(play: Callable[..., Any], box: str) -> None:
    page = play(f"{BOWL}&box={box}")
    assert page.evaluate(f"{ELEMENT}.state.box") is None


def test_a_start_outside_the_view_is_shown_at_its_edge_and_asks_for_no_other(
    play: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = play(BOWL + "&box=-1,1,-1,1")
    assert "ds-away" in page.locator(".ds-start").get_attribute("class")
    page.get_by_label("lr", exact=True).first.fill("0.2")
    page.get_by_label("lr", exact=True).first.press("Enter")
    until(page, f"{ELEMENT}.frame.runs[0].values.lr === 0.2")
    assert page.evaluate(BOX) == [[-1, 1], [-1, 1]]
    page.get_by_role("combobox", name="Examples").select_option("bowl")
    until(page, f"{ELEMENT}.state.box === null && !document.querySelector('.ds-start').classList.contains('ds-away')")


# -- the page around it ----------------------------------------------------------------------------------------------------


def test_a_wide_window_holds_ground_curves_and_optimizers_side_by_side(play: Callable[..., Any]) -> None:
    page = play("?preset=zigzag", viewport={"width": 2560, "height": 1300})
    boxes = [page.locator(name).bounding_box() for name in (".ds-plane", ".ds-chart", ".ds-race", ".ds-anatomy", ".ds-setup")]
    ends = [box["x"] + box["width"] for box in boxes]
    plane, chart, race, anatomy, setup = boxes
    assert ends[0] < chart["x"] < ends[1] < race["x"] < ends[2] <= 2560
    assert race["x"] - plane["x"] > 1500  # the window's width is used
    assert anatomy["x"] == chart["x"]
    assert max(box["y"] + box["height"] for box in (anatomy, setup)) < 1300  # all of it at one glance


def test_the_right_answer_keeps_its_button_in_a_narrow_window(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?preset=which", viewport={"width": 390, "height": 844})
    for k in range(page.locator(".ds-choice").count()):
        page.locator(".ds-choice").nth(k).click()
    right = page.locator(".ds-choice.ds-right").first
    assert right.evaluate("(e) => getComputedStyle(e).display") != "contents"
    assert right.bounding_box()["height"] > 25


def test_of_runs_that_climb_the_highest_wins(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?objective=-x**2&start=3&steps=9&optimizer=sgd:lr=0.1,maximize=true&optimizer=sgd:lr=0.3,maximize=true")
    until(page, "document.querySelector('.ds-summary').textContent.startsWith('Highest value: lr 0.3')")


# -- the landscape ---------------------------------------------------------------------------------------------------------

RIDGE = """async ([v, z, turn, tilt]) => {
    const { hidden } = await import("/static/pages/playground/relief.js"), cells = 40, n = cells + 1;
    const heights = Float64Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) === cells / 2 ? 1 : 0)); // along v = 1/2
    return hidden({ heights, cells, top: 1.01 }, 0.5, v, z, turn, tilt);
}"""


@pytest.mark.parametrize(
    ("v", "z", "turn", "tilt", "so"),
    [
        (0.8, 0.0, 0.0, 1.0, True),  # the ray to the eye rises by 0.3·tan(tilt)/0.62 on its way to the ridge: 0.75
        (0.8, 0.0, 0.0, 1.2, False),  # 1.24: over it
        (0.8, 0.5, 0.0, 1.0, False),  # from higher up
        (0.2, 0.0, 0.0, 0.2, False),  # before the ridge
        (0.2, 0.0, np.pi, 0.2, True),  # seen from the other side
        (0.8, 0.0, np.pi, 0.2, False),
    ],
)
def test_a_ridge_hides_what_lies_behind_it(
    play: Callable[..., Any], v: float, z: float, turn: float, tilt: float, so: bool
) -> None:
    assert play().evaluate(RIDGE, [v, z, turn, tilt]) is so


def test_a_path_behind_a_hill_is_faint_and_one_before_it_is_not(play: Callable[..., Any]) -> None:
    page = play(
        "?objective=exp(-4*x**2-4*y**2)&start=0.1,1.2&optimizer=sgd:lr=0.05&steps=20&box=-1.5,1.5,-1.5,1.5&view=surface"
    )
    count = f"""([turn]) => {{
        const it = {ELEMENT}, {{ figure }} = it;
        Object.assign(figure.surface, {{ turn, tilt: 0.3 }});
        it.frame.arrays.points0.set([-1.4, 0.7, 1.4, 0.7]); // its middle behind the hill as seen from smaller y
        it.frame.arrays.loss0.set([0, 0]);
        figure.look = {{ ...figure.look, at: 1 }};
        figure.redraw();
        const {{ data }} = figure.over.getContext("2d").getImageData(0, 0, figure.over.width, figure.over.height);
        const blue = (i) => data[i] + Math.abs(data[i + 1] - 114) + Math.abs(data[i + 2] - 178) < 12;
        let n = 0;
        for (let i = 0; i < data.length; i += 4) n += blue(i);
        return n;
    }}"""
    before, behind = page.evaluate(count, [np.pi]), page.evaluate(count, [0])
    assert 50 < behind < 0.8 * before


def test_a_new_landscape_is_turned_so_that_its_paths_are_seen(play: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = play("?objective=himmelblau&start=-4,4&optimizer=sgd:lr=0.01&steps=60&view=surface")
    share = f"""(() => {{
        const {{ surface }} = {ELEMENT}.figure, {{ points0, loss0 }} = {ELEMENT}.frame.arrays, unit = surface.unit();
        const hidden = Array.from(loss0, (z, i) => surface.behind(unit(points0[2 * i], points0[2 * i + 1], z + 0.02)));
        return hidden.filter(Boolean).length / hidden.length;
    }})()"""
    assert page.evaluate(share) < 0.1
    turn = page.evaluate(f"{ELEMENT}.figure.surface.turn")
    page.locator(".ds-plane").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Look closer").click()
    until(page, f"{ELEMENT}.state.box && {AT_REST}")
    assert page.evaluate(f"{ELEMENT}.figure.surface.turn") == pytest.approx(turn - 0.08)  # it stays as it was turned
