"""In the child process: find out what an object is, and how it is to be driven."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from descend.check.driversession import DriverSession
from descend.check.handing import forwarded, other_ways, why_not
from descend.check.loading import Failed, failure
from descend.check.loops import styled_loops
from descend.check.optaxsession import OptaxSession
from descend.check.plainplans import ADAPTERS, METHODS, plans_of
from descend.check.plainsession import PlainSession
from descend.check.plan import Plan, guessed_settings
from descend.check.roles import arguments_of
from descend.check.sessions import ArenaSession, KerasSession, Layout, Session, TorchSession
from descend.check.styledsession import StyledSession
from descend.check.styles import Tried, styled

__all__ = ["ADAPTERS", "Plan", "open_session", "plan_for"]

#: What no other way to drive it can mend.
OWN = ("NameError", "UnboundLocalError", "NotImplementedError", "ImportError", "ModuleNotFoundError", "MemoryError", "exit(")


def plan_for(target: Any, name: str, path: str | None, adapter: str | None, hyper: Sequence[str] = ()) -> Plan:
    """The plan that works, with the arguments that can be set under it; a `Failed` with the user's line where none does."""
    plan = _working(target, name, path, adapter, hyper)
    lowering = [a for a in plan.arguments if a["name"] == "decay" and a["name"] not in hyper and a.get("default") == 0.0]
    if lowering and plan.adapter in ("class", "function") and _lowers_rate(plan):
        return replace(plan, arguments=[a for a in plan.arguments if a not in lowering])
    return plan


def _lowers_rate(plan: Plan) -> bool:
    """Whether `decay` lowers the rate from the second step on, and is no weight decay: without gradients nothing moves."""
    rng = np.random.default_rng(0)
    start, gs = [rng.normal(size=(4, 2))], [[rng.normal(size=(4, 2))] for _ in range(2)]

    def walk(decay: float, gradients: list[list[np.ndarray]]) -> list[np.ndarray]:
        session = open_session(plan, start, guessed_settings(plan) | {"decay": decay}, None, "float64")
        points = []
        for g in gradients:
            session.step([x.copy() for x in g])
            points += session.points()
        return points

    try:
        still = walk(0.5, [[np.zeros((4, 2))]] * 2)
        plain, lowered = walk(0.0, gs), walk(0.5, gs)
    except Exception:
        return False
    stands = all(np.array_equal(p, start[0]) for p in still)
    return stands and np.array_equal(plain[0], lowered[0]) and not np.array_equal(plain[1], lowered[1])


def _working(target: Any, name: str, path: str | None, adapter: str | None, hyper: Sequence[str]) -> Plan:
    """The plan that works, tried on two small steps; a `Failed` with the user's line where none does."""
    plans = plans_of(target, name, adapter, frozenset(hyper))
    found, quiet, failed = _first_that_moves(plans, path)
    if found is not None:
        return found
    if failed is not None and quiet is None and any(word in str(failed) for word in OWN):
        raise failed
    tried = Tried()
    library = any(plan.adapter in ("torch", "keras") for plan in plans)  # an object with init and update need not be of optax
    if callable(target) and not library and adapter in (None, "class" if isinstance(target, type) else "function"):
        other = _first_that_moves(list(styled_loops(target, frozenset(hyper))), path)[0] if quiet is None else None
        other = other or styled(Plan("function", target), tried, frozenset(hyper))
        if other is not None and (quiet is None or (other.way and other.way.mode == "home")):
            return other
    if quiet is not None:
        return quiet
    if failed is None:
        raise Failed(f"{name} is not an optimizer that can be driven: it is {_what(target)}; {tried.text}")
    raise Failed(f"{failed}; {tried.text}" if tried.forms else str(failed), failed.line)


def _first_that_moves(plans: list[Plan], path: str | None) -> tuple[Plan | None, Plan | None, Failed | None]:
    """The first plan that moves parameters; else one that runs and moves nothing, and what the first of them failed of."""
    first: Failed | None = None
    telling: Failed | None = None
    quiet: Plan | None = None
    lost: Plan | None = None  # its numbers are not finite: the optimizer's own mistake where no other plan is better
    for plan in plans:
        if quiet is not None and plan.arrays != quiet.arrays:
            continue  # it runs on the arrays it is written for and moves nothing: no other kind of array is asked
        try:
            moved = _tried(plan)
        except Exception as error:
            told = error if isinstance(error, Failed) else failure(error, path)
            if plan.adapter == "torch":
                plans += _more_plans(plan, error)
                told = _told(plan, error, told)
            first = told if first is None or plan.adapter == "torch" else first  # what came of the last way says most
            telling = telling or (told if isinstance(error, Failed) else None)
            continue
        plan.arguments += forwarded(plan) if plan.adapter == "torch" else []
        if moved:
            return plan, None, None
        if moved is None:
            lost = lost or plan
        else:
            quiet = quiet or plan
    return lost, quiet, telling or first


