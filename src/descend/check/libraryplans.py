"""In the child process: plans for the optimizers of torch, Keras and optax, and for pairs of functions like optax's."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from descend.check.handing import handings
from descend.check.plan import Plan, guessed_settings
from descend.check.roles import PARAMETERS, arguments_of, in_order, initializer, positional, role_of

__all__ = ["library_plans", "pair_class"]


def library_plans(target: Any, adapter: str | None) -> list[Plan]:
    if "torch" in sys.modules and adapter in (None, "torch"):
        import torch

        if isinstance(target, type) and issubclass(target, torch.optim.Optimizer):
            return [Plan("torch", *handings(target, arguments_of(initializer(target), skip=2)))]
        if (adapter == "torch" and callable(target)) or _makes_torch(torch, target):
            return [Plan("torch", target, arguments_of(target, skip=1))]
    if "keras" in sys.modules and adapter in (None, "keras") and isinstance(target, type):
        import keras

        if issubclass(target, keras.optimizers.Optimizer):
            return [Plan("keras", target, arguments_of(initializer(target), skip=1))]
    if "jax" in sys.modules and adapter in (None, "optax"):
        plan = _optax_plan(target)
        if plan is not None:
            return [plan]
    return []


def _makes_torch(torch: Any, target: Any) -> bool:
    """Whether a function (or a partial) of parameters makes a torch optimizer: it is asked for one on a small parameter."""
    if isinstance(target, type) or not callable(target):
        return False
    try:
        first, *rest = inspect.signature(target).parameters.values()
        given = [p.name for p in rest if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        if first.name.lower() not in PARAMETERS or any(role_of(n) for n in given):
            return False
        settings = guessed_settings(Plan("torch", target, arguments_of(target, skip=1)))
        made = target([torch.nn.Parameter(torch.zeros(2))], **settings)
    except Exception:
        return False
    return isinstance(made, torch.optim.Optimizer)


def pair_class(target: Callable[..., Any]) -> type | None:
    """A function that makes init(params) and update(params, grads, state), as a class that keeps the state."""
    try:
        made = target(**guessed_settings(Plan("function", target, arguments_of(target, skip=0))))
        first, second = made
        names = [p.name for p in positional(second, 0)]
    except Exception:
        return None
    roles = in_order(names)
    if not (callable(first) and callable(second)) or {"p", "g", "state"} - set(roles):
        return None

    class Pair:
        def __init__(self, **settings: Any) -> None:
            self.init, self.update_ = target(**settings)
            self.state: Any = None

        def step(self, params: Any, grads: Any) -> Any:
            self.state = self.init(params) if self.state is None else self.state
            values = {"p": params, "g": grads, "state": self.state}
            found = self.update_(*(values[r] for r in roles))
            one, other = found if not isinstance(found, dict) else (found, self.state)
            new, self.state = (other, one) if _same_tree(one, self.state) and not _same_tree(one, params) else (one, other)
            return new

    Pair.__init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *inspect.signature(target).parameters.values()]
    )
    Pair.__name__ = getattr(target, "__name__", "Pair")
    return Pair


def _same_tree(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (not isinstance(a, dict) or set(a) == set(b))


def _optax_plan(target: Any) -> Plan | None:
    if hasattr(target, "init") and hasattr(target, "update") and not isinstance(target, type):
        return Plan("optax", lambda: target, [])
    if isinstance(target, type) or not callable(target):
        return None
    plan = Plan("optax", target, arguments_of(target, skip=0))
    try:
        made = target(**guessed_settings(plan))
    except Exception:
        return None
    return plan if hasattr(made, "init") and hasattr(made, "update") else None
