"""The line-fit page: the promised fits through its answers, tables of a reader's own, code that runs; then the page itself."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

import descend as ds
from descend.errors import DescendError
from descend.lab.asks import ASKS
from descend.lab.frames import pack, unpack
from descend.lab.linefit import MOST_POINTS, PRESETS
from descend.lab.server import LONGEST_QUESTION
from descend.objectives.data import demo_named
from descend.objectives.regression import mse, regression
from descend.stability import curvature_at

BY_NAME = {preset["name"]: preset for preset in PRESETS}


def ask(name, /, **params):
    """The answer as a page receives it."""
    return unpack(pack(ASKS[name][0](params, None)))


def preset(name, **changes):
    told = BY_NAME[name]
    optimizer = {"name": "sgd", "values": {"lr": told["lr"]}}
    return ask("line", **({"data": told["data"], "optimizer": optimizer, "steps": told["steps"]} | changes))


# -- the promised numbers -------------------------------------------------------------------------------------------------


def test_the_line_as_a_training_loop_prints_it():
    frame = preset("line")
    rows = [f"{int(k)} {loss:.4f} {w:.3f} {b:.3f}" for k, loss, w, b in frame.arrays["table"]]
    assert rows[0].startswith("0 49.5459")
    assert rows[1:] == ["40 1.6826 2.134 1.719", "80 0.4559 2.052 2.391", "120 0.1656 2.011 2.717", "160 0.0969 1.992 2.876"]
    final, best = frame.data["final"], frame.data["least_squares"]
    assert (round(final["w"], 3), round(final["b"], 3)) == (1.982, 2.952)
    assert (round(best["w"], 4), round(best["b"], 4)) == (1.9727, 3.0267)


def test_rate_one_diverges_and_the_limit_is_known():
    told = preset("diverges").data
    assert told["outcome"] == "diverged"
    assert round(told["limit"], 4) == 0.1276
    assert "7.84 times the limit 0.1276" in told["reading"]


@pytest.mark.parametrize(("name", "w", "b", "digits"), [("crawls", 0.61, 0.17, 2), ("crawled", 2.030, 2.568, 3)])
def test_a_tiny_rate_has_not_arrived(name, w, b, digits):
    final = preset(name).data["final"]
    assert (round(final["w"], digits), round(final["b"], digits)) == (w, b)


def test_a_line_through_a_curve_has_bias():
    told = preset("curve").data
    assert (round(told["least_squares"]["w"], 3), round(told["least_squares"]["b"], 2)) == (1.694, 17.01)
    assert round(told["final"]["mse"], 1) == round(told["least_squares"]["mse"], 1) == 197.2
    assert "arrived" in told["reading"]


def test_five_points():
    told = preset("five").data
    assert (round(told["final"]["w"], 5), round(told["final"]["b"], 5)) == (1.99984, 0.00059)
    assert round(told["limit"], 4) == 0.0845


# -- the library says the same --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in BY_NAME if n != "diverges"])
def test_every_preset_equals_the_library(name):
    told, frame = BY_NAME[name], preset(name)
    data = demo_named(told["data"]["demo"]).make()
    found = ds.fit(data, optimizer=ds.sgd(lr=told["lr"]), steps=told["steps"], standardise=False)
    assert frame.data["final"]["w"] == found.coefficients[0]
    assert frame.data["final"]["b"] == found.intercept
    at = frame.arrays["at"]
    assert np.array_equal(frame.arrays["path"], found.path[at])
    assert np.array_equal(frame.arrays["loss"], found.losses[at])


@pytest.mark.parametrize("standardise", [False, True])
def test_the_curvatures_are_the_objectives(standardise):
    frame = preset("five", standardise=standardise)
    X, y = np.arange(1.0, 6.0), 2 * np.arange(1.0, 6.0)
    if standardise:
        X, y = (X - X.mean()) / X.std(), (y - y.mean()) / y.std()
    found = curvature_at(regression(X[:, None], y), np.zeros(2))
    assert frame.data["curvatures"] == pytest.approx(sorted(found.eigenvalues))
    assert frame.data["limit"] == pytest.approx(2 / found.largest)


def test_each_contour_has_one_error():
    frame = preset("five")
    x, y = np.arange(1.0, 6.0)[:, None], 2 * np.arange(1.0, 6.0)
    for ring, level in zip(frame.arrays["rings"], frame.arrays["levels"], strict=True):
        assert [mse(x, y, [w], b) for w, b in ring[::12].astype(float)] == pytest.approx([level] * 9, rel=1e-4)


def test_one_line_by_its_place():
    told = ask("line_at", data={"demo": "five"}, at=[0, 0]).data
    assert told["mse"] == 44
    assert told["gradient"] == [-44, -12]


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=3, unique_by=lambda p: round(p[0], 1)))
def test_points_of_ones_own(points):
    x, y = ([float(v) for v in column] for column in zip(*points, strict=True))
    params = {"data": {"x": x, "y": y, "names": ["a", "b"]}, "optimizer": {"name": "sgd", "values": {"lr": 0.1}}, "steps": 5}
    try:
        told = ask("line", standardise=True, **params).data
    except DescendError as error:
        assert ("in every row" in str(error)) or ("vary too" in str(error))  # noqa: PT017  (only such points may be refused)
        return
    w, b = np.polyfit(x, y, 1)
    assert [told["least_squares"]["w"], told["least_squares"]["b"]] == pytest.approx([w, b], rel=1e-4, abs=1e-5)
    assert told["names"] == ["a", "b"]


def test_too_many_points_get_a_sentence():
    many = [float(i) for i in range(MOST_POINTS + 1)]
    with pytest.raises(DescendError, match="up to 2,000 points"):
        ask("line", data={"x": many, "y": many})


# -- nothing is compiled while a point is dragged --------------------------------------------------------------------------


@contextlib.contextmanager
def compilations():
    """A list that grows by one with each program traced or compiled inside the block."""
    from jax import monitoring

    counted, events = [], ("jaxpr_trace_duration", "backend_compile_duration")
    monitoring.register_event_duration_secs_listener(
        lambda name, *_, **__: counted.append(name) if name.endswith(events) and counted[-1:] != [None] else None
    )
    try:
        yield counted
    finally:
        counted.append(None)  # listeners cannot be taken back one by one: this one counts no more


@pytest.mark.parametrize("standardise", [False, True])
def test_a_drag_compiles_nothing(standardise):
    """Points move, come and go between two powers of two; the fit and what is said of it need no new program."""
    import jax

    x = [((37 * k) % 101) / 10 for k in range(40)]
    settings = {"optimizer": {"name": "sgd", "values": {"lr": 0.01}}, "steps": 30, "standardise": standardise}

    def fitted(count, moved):
        points = {"x": x[:count], "y": [2 * v + moved for v in x[1:count]] + [moved], "names": ["x", "y"]}
        frame = ask("line", data=points, **settings)
        ask("line_why", data=points, **settings)
        return frame

    before = fitted(40, 0.0)
    with compilations() as counted:
        frames = [fitted(count, moved) for count, moved in ((40, 0.5), (40, 1.0), (38, 2.0), (39, 2.0), (33, 2.5))]
        assert counted == []
        jax.jit(lambda v: v + 1)(1.0)
        assert counted, "the count does not count"
    assert before.data["final"] != frames[0].data["final"] != frames[1].data["final"]
    X, y = np.array(x[:33])[:, None], np.array([2 * v + 2.5 for v in x[1:33]] + [2.5])
    assert frames[-1].data["final"]["mse"] == pytest.approx(
        mse(X, y, [frames[-1].data["final"]["w"]], frames[-1].data["final"]["b"])
    )
    w, b = np.polyfit(X[:, 0], y, 1)
    assert [frames[-1].data["least_squares"][k] for k in "wb"] == pytest.approx([w, b])


def test_the_descent_on_filled_up_rows_is_the_descent_by_hand():
    """Five rows run in a program of eight: the three that fill it up change nothing."""
    frame = preset("five", steps=3)
    p = np.zeros(2)
    x, y = np.arange(1.0, 6.0), 2 * np.arange(1.0, 6.0)
    for k in range(4):
        assert frame.arrays["path"][k] == pytest.approx(p, rel=1e-14, abs=1e-15)
        r = p[0] * x + p[1] - y
        assert frame.arrays["loss"][k] == pytest.approx(np.mean(r * r), rel=1e-14)
        p = p - 0.01 * 2 * np.array([np.mean(r * x), np.mean(r)])


# -- tables ---------------------------------------------------------------------------------------------------------------


def test_a_table_is_read_as_the_fit_command_reads_it():
    frame = ask("line_table", text="a;b;name\n1,5;2;x\n2,5;3,1;y\n3;NA;z\n4;7;q\n", name="own.csv")
    assert (frame.data["columns"], frame.data["x"], frame.data["y"]) == (["a", "b"], "a", "b")
    assert frame.arrays["x"].tolist() == [1.5, 2.5, 4.0]
    assert any("decimal comma" in note for note in frame.data["notes"])
    assert any("dropped" in note for note in frame.data["notes"])


def test_the_feature_is_the_companion_and_can_be_chosen():
    text = "noise,size,price\n" + "\n".join(f"{(7 * i) % 5},{i},{3 * i + (i % 2)}" for i in range(20))
    assert ask("line_table", text=text).data["x"] == "size"
    assert ask("line_table", text=text, x="noise", y="size").data["y"] == "size"


def test_points_with_many_digits_fit_into_the_next_question():
    """The answer's points come back with every later question, written as JavaScript writes them: 0.00000123456789."""
    tiny = [-1.23456789e-06 * (1 + k / 1e6) for k in range(MOST_POINTS)]
    frame = ask("line_table", text="x,y\n" + "\n".join(f"{k / 2000:.7g},{v:.9g}" for k, v in enumerate(tiny)))
    assert frame.data["sampled"]
    assert len(frame.arrays["x"]) > MOST_POINTS // 2
    assert any("rows are taken" in note for note in frame.data["notes"])
    written = [[np.format_float_positional(v, trim="-") for v in frame.arrays[name]] for name in "xy"]
    assert len(json.dumps(written).replace('"', "")) < LONGEST_QUESTION - 2048


