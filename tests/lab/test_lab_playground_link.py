"""A link that asks for what is not there: the page shows what it can, and says the rest in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from descend.errors import DescendError
from descend.lab.descents import asked
from descend.lab.presets import PRESETS

ELEMENT = "document.querySelector('descend-playground')"
SAID = "document.querySelector('.ds-notice').textContent"
TWO = "?objective=x**2%2B3*y**2&start=4,3&steps=9"


@pytest.fixture
def opened(open_page: Callable[..., Any], until: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the playground at a query, waits until it has drawn and until it has said something of the link."""

    def at(query: str) -> Any:
        page = open_page()
        page.goto("/" + query)
        until(page, f"Boolean({ELEMENT}?.frame && {ELEMENT}.past?.states.length) && {SAID} !== ''")
        return page

    return at


def sentence(params: dict[str, Any]) -> str:
    with pytest.raises(DescendError) as caught:
        asked({"objective": "x**2", **params})
    return str(caught.value)


def test_of_an_unknown_optimizer_the_near_names_are_told_and_the_rest_is_shown(opened: Callable[..., Any]) -> None:
    page = opened(TWO + "&optimizer=adm:lr=0.1&optimizer=sgd:lr=0.2&chosen=1")
    told = sentence({"optimizers": [{"name": "adm"}]})
    assert "adam" in told
    assert page.evaluate(SAID) == f"This link: {told}"
    assert page.evaluate(f"{ELEMENT}.frame.runs.map((run) => [run.name, run.values.lr])") == [["sgd", 0.2]]
    assert page.locator(".ds-card").count() == 1


def test_with_none_left_there_is_still_a_descent_of_that_objective(opened: Callable[..., Any]) -> None:
    page = opened(TWO + "&optimizer=nope")
    assert page.evaluate(f"[{ELEMENT}.frame.text, {ELEMENT}.frame.runs[0].name]") == ["x² + 3y²", "sgd"]


def test_of_too_many_optimizers_the_first_are_shown(opened: Callable[..., Any]) -> None:
    page = opened("?objective=x**2" + "&optimizer=sgd:lr=0.1" * 12)
    assert "the first 8 of 12 are shown" in page.evaluate(SAID)
    assert page.evaluate(f"{ELEMENT}.frame.runs.length") == page.locator(".ds-card").count() == 8


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("&steps=abc", {"steps": "abc"}),
        ("&start=zero", {"start": ["zero"]}),
        ("&noise=1e150", {"noise": 1e150}),
        ("&optimizer=sgd:rate=1", {"optimizers": [{"name": "sgd", "values": {"rate": 1}}]}),
    ],
)
def test_what_was_written_is_quoted_and_the_page_is_not_empty(
    opened: Callable[..., Any], query: str, params: dict[str, Any]
) -> None:
    page = opened("?objective=x**2" + query)
    assert page.evaluate(SAID) == f"This link: {sentence(params)}. Shown instead: the first example."
    assert page.evaluate(f"{ELEMENT}.frame.runs.length") == len(PRESETS[0].state["optimizers"])
    assert page.evaluate("location.search").startswith("?objective=x**2&")  # the link stands until something is changed


def test_the_words_go_with_the_next_example(opened: Callable[..., Any], until: Callable[..., Any]) -> None:
    page = opened("?objective=x**2&steps=abc")
    page.get_by_role("combobox", name="Examples").select_option("bowl")
    until(page, f"{SAID} === ''")


def test_an_optimizer_removed_while_its_rate_is_predicted_is_not_missed(
    open_page: Callable[..., Any], until: Callable[..., Any]
) -> None:
    page = open_page()
    page.goto("/" + TWO + "&optimizer=sgd:lr=0.2")
    until(page, f"Boolean({ELEMENT}?.frame)")
    page.evaluate(f"{ELEMENT}.race.add('adam'); {ELEMENT}.race.remove(1); {ELEMENT}.race.add('lion')")
    until(page, "document.querySelectorAll('.ds-card').length === 2")
    until(page, f"{ELEMENT}.frame.runs[1]?.name === 'lion' && typeof {ELEMENT}.state.optimizers[1].values.lr === 'number'")
    assert page.evaluate(f"{ELEMENT}.state.optimizers.length") == 2


def test_a_server_with_another_token_is_told_from_one_that_is_gone(
    start_lab: Callable[..., Any], open_page: Callable[..., Any], until: Callable[..., Any]
) -> None:
    first = start_lab("--port", "0", "--host", "0.0.0.0")
    address = first.said.removeprefix("descend lab: ").strip()
    page = open_page(first.address)
    page.witness.expected += ["WebSocket", "ERR_CONNECTION_REFUSED", "401"]
    page.goto(address)
    until(page, f"Boolean({ELEMENT}?.frame)")
    port = first.netloc.rsplit(":", 1)[1]
    first.stop()
    until(page, "document.getElementById('status').textContent.includes('not answering')")
    second = start_lab("--port", port, "--host", "0.0.0.0")
    until(page, "document.getElementById('status').textContent.includes('wants its token')")
    other = page.context.new_page()
    other.goto(second.said.removeprefix("descend lab: ").strip())  # the address that it printed
    until(page, "document.getElementById('status').hidden")
    other.close()
