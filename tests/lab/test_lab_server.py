"""`descend lab` as a command: what it prints, how it ends, and the page it hands out."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from descend.lab import server

pytest.importorskip("uvicorn", reason="the lab's server is not installed: pip install 'descend[lab]'")
STATIC = server.STATIC


def test_it_says_where_it_is(lab):
    assert re.fullmatch(r"descend lab: http://127\.0\.0\.1:\d+/\n", lab.said)
    assert lab.process.stdout.readline() == "Ctrl-C stops it.\n"


def test_a_guest_may_come_as_soon_as_the_address_is_printed(start_lab):
    """No connection is refused between the line and the server's being up."""
    lab = start_lab("--port", "0")
    assert urllib.request.build_opener(urllib.request.ProxyHandler({})).open(lab.address, timeout=30).status == 200


def test_control_c_ends_it_quietly(start_lab, asker):
    """Also with pages open and a question running: exit code 0, no traceback, within a moment."""
    lab = start_lab("--port", "0")
    client = asker(lab)
    client.ask("catalogue")
    for k in range(5):
        client.put("run", {"objective": f"x**2 + {k}*y**4", "steps": 5000, "optimizers": [{"name": "adam"}] * 8}, f"c{k}")
    time.sleep(0.1)
    lab.process.send_signal(signal.SIGINT)
    assert lab.process.wait(20) == 0
    assert lab.process.stdout.read() == "Ctrl-C stops it.\n"


def test_a_port_in_use_is_a_sentence(command):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = command.refused("lab", "--no-open", "--port", str(port))
    assert said == f"could not serve on 127.0.0.1 port {port}: the port is in use; another is chosen with --port"


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "::ffff:192.0.2.1"])
def test_a_host_that_is_not_ours_is_a_sentence(command, host):
    assert f"could not serve on {host} port" in command.refused("lab", "--no-open", "--port", "0", "--host", host)


def test_without_its_libraries_it_names_what_to_install(command, monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name.split(".")[0] in ("uvicorn", "starlette"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "pip install 'descend[lab]'" in command.refused("lab", "--no-open")


@pytest.mark.parametrize(
    ("variables", "shown"),
    [({}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "w"}, True), ({"BROWSER": "x"}, True)],
)
def test_a_browser_is_opened_where_it_can_be_seen(monkeypatch, variables, shown):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(server.sys, "platform", "linux")
    assert server._has_display() is shown
    monkeypatch.setattr(server.sys, "platform", "darwin")
    assert server._has_display()


# -- the page it hands out --------------------------------------------------------------------------------------------------


def fetched(lab, path, **headers):
    name, port = lab.netloc.rsplit(":", 1)
    connection = http.client.HTTPConnection(name, int(port), timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("page", server.PAGES)
def test_every_module_of_a_page_is_named_in_its_head(lab, page):
    """What the page's module imports, directly or not, is preloaded, and exists."""
    status, headers, body = fetched(lab, f"/{page}")
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    names = re.findall(r'<link rel="modulepreload" href="([^"]+)">', body.decode())
    assert "/static/main.js" in names
    assert "/static/transport.js" in names
    assert len(names) == len(set(names))
    for name in names:
        got, told, text = fetched(lab, name)
        assert got == 200
        assert "javascript" in told["content-type"]
        for other in re.findall(rb'^import[^;]*?from "\./([a-z]+\.js)"', text, re.MULTILINE):
            assert f"{os.path.dirname(name)}/{other.decode()}" in names  # noqa: PTH120  (an address, not a path)


def test_a_file_that_has_not_changed_is_not_sent_again(lab):
    _, headers, body = fetched(lab, "/static/main.js")
    assert body == (STATIC / "main.js").read_bytes()
    status, _, body = fetched(lab, "/static/main.js", **{"If-None-Match": headers["etag"]})
    assert (status, body) == (304, b"")


def test_no_file_of_the_page_names_another_host():
    """Nothing is linked, imported or fetched from elsewhere; addresses in comments and licences are for people."""
    asks = re.compile(r"""(?:src|href|from|import|url|fetch)\s*[=(]?\s*["'(]\s*(?:https?:)?//""")
    for path in STATIC.rglob("*"):
        if path.suffix in (".js", ".css", ".html", ".svg"):
            assert not asks.search(path.read_text(encoding="utf-8")), path


def test_everything_vendored_has_its_licence():
    text = (STATIC / "vendor" / "LICENSES.txt").read_text(encoding="utf-8")
    for name in ("uplot", "d3-contour", "katex"):
        assert re.search(rf"^== {name} \d", text, re.MULTILINE)
    assert json.dumps(text).count("Permission") >= 3


def test_the_page_is_installed_with_the_package():
    """The wheel holds every file of the page: they lie inside the package, and the build takes all of it."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert 'packages = ["src/descend"]' in text
    assert STATIC.is_relative_to(Path(server.__file__).parents[1])
