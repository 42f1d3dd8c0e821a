"""The page in a real browser: it comes up, asks nobody else, and survives its server."""

from __future__ import annotations

import pytest

from descend.lab.server import PAGES


@pytest.mark.parametrize("page", PAGES)
def test_every_page_comes_up(browser_page, until, page):
    """Each address serves its element, and the navigation says which one it is."""
    browser_page.goto(f"/{page}")
    until(browser_page, "document.querySelector('main').children.length > 0")
    assert browser_page.evaluate("document.querySelector('nav a[aria-current]').pathname") == f"/{page}"
    assert browser_page.locator("#status").is_hidden()


def test_the_harness_sees_what_is_wrong(open_page, lab_server):
    """A thrown error, a console error and a foreign request are each reported, or the other tests would prove nothing."""
    page = open_page()
    page.goto("/")
    page.evaluate("console.error('on purpose'); setTimeout(() => { throw new Error('thrown on purpose'); })")
    page.evaluate("fetch('http://other.invalid/').catch(() => null)")
    page.wait_for_timeout(200)
    seen = " ".join(page.witness.complaints)
    page.witness.complaints.clear()
    assert "on purpose" in seen
    assert "thrown on purpose" in seen
    assert "other.invalid" in seen


QUESTION = """
window.answers ??= [];
window.__ask = async (start) => {
  const element = document.querySelector("main").firstElementChild;
  const frame = await element.transport.ask("probe", "run", {objective: "x^2+y^2", start, steps: 3});
  window.answers.push(frame && frame.start);
};
void window.__ask([%d, 1]);
"""


def test_the_page_survives_its_server(open_page, start_lab, until):
    """Killed, the page says so and keeps its picture; started again, it connects, and what was asked meanwhile is answered."""
    lab = start_lab("--port", "0")
    port = lab.netloc.rsplit(":", 1)[1]
    page = open_page(lab.address)
    page.witness.expected += ["WebSocket connection to", "ERR_CONNECTION_REFUSED"]  # its words about a lost server
    page.goto("/")
    until(page, "document.querySelector('main').children.length > 0")
    page.evaluate(QUESTION % 1)
    until(page, "window.answers.length === 1")
    until(page, "document.querySelector('descend-playground').frame?.runs")
    page.wait_for_load_state("networkidle")  # what is fetched when first needed, such as KaTeX
    before = page.evaluate("location.href")
    lab.process.kill()
    lab.process.wait()
    until(page, "!document.getElementById('status').hidden")
    assert "not answering" in page.locator("#status").inner_text()
    page.evaluate(QUESTION % 2)
    page.evaluate(QUESTION % 3)
    page.evaluate("document.querySelector('descend-playground').startAt([1.5, 0.5], false)")
    start_lab("--port", port)
    until(page, "document.getElementById('status').hidden")
    until(page, "window.answers.length === 3")
    assert sorted(page.evaluate("window.answers.filter((a) => a)")) == [[1, 1], [3, 1]]
    assert page.evaluate("window.answers.filter((a) => !a).length") == 1  # the overtaken one
    until(page, "String(document.querySelector('descend-playground').frame.start) === '1.5,0.5'")
    assert page.evaluate("location.pathname") in before
    page.evaluate(QUESTION % 4)
    until(page, "window.answers.length === 4")
