"""From what a person names to the objective: a surface, a function in a file, an expression, a callable."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from descend.errors import DescendError
from descend.objectives.expression import Expression, parse
from descend.objectives.networks import NETWORKS
from descend.objectives.objective import Objective
from descend.objectives.pythonfile import function_objective, gradient_like, load_function
from descend.objectives.surfaces import SURFACES, surface_key, surface_named, unknown_surface

__all__ = ["resolve"]

_FILE = re.compile(r"(?P<path>.+\.py):(?P<name>.*)", re.DOTALL)


def resolve(what: str | Expression | Objective | Callable[..., Any], grad: str | Callable[..., Any] | None = None) -> Objective:
    """The objective that `what` names.

    Text is looked up as a surface's name first, then as `file.py:function`, and read as an expression otherwise. A callable of
    one parameter receives the whole point (any pytree); one of several, such as f(x, y), one coordinate each.

    `grad` is the author's gradient, a callable or `file.py:function`, for what cannot be differentiated automatically.

    >>> resolve("x² + 3y²").variables, resolve("rosenbrock").minima
    (('x', 'y'), ((1.0, 1.0),))
    """
    objective = _resolve(what)
    if grad is None:
        return objective
    author = _load(grad) if isinstance(grad, str) else grad
    if not callable(author):
        raise DescendError(f"a gradient is a function or file.py:function; got {grad!r}")
    return replace(objective, grad=gradient_like(author, objective, quiet=isinstance(grad, str)), immutable=False)


def _resolve(what: Any) -> Objective:
    if isinstance(what, Objective):
        return what
    if isinstance(what, Expression):
        return _from_expression(what)
    if isinstance(what, str):
        if surface_key(what) in SURFACES:
            return surface_named(what).objective()
        if what.strip().lower() in NETWORKS:
            return _network(what.strip().lower())
        if _FILE.fullmatch(what.strip()):
            return function_objective(_load(what), text=what.strip(), guarded=True)
        if what.strip().endswith(".py"):
            raise DescendError(f"{what.strip()!r} names a file; name its function too: {what.strip()}:f")
        return _from_text(what)
    if callable(what):
        return function_objective(what)
    raise DescendError(
        f"an objective is an expression, a surface's name, file.py:function or a function; got {type(what).__name__}"
    )


def _load(text: str) -> Callable[..., Any]:
    found = _FILE.fullmatch(text.strip())
    if found is None:
        raise DescendError(f"a function in a file is named file.py:function; got {text!r}")
    return load_function(found["path"], found["name"])


@lru_cache(maxsize=8)
def _network(name: str) -> Objective:
    return NETWORKS[name]()


@lru_cache(maxsize=256)
def _from_text(text: str) -> Objective:
    expression = parse(text)
    if len(expression.nodes) == 1 and len(expression.variables[0]) > 1 and expression.variables[0].isalpha():
        raise unknown_surface(text.strip(), "; as an expression it is a single variable")
    return _from_expression(expression)


def _from_expression(expression: Expression) -> Objective:
    return Objective(
        fun=expression,
        name=expression.text,
        text=expression.text,
        variables=expression.variables,
        immutable=True,
        expression=expression,
    )