def _more_plans(plan: Plan, error: Exception) -> list[Plan]:
    """Other ways to drive a torch optimizer that has failed."""
    if plan.double and "dtype" in str(error):
        return [replace(plan, double=False)]  # its own numbers are float32 by name
    return other_ways(plan, error)


def _told(plan: Plan, error: Exception, told: Failed) -> Failed:
    """Why a torch optimizer failed: that it runs in single precision alone, or what is missing."""
    if not plan.double and "dtype" in str(error):
        with contextlib.suppress(Exception):
            _tried(plan, "float32")
            said = "it takes float32 parameters only, and a check needs float64 to tell rounding from mistakes"
            return Failed(f"{said} ({told})", told.line)
    return why_not(plan, error, told)


def _what(target: Any) -> str:
    if isinstance(target, type):
        return f"a class without {', '.join(METHODS[:3])}"
    if not callable(target):
        return f"a {type(target).__name__}"
    required = [a["name"] for a in arguments_of(target, skip=0) if "default" not in a]
    if not required:
        return "a function without arguments"
    given = f"{', '.join(required)} given numbers"
    return f"a function that takes no gradients and, with {given}, makes no optimizer: wrap it in a function that does"


def _tried(plan: Plan, dtype: str = "float64") -> bool | None:
    """Whether it moves; None where it goes where there are no numbers."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(4, 2)), rng.normal(size=(2, 3))]
    session = open_session(plan, arrays, guessed_settings(plan), None, dtype)
    for _ in range(2):
        session.step([rng.normal(size=a.shape) for a in arrays])
        points = session.points()
        for p, a in zip(points, arrays, strict=True):
            if np.shape(p) != a.shape:
                raise Failed(f"the parameters come back in other shapes: {np.shape(p)} where {a.shape} went in")
    finite = all(np.isfinite(p).all() for p in points)
    if plan.counts is None and getattr(session, "counted", False):
        plan.counts = _counts(plan)
    if not finite:
        return None
    return any(not np.array_equal(p, a) for p, a in zip(points, arrays, strict=True))


def _counts(plan: Plan) -> bool:
    """Whether an optimizer that gives back the number of the next step is well when its first step has the number 0."""
    try:
        with np.errstate(all="ignore"):
            return bool(_tried(replace(plan, counts=True)))
    except Exception:
        return False


def open_session(
    plan: Plan, arrays: list[np.ndarray], settings: dict[str, Any], groups: Any, dtype: str, layout: Sequence[str] = ()
) -> Session:
    """A fresh optimizer with these parameters; `layout` names what lies in memory columns first: "params", "grads"."""
    laid = Layout("params" in layout, "grads" in layout)
    defaults = {a["name"]: a.get("default") for a in plan.arguments}
    settings = {
        k: tuple(v) if isinstance(v, list) and isinstance(defaults.get(k, ()), tuple) else v for k, v in settings.items()
    }
    if plan.adapter == "torch":
        session = TorchSession(plan.target, arrays, settings, groups, dtype, laid, plan.double)
        session.closure, session.graph = plan.closure, plan.graph
        return session
    if groups:
        raise Failed("it has no parameter groups")
    if plan.adapter == "arena":
        return ArenaSession(plan.target, arrays, settings, dtype, laid, plan.arrays)
    if layout and plan.adapter in ("optax", "keras"):
        raise Failed("its arrays have no layout of their own")
    if plan.adapter == "optax":
        return OptaxSession(plan.target, arrays, settings, dtype, plan.programs)
    if plan.adapter == "keras":
        return KerasSession(plan.target, arrays, settings, dtype)
    if plan.way is not None:
        return StyledSession(plan, arrays, settings, dtype, laid)
    if plan.drives:
        return DriverSession(plan, arrays, settings, dtype, laid)
    return PlainSession(plan, arrays, settings, dtype, laid)