def test_long_tables_are_sampled_and_it_is_said():
    text = "x,y\n" + "\n".join(f"{i},{i % 7}" for i in range(3000))
    frame = ask("line_table", text=text)
    assert len(frame.arrays["x"]) == MOST_POINTS
    assert frame.data["sampled"]
    assert any("2,000 of 3,000" in note for note in frame.data["notes"])


@pytest.mark.parametrize("rows", ["1.1e9,1\n2,3\n", "1,1e308\n2,2\n3,-1e308\n"])
def test_numbers_too_large_for_a_page_are_named(rows, recwarn):
    with pytest.raises(DescendError, match=r"and big\.csv holds .*: rescale"):
        ask("line_table", text="x,y\n" + rows, name="big.csv")
    assert not recwarn.list


@pytest.mark.parametrize("text", ["", "one column\n1\n2\n", "a,b\n1,2\n1,2\n", "\x00\x01", "a,a\n1,2\n3,4\n"])
def test_a_bad_table_gets_a_sentence(text):
    with pytest.raises(DescendError):
        ask("line_table", text=text)


# -- copied code runs -----------------------------------------------------------------------------------------------------

OWN = {"x": [1, 2.5, 4], "y": [2, 3.25, -1e-3], "names": ["a", "b"]}


@pytest.mark.parametrize(("data", "standardise"), [({"demo": "line"}, False), (OWN, True), (OWN, False)])
def test_copied_python_prints_the_same_fit(data, standardise):
    params = {"data": data, "optimizer": {"name": "sgd", "values": {"lr": 0.05}}, "steps": 30, "start": [1, -0.5]}
    told = ask("line", standardise=standardise, **params).data
    scope: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(ask("line_why", standardise=standardise, **params).data["python"], scope)
    assert scope["found"].coefficients[0] == pytest.approx(told["final"]["w"], rel=1e-12)
    assert scope["found"].intercept == pytest.approx(told["final"]["b"], rel=1e-12)


