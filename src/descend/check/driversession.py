"""In the child process: functions that make their own loop, given a gradient function, a start and a number of steps."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.check.loading import Failed
from descend.check.sessions import Layout, Session

if TYPE_CHECKING:
    from descend.check.plan import Plan

__all__ = ["DriverSession"]

#: More steps than any probe makes.
STEPS = 10**7


class Over(BaseException):
    """Ends a loop that has made the steps it was asked for."""


class Loop:
    """One call of the function in a thread of its own, which waits in its gradient function for what a step is to be given."""

    def __init__(self, call: Any) -> None:
        self.points: SimpleQueue[Any] = SimpleQueue()
        self.gradients: SimpleQueue[Any] = SimpleQueue()
        self.thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self.thread.start()

    def _run(self, call: Any) -> None:
        try:
            call(self._asked)
            self.points.put(Failed("it came back before it had made the number of steps it was given"))
        except Over:
            pass
        except BaseException as error:  # handed to the thread that steps
            self.points.put(error)

    def _asked(self, x: Any, *_: Any) -> Any:
        self.points.put(x)
        g = self.gradients.get()
        if g is None:
            raise Over
        return g

    def point(self) -> Any:
        """Where it stands when it asks for a gradient."""
        while True:
            try:
                found = self.points.get(timeout=0.2)
                break
            except Empty:
                continue
        if isinstance(found, BaseException):
            raise found
        return found


class DriverSession(Session):
    """Each array is minimised by a loop of its own."""

    def __init__(self, plan: Plan, arrays: list[np.ndarray], settings: dict[str, Any], dtype: str, layout: Layout) -> None:
        self.dtype, self.kind, self.layout = dtype, plan.arrays, layout
        roles = {role.split(":")[1]: role.split(":")[0] for role in plan.roles}
        self.loops = []
        for a in arrays:
            given = {"x": self._array(a, layout.params), "n": STEPS, "f": lambda *_: 0.0}
            named = {name: given[role] for name, role in roles.items() if role in given}
            function = next(name for name, role in roles.items() if role == "df")
            self.loops.append(
                Loop(lambda df, named=named, function=function: plan.target(**{function: df}, **named, **settings))
            )
        self.ps = [loop.point() for loop in self.loops]

    def _array(self, x: np.ndarray, strided: bool = False) -> Any:
        if self.kind == "torch":
            import torch

            return self.layout.torch(x, strided, getattr(torch, self.dtype))
        return self.layout.numpy(x, strided, self.dtype)

    def step(self, grads: Sequence[np.ndarray | None]) -> None:
        if any(g is None for g in grads):
            raise Failed("it is given no None gradients")
        for i, (loop, g) in enumerate(zip(self.loops, grads, strict=True)):
            given = self._array(np.asarray(g), self.layout.grads)
            loop.gradients.put(given)
            self.ps[i] = loop.point()
            if not np.array_equal(np.asarray(given), np.asarray(g, dtype=self.dtype)):
                self.touched = True

    def points(self) -> list[np.ndarray]:
        return [np.array(p.detach() if hasattr(p, "detach") else p) for p in self.ps]

    def roots(self) -> dict[str, Any]:
        """What the functions that wait for a gradient hold at this moment."""
        found: dict[str, Any] = {}
        frames = sys._current_frames()
        for i, loop in enumerate(self.loops):
            frame = frames.get(loop.thread.ident or 0)
            while frame is not None:
                if frame.f_globals.get("__name__") not in (__name__, "threading", "queue"):
                    found |= {f"{i}.{name}": value for name, value in frame.f_locals.items()}
                frame = frame.f_back
        return found

    def __del__(self) -> None:
        for loop in getattr(self, "loops", ()):
            loop.gradients.put(None)
