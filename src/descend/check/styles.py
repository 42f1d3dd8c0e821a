"""In the child process: search for a way to drive what no plain plan can drive: the plausible ones are tried on two steps."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.check.argument_roles import Roles, hands_for, is_key, readings, settings_of
from descend.check.hands import like
from descend.check.loading import Failed
from descend.check.making import PREPARES, config_class, members, value_of
from descend.check.names import HYPER
from descend.check.sessions import Layout
from descend.check.styledrun import Exhausted, Run, Way
from descend.check.styledsession import StyledSession

if TYPE_CHECKING:
    from descend.check.plan import Plan

__all__ = ["HELP", "Tried", "library_of", "styled"]

#: Seconds of the processor, and attempts, after which the search ends.
SECONDS, ATTEMPTS = 6.0, 1500
#: Seconds of the processor that a step of uncompiled code may take.
PACE = 0.02
HELP = "wrap it as step(params, grads, state) that returns (params, state), params a list of arrays"


class Tried:
    """What a search has tried, to tell of it."""

    def __init__(self) -> None:
        self.attempts, self.until = 0, time.process_time() + SECONDS
        self.forms: list[str] = []

    def over(self, way: Way) -> bool:
        """Whether the search has to end here."""
        self.attempts += 1
        words = way.text
        if words not in self.forms:
            self.forms.append(words)
        return self.attempts > ATTEMPTS or time.process_time() > self.until

    @property
    def text(self) -> str:
        """A sentence on what was tried and what to do."""
        if not self.forms:
            return f"nothing in it takes parameters and gradients: {HELP}"
        others = len(self.forms) - 1
        more = f" and in {others} other way{'s' * (others > 1)}" if others else ""
        return f"tried as {self.forms[0]}{more}: {HELP}"


def library_of(target: Any) -> str:
    """The arrays that its code speaks of: torch, jax or numpy."""
    words = _words(target, 0)
    if "torch" in sys.modules and "torch" in words:
        return "torch"
    if "jax" in sys.modules and words & {"jax", "jnp"}:
        return "jax"
    if words & {"np", "numpy"}:
        return "numpy"
    home = vars(sys.modules.get(getattr(target, "__module__", None) or "", object))
    beside = {v.__name__ for v in home.values() if inspect.ismodule(v)}  # what its file imports
    return (
        "torch"
        if "torch" in beside and "numpy" not in beside
        else "jax"
        if "jax" in beside and "numpy" not in beside
        else "numpy"
    )


def _words(thing: Any, depth: int) -> set[str]:
    """Names in the code of a function or of a class's methods, and of what is defined in them."""
    if depth > 4:
        return set()
    if isinstance(thing, type):
        return {w for value in vars(thing).values() for w in _words(value, depth + 1)}
    thing = getattr(thing, "__func__", thing)
    thing = inspect.unwrap(thing) if callable(thing) else thing
    code = getattr(thing, "__code__", thing if inspect.iscode(thing) else None)
    if code is None:
        return set()
    inner = {w for c in code.co_consts if inspect.iscode(c) for w in _words(c, depth + 1)}
    known = {*code.co_names, *code.co_freevars} | inner
    space = getattr(thing, "__globals__", {})
    helpers = [space[n] for n in code.co_names if inspect.isfunction(space.get(n)) and space[n].__module__ == thing.__module__]
    return known | {w for h in helpers for w in _words(h, depth + 1)}


