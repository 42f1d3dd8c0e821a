"""The one door. Only pages that this server itself served reach it: no other site, no rebound name, no stranger.

- Host must be one of the names the server answers to, or 421: a foreign name that resolves to this machine is refused.
- A foreign Origin is refused with 403; a WebSocket must send its Origin.
- With a token (always, beyond 127.0.0.1), `/?token=…` exchanges it for a cookie, and everything else wants that cookie.
- Every response carries a strict content security policy: nothing is loaded from, or sent to, another machine.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

__all__ = ["HEADERS", "Guard"]

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]]

COOKIE = "descend_lab"
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


class Guard:
    """ASGI middleware around everything. `hosts` are the names allowed in Host, without ports; None allows any."""

    def __init__(self, app: App, hosts: frozenset[str] | None, token: str | None) -> None:
        self.app, self.hosts, self.token = app, hosts, token
        # over plain HTTP beyond this machine browsers ignore the opener policy, and complain of it
        self.headers = {k: v for k, v in HEADERS.items() if token is None or k != "cross-origin-opener-policy"}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is not None:
            status, sentence, headers = refused
            await _refuse(scope, receive, send, status, sentence, {**self.headers, **headers})
            return
        await self.app(scope, receive, _with_headers(send, self.headers))

    def _refusal(self, scope: Scope) -> tuple[int, str, dict[str, str]] | None:
        """Status, sentence and headers of a refusal, or None for a welcome guest."""
        headers = _headers(scope)
        host = headers.get("host", "")
        if self.hosts is not None and _name(host) not in self.hosts:
            return 421, "This server does not answer to that name.", {}
        origin = headers.get("origin")
        if origin is None and scope["type"] == "websocket":
            return 403, "A WebSocket must say which page it comes from.", {}
        if origin is not None and _netloc(origin) != host.lower():
            return 403, "Only the lab's own page may talk to it.", {}
        return None if self.token is None else _stranger(scope, headers, self.token)


def _stranger(scope: Scope, headers: dict[str, str], token: str) -> tuple[int, str, dict[str, str]] | None:
    """What a guest without the cookie gets: the cookie, where the token is in the address, or a refusal."""
    jar = f"{COOKIE}_{(scope.get('server') or ('', ''))[1]}"  # two labs of one machine share its name, and so its cookies
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), errors="replace")
    if scope["type"] == "http" and _same(query.pop("token", [""])[0], token):
        rest = urlencode(query, doseq=True)
        cookie = f"{jar}={token}; HttpOnly; SameSite=Strict; Path=/"
        path = "/" + quote(scope["path"].lstrip("/\\"))  # never another host's name
        return 303, "", {"location": path + (f"?{rest}" if rest else ""), "set-cookie": cookie}
    if _same(_cookie(headers.get("cookie", ""), jar), token):
        return None
    return 401, "This page needs its token: open the address that descend lab printed.", {}


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _name(host: str) -> str:
    """The host's name without its port: `[::1]:80` -> `[::1]`."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _netloc(origin: str) -> str:
    """Name and port of an origin; of "null" and of nonsense, what no host is called."""
    try:
        return urlsplit(origin).netloc.lower() or "null"
    except ValueError:
        return "null"


def _cookie(text: str, name: str) -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(text)
    except Exception:  # a malformed cookie is no cookie
        return ""
    return jar[name].value if name in jar else ""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


async def _refuse(scope: Scope, receive: Any, send: Any, status: int, sentence: str, headers: dict[str, str]) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in (scope.get("extensions") or {}):  # a server that can only close
            await send({"type": "websocket.close", "code": 1008, "reason": sentence})
            return
        kind = "websocket.http.response"
    body = sentence.encode()
    every = {**headers, "content-type": "text/plain; charset=utf-8", "content-length": str(len(body))}
    await send({"type": f"{kind}.start", "status": status, "headers": _raw(every)})
    await send({"type": f"{kind}.body", "body": body})


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _with_headers(send: Any, headers: dict[str, str]) -> Any:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            own = list(message.get("headers", []))
            named = {name.lower() for name, _ in own}
            message = {**message, "headers": [*own, *(h for h in _raw(headers) if h[0] not in named)]}
        await send(message)

    return sent
