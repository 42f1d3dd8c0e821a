"""The page, its static files and the socket, on Starlette and uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import re
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from descend.errors import DescendError
from descend.lab.asks import ASKS
from descend.lab.desk import Desk, import_engine
from descend.lab.guard import Guard
from descend.lab.outbox import Outbox

__all__ = ["PAGES", "application", "serve"]

STATIC = Path(__file__).parent / "static"
PORT = 8421
#: The addresses of pages; each is the same shell, which loads the module of its name.
PAGES = ("", "maps", "slopes", "line")
#: A question longer than this is no question.
LONGEST_QUESTION = 64 * 1024
#: Compiled programs kept: of a dozen objectives with eight optimizers each, some 300 MB.
PROGRAMS = 96
LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})


def application(hosts: frozenset[str] | None = LOCAL, token: str | None = None) -> Guard:
    """The lab as an ASGI application."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Mount, Route, WebSocketRoute
    from starlette.staticfiles import StaticFiles

    desk = Desk(ASKS, import_engine)

    async def shell(request: Any) -> HTMLResponse:
        return HTMLResponse(_shell(request.url.path.strip("/")))

    async def talk(web: Any) -> None:
        await _talk(web, desk)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        desk.submit(_warm, quick=True)
        yield
        desk.close()

    routes = [
        *(Route(f"/{name}", shell) for name in PAGES),
        WebSocketRoute("/socket", talk),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan), hosts, token)


@cache
def _shell(page: str) -> str:
    """The page's HTML, which names every module that its own module imports, so that they are fetched side by side."""
    modules = [*_imported("main.js"), *_imported(f"pages/{page or 'playground'}.js")]
    links = "".join(f'<link rel="modulepreload" href="/static/{name}">\n' for name in dict.fromkeys(modules))
    # the icon lies in the page: browsers fetch it anew whenever the address changes, which it does with every state
    icon = "data:image/svg+xml," + quote((STATIC / "icon.svg").read_text(encoding="utf-8"))
    shell = (STATIC / "index.html").read_text(encoding="utf-8").replace("/static/icon.svg", icon)
    return shell.replace("</head>", links + "</head>")


def _imported(module: str) -> list[str]:
    """A module of the page and whatever it imports, each once."""
    found, ahead = [], [module]
    while ahead:
        name = ahead.pop()
        path = STATIC / name
        if name in found or not path.is_file():
            continue
        found.append(name)
        if not name.startswith("vendor/"):
            told = re.findall(
                r"""^(?:import|export)\b[^;'"]*?["'](\.{1,2}/[^"']+)["']""", path.read_text(encoding="utf-8"), re.M
            )
            ahead += [os.path.relpath((path.parent / other).resolve(), STATIC).replace(os.sep, "/") for other in told]
    return found


async def _talk(web: Any, desk: Desk) -> None:
    """One page's socket: questions in, frames out."""
    from starlette.websockets import WebSocketDisconnect

    async def read() -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while await outbox.room():
                message = await web.receive()
                if message["type"] != "websocket.receive":
                    return
                if message.get("text") is None:
                    await _close(web, 1003, "questions are text")
                    return
                page.take(message["text"])

    await web.accept()
    outbox = Outbox()
    page = desk.page(outbox.put)
    tasks = {asyncio.create_task(read()), asyncio.create_task(_deliver(web, outbox))}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        page.close()
        for task in tasks:
            task.cancel()


async def _deliver(web: Any, outbox: Outbox) -> None:
    """Send answers until the page is lost, and close its socket then."""
    await outbox.deliver(web.send_bytes)
    await _close(web, 1013, "this page does not read its answers")


async def _close(web: Any, code: int, reason: str) -> None:
    with contextlib.suppress(Exception):  # one that does not read does not hear this either
        await asyncio.wait_for(web.close(code, reason), 1)


def _warm() -> None:
    """Compile what the first page of each kind will ask, while the browser opens."""
    from descend.lab import linefit, playground, slopes

    for page in (playground, slopes, linefit):
        with contextlib.suppress(DescendError):
            page.warm()
    gc.collect()
    gc.freeze()  # what is here now stays: to look through the engine's hundred thousand objects again takes as long as a frame


def serve(host: str = "127.0.0.1", port: int | None = None, *, open_page: bool = True) -> None:
    """Serve the lab until interrupted. Beyond this machine (another `host`) a token is demanded of every guest.

    Without `port`, 8421 or, where that is taken, any free one.

    Raises
    ------
    DescendError
        When the address cannot be served: a port in use, a host that is not this machine's.
    """
    import uvicorn

    from descend.tracing import keep

    keep(PROGRAMS)
    sys.setswitchinterval(0.001)  # a thread that computes must not keep the one that sends waiting for 5 ms
    local = host in ("127.0.0.1", "localhost", "::1")
    token = None if local else secrets.token_urlsafe(24)
    listener = _listener(host, port)
    address = f"http://{_reachable(host)}:{listener.getsockname()[1]}/" + (f"?token={token}" if token else "")
    app = application(LOCAL if local else None, token)
    config = uvicorn.Config(
        app,
        log_level="warning",
        server_header=False,
        ws_max_size=LONGEST_QUESTION,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    print(f"descend lab: {address}\nCtrl-C stops it.", flush=True)
    if open_page and _has_display():
        threading.Timer(0.3, webbrowser.open, [address]).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def _has_display() -> bool:
    """Whether a browser can show itself here: on Linux only where there is a display, since a text browser is no help."""
    if os.environ.get("BROWSER") or not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _reachable(host: str) -> str:
    """The name by which this machine is reached from elsewhere, where it serves on all of its addresses."""
    if host not in ("0.0.0.0", "::"):
        return f"[{host}]" if ":" in host else host
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: this asks which of our addresses would be used
        return str(probe.getsockname()[0])
    return socket.gethostname()


def _listener(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tried = [PORT, 0] if port is None else [port]
    for number in tried:
        # named as TCP, so that asyncio sends small answers at once: without, a second one waits 40 ms for an acknowledgement
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE and number != tried[-1]:
                continue
            what = "the port is in use; another is chosen with --port" if error.errno == errno.EADDRINUSE else error.strerror
            raise DescendError(f"could not serve on {host} port {number}: {what}") from None
        else:
            listener.listen(128)  # whoever comes before the server is up waits instead of being refused
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # a guest that does not read for this long is cut off
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)
            return listener
    raise AssertionError
