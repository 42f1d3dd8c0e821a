"""The page's side of the conversation: every question comes to an end, whatever the server, its queue or a drawing does."""

from __future__ import annotations

import pytest

from descend.lab.desk import LONGEST_CHANNEL
from descend.lab.server import LONGEST_QUESTION

MAP = {
    "objective": "ellipse",
    "optimizer": {"name": "momentum", "values": {}},
    "steps": 5,
    "by": "loss",
    "size": 4,
    "x": {"name": "lr", "low": 0.01, "high": 0.5, "scale": "linear"},
    "y": {"name": "momentum", "low": 0.0, "high": 0.9, "scale": "linear"},
}
SETTLED = """
window.settled = {};
window.kept = (name, promise) => promise.then((frame) => {
  window.settled[name] = frame ? (frame.error ?? "answered") : "overtaken";
});
void 0;
"""


@pytest.fixture
def page(browser_page, until):
    browser_page.goto("/line")
    until(browser_page, "document.querySelector('main').children.length > 0")
    browser_page.evaluate(SETTLED)
    return browser_page


def test_a_question_replaced_before_it_began_is_overtaken(page, asker, until):
    """While another page's map keeps the thread, a second view of ours takes the first one's place: both come to an end."""
    other = asker()
    long = {**MAP, "objective": "rosenbrock", "by": "loss", "size": 1024, "steps": 2800, "dtype": "float64"}
    other.put("map", long)
    assert not other.frame().data["last"]  # the thread is taken
    page.evaluate(
        """(map) => {
          const { transport } = document.querySelector("main").firstElementChild;
          const follow = (name, steps) => window.kept(name, transport.follow("probe", "map", { ...map, steps }, () => {}));
          follow("first", 5);
          follow("second", 6);
          window.kept("sent", transport.ask("after", "line_presets", {}));
        }""",
        MAP,
    )
    until(page, "window.settled.sent")  # the server has read both
    other.close()
    until(page, "window.settled.second")
    assert page.evaluate("window.settled") == {"first": "overtaken", "second": "answered", "sent": "answered"}


def test_a_question_too_long_to_be_sent_is_a_sentence(page, until):
    """The server would close the connection, and again at every attempt: it is not sent, and the connection stays."""
    page.evaluate(
        """(size) => {
          const { transport } = document.querySelector("main").firstElementChild;
          window.lost = 0;
          transport.addEventListener("lost", () => { window.lost += 1; });
          window.kept("long", transport.ask("probe", "line", { data: "é".repeat(size / 2) }));
          window.kept("next", transport.ask("probe", "line_presets", {}));
        }""",
        LONGEST_QUESTION,
    )
    until(page, "window.settled.next")
    assert page.evaluate("window.settled.long").startswith("this is more than a page can ask")
    assert page.evaluate("[window.settled.next, window.lost]") == ["answered", 0]


def test_a_question_of_the_longest_length_is_sent(page, until):
    """The page's bound is the server's: one byte less and the server itself answers."""
    page.evaluate(
        """([size, name]) => {
          const { transport } = document.querySelector("main").firstElementChild;
          const id = transport.count + 1;
          const bare = JSON.stringify({ id, channel: name, ask: "line", params: { data: "" } }).length;
          window.kept("longest", transport.ask(name, "line", { data: "x".repeat(size - bare) }));
        }""",
        [LONGEST_QUESTION, "c" * LONGEST_CHANNEL],
    )
    until(page, "window.settled.longest")
    assert page.evaluate("window.settled.longest").startswith("data is ")


def test_a_drawing_that_fails_does_not_end_the_conversation(page, until):
    """An error thrown while a map is drawn is reported by the browser; the next map is drawn."""
    page.witness.expected += ["drawn on purpose"]
    page.evaluate(
        """(map) => {
          const { transport } = document.querySelector("main").firstElementChild;
          const fail = (frame) => { if (frame.last) throw new Error("drawn on purpose"); };
          window.kept("failed", transport.follow("probe", "map", map, fail).then(
            () => window.kept("next", transport.follow("probe", "map", { ...map, steps: 7 }, () => {}))));
        }""",
        MAP,
    )
    until(page, "window.settled.next")
    assert page.evaluate("window.settled.next") == "answered"
    assert any("drawn on purpose" in complaint for complaint in page.witness.complaints)
