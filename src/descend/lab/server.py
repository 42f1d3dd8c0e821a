"""The page, its static files and the socket, on Starlette and uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from descend.errors import DescendError
from descend.lab.asks import ASKS
from descend.lab.desk import Desk
from descend.lab.guard import Guard

__all__ = ["PAGES", "application", "serve"]

STATIC = Path(__file__).parent / "static"
PORT = 8421
#: The addresses of pages; each is the same shell, which loads the module of its name.
PAGES = ("", "maps", "slopes", "line")
#: A question longer than this is no question; a page that leaves this many answers unread has gone.
LONGEST_QUESTION = 64 * 1024
UNREAD = 64
LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})


def application(hosts: frozenset[str] | None = LOCAL, token: str | None = None) -> Guard:
    """The lab as an ASGI application."""
    from starlette.applications import Starlette
    from starlette.responses import FileResponse
    from starlette.routing import Mount, Route, WebSocketRoute
    from starlette.staticfiles import StaticFiles

    desk = Desk(ASKS)

    async def shell(_request: Any) -> FileResponse:
        return FileResponse(STATIC / "index.html")

    async def talk(web: Any) -> None:
        await _talk(web, desk)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        threading.Thread(target=_warm, daemon=True).start()
        yield
        desk.close()

    routes = [
        *(Route(f"/{name}", shell) for name in PAGES),
        WebSocketRoute("/socket", talk),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan), hosts, token)


async def _talk(web: Any, desk: Desk) -> None:
    """One page's socket: questions in, frames out; a page that does not read is let go, and stalls nobody."""
    from starlette.websockets import WebSocketDisconnect

    await web.accept()
    loop = asyncio.get_running_loop()
    answers: asyncio.Queue[bytes | None] = asyncio.Queue()

    def queue(message: bytes) -> None:
        if answers.qsize() < UNREAD:
            answers.put_nowait(message)

    def send(message: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(queue, message)

    page = desk.page(send)
    writer = asyncio.create_task(_write(web, answers))
    try:
        while not writer.done():
            message = await web.receive_text()
            page.take(message)
    except (WebSocketDisconnect, RuntimeError, KeyError):
        pass
    finally:
        page.close()
        writer.cancel()


async def _write(web: Any, answers: asyncio.Queue[bytes | None]) -> None:
    while (message := await answers.get()) is not None:
        try:
            await asyncio.wait_for(web.send_bytes(message), timeout=20)
        except Exception:  # gone, or too slow to keep
            with contextlib.suppress(Exception):
                await web.close()
            return


def _warm() -> None:
    """Import what the first question will need, while the browser opens."""
    from descend.lab import linefit, playground, slopes

    for page in (playground, slopes, linefit):
        with contextlib.suppress(DescendError):
            page.warm()


def serve(host: str = "127.0.0.1", port: int | None = None, *, open_page: bool = True) -> None:
    """Serve the lab until interrupted. Beyond this machine (another `host`) a token is demanded of every guest.

    Without `port`, 8421 or, where that is taken, any free one.

    Raises
    ------
    DescendError
        When the address cannot be served: a port in use, a host that is not this machine's.
    """
    import uvicorn

    local = host in ("127.0.0.1", "localhost", "::1")
    token = None if local else secrets.token_urlsafe(24)
    listener = _listener(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/" + (f"?token={token}" if token else "")
    app = application(LOCAL if local else None, token)
    config = uvicorn.Config(
        app, log_level="warning", ws_max_size=LONGEST_QUESTION, ws_per_message_deflate=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    print(f"descend lab: {address}\nCtrl-C stops it.", flush=True)
    if open_page and sys.stdout.isatty():
        threading.Timer(0.3, webbrowser.open, [address]).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def _listener(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tried = [PORT, 0] if port is None else [port]
    for number in tried:
        listener = socket.socket(family, socket.SOCK_STREAM)
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
            return listener
    raise AssertionError
