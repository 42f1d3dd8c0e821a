"""Who is answered next. A page asks on channels; on each only its newest question matters, and pages take turns.

A question is text: `{"id": 7, "channel": "run", "ask": "playground", "params": {…}}`. Its answer is one frame, or several for
an ask that refines (a map), each with the question's `id` and `channel`; the last has `"last": true`. A question that arrives
while its channel is busy replaces the one that waits there and cancels the one that refines. Whatever goes wrong is an answer
too: `{"error": "a sentence"}`.

Quick asks share two threads, first come first served, one at a time for each channel of a page; slow ones share a thread of
their own. Nothing here knows of sockets: `send` takes bytes, so that a notebook's widget is served by the same desk.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from descend.errors import DescendError
from descend.lab.frames import Frame, pack

__all__ = ["Ask", "Desk", "Page", "Talk"]

#: An ask takes the question's params and the talk it may send refinements through.
Ask = Callable[[Mapping[str, Any], "Talk"], Frame]

CHANNELS = 12
logger = logging.getLogger("descend.lab")


class Talk:
    """What an ask may do besides returning its last frame: send earlier ones, and see that nobody waits any more."""

    def __init__(self, send: Callable[[Frame], None]) -> None:
        self._send = send
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """A newer question has come, or the page has gone."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    def send(self, frame: Frame) -> None:
        """Send a frame that others will follow."""
        if not self.cancelled:
            self._send(frame)


class Desk:
    """The threads that answer, shared by all pages. `asks` maps a name to a function and whether it is quick."""

    def __init__(self, asks: Mapping[str, tuple[Ask, bool]]) -> None:
        self.asks = asks
        self._quick = ThreadPoolExecutor(2, thread_name_prefix="descend-lab")
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="descend-lab-slow")

    def page(self, send: Callable[[bytes], None]) -> Page:
        """A new page; `send` is called from the desk's threads with each answer's bytes, and must not block."""
        return Page(self, send)

    def submit(self, work: Callable[[], None], quick: bool) -> None:
        (self._quick if quick else self._slow).submit(work)

    def close(self) -> None:
        for pool in (self._quick, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)


class Page:
    """One reader: a browser's socket or a widget."""

    def __init__(self, desk: Desk, send: Callable[[bytes], None]) -> None:
        self._desk, self._send = desk, send
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[str, Any]] = {}
        self._talks: dict[str, Talk | None] = {}
        self._closed = False

    def take(self, message: str) -> None:
        """Take a question, now or when its channel is free."""
        try:
            question = _question(message, self._desk.asks)
        except DescendError as error:
            self._send(pack(Frame({"id": None, "channel": None, "last": True, "error": str(error)})))
            return
        channel = question["channel"]
        with self._lock:
            if self._closed:
                return
            if channel not in self._talks and len(self._talks) >= CHANNELS:
                channel = question["channel"] = next(iter(self._talks))
            self._waiting[channel] = question
            talk = self._talks.get(channel)
            if talk is not None:
                talk.cancel()
                return
            self._talks[channel] = self._talk(question)
        self._desk.submit(lambda: self._answer(channel), self._desk.asks[question["ask"]][1])

    def close(self) -> None:
        """The reader has gone: forget its questions, cancel what runs."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            for talk in self._talks.values():
                if talk is not None:
                    talk.cancel()

    def _talk(self, question: Mapping[str, Any]) -> Talk:
        return Talk(lambda frame: self._reply(question, frame, last=False))

    def _reply(self, question: Mapping[str, Any], frame: Frame, *, last: bool) -> None:
        if self._closed:
            return
        head = {"id": question["id"], "channel": question["channel"], "last": last}
        self._send(pack(Frame({**head, **frame.data}, frame.arrays)))

    def _answer(self, channel: str) -> None:
        """Answer what waits on the channel; when something newer has come meanwhile, queue again behind other pages."""
        with self._lock:
            question = self._waiting.pop(channel, None)
            if question is None or self._closed:
                self._talks[channel] = None
                return
            talk = self._talks[channel] = self._talk(question)
        try:
            self._reply(question, self._desk.asks[question["ask"]][0](question["params"], talk), last=True)
        except DescendError as error:
            self._reply(question, Frame({"error": str(error)}), last=True)
        except Exception:
            logger.exception("the ask %r failed", question["ask"])
            self._reply(question, Frame({"error": "something went wrong inside descend; the terminal shows what"}), last=True)
        with self._lock:
            after = self._waiting.get(channel)
            if after is None:
                self._talks[channel] = None
                return
        self._desk.submit(lambda: self._answer(channel), self._desk.asks[after["ask"]][1])


def _question(message: str, asks: Mapping[str, Any]) -> dict[str, Any]:
    """The question in this text, checked."""
    try:
        question = json.loads(message)
    except (ValueError, RecursionError):
        raise DescendError("a question is a JSON object; this was not JSON") from None
    if not isinstance(question, dict) or not isinstance(question.get("params", {}), dict):
        raise DescendError("a question is a JSON object with an ask, and params that are an object")
    name = question.get("ask")
    if not isinstance(name, str) or name not in asks:
        raise DescendError(f"there is no ask {str(name)[:40]!r}; there are {', '.join(asks)}")
    channel = question.get("channel", name)
    number = question.get("id")
    return {
        "id": number if isinstance(number, int) else None,
        "channel": channel if isinstance(channel, str) and len(channel) <= 40 else name,
        "ask": name,
        "params": question.get("params", {}),
    }
