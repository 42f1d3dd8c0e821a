"""In the child process: plans for what makes its own loop, given a gradient function, a start and a number of steps."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from descend.check.plan import Plan
from descend.check.roles import PARAMETERS, arguments_of, speaks_torch

__all__ = ["loop_plans", "styled_loops"]

_RULES_OF_X = {"grad_fn", "gradient_fn", "grad", "gradient", "grad_f", "df", "fprime", "g", "jac", "gradf", "grad_func", "dfdx"}
_STARTS = {"x0", "theta0", "w0", "p0", "init", "start", "x_init", "x_start", "theta_init", "initial", "params0"}
_LENGTHS = {"n_steps", "num_iters", "steps", "n_iter", "n_iters", "max_iter", "iterations", "niter", "epochs", "maxiter"} | {
    "num_steps", "iters", "max_iters", "max_steps", "num_iter", "num_iterations", "nsteps", "n_iterations",
}  # fmt: skip
_VALUES = {"f", "fun", "func", "loss", "loss_fn", "cost", "objective", "fn"}


def loop_plans(function: Callable[..., Any], hyper: frozenset[str], needed: str = "df x n") -> list[Plan]:
    """A function that minimises by itself: given a gradient function, a start and a number of steps."""
    roles: dict[str, str] = {}
    everything = list(inspect.signature(function).parameters.values())
    for p in everything:
        low = p.name.lower()
        role = next((r for names, r in ((_LENGTHS, "n"), (_STARTS | PARAMETERS, "x"), (_VALUES, "f")) if low in names), None)
        role = "df" if low in _RULES_OF_X and "df" not in roles.values() else role
        if role and role not in roles.values() and p.name not in hyper:
            roles[p.name] = role
    if not set(needed.split()) <= set(roles.values()):
        return []
    arguments = [a for a in arguments_of(function, 0) if a["name"] not in roles and a.get("default", 0) is not None]
    plan = Plan(
        "function", function, arguments, method="", roles=tuple(f"{r}:{n}" for n, r in roles.items()), container="array"
    )
    kinds = ["torch", "numpy"] if "torch" in sys.modules and speaks_torch(function) else ["numpy"]
    return [replace(plan, arrays=k, drives=True) for k in kinds]


def styled_loops(target: Any, hyper: frozenset[str]) -> Iterator[Plan]:
    """Loops of other forms: generators of points, and classes with a method that minimises."""
    if inspect.isgeneratorfunction(target):
        for plan in loop_plans(target, hyper, "df x"):
            yield replace(plan, target=_through(target))
    elif isinstance(target, type):
        for name, method in vars(target).items():
            if inspect.isfunction(method) and (not name.startswith("_") or name == "__call__"):
                joined = _joined(target, name)
                yield from loop_plans(joined, hyper, "df x") if joined is not None else ()


def _through(target: Callable[..., Any]) -> Callable[..., Any]:
    """A generator run through to its end."""

    def run(**given: Any) -> None:
        for _ in target(**given):
            pass

    return run


def _joined(cls: type, method: str) -> Callable[..., Any] | None:
    """A class and its method as one function of the arguments of both."""
    try:
        made = list(inspect.signature(cls).parameters.values())
        called = list(inspect.signature(getattr(cls, method)).parameters.values())[1:]
    except (TypeError, ValueError):
        return None
    first = {p.name for p in made}

    def run(**given: Any) -> Any:
        made = cls(**{k: v for k, v in given.items() if k in first})
        return getattr(made, method)(**{k: v for k, v in given.items() if k not in first})

    named = [
        p for p in [*made, *(p for p in called if p.name not in first)] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    run.__signature__ = inspect.Signature([p.replace(kind=p.KEYWORD_ONLY) for p in named])  # type: ignore[attr-defined]
    return run
