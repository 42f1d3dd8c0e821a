"""What is checked, as the checker speaks to it: describe yourself, run these probes. In the child, or here."""

from __future__ import annotations

import math
import random
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from descend.check.adapters import open_session, plan_for
from descend.check.loading import Failed, failure, load
from descend.check.reach import arrays_within

__all__ = ["Subject"]

Message = dict[str, Any]


class Subject:
    """An optimizer found in a file or module, or handed over as it is."""

    def __init__(self, target: Any, adapter: str | None = None, hyper: Sequence[str] = ()) -> None:
        if isinstance(target, str):
            self.target, self.name, self.path = load(target)
        else:
            self.target, self.name, self.path = target, getattr(target, "__name__", type(target).__name__), None
            code = getattr(getattr(target, "__init__", target), "__code__", getattr(target, "__code__", None))
            self.path = code.co_filename if code is not None else None
        before = _chance()
        _seed(0)
        try:
            self.plan = plan_for(self.target, self.name, self.path, adapter, hyper)
        except Failed:
            raise
        except BaseException as error:
            raise failure(error, self.path) from None
        finally:
            _chance(before)

    def describe(self) -> Message:
        """Name, adapter and arguments."""
        return {
            "name": self.name,
            "adapter": self.plan.adapter,
            "text": self.plan.text,
            "arguments": self.plan.arguments,
            "groups": self.plan.groups,
            "blind": self.plan.blind,
            "closure": self.plan.closure,
            "alone": self.plan.adapter in ("class", "function") and self.plan.container == "array",
            "default_settings": _defaults(self.plan.arguments),
        }

    def run(self, request: Message) -> Message:
        """One probe: the points visited, and what was noticed on the way."""
        before = _chance()
        try:
            with in_float64():
                return self._run(request)
        except Failed as error:
            return {"error": str(error), "line": error.line}
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            told = failure(error, self.path)
            return {"error": str(told), "line": told.line}
        finally:
            _chance(before)

    def _run(self, request: Message) -> Message:
        start = [np.array(a["data"], dtype=np.float64).reshape(a["shape"]) for a in request["start"]]
        _seed(request.get("seed", 0))
        session = open_session(
            self.plan,
            start,
            request["settings"],
            request.get("groups"),
            request.get("dtype", "float64"),
            request.get("layout", ()),
        )
        points, states, dtypes, jumped = [_row(session.points())], [], "", None
        within: list[dict[str, list[float]]] = []
        taken: list[float] = []
        jump = request.get("jump") or (-1, 0, 0)
        changes = {int(k): v for k, v in request.get("changes", {}).items()}
        with np.errstate(all="ignore"):
            for t, row in enumerate(request["gradients"]):
                if t in changes:
                    session.set(changes[t])
                if t == request.get("reload_at"):
                    session.reload()
                if t == jump[0]:
                    jumped = session.jump(t, jump[1], jump[2])
                began = time.perf_counter()
                session.step(_cut(row, start, request.get("missing", {}).get(str(t), ())))
                taken.append(time.perf_counter() - began)
                now = session.points()
                for p, a in zip(now, start, strict=True):
                    if p.shape != a.shape:
                        raise Failed(
                            f"the parameters come back in other shapes: {p.shape} where {a.shape} went in (step {t + 1})"
                        )
                points.append(_row(now))
                dtypes = str(now[0].dtype)
                if request.get("states") and t < 8:
                    states.append({k: np.ravel(v).tolist() for k, v in session.state().items()})
                if request.get("within"):
                    within.append(arrays_within(session.roots(), start[0].size))
        told = {"points": points, "touched": session.touched, "states": states, "dtype": dtypes, "jumped": jumped}
        told |= {"pace": statistics.median(taken) if taken else 0.0}
        return told | ({"within": within} if within else {})


def in_float64() -> AbstractContextManager[Any]:
    """JAX in float64 for this thread, where it is in use: it would make float32 of what it is given."""
    jax = sys.modules.get("jax")
    switch: AbstractContextManager[Any] = nullcontext() if jax is None else jax.enable_x64(True)
    return switch


def _chance(state: Any = None) -> Any:
    """What the generators hold, or, with what they held, put back: a test's own numbers stay what they are."""
    torch = sys.modules.get("torch")
    if state is None:
        return random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None  # noqa: NPY002
    random.setstate(state[0])
    np.random.set_state(state[1])  # noqa: NPY002
    if torch and state[2] is not None:
        torch.set_rng_state(state[2])
    return None


def _seed(seed: int) -> None:
    """The generators a user's code may draw from, set to the same start in every run."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (what the user's code draws from)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _defaults(arguments: list[Message]) -> Message:
    return {a["name"]: a["default"] for a in arguments if isinstance(a.get("default"), int | float | list | tuple)}


def _row(points: list[np.ndarray]) -> list[float]:
    return np.concatenate([np.asarray(p, dtype=np.float64).ravel() for p in points]).tolist() if points else []


def _cut(row: list[float], like: list[np.ndarray], missing: Any) -> list[np.ndarray | None]:
    """One step's gradients, given as a row of all entries, as arrays; None for those that are missing."""
    grads: list[np.ndarray | None] = []
    place = 0
    for i, a in enumerate(like):
        size = math.prod(a.shape)
        grads.append(None if i in missing else np.array(row[place : place + size], dtype=np.float64).reshape(a.shape))
        place += size
    return grads
