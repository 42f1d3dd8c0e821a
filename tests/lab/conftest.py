"""The lab as its readers have it: the real server in a process of its own, and a real browser that reports every complaint.

    lab_server      "http://127.0.0.1:PORT", served by `descend lab` for the length of the session
    start_lab       starts another one, with options of its own; stopped when the test ends
    browser_page    a fresh Chromium profile's page; `browser_page.goto("/maps")`
    open_page       the same with another size, colour scheme …: `open_page(viewport={"width": 390, "height": 844})`
    asker           a page without a browser: `asker().ask("run", {…})` is the last frame of the answer
    until           waits for an expression on the page: `until(page, "document.querySelector('canvas')")`

A test fails when its page writes an error to the console, throws, or asks any other host for anything. Browser tests are
skipped, with the reason, where there is no Chromium: `apt-get install chromium fonts-dejavu`, or `playwright install chromium`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from descend.lab.frames import Frame, unpack

#: Chromium's own errands stay at home: whatever leaves the machine was then asked for by the page.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30.0


@dataclass
class Lab:
    """A running `descend lab`."""

    process: subprocess.Popen[str]
    address: str
    said: str

    @property
    def netloc(self) -> str:
        return urlsplit(self.address).netloc

    def stop(self) -> None:
        """Stop it as a closed terminal would, and harder where that does not help."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def started(*options: str) -> Lab:
    """Start `descend lab --no-open` with these options; its address is read from what it prints."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONUNBUFFERED": "1"}
    words = [sys.executable, "-m", "descend", "lab", "--no-open", *options]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("descend lab: "):
        process.kill()
        raise AssertionError(f"descend lab did not start: {line}{process.stdout.read()}")
    split = urlsplit(line.removeprefix("descend lab: ").strip())
    return Lab(process, f"{split.scheme}://{split.netloc}", line)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The session's server."""
    pytest.importorskip("uvicorn", reason="the lab's server is not installed: pip install 'descend[lab]'")
    running = started("--port", "0")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def lab_server(lab: Lab) -> str:
    """The address of the session's server, without a slash at its end."""
    return lab.address


@pytest.fixture
def start_lab() -> Iterator[Callable[..., Lab]]:
    """Starts servers that end with the test."""
    running: list[Lab] = []

    def start(*options: str) -> Lab:
        running.append(started(*options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def guarded_lab() -> Iterator[Lab]:
    """A server for other machines too, which wants its token."""
    pytest.importorskip("uvicorn", reason="the lab's server is not installed: pip install 'descend[lab]'")
    running = started("--port", "0", "--host", "0.0.0.0")
    try:
        yield running
    finally:
        running.stop()


class Asker:
    """A page without a browser: one socket, questions and frames."""

    def __init__(self, lab: Lab, **options: Any) -> None:
        from websockets.sync.client import connect

        name, port = lab.netloc.rsplit(":", 1)
        settings = {"origin": lab.address, "compression": None, "max_size": None, **options}
        sock = socket.create_connection((name, int(port)))
        self._open = contextlib.ExitStack()
        self.socket = self._open.enter_context(connect(f"ws://{lab.netloc}/socket", sock=sock, **settings))
        self.count = 0

    def put(self, ask: str, params: Any = None, channel: str | None = None) -> int:
        """Send a question and return its id."""
        self.count += 1
        told = {"id": self.count, "channel": channel or ask, "ask": ask, "params": params or {}}
        self.socket.send(json.dumps(told))
        return self.count

    def frame(self, seconds: float = PATIENCE) -> Frame:
        """The next frame."""
        return unpack(self.socket.recv(seconds))

    def ask(self, ask: str, params: Any = None, channel: str | None = None) -> Frame:
        """Ask, and return the last frame of the answer."""
        number = self.put(ask, params, channel)
        while True:
            frame = self.frame()
            if frame.data["id"] == number and frame.data["last"]:
                return frame

    def close(self) -> None:
        self._open.close()


@pytest.fixture
def asker(lab: Lab) -> Iterator[Callable[..., Asker]]:
    """Connects to the session's server, or to the one given."""
    made: list[Asker] = []

    def connect(to: Lab | None = None, **options: Any) -> Asker:
        made.append(Asker(to or lab, **options))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def chromium_path(playwright: Any) -> str | None:
    """The machine's own Chromium, or Playwright's."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    path = path or playwright.chromium.executable_path
    return path if Path(path).exists() else None


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One Chromium for the session; each page has a profile of its own."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install 'descend[test]'")
    with sync_api.sync_playwright() as playwright:
        path = chromium_path(playwright)
        if path is None:
            pytest.skip("there is no Chromium here: apt-get install chromium fonts-dejavu, or playwright install chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Witness:
    """What a page complained of, and where it went."""

    def __init__(self, allowed: set[str]) -> None:
        self.allowed = allowed
        self.requests: list[str] = []
        self.complaints: list[str] = []
        #: Parts of complaints that a test expects: a lost connection is written to the console by the browser itself.
        self.expected: list[str] = []

    def watch(self, page: Any) -> None:
        page.on(
            "console",
            lambda m: self.complaints.append(f"console: {m.text} ({m.location.get('url', '')})") if m.type == "error" else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("websocket", lambda socket: self.went(socket.url))

    def went(self, url: str) -> None:
        """A request was made."""
        self.requests.append(url)
        split = urlsplit(url)
        if split.scheme not in ("data", "blob", "about") and split.netloc not in self.allowed:
            self.complaints.append(f"asked another host: {url[:200]}")

    def verdict(self) -> list[str]:
        return [c for c in self.complaints if not any(part in c for part in self.expected)]


@pytest.fixture
def open_page(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Opens pages in fresh profiles. `page.witness` holds requests and complaints, `page.witness.expected` excuses some."""
    opened: list[tuple[Any, Witness]] = []

    def page_of(address: str | None = None, **options: Any) -> Any:
        address = address if address is not None else request.getfixturevalue("lab_server")
        witness = Witness({urlsplit(address).netloc})
        settings = {"base_url": address, "viewport": {"width": 1280, "height": 900}, **options}
        context = chromium.new_context(**settings)
        context.set_default_timeout(PATIENCE * 1000)
        context.on("request", lambda asked: witness.went(asked.url))
        page = context.new_page()
        witness.watch(page)
        page.witness = witness
        opened.append((context, witness))
        return page

    yield page_of
    for context, _ in opened:
        with contextlib.suppress(Exception):
            context.close()
    complaints = [c for _, witness in opened for c in witness.verdict()]
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def browser_page(open_page: Callable[..., Any]) -> Any:
    """A page of a fresh profile, 1280 × 900, light; `goto` takes paths of the session's server."""
    return open_page()


@pytest.fixture
def until() -> Callable[..., Any]:
    """Wait until a JavaScript expression is true, and return its value. (The page's strict headers forbid Playwright's own.)"""

    def wait(page: Any, expression: str, seconds: float = PATIENCE) -> Any:
        end = time.monotonic() + seconds
        while not (value := page.evaluate(expression)):
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds:g} s this was still not so: {expression}\n{page.witness.verdict()}")
            page.wait_for_timeout(20)
        return value

    return wait
