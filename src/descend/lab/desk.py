"""Who is answered next. A page asks on channels; on each only its newest question matters, and pages take turns.

A question is text: `{"id": 7, "channel": "run", "ask": "playground", "params": {…}}`. Its answer is one frame, or several for
an ask that refines (a map), each with the question's `id` and `channel`; the last has `"last": true`. A question that arrives
while its channel is busy replaces the one that waits there and cancels the one that refines. Whatever goes wrong is an answer
too: `{"error": "a sentence"}`.

Quick asks share two threads, first come first served, one at a time for each channel of a page. A question like the last one
on its channel but for its start point, which took next to no time, is answered by the thread that brings it: in a drag, the
ways to another thread and back are dear. Of the slow asks one works at a time, and lets the others go on in turn whenever it
pauses: a long map keeps nobody's from starting.

Nothing here knows of sockets: `send` takes bytes, so that a notebook's widget is served by the same desk.
"""

from __future__ import annotations

import copy
import importlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from descend.errors import DescendError
from descend.lab.frames import Frame, pack
from descend.lab.turns import Turns

__all__ = ["Ask", "Desk", "Page", "Talk", "import_engine"]

#: An ask takes the question's params and the talk it may send refinements through.
Ask = Callable[[Mapping[str, Any], "Talk"], Frame]

#: Channels of a page that may be busy at the same time, and how long their names may be.
CHANNELS = 12
LONGEST_CHANNEL = 40
#: Seconds an answer may have taken for the next one like it to be made on the spot.
INSTANT = 0.004
#: Slow asks that are under way, one working and the others waiting for their turn: each holds what it has computed.
SLOW = 8
logger = logging.getLogger("descend.lab")


class Talk:
    """What an ask may do besides returning its last frame: send earlier ones, and see that nobody waits any more."""

    def __init__(self, send: Callable[[Frame], None], pause: Callable[[], None] | None = None) -> None:
        self._send, self._pause = send, pause
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """A newer question has come, or the page has gone."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    def pause(self) -> None:
        """Let other pages' slow work go on; called between two pieces of what takes long."""
        if self._pause is not None:
            self._pause()

    def send(self, frame: Frame) -> None:
        """Send a frame that others will follow."""
        if not self.cancelled:
            self._send(frame)


class Desk:
    """The threads that answer, shared by all pages. `asks` maps a name to a function and whether it is quick.

    `prepare` is called once, in a thread, before anything is answered: big libraries break when two threads are the first to
    import them at the same moment.
    """

    def __init__(self, asks: Mapping[str, tuple[Ask, bool]], prepare: Callable[[], object] | None = None) -> None:
        self.asks = asks
        self._ready = threading.Event()
        self._quick = ThreadPoolExecutor(2, thread_name_prefix="descend-lab")
        self._slow = ThreadPoolExecutor(SLOW, thread_name_prefix="descend-lab-slow")
        self._turns = Turns()
        self._slow.submit(self._prepare, prepare)

    def _prepare(self, prepare: Callable[[], object] | None) -> None:
        try:
            if prepare is not None:
                prepare()
        except Exception:
            logger.exception("the lab could not be prepared")
        finally:
            self._ready.set()

    def page(self, send: Callable[[bytes], None]) -> Page:
        """A new page; `send` is called from the desk's threads with each answer's bytes, and must not block."""
        return Page(self, send)

    def also(self, asks: Mapping[str, tuple[Ask, bool]]) -> Desk:
        """The same threads, with more asks: those of one notebook's element."""
        other = copy.copy(self)
        other.asks = {**self.asks, **asks}
        return other

    def quick(self, ask: str) -> bool:
        """Whether this ask's answers take milliseconds."""
        return self.asks[ask][1]

    @property
    def ready(self) -> bool:
        """Whether everything is prepared."""
        return self._ready.is_set()

    def submit(self, work: Callable[[], None], quick: bool) -> None:
        """Have one of the threads do this."""
        if quick:
            self._quick.submit(self._when_ready, work)
        else:
            self._slow.submit(self._when_ready, lambda: self._in_turn(work))

    def pause_of(self, ask: str) -> Callable[[], None] | None:
        """What an ask calls to let others go first; quick ones need not."""
        return None if self.quick(ask) else self._turns.pass_on

    def _in_turn(self, work: Callable[[], None]) -> None:
        self._turns.take()
        try:
            work()
        finally:
            self._turns.leave()

    def _when_ready(self, work: Callable[[], None]) -> None:
        self._ready.wait()
        work()

    def close(self) -> None:
        self._turns.close()
        for pool in (self._quick, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)


def import_engine() -> None:
    """Import the engine's library in one thread, before several use it."""
    importlib.import_module("jax.numpy")