def styled(base: Plan, tried: Tried, hyper: frozenset[str] = frozenset()) -> Plan | None:
    """A plan for the first way that works, or None. `base` has the adapter and the target; `hyper` are known settings."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) * 0.5 + 5.0 for s in ((4, 2), (2, 3))]
    for way in _ways(base.target):
        for attempt in _variants(way):
            if tried.over(way):
                return None
            try:
                plan = _attempted(base, attempt, arrays, hyper)
            except Exhausted:
                break
            except Exception:
                continue
            if plan is not None:
                return plan
    return None


#: More first states than there are.
STATES = 30


def _variants(way: Way) -> Iterator[Way]:
    """One way with each of the first states, names or numbers for arrays, and the step counted from 0 or from 1."""
    roles = [role for _, role in way.roles]
    for source in range(STATES if "state" in roles else 1):
        for numbered in (False, True) if any(r == "key" and is_key(n) for n, r in way.roles) else (False,):
            for count in (0, 1) if way.triple or "config" in roles else (1,):
                yield replace(way, source=source, numbered=numbered, count=count, attributes={}, asked={}, programs={})


def _attempted(base: Plan, way: Way, arrays: list[np.ndarray], hyper: frozenset[str]) -> Plan | None:
    """The plan, where two steps move the parameters as an optimizer would."""
    for _ in range(12):
        plan = _plan(base, way)
        settings = {a["name"]: value_of(a["name"]) for a in plan.arguments if "default" not in a}
        if any(name.lower() not in HYPER | hyper for name in settings):
            return None  # an argument of which nothing is known
        try:
            first = _two_steps(plan, arrays, settings, 1)
        except AttributeError as error:
            name = str(error.name)
            lacking = way.form == "made" and name.lower() in HYPER and type(error.obj).__module__ == way.target.__module__
            if not lacking or name in way.attributes:
                raise
            way.attributes[name] = None
            continue
        other = _two_steps(_plan(base, way), arrays, settings, 2)
        same = all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
        if same:
            return None
        _compile(base, way, arrays, settings, first)
        return _plan(base, way)
    return None


def _compile(base: Plan, way: Way, arrays: list[np.ndarray], settings: dict[str, Any], seen: list[np.ndarray]) -> None:
    """Compile the steps of slow JAX code: only where that changes nothing, as it would where memory is kept outside the state.

    Slow is what JAX compiles anew for each step count, as it does the power of an array with a plain number.
    """
    way.compiled = way.kind == "jax" and _slow(_plan(base, way), arrays, settings)
    try:
        found = _two_steps(_plan(base, way), arrays, settings, 1) if way.compiled else seen
        way.compiled = way.compiled and all(np.allclose(f, s, rtol=1e-12, atol=0) for f, s in zip(found, seen, strict=True))
    except Exception:
        way.compiled = False
    way.programs.clear()


def _slow(plan: Plan, arrays: list[np.ndarray], settings: dict[str, Any]) -> bool:
    """Whether the third and fourth step still take long, once all that is common to steps is compiled."""
    session = StyledSession(plan, arrays, settings, "float64", Layout())
    began = 0.0
    for step in range(4):
        began = time.process_time() if step == 2 else began
        session.step([np.ones(a.shape) for a in arrays])
    return time.process_time() - began > 2 * PACE


def _plan(base: Plan, way: Way) -> Plan:
    """The plan for a way, with the arguments that can be set under it."""
    arguments: list[dict[str, Any]] = []
    if way.form != "function":
        maker = getattr(way.target, way.creator) if way.creator else way.target
        arguments += settings_of(maker, way.making)
        for name, role in way.making:
            cls = config_class(maker, name) if role == "config" else None
            arguments += settings_of(cls, ()) if cls is not None else []
    stepper = way.target if way.form == "function" else None
    if way.form == "made" and isinstance(way.target, type):
        stepper = getattr(way.target, way.member)
    if stepper is not None:
        arguments += [a for a in settings_of(stepper, way.roles) if a["name"] != "self" and a.get("default", 0) is not None]
    arguments += [{"name": n, **({} if d is None else {"default": d})} for n, d in (way.attributes | way.asked).items()]
    unique = {a["name"]: a for a in reversed(arguments)}
    adapter = "class" if isinstance(way.target, type) else "function"
    container = "array" if way.hand in ("array", "one grad") else "list"
    return replace(base, adapter=adapter, arguments=list(unique.values())[::-1], container=container, way=way)


def _two_steps(plan: Plan, arrays: list[np.ndarray], settings: dict[str, Any], seed: int) -> list[np.ndarray]:
    """Where two steps lead; a `Failed` where that is no optimizer's doing."""
    assert plan.way is not None
    rng = np.random.default_rng(seed)
    session = StyledSession(plan, arrays, settings, "float64", Layout())
    before, points = arrays, arrays
    with np.errstate(all="ignore"):
        for _ in range(2):
            kept = [_fingerprint(r.state) for r in session.runs]
            held = [r.state for r in session.runs]
            session.step([rng.normal(size=a.shape) for a in arrays])
            points = session.points()
            if not all(like(p, a) and np.isfinite(p).all() for p, a in zip(points, arrays, strict=True)):
                raise Failed("the parameters come back in other shapes, or not finite")
            if all(np.array_equal(p, b) for p, b in zip(points, before, strict=True)):
                raise Failed("nothing moves")
            if any(
                r.state and _fingerprint(r.state) == k and r.state is h
                for r, k, h in zip(session.runs, kept, held, strict=True)
            ):
                raise Failed("what should be its state does not change")
            before = points
    for p, a in zip(points, arrays, strict=True):
        if np.abs(p - a).mean() > 0.6 * np.abs(a).mean():
            raise Failed("the parameters are replaced by something else")
    for run in session.runs:
        if run.config is not None and hasattr(run.config, "asked"):
            plan.way.asked |= run.config.asked
    return points