@pytest.mark.skipif(shutil.which("sh") is None, reason="commands are for a POSIX shell")
@pytest.mark.parametrize("case", ["demo", "points", "file"])
def test_copied_command_prints_the_same_fit(case, tmp_path):
    data = {"demo": "five"} if case == "demo" else OWN
    source = {"file": "my data.csv"} if case == "file" else None
    (tmp_path / "my data.csv").write_text("a,b\n1,2\n2.5,3.25\n4,-0.001\n")
    params = {"data": data, "optimizer": {"name": "sgd", "values": {"lr": 0.02}}, "steps": 20, "start": [-1, 0.5]}
    told = ask("line", **params).data
    command = ask("line_why", **params, source=source).data["command"]
    command = command.replace("descend fit", f"{sys.executable} -m descend fit", 1) + " --json"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["intercept"] == pytest.approx(told["final"]["b"], rel=1e-9)
    assert found["steps"] == 20


# -- the page -------------------------------------------------------------------------------------------------------------

PAGE = "(document.querySelector('descend-line') ?? {})"


def opened(page, until, path="/line"):
    page.goto(path)
    until(page, f"{PAGE}.told && {PAGE}.told2")
    return page


def held(page, name):
    box = page.get_by_role("slider", name=name).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_page_tells_its_story_untouched(browser_page, until):
    page = opened(browser_page, until)
    assert "1.982x + 2.952" in page.locator(".ln-reading").inner_text()
    assert "49.5459" in page.locator(".ln-table-steps").inner_text()
    assert "0.1276" in page.locator(".ln-limit-said").inner_text()


