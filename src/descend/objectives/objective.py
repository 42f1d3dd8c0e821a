"""What is minimised: one noun for an expression, a named surface, a function in a file, and a Python callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from descend.objectives.expression import Expression

__all__ = ["Backend", "Objective"]

Backend = Literal["jax", "numpy", "torch"]


@dataclass(frozen=True, eq=False)
class Objective:
    """A function to minimise and what is known about it. Compared by identity."""

    #: Takes one parameter (an array of shape (n,), or any pytree for a callable) and returns one number.
    fun: Callable[..., Any]
    #: A short name: the surface's, the function's, or the expression itself.
    name: str
    #: What to print: the formula as mathematics where there is one.
    text: str
    #: One name per coordinate; empty where the start decides how many there are.
    variables: tuple[str, ...] = ()
    #: (lowest, highest) per variable, for drawing.
    domain: tuple[tuple[float, float], ...] | None = None
    #: The points where it is lowest, and how low; empty and None where unknown or where there is none.
    minima: tuple[tuple[float, ...], ...] = ()
    minimum: float | None = None
    #: What this surface teaches, in a sentence.
    note: str = ""
    #: The usual start: a number per variable, or the tree of parameters a model begins with.
    start: Any = None
    #: The gradient its author gives: takes what `fun` takes, returns the same shape.
    grad: Callable[[Any], Any] | None = None
    #: What its body is written for, as far as can be told by looking at it.
    backend: Backend = "jax"
    #: `fun` takes a second argument, a JAX random key that is new at each step: a minibatch, say.
    stochastic: bool = False
    #: It cannot change behind our back: compiled code may be kept with it.
    immutable: bool = False
    #: The parsed expression, where it is one.
    expression: Expression | None = None

    def __call__(self, p: Any) -> Any:
        return self.fun(p)

    def __str__(self) -> str:
        return self.text

    def coordinate_names(self, n: int) -> tuple[str, ...]:
        """A name for each of n coordinates: the variables, or p0, p1, …"""
        return self.variables if len(self.variables) == n else tuple(f"p{i}" for i in range(n))
