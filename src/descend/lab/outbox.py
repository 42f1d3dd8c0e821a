"""Answers on their way to one page, bounded.

While too much is unread no further question is taken from the page: one that asks without reading stops itself. One that
reads nothing for a while, or whose refining answers pile up, is let go altogether. Nothing is dropped in silence: a page
that was let go connects again and asks again, so that nobody waits for an answer that will never come.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Awaitable, Callable

__all__ = ["Outbox"]

#: Unread bytes above which no further question is taken, and above which the page is let go.
FULL = 256 * 1024
OVERFULL = 8 * 1024 * 1024
#: Seconds in which a page must have read something.
PATIENCE = 20.0


class Outbox:
    """A queue of messages from any thread to one reader; lives in the event loop that makes it."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._patience = patience
        self._waiting: deque[bytes] = deque()
        self._some, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self.unread = 0
        self.lost = False

    def put(self, message: bytes) -> None:
        """Take a message; from any thread, never blocks."""
        if threading.get_ident() == self._thread:
            self._add(message)
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._add, message)

    async def room(self) -> bool:
        """Wait until the page has read enough to ask for more. False: it is let go."""
        await self._room.wait()
        return not self.lost

    async def deliver(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Send what is put, in order, until the reader is lost. Returns then."""
        while not self.lost:
            await self._some.wait()
            while self._waiting and not self.lost:
                message = self._waiting.popleft()
                try:
                    async with asyncio.timeout(self._patience):
                        await send(message)
                except Exception:  # gone, or too slow to keep
                    self._lose()
                    return
                self._count(-len(message))
            self._some.clear()

    def _add(self, message: bytes) -> None:
        if self.lost:
            return
        if len(self._waiting) > 1 and self.unread + len(message) > OVERFULL:
            self._lose()
            return
        self._waiting.append(message)
        self._count(len(message))
        self._some.set()

    def _count(self, change: int) -> None:
        self.unread += change
        if self.unread > FULL:
            self._room.clear()
        else:
            self._room.set()

    def _lose(self) -> None:
        self.lost = True
        self._waiting.clear()
        self._some.set()
        self._room.set()