def test_line_and_place_move_together(browser_page, until):
    page = opened(browser_page, until)
    x, y = held(page, "The line's place")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 80, y + 60, steps=4)
    page.mouse.up()
    until(page, f"{PAGE}.now.step === 0")
    w, b = page.evaluate(f"[{PAGE}.now.w, {PAGE}.now.b]")
    assert w < 1.9
    assert b < 2.9
    x, y = held(page, "The line's right handle")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 50, steps=4)
    page.mouse.up()
    until(page, f"{PAGE}.now.w > {w}")
    until(page, f"{PAGE}.state.start[0] === {PAGE}.now.w && {PAGE}.state.start[1] === {PAGE}.now.b")


def test_points_are_moved_added_and_deleted_by_keys(browser_page, until):
    page = opened(browser_page, until)
    point = page.get_by_role("slider", name="A data point")
    point.focus()
    page.keyboard.press("Shift+ArrowUp")
    until(page, f"{PAGE}.state.data.y && {PAGE}.told.arrays.y[0] > 10")
    page.keyboard.press("Delete")
    until(page, f"{PAGE}.told.rows === 99")
    page.keyboard.press("Insert")
    until(page, f"{PAGE}.told.rows === 100")


def test_a_click_adds_a_point_and_a_double_click_deletes_it(browser_page, until):
    page = opened(browser_page, until)
    box = page.locator(".ln-data svg").bounding_box()
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3
    page.mouse.click(x, y)
    until(page, f"{PAGE}.told.rows === 101")
    page.wait_for_timeout(700)
    page.mouse.dblclick(x, y)
    until(page, f"{PAGE}.told.rows === 100")


def test_a_file_of_ones_own(browser_page, until):
    page = opened(browser_page, until)
    rows = "\n".join(f"{i};{i % 9};{2 * i + 1}" for i in range(40))
    page.set_input_files(
        "input[type=file]", files=[{"name": "mine.csv", "mimeType": "text/csv", "buffer": f"a;b;c\n{rows}".encode()}]
    )
    until(page, f"{PAGE}.told.names[1] === 'c'")
    assert page.evaluate(f"[{PAGE}.told.names[0], {PAGE}.told.rows]") == ["a", 40]
    until(page, f"{PAGE}.told2.command.includes('mine.csv')")
    until(page, "document.querySelector('.ln-page').innerText.includes('The points are in the link')")
    page.get_by_label("The column across, x").select_option("b")
    until(page, f"{PAGE}.told.names[0] === 'b'")
    page.set_input_files("input[type=file]", files=[{"name": "bad.csv", "mimeType": "text/csv", "buffer": b"nothing here"}])
    until(page, "document.querySelector('.ln-table [role=status]').textContent.includes('bad.csv')")


def test_a_large_file_fits_through_the_socket(browser_page, until):
    page = opened(browser_page, until)
    rows = "\n".join(f"{i}.123456,{(i * 7919) % 1000}.5,{3 * i}" for i in range(60000))
    page.set_input_files(
        "input[type=file]", files=[{"name": "large.csv", "mimeType": "text/csv", "buffer": f"a,b,c\n{rows}".encode()}]
    )
    until(page, "document.querySelector('.ln-table [role=status]').textContent.includes('of 60,000 lines are taken')")
    until(page, f"{PAGE}.told.names[1] === 'c'")
    assert not page.evaluate(f"{PAGE}.told2.command").endswith("large.csv")
    until(page, "document.querySelector('.ln-page').innerText.includes('stays on this machine')")


def test_presets_and_link(browser_page, until, open_page):
    page = opened(browser_page, until)
    page.get_by_role("button", name="Five points").click()
    until(page, f"{PAGE}.told.rows === 5 && location.hash.includes('five')")
    other = opened(open_page(), until, "/line" + page.evaluate("location.hash"))
    assert "0.08452" in other.locator(".ln-limit-said").inner_text()
    assert other.get_by_role("button", name="Five points").get_attribute("aria-pressed") == "true"


def handed(page, name, rows, until):
    """Give the page a table of so many rows on y = 2x + 1, roughly."""
    text = "x,y\n" + "\n".join(f"{k},{2 * k + 1 + k % 3}" for k in range(rows))
    page.set_input_files("input[type=file]", files=[{"name": name, "mimeType": "text/csv", "buffer": text.encode()}])
    until(page, f"{PAGE}.told.rows === {rows}")


