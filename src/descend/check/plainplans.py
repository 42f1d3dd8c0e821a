"""In the child process: the plans for what is written in the usual ways, the likeliest first."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from descend.check.libraryplans import library_plans, pair_class
from descend.check.loading import Failed
from descend.check.loops import loop_plans
from descend.check.making import makes_state
from descend.check.plan import Plan
from descend.check.roles import (
    METHODS,
    PARAMETERS,
    PLURAL,
    arguments_of,
    in_order,
    initializer,
    positional,
    role_of,
    speaks_torch,
)

__all__ = ["ADAPTERS", "METHODS", "plans_of"]

#: The names `--adapter` takes.
ADAPTERS = ("torch", "optax", "keras", "arena", "class", "function")


def plans_of(target: Any, name: str, adapter: str | None, hyper: frozenset[str]) -> list[Plan]:
    if adapter is not None and adapter not in ADAPTERS:
        raise Failed(f"there is no adapter {adapter!r}; there are {', '.join(ADAPTERS)}")
    found = library_plans(target, adapter)
    if found:
        return found
    if isinstance(target, type):
        plans = _class_plans(target)
    elif callable(target):
        pair = pair_class(target)
        plans = _class_plans(pair) if pair is not None else _function_plans(target, name, hyper)
    else:
        return []
    return [p for p in plans if adapter is None or p.adapter == adapter]


def _steppers(cls: type) -> list[str]:
    """Other public methods that take gradients."""
    found = []
    for name, function in vars(cls).items():
        if inspect.isfunction(function) and not name.startswith("_") and name not in METHODS:
            roles = {role_of(p.name) for p in positional(function, 1)}
            if "g" in roles:
                found.append(name)
    return found


def _class_plans(cls: type) -> list[Plan]:
    made = initializer(cls)
    own = made is not object.__init__
    init = positional(made, 1) if own else []
    takes = bool(init) and init[0].name.lower() in PARAMETERS and init[0].default is inspect.Parameter.empty
    arguments = arguments_of(made, 1 + takes) if own else []
    plans: list[Plan] = []
    for method in (*METHODS, *_steppers(cls)):
        function = inspect.getattr_static(cls, method, None)
        if function is None or not callable(getattr(cls, method, None)) or (method == "__call__" and plans):
            continue
        skip = 0 if isinstance(function, staticmethod) else 1
        given = positional(getattr(cls, method), skip)
        required = [p for p in given if p.default is p.empty]
        base = Plan("class", cls, arguments, method, takes_params=takes)
        if not required and takes:
            torch_first = "torch" in sys.modules
            kinds = ["torch", "numpy"] if torch_first else ["numpy"]
            plans += [replace(base, adapter="arena", arrays=k) for k in kinds]
        elif required:
            plans += _with_containers(base, in_order([p.name for p in required]))
    return plans


def _with_containers(base: Plan, roles: tuple[str, ...]) -> list[Plan]:
    names = set()
    function = getattr(base.target, base.method) if base.method else base.target
    for p in positional(function, 0):
        names.add(p.name.lower())
    plural = bool(names & PLURAL) or base.takes_params
    order = ["list", "array", "dict"] if plural else ["array", "list", "dict"]
    arrays = ["numpy"]
    if "torch" in sys.modules:
        arrays = ["torch", "numpy"] if speaks_torch(base.target) else ["numpy", "torch"]
    states = ["empty", "none", "zeros"] if "state" in roles else ["empty"]
    return [replace(base, roles=roles, container=c, arrays=a, state=s) for c in order for a in arrays for s in states]


def _function_plans(function: Callable[..., Any], name: str, hyper: frozenset[str]) -> list[Plan]:
    try:
        given = positional(function, 0)
    except (TypeError, ValueError):
        return []
    driven = loop_plans(function, hyper)
    plain = _plain_plans(function, given, name, hyper, ())
    kept = _plain_plans(function, given, name, hyper, (None,))
    more = [replace(p, nones=True) for p in kept if p.roles != (plain[0].roles if plain else ())]
    return more + plain + driven


def _plain_plans(
    function: Callable[..., Any], given: list[inspect.Parameter], name: str, hyper: frozenset[str], allowed: tuple[None, ...]
) -> list[Plan]:
    """One step a call; arguments whose default is in `allowed` may be what is kept from step to step."""
    names: list[str] = []
    roles: list[str] = []
    for p in given:
        role = None if p.name in hyper else role_of(p.name)
        if role is None or (p.default not in (p.empty, *allowed) and role.startswith("slot:")):
            break
        names.append(p.name)
        roles.append(role)
    if not roles:
        return []
    fixed = in_order(names)
    arguments = [a for a in arguments_of(function, 0) if a["name"] not in names]
    states = any(r == "state" for r in fixed)
    init = _init_of(function, name) if states else None
    plans = _with_containers(Plan("function", function, arguments), fixed)
    return [replace(p, state="init", init=init) for p in plans if p.state == "empty"] * (init is not None) + plans


def _init_of(function: Callable[..., Any], name: str) -> Callable[..., Any] | None:
    """A function of the same module that makes the first state."""
    function = inspect.unwrap(function)
    space = getattr(function, "__globals__", {})
    stem = name.removesuffix("_step").removesuffix("_update")
    for other in (
        f"{name}_init",
        f"init_{name}",
        f"{stem}_init",
        f"init_{stem}",
        "init_state",
        "init",
        "initialize",
        "make_state",
    ):
        found = space.get(other)
        if callable(found):
            return found  # type: ignore[no-any-return]
    for word, found in space.items():
        own = getattr(found, "__module__", None) == getattr(function, "__module__", "") and inspect.isfunction(found)
        if own and found is not function and makes_state(word, name):
            asked = [p for p in positional(found, 0) if p.default is p.empty]
            if len(asked) == 1:
                return found  # type: ignore[no-any-return]
    return None
