"""What one step of an optimizer is made of: the gradient it saw, what it remembers, and the step that comes of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.around import decay, prepare
from descend.engine import jax_switch
from descend.equations import UNICODE, equations, intermediate, latex
from descend.errors import DescendError
from descend.figures.data import number
from descend.lab.descents import Asked, asked, whole
from descend.lab.desk import Talk
from descend.lab.frames import Frame
from descend.objectives import Objective
from descend.rules import Optimizer

__all__ = ["anatomy", "dissect"]

Floats = NDArray[np.float64]
#: What people call the slots, where they go by letters: the running mean of gradients, and that of their squares.
MOMENTA, SQUARES = ("m", "b", "momentum", "velocity"), ("v", "s", "square", "sum")


def anatomy(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The parts of step `step` (from 0) of optimizer `k`, with the rule's equations and their numbers at that step."""
    told = asked(params)
    k, step = whole(params.get("k", 0), "k"), whole(params.get("step", 0), "step")
    if not 0 <= k < len(told.optimizers):
        raise DescendError(f"there are optimizers 0 to {len(told.optimizers) - 1}; got {k}")
    if not 0 <= step < told.steps:
        raise DescendError(f"there are steps 0 to {told.steps - 1}; got {step}")
    return Frame(dissect(told, k, step))


def dissect(told: Asked, k: int, step: int) -> dict[str, Any]:
    """The parts of one step as plain values."""
    optimizer = told.optimizers[k]
    before = told.trace(k, step) if step else None
    after = told.trace(k, step + 1)
    if after.steps < step + 1 or (before is not None and before.steps < step):
        raise DescendError(f"{optimizer.name} ended after {after.steps} steps; there is no step {step + 1}")
    if after.config["lr_predicted"]:
        optimizer = optimizer.with_values(lr=after.config["hyperparameters"]["lr"])
    p = np.asarray(told.start if before is None else before.point, np.float64).reshape(-1)
    state = optimizer.init_leaves([p]) if before is None else before.state
    assert state is not None
    slots = {name: np.asarray(value) for name, value in state["slots"][0].items()}
    g = _gradient(told, p, step)
    hyper = optimizer.at_step(step)
    names = _named(optimizer, g, p, slots, hyper)
    reached = np.asarray(after.point, np.float64).reshape(-1)
    return {
        "k": k,
        "step": step,
        "name": optimizer.name,
        "variables": told.goal.variables,
        "point": p.tolist(),
        "gradient": g.tolist(),
        "momentum": _first(names, MOMENTA, p),
        "square": _first(names, SQUARES, p),
        "update": (reached - p).tolist(),
        "lr": hyper.get("lr"),
        "equations": _told(optimizer, names, {**hyper, **slots, "p": p, "g": names["g"]}),
        "values": {name: _text(value) for name, value in {**hyper, **names}.items()},
    }


def _named(optimizer: Optimizer, g: Floats, p: Floats, slots: dict[str, Any], hyper: Mapping[str, Any]) -> dict[str, Any]:
    """Every quantity the step defines, by its name in the rule; the gradient as the rule saw it, after clipping and decay."""
    (seen,) = prepare([p], [g], optimizer.common, hyper)
    (place,), (seen,) = decay([p], [seen], optimizer.common, hyper, [True])
    own = {name: hyper[name] for name in optimizer.rule.hyperparameters}
    if optimizer.rule.sums:
        return {"g": seen}
    with np.errstate(all="ignore"):
        return intermediate(optimizer.rule, seen, place, slots, own) | {"g": seen}


def _told(optimizer: Optimizer, names: Mapping[str, Any], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each equation of the rule with what its left side is at this step, and what its right side is made of.

    `before` holds what is known before the first equation: hyperparameters, the slots as they were carried, p and g.
    """
    written = latex(optimizer)
    own = [e for e in equations(optimizer.rule, optimizer.values) if not e.hidden]
    lines: list[dict[str, Any]] = []
    for line in written[: len(written) - len(own)]:  # the shared options: only the gradient they end with is known
        lines.append({"latex": line, "value": _text(names["g"]) if line.startswith("g_{t} =") else "", "uses": ""})
    known, renewed = dict(before), set[str]()
    for place, (line, equation) in enumerate(zip(written[len(lines) :], own, strict=True)):
        target = equation.target
        final = all(later.target != target for later in own[place + 1 :])  # one renewed twice is known as it ends
        uses = ", ".join(f"{_symbol(n, optimizer, renewed)} = {_text(known[n])}" for n in _read(equation.node) if n in known)
        lines.append({"latex": line, "value": _text(names[target]) if final and target in names else "", "uses": uses})
        renewed.add(target)
        known.pop(target, None)
        if final and target in names:
            known[target] = names[target]
    return lines


def _read(node: ast.expr) -> list[str]:
    """The names an expression reads, each once, as they come."""
    found = [n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute)]
    return [name for name in dict.fromkeys(found) if name != "s"]


def _symbol(name: str, optimizer: Optimizer, renewed: set[str]) -> str:
    carried = name == "p" or name in optimizer.rule.slots
    plain = f"{name[0]}\u0302{name[1:-4]}" if name.endswith("_hat") else UNICODE.get(name, name)
    return plain + ("ₜ₋₁" if carried and name not in renewed else "")


def _first(names: Mapping[str, Any], wanted: tuple[str, ...], like: Floats) -> dict[str, Any] | None:
    for name in wanted:
        if name in names and np.shape(names[name]) == like.shape:
            return {"name": name, "value": np.asarray(names[name], np.float64).tolist()}
    return None


def _text(value: Any) -> str:
    """A quantity in words: a number, or a vector's first few."""
    if isinstance(value, bool | str) or value is None:
        return str(value).lower()
    array = np.asarray(value)
    if array.dtype == bool:
        return " ".join(str(v).lower() for v in array.reshape(-1))
    if array.ndim == 0 or array.size == 1:
        return number(float(array.reshape(())), 4)
    entries = ", ".join(number(float(v), 4) for v in array.reshape(-1)[:8])
    return f"({entries})"


def _gradient(told: Asked, p: Floats, step: int) -> Floats:
    """The gradient the engine took at this step: the noise of a step is drawn from the seed and the step's number."""
    import jax

    goal = told.seen
    with jax_switch(True):
        extra = [jax.random.fold_in(np.array([0, told.seed], np.uint32), step)] if goal.stochastic else []
        return np.asarray(_differentiated(goal)(p, *extra), np.float64)


@lru_cache(maxsize=32)
def _differentiated(goal: Objective) -> Callable[..., Any]:
    import jax

    return jax.jit(jax.grad(goal.fun))
