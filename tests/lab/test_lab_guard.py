"""Who is let in: refused by name, by origin and by token, on the real server."""

from __future__ import annotations

import asyncio
import http.client
import socket

import pytest

from descend.lab.guard import HEADERS, Guard

websockets = pytest.importorskip("websockets", reason="the lab's server is not installed: pip install 'descend[lab]'")


def answer(lab, path="/", method="GET", **headers):
    """(status, headers, body) of a request with exactly these headers, Host included unless it is None."""
    name, port = lab.netloc.rsplit(":", 1)
    connection = http.client.HTTPConnection(name, int(port), timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for key, value in {"Host": lab.netloc, **headers}.items():
            if value is not None:
                connection.putheader(key.replace("_", "-"), value.replace("PORT", port))
        connection.endheaders()
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def raw(lab, request):
    """What the server says to these bytes."""
    name, port = lab.netloc.rsplit(":", 1)
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def upgrade(lab, **headers):
    """The status with which a WebSocket is answered."""
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    return answer(lab, "/socket", **handshake, **headers)[:2]


OWN = ["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST:PORT", "[::1]:PORT", "localhost", "127.0.0.1:1"]
FOREIGN = [
    "rebound.example",
    "rebound.example:PORT",
    "localhost.evil.com",
    "localhost.evil.com:PORT",
    "evil-localhost",
    "127.0.0.1.nip.io:PORT",
    "localhost.",
    "127.0.0.1:PORT:PORT",
    "user@localhost",
    "[::1",
    "0.0.0.0:PORT",
    "2130706433:PORT",
    "",
]


@pytest.mark.parametrize("host", OWN)
def test_own_names_are_answered(lab, host):
    assert answer(lab, Host=host)[0] == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_a_rebound_name_is_refused(lab, host):
    """A name of somebody else's that resolves to this machine (DNS rebinding) gets 421, on pages and on the socket."""
    assert answer(lab, Host=host)[0] == 421
    assert upgrade(lab, Host=host, Origin=f"http://{host}")[0] == 421


def test_a_missing_host_is_refused(lab):
    assert raw(lab, b"GET / HTTP/1.0\r\n\r\n").split(b" ")[1] == b"421"
    assert raw(lab, b"GET / HTTP/1.1\r\n\r\n").split(b" ")[1] in (b"400", b"421")


ORIGINS = ["http://evil.example", "null", "http://localhost.evil.com:PORT", "http://127.0.0.1:1", "http://[", "file://", "evil"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_foreign_origins_are_refused(lab, origin):
    for method in ("GET", "POST", "HEAD"):
        assert answer(lab, method=method, Origin=origin)[0] == 403
    assert upgrade(lab, Origin=origin)[0] == 403


def test_a_websocket_says_where_it_comes_from(lab):
    assert upgrade(lab)[0] == 403
    assert upgrade(lab, Origin="http://127.0.0.1:PORT")[0] == 101
    assert upgrade(lab, Host="localhost:PORT", Origin="http://localhost:PORT")[0] == 101
    assert upgrade(lab, Host="localhost:PORT", Origin="http://127.0.0.1:PORT")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e%2f%2e%2e%2f__init__.py",
        "/static/..\\server.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
        "/static/vendor",
        "/server.py",
    ],
)
def test_only_the_page_lies_open(lab, path):
    status, _, body = answer(lab, path)
    assert status == 404
    assert b"import" not in body


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/", "HEAD", 200),
        ("/static/main.js", "GET", 200),
        ("/", "POST", 405),
        ("/", "OPTIONS", 405),
        ("/static/main.js", "DELETE", 405),
        ("/nothing", "GET", 404),
        ("/socket", "GET", 404),
    ],
)
def test_every_answer_carries_the_strict_headers(lab, path, method, status):
    got, headers, body = answer(lab, path, method)
    assert got == status
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in headers
    if method == "HEAD":
        assert body == b""


def test_refusals_carry_them_too(lab):
    for got, headers in [answer(lab, Host="evil")[:2], upgrade(lab), upgrade(lab, Host="evil"), answer(lab, Origin="x")[:2]]:
        assert got in (403, 421)
        assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_names_no_other_host():
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not {"*", "http:", "https:", "'unsafe-inline'", "'unsafe-eval'"} & set(policy.replace(";", " ").split())


# -- token ----------------------------------------------------------------------------------------------------------------


def token_of(lab):
    """The token in the address that was printed."""
    return lab.said.split("?token=")[1].strip()


def test_beyond_this_machine_a_token_is_demanded(guarded_lab):
    """Without it nothing is served, whatever is asked; the printed address can be opened, and leads to a page without it."""
    lab, token = guarded_lab, token_of(guarded_lab)
    assert len(token) >= 32
    assert "0.0.0.0" not in lab.address
    for path in ("/", "/static/main.js", "/nothing", "/?token=", f"/?token={token[:-1]}", f"/?token={token}x", "/?token=%ff"):
        status, headers, body = answer(lab, path)
        assert status == 401
        assert token.encode() not in body
        assert "set-cookie" not in headers
    status, headers, _ = answer(lab, f"/maps?token={token}&x=1")
    assert (status, headers["location"]) == (303, "/maps?x=1")
    cookie = headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in cookie.split(";")}
    kept = cookie.split(";")[0]
    assert answer(lab, Cookie=kept)[0] == 200
    assert answer(lab, Cookie=f"other=1; {kept}")[0] == 200
    for bad in (kept[:-1], kept + "x", kept.split("=")[0] + "=", "=;,\x01", f'a="; {kept}'):
        assert answer(lab, Cookie=bad)[0] == 401


def test_the_token_guards_the_socket(guarded_lab):
    lab = guarded_lab
    own = f"http://{lab.netloc}"
    kept = answer(lab, f"/?token={token_of(lab)}")[1]["set-cookie"].split(";")[0]
    assert upgrade(lab, Origin=own)[0] == 401
    assert upgrade(lab, Origin=own, Cookie=kept)[0] == 101
    assert upgrade(lab, Origin="http://evil.example", Cookie=kept)[0] == 403
    assert upgrade(lab, Cookie=kept)[0] == 403


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "///evil.example/%0d%0aset-cookie:a=b"])
def test_the_redirect_stays_here(guarded_lab, path):
    """With the right token in a crafted address, the redirect still leads to this server."""
    status, headers, _ = answer(guarded_lab, f"{path}?token={token_of(guarded_lab)}")
    assert status == 303
    assert headers["location"].startswith("/evil.example")
    assert "a=b" not in headers["set-cookie"]


def test_the_printed_address_opens_in_a_browser(guarded_lab, open_page, until):
    """The token leaves the address at once, and the socket works with the cookie."""
    page = open_page(guarded_lab.address)
    page.goto(f"/?token={token_of(guarded_lab)}")
    until(page, "document.querySelector('main').children.length > 0")
    assert "token" not in page.url
    assert page.evaluate("document.cookie") == ""
    until(page, "new Promise((resolve) => setTimeout(() => resolve(document.getElementById('status').hidden), 600))")


def test_servers_that_can_only_close(guarded_lab):
    """Where the server below cannot answer a handshake with a status, the refused WebSocket is closed before it opens."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    async def never(*_):
        raise AssertionError("the guest came in")

    scope = {"type": "websocket", "headers": [(b"host", b"evil")], "path": "/socket"}
    # beside Playwright's own loop, which is this thread's
    coroutine = Guard(never, frozenset({"localhost"}), None)(scope, receive, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert asyncio.iscoroutine(coroutine)
    assert [m["type"] for m in sent] == ["websocket.close"]
