"""The functions an expression may call, on NumPy, JAX and torch arrays alike. The one place that lists them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["ALIASES", "CONSTANTS", "FUNCTIONS", "Function", "integer_power", "library_for"]

Array = Any
Library = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Function:
    """A function's name and how many arguments it takes (`most` None: any number)."""

    name: str
    least: int = 1
    most: int | None = 1

    def arity(self) -> str:
        """How many arguments it takes, in words."""
        if self.most is None:
            return f"{self.least} or more arguments"
        return "one argument" if self.most == 1 else f"{self.most} arguments"


_ONE = (
    "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp log log2 log10 sqrt cbrt abs sign floor ceil "
    "sigmoid relu softplus step erf"
)
FUNCTIONS: dict[str, Function] = {name: Function(name) for name in _ONE.split()} | {
    "hypot": Function("hypot", 2, 2),
    "atan2": Function("atan2", 2, 2),
    "max": Function("max", 2, None),
    "min": Function("min", 2, None),
}
#: Other spellings of the same functions. `log` is the natural logarithm.
ALIASES: dict[str, str] = {
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "Abs": "abs",
    "Max": "max",
    "Min": "min",
    "logistic": "sigmoid",
    "heaviside": "step",
}
CONSTANTS: dict[str, float] = {"pi": math.pi, "π": math.pi, "e": math.e, "tau": math.tau, "τ": math.tau}

_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "neg": operator.neg,
}


def integer_power(x: Array, n: int) -> Array:
    """`x` to a whole power n ≥ 1 by repeated multiplication: exact for negative bases, with a finite slope at 0.

    >>> integer_power(-3.0, 3)
    -27.0
    """
    result = None
    while n:
        if n & 1:
            result = x if result is None else result * x
        n >>= 1
        if n:
            x = x * x
    return result


def _many(pair: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def fold(first: Any, *rest: Any) -> Any:
        for other in rest:
            first = pair(first, other)
        return first

    return fold


def _finish(space: Any, special: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    plain = {name: getattr(space, name) for name in FUNCTIONS if name not in special}
    return {"ones": space.ones_like, **_OPERATORS, **plain, **special}


@cache
def _numpy_library() -> Library:
    import numpy as np

    names = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}

    def erf(x: Any) -> Any:
        from scipy.special import erf  # scipy takes a tenth of a second to import; few expressions need it

        return erf(x)

    return _finish(
        np,
        {
            **{ours: getattr(np, theirs) for ours, theirs in names.items()},
            "atan2": np.arctan2,
            "max": _many(np.maximum),
            "min": _many(np.minimum),
            "sigmoid": lambda x: np.exp(-np.logaddexp(0.0, -x)),
            "relu": lambda x: np.maximum(x, 0.0),
            "softplus": lambda x: np.logaddexp(x, 0.0),
            "step": lambda x: np.where(x > 0, 1.0, x * 0.0)[()],
            "erf": erf,
        },
    )


@cache
def _jax_library() -> Library:
    import jax
    import jax.numpy as jnp

    return _finish(
        jnp,
        {
            "atan2": jnp.arctan2,
            "abs": lambda x: x * jnp.sign(x),  # jnp.abs has slope 1 at 0; the subgradient 0 is what torch and the symbols give
            "max": _many(jnp.maximum),
            "min": _many(jnp.minimum),
            "sigmoid": jax.nn.sigmoid,
            "relu": jax.nn.relu,
            "softplus": jax.nn.softplus,
            "step": lambda x: jnp.where(x > 0, 1.0, x * 0.0),
            "erf": jax.scipy.special.erf,
        },
    )


@cache
def _torch_library() -> Library:
    import torch

    def tensors(function: Callable[..., Any]) -> Callable[..., Any]:
        """torch's functions of two tensors take no plain numbers."""

        def call(*args: Any) -> Any:
            like = next(a for a in args if isinstance(a, torch.Tensor))
            return function(*(a if isinstance(a, torch.Tensor) else torch.full_like(like, a) for a in args))

        return call

    return _finish(
        torch,
        {
            "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
            "hypot": tensors(torch.hypot),
            "atan2": tensors(torch.atan2),
            "max": tensors(_many(torch.maximum)),
            "min": tensors(_many(torch.minimum)),
            "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
            "step": lambda x: torch.where(x > 0, 1.0, x * 0.0),
        },
    )


def library_for(x: Array) -> Library:
    """The functions that work on arrays of x's kind: JAX's (tracers too), torch's, and NumPy's for everything else."""
    home = type(x).__module__.partition(".")[0]
    if home in ("jax", "jaxlib"):
        return _jax_library()
    return _torch_library() if home == "torch" else _numpy_library()