def test_a_small_table_is_in_the_link(browser_page, until, open_page):
    page = opened(browser_page, until)
    handed(page, "small.csv", 200, until)
    until(page, "location.hash.includes('small.csv')")
    other = opened(open_page(), until, "/line" + page.evaluate("location.hash"))
    assert other.evaluate(f"[...{PAGE}.told.arrays.y]") == [2 * k + 1 + k % 3 for k in range(200)]
    assert other.evaluate(f"{PAGE}.told2.command").startswith("descend fit small.csv")


def test_a_larger_table_is_not_and_the_link_says_so(browser_page, until, open_page):
    page = opened(browser_page, until)
    handed(page, "larger.csv", 201, until)
    until(page, "location.hash.includes('larger.csv')")
    other = opened(open_page(), until, "/line" + page.evaluate("location.hash"))
    said = other.locator(".ln-table [role=status]").inner_text()
    assert "made with 201 points from larger.csv" in said
    assert other.evaluate(f"{PAGE}.told.rows") == 100


def test_undo_and_redo(browser_page, until):
    page = opened(browser_page, until)
    undo, redo = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    assert undo.is_disabled()
    page.get_by_role("slider", name="A data point").focus()
    page.keyboard.press("Delete")
    until(page, f"{PAGE}.told.rows === 99 && !document.querySelector('[aria-label=Undo]').disabled")
    page.get_by_role("button", name="Five points").click()
    until(page, f"{PAGE}.told.rows === 5 && location.hash.includes('five')")
    page.keyboard.press("Control+z")
    until(page, f"{PAGE}.told.rows === 99")
    undo.click()
    until(page, f"{PAGE}.told.rows === 100 && document.querySelector('[aria-label=Undo]').disabled")
    redo.click()
    until(page, f"{PAGE}.told.rows === 99")
    page.keyboard.press("Control+Shift+z")
    until(page, f"{PAGE}.told.rows === 5")
    page.go_back()
    until(page, f"{PAGE}.told.rows === 99")


def test_the_picture_is_saved(browser_page, until):
    page = opened(browser_page, until)
    with page.expect_download() as found:
        page.get_by_role("button", name="Save the picture as SVG").click()
    text = Path(found.value.path()).read_text(encoding="utf-8")
    assert found.value.suggested_filename == "line.svg"
    words = "".join(ElementTree.fromstring(text).itertext())
    assert "least squares 0.07563" in words
    assert "descend fit --demo line" in words
    assert "oklab" not in text
    assert "class=" not in text
    with page.expect_download() as found:
        page.get_by_role("button", name="Save the picture as PNG").click()
    assert found.value.suggested_filename == "line.png"
    pixels = imread(found.value.path())
    assert pixels.shape[1] > 1000
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 100


def test_a_wide_screen_shows_loss_and_numbers_beside_the_figures(open_page, until):
    page = opened(open_page(viewport={"width": 2560, "height": 1300}), until)
    tops = "['.ln-data', '.ln-loss', '.ln-numbers'].map((name) => document.querySelector(name).getBoundingClientRect())"
    data, loss, numbers = page.evaluate(f"{tops}.map((box) => [box.left, box.top])")
    assert loss[0] > data[0] + 1000
    assert loss[1] < 500
    assert numbers[1] < 1000
    page.set_viewport_size({"width": 1280, "height": 900})
    until(page, "document.querySelector('.ln-loss').getBoundingClientRect().left < 100")
    assert page.evaluate("document.querySelectorAll('.ln-loss, .ln-numbers').length") == 2


def test_the_reading_is_spoken_at_rest_only(browser_page, until):
    page = opened(browser_page, until)
    spoken = "document.querySelector('.sl-bar > .ck-away[role=status]').textContent"
    until(page, f"{spoken} === {PAGE}.told.reading")
    changes = page.evaluate(f"""async () => {{
      const page = {PAGE}, heard = [], watch = new MutationObserver((found) => heard.push(found.length));
      watch.observe(document.querySelector('.sl-bar > .ck-away[role=status]'), {{ childList: true }});
      for (let k = 0; k < 8; k++) {{ page.set({{ start: [k / 10, 0] }}); await page.ask(); }}
      return heard.length;
    }}""")
    assert changes == 0


@pytest.mark.parametrize("width", [390, 2560])
def test_nothing_is_wider_than_the_screen(open_page, until, width):
    page = opened(open_page(viewport={"width": width, "height": 900}), until)
    assert page.evaluate("document.querySelector('main').scrollWidth") <= width
