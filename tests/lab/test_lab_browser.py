"""The page in a real browser: it comes up, asks nobody else, and survives its server."""

from __future__ import annotations

import pytest

from descend.lab.server import PAGES, STATIC

THERE = [page for page in PAGES if (STATIC / "pages" / f"{page or 'playground'}.js").exists()]


@pytest.mark.parametrize("page", THERE)
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
