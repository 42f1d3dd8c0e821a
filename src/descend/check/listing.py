"""The optimizers of a module or a file, told by what they are and by what they take."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from descend.check.loading import opened
from descend.check.names import rule_named
from descend.check.roles import METHODS, role_of

__all__ = ["public_optimizers"]

#: Libraries whose optimizers are classes, with the class they all derive from.
BASES = (("torch", "torch.optim", "Optimizer"), ("keras", "keras.optimizers", "Optimizer"))


def public_optimizers(where: str) -> list[str]:
    """The optimizers of a module or a file by name, in its order.

    Classes of torch's and Keras's kind, functions that make an optax transformation, and what is defined there and takes
    parameters and gradients: functions, and classes with such a method. What others there derive from is a base of theirs.

    >>> public_optimizers("optax")[:2]
    ['adabelief', 'adadelta']
    """
    module, _ = opened(where)
    found = dict(vars(module))
    if where == "optax":
        found |= {k: v for k, v in vars(getattr(module, "contrib", None) or module).items() if k not in found}
    public = {k: v for k, v in found.items() if not k.startswith("_") and callable(v)}
    bases = _bases()
    return [k for k, v in public.items() if _is_optimizer(v, module, bases) and not _base_of_others(v, public)]


def _bases() -> tuple[type, ...]:
    """The base classes of the libraries that are imported by now."""
    found = [getattr(sys.modules.get(home), name, None) for library, home, name in BASES if library in sys.modules]
    return tuple(base for base in found if isinstance(base, type))


def _is_optimizer(value: Any, module: Any, bases: tuple[type, ...]) -> bool:
    if isinstance(value, type) and bases and issubclass(value, bases):
        return value not in bases
    home = str(getattr(value, "__module__", ""))
    if not isinstance(value, type) and "optax" in sys.modules and _makes_a_transformation(value):
        return "transform" not in home
    if home.partition(".")[0] != module.__name__.partition(".")[0] or module.__name__ == "optax":
        return False
    if not isinstance(value, type):
        return {"p", "g"} <= _roles(value)
    methods = [getattr(value, name, None) for name in METHODS if name != "__call__" or "__call__" in vars(value)]
    steps = any("g" in _roles(m) for m in methods if callable(m))
    return steps or (rule_named(value.__name__) is not None and any(callable(m) for m in methods))


def _arguments(function: Any) -> list[str]:
    """The names of a function's arguments; none where it does not tell them."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _roles(function: Any) -> set[str]:
    """What the names of a function's arguments say they are."""
    return {role for name in _arguments(function) if (role := role_of(name)) is not None}


def _base_of_others(value: Any, public: dict[str, Any]) -> bool:
    """Whether it is abstract, or others there derive from it and it bears no rule's name."""
    if not isinstance(value, type) or rule_named(value.__name__) is not None:
        return False
    others = [v for v in public.values() if isinstance(v, type) and v is not value]
    return inspect.isabstract(value) or any(issubclass(v, value) for v in others)


def _makes_a_transformation(value: Any) -> bool:
    """Whether a function makes a whole optimizer as optax's do: it takes a learning rate first."""
    first = _arguments(value)[:1]
    return first in (["learning_rate"], ["max_learning_rate"]) and not getattr(value, "__name__", "").startswith("scale_by")