class Page:
    """One reader: a browser's socket or a widget."""

    def __init__(self, desk: Desk, send: Callable[[bytes], None]) -> None:
        self._desk, self._send = desk, send
        self._lock = threading.Lock()
        self._waiting: dict[str, _Question] = {}
        #: The talk of each busy channel, waiting or running.
        self._talks: dict[str, Talk] = {}
        self._closed = False
        #: What each channel answered last: the ask, its params without the start, and the seconds it took.
        self._latest: dict[str, tuple[str, dict[str, Any], float]] = {}

    def take(self, message: str) -> None:
        """Take a question, now or when its channel is free. Called from one thread."""
        question = _Question.read(message)
        refusal = question.refusal or self._refusal(question)
        if refusal is not None:
            self._reply(question, Frame({"error": refusal}), last=True)
            return
        with self._lock:
            if self._closed:
                return
            self._waiting[question.channel] = question
            talk = self._talks.get(question.channel)
            if talk is not None:
                talk.cancel()
                return
            self._talks[question.channel] = Talk(_nowhere)
        if self._instant(question):
            self._answer(question.channel, quick=True)
        else:
            self._queue(question.channel, self._desk.quick(question.ask))

    def _instant(self, question: _Question) -> bool:
        """Whether the answer will take next to no time, as far as can be known."""
        ask, same, seconds = self._latest.get(question.channel, ("", {}, 0.0))
        known = ask == question.ask and seconds <= INSTANT and self._desk.quick(ask) and self._desk.ready
        return known and same == _without_start(question.params)

    def _refusal(self, question: _Question) -> str | None:
        if question.ask not in self._desk.asks:
            return f"there is no ask {question.ask[:40]!r}; there are {', '.join(self._desk.asks)}"
        if question.channel not in self._talks and len(self._talks) >= CHANNELS:
            return f"a page asks on {CHANNELS} channels at a time"
        return None

    def close(self) -> None:
        """The reader has gone: forget its questions, cancel what runs."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            for talk in self._talks.values():
                talk.cancel()

    def _queue(self, channel: str, quick: bool) -> None:
        self._desk.submit(lambda: self._answer(channel, quick), quick)

    def _reply(self, question: _Question, frame: Frame, *, last: bool) -> None:
        if self._closed:
            return
        head = {"id": question.number, "channel": question.channel, "last": last}
        self._send(pack(Frame({**head, **frame.data}, frame.arrays)))

    def _answer(self, channel: str, quick: bool) -> None:
        """Answer what waits on the channel; when something newer has come meanwhile, queue again behind other pages."""
        with self._lock:
            question = self._waiting.get(channel)
            if question is None or self._closed:
                self._talks.pop(channel, None)
                return
            right = self._desk.quick(question.ask) == quick
            if right:  # else the newest question belongs to the other threads
                del self._waiting[channel]
                pause = self._desk.pause_of(question.ask)
                talk = self._talks[channel] = Talk(lambda frame: self._reply(question, frame, last=False), pause)
        try:
            if right:
                self._settle(question, talk)
        finally:  # an interrupt of the thread that brought the question leaves the channel free, too
            self._go_on(channel)

    def _go_on(self, channel: str) -> None:
        with self._lock:
            after = self._waiting.get(channel)
            if after is None:
                self._talks.pop(channel, None)
                return
        self._queue(channel, self._desk.quick(after.ask))

    def _settle(self, question: _Question, talk: Talk) -> None:
        """Send the last frame, whatever happens; the channel is free again where the reader cannot be reached, too."""
        begun = time.perf_counter()
        try:
            try:
                self._reply(question, self._desk.asks[question.ask][0](question.params, talk), last=True)
            except DescendError as error:
                self._reply(question, Frame({"error": str(error)}), last=True)
            except KeyboardInterrupt:
                self._reply(question, Frame({"error": "interrupted"}), last=True)
                raise
            except Exception:
                logger.exception("the ask %r failed", question.ask)
                sentence = "something went wrong inside descend; the terminal shows what"
                self._reply(question, Frame({"error": sentence}), last=True)
        except Exception:
            logger.exception("the answer to %r could not be sent", question.ask)
        with self._lock:
            self._latest.pop(question.channel, None)
            self._latest[question.channel] = (question.ask, _without_start(question.params), time.perf_counter() - begun)
            if len(self._latest) > CHANNELS:
                del self._latest[next(iter(self._latest))]


def _without_start(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key not in ("start", "brief")}


def _nowhere(_frame: Frame) -> None:
    """Where the frames of a question go that has not begun."""


@dataclass(frozen=True)
class _Question:
    """What a message asks. Where it cannot be read, `refusal` says why; `number` and `channel` are kept wherever they can be
    read, so that the answer finds whoever waits for it."""

    number: int | None = None
    channel: str = ""
    ask: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    refusal: str | None = None

    @staticmethod
    def read(message: str) -> _Question:
        try:
            told = json.loads(message, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return _Question(refusal="a question is a JSON object; this was not JSON")
        if not isinstance(told, dict):
            return _Question(refusal="a question is a JSON object with an ask, and params that are an object")
        number, ask, params = told.get("id"), told.get("ask"), told.get("params", {})
        number = number if isinstance(number, int) and abs(number) < 2**53 else None
        ask = ask if isinstance(ask, str) else ""
        channel = told.get("channel", ask)
        if not isinstance(channel, str) or len(channel) > LONGEST_CHANNEL:
            return _Question(number, refusal=f"a channel is a name of up to {LONGEST_CHANNEL} characters")
        if not isinstance(params, dict):
            return _Question(number, channel, ask, refusal="a question's params are an object")
        return _Question(number, channel, ask, params)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")