def _fingerprint(thing: Any, depth: int = 0) -> Any:
    """What is in a state, to see whether it changes."""
    if depth > 5:
        return ""
    if hasattr(thing, "shape") and hasattr(thing, "dtype"):
        return np.asarray(thing.detach() if hasattr(thing, "detach") else thing).tobytes()
    if isinstance(thing, dict):
        return tuple((str(k), _fingerprint(v, depth + 1)) for k, v in thing.items())
    if isinstance(thing, list | tuple):
        return tuple(_fingerprint(v, depth + 1) for v in thing)
    inner = getattr(thing, "__dict__", None)
    return _fingerprint(inner, depth + 1) if inner else repr(thing)


def _ways(target: Any) -> Iterator[Way]:
    """Every plausible way, the most plausible first."""
    kind = library_of(target)
    if inspect.isgeneratorfunction(target):
        for making in readings(target, making=True):
            if any(r == "p" for _, r in making):
                yield from (Way(target, "generator", kind, h, making) for h in hands_for(making, (("g", "g"),), kind))
        return
    if not isinstance(target, type):
        yield from _function_ways(target, kind)
    yield from _made_ways(target, kind)


def _function_ways(target: Callable[..., Any], kind: str) -> Iterator[Way]:
    for roles in _readings(target):
        for hand in hands_for((), roles, kind):
            yield Way(target, "function", kind, hand, roles=roles)


def _readings(function: Callable[..., Any], *, making: bool = False) -> list[Roles]:
    try:
        return list(readings(function, making=making))
    except (TypeError, ValueError):
        return []


def _made_ways(target: Any, kind: str) -> Iterator[Way]:
    """What is made first and stepped then."""
    creators = [""]
    if isinstance(target, type):
        own = [n for n, v in vars(target).items() if isinstance(v, classmethod) and not n.startswith("_")]
        creators = [*own, ""]
    for creator in creators:
        maker = getattr(target, creator) if creator else target
        for making in _readings(maker, making=True):
            yield from _stepped_ways(Way(target, "made", kind, "", making, creator))


def _stepped_ways(base: Way) -> Iterator[Way]:
    """Ways to step what is made so: it is made once, to see what there is to be called."""
    held = any(r in ("p", "both", "shape", "p0") for _, r in base.making)
    for probe in hands_for(base.making, (("grads", "g"),), base.kind) if held else ["list"]:
        made = _made(replace(base, hand=probe))
        if made is None:
            continue
        prepares = ["", *[n for n in PREPARES if callable(getattr(made, n, None))]]
        for member in members(made):
            function = getattr(made, member) if member else made
            for roles in _readings(function):
                for hand in hands_for(base.making, roles, base.kind):
                    triple = callable(getattr(made, "get_params", None))
                    for prepare in prepares:
                        yield replace(base, hand=hand, member=member, roles=roles, prepare=prepare, triple=triple)
        return


def _made(way: Way) -> Any:
    """One of them, or None where that fails or nothing comes."""
    maker = getattr(way.target, way.creator) if way.creator else way.target
    arguments = settings_of(maker, way.making)
    settings = {a["name"]: value_of(a["name"]) for a in arguments if "default" not in a}
    for name, role in way.making:
        cls = config_class(maker, name) if role == "config" else None
        for a in settings_of(cls, ()) if cls is not None else []:
            settings |= {} if "default" in a else {a["name"]: value_of(a["name"])}
    arrays: list[Any] = [np.ones((4, 2)), np.ones((2, 3))]
    if way.kind == "torch":
        import torch

        arrays = [torch.ones(a.shape, dtype=torch.float64) for a in arrays]
    try:
        return Run(way, arrays[:1] if way.hand in ("array", "one grad") else arrays, ["w0", "w1"], settings, None).made
    except Exception:
        return None
