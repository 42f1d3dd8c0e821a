"""Turns: of several threads with long work one goes at a time, and passes the turn on between two pieces of it."""

from __future__ import annotations

import threading
from collections import deque

__all__ = ["Turns"]


class Turns:
    """One at a time, in the order they come; who has more to do goes to the end of the line.

    >>> turns = Turns()
    >>> turns.take()
    >>> turns.pass_on()  # nobody else waits
    >>> turns.leave()
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()
        self._taken = self._closed = False

    def take(self) -> None:
        """Wait for the turn."""
        with self._lock:
            if self._closed or not self._taken:
                self._taken = True
                return
            mine = threading.Event()
            self._line.append(mine)
        mine.wait()

    def leave(self) -> None:
        """Give the turn to whoever waits longest."""
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._taken = False

    def pass_on(self) -> None:
        """Let everybody go first who waits now."""
        with self._lock:
            if not self._line:
                return
            mine = threading.Event()
            self._line.append(mine)
            self._line.popleft().set()
        mine.wait()

    def close(self) -> None:
        """Nobody waits any more: the threads can end."""
        with self._lock:
            self._closed = True
            while self._line:
                self._line.popleft().set()
