"""What an elementwise rule does, written down: it is called on recorders, which look like arrays and compute nothing.

The result is a graph of operations with the numbers in them. Products by numbers are carried along as coefficients, so that
they disappear into the operations that follow. A rule that does anything but elementwise arithmetic cannot be recorded.
"""

from __future__ import annotations

import math
from typing import Any

import torch

__all__ = ["NotElementwiseError", "Recorded", "Recorder"]

Number = float | int


class NotElementwiseError(AttributeError):
    """The rule needs more than elementwise arithmetic."""


class Recorded:
    """A list of arrays in the making: a coefficient times the result of an operation. Behaves as an array to a rule."""

    __slots__ = ("node", "recorder", "scale")

    def __init__(self, recorder: Recorder, node: int, scale: float = 1.0) -> None:
        self.recorder, self.node, self.scale = recorder, node, scale

    @property
    def dtype(self) -> torch.dtype:
        return self.recorder.dtype

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return _NAMESPACE

    def __getattr__(self, name: str) -> Any:
        raise NotElementwiseError(name)

    def __bool__(self) -> bool:
        raise NotElementwiseError("a branch on values")

    def _new(self, op: str, *args: Any, scale: float = 1.0) -> Recorded:
        return Recorded(self.recorder, self.recorder.node(op, *args), scale)

    def made(self) -> int:
        """The node whose value this is, its coefficient multiplied in."""
        return self.node if self.scale == 1 else self.recorder.node("scale", self.node, float(self.scale))

    def __neg__(self) -> Recorded:
        return Recorded(self.recorder, self.node, -self.scale)

    def __abs__(self) -> Recorded:
        return self._new("abs", self.node, scale=abs(self.scale))

    def __mul__(self, other: Any) -> Recorded:
        if isinstance(other, Recorded):
            return self._new("mul", self.node, other.node, scale=self.scale * other.scale)
        return Recorded(self.recorder, self.node, self.scale * _number(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Recorded:
        if not isinstance(other, Recorded):
            return Recorded(self.recorder, self.node, _divide(self.scale, _number(other)))
        if _plain(other.scale):
            return self._new("div", self.node, other.node, scale=self.scale / other.scale)
        return self._new("div", self.node, other.made(), scale=self.scale)

    def __rtruediv__(self, other: Any) -> Recorded:
        return self._new("reciprocal", self.made(), scale=_number(other))

    def __add__(self, other: Any) -> Recorded:
        if isinstance(other, Recorded):
            return self._sum(other)
        number = _number(other)
        if number == 0:
            return self
        if _plain(self.scale):
            return self._new("plus", self.node, float(number / self.scale), scale=self.scale)
        return self._new("plus", self.made(), float(number))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Recorded:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Recorded:
        return (-self).__add__(other)

    def _sum(self, other: Recorded) -> Recorded:
        a, b = float(self.scale), float(other.scale)
        if self.node == other.node:
            return Recorded(self.recorder, self.node, a + b)
        if a == 0 or b == 0:
            return other if a == 0 else self
        if abs(a + b - 1) <= 2.3e-16 and self.recorder.nodes[other.node][0] not in ("mul", "div"):
            return self._new("lerp", self.node, other.node, b)
        if a == 1:
            return self._new("add", self.node, other.node, b)
        if b == 1:
            return self._new("add", other.node, self.node, a)
        return self._new("combine", self.node, other.node, a, b)

    def __pow__(self, power: Number) -> Recorded:
        if power == 2:
            return self * self
        return self._new("pow", self.made(), float(power))

    def _compare(self, op: str, other: Any) -> Recorded:
        return self._new(op, self.made(), other.made() if isinstance(other, Recorded) else float(other))

    def __gt__(self, other: Any) -> Recorded:
        return self._compare("gt", other)

    def __lt__(self, other: Any) -> Recorded:
        return self._compare("lt", other)


def _number(x: Any) -> float:
    if isinstance(x, float | int):
        return x
    raise NotElementwiseError("arithmetic with another array")


def _divide(a: float, b: float) -> float:
    return a / b if b != 0 else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _plain(scale: float) -> bool:
    return scale != 0 and math.isfinite(scale)


class _Namespace:
    """What `descend.arrays` finds on recorders."""

    __name__ = "recorded"

    @staticmethod
    def sqrt(x: Recorded) -> Recorded:
        if x.scale > 0:
            return x._new("sqrt", x.node, scale=math.sqrt(x.scale))
        return x._new("sqrt", x.made())

    @staticmethod
    def sign(x: Recorded) -> Recorded:
        return x._new("sign", x.node, scale=math.copysign(1.0, x.scale) if x.scale else 0.0)

    @staticmethod
    def maximum(a: Any, b: Any) -> Recorded:
        return _Namespace._either("maximum", a, b)

    @staticmethod
    def minimum(a: Any, b: Any) -> Recorded:
        return _Namespace._either("minimum", a, b)

    @staticmethod
    def _either(op: str, a: Any, b: Any) -> Recorded:
        x: Recorded
        x, y = (a, b) if isinstance(a, Recorded) else (b, a)
        return x._new(op, x.made(), y.made() if isinstance(y, Recorded) else float(y))

    @staticmethod
    def where(condition: Recorded, a: Any, b: Any) -> Recorded:
        return condition._new("where", condition.node, *(x.made() if isinstance(x, Recorded) else float(x) for x in (a, b)))

    @staticmethod
    def full_like(model: Recorded, value: float) -> float:
        return value

    def __getattr__(self, name: str) -> Any:
        raise NotElementwiseError(name)


_NAMESPACE = _Namespace()


class Recorder:
    """Writes down what a rule does to `inputs` lists of arrays of one type: nodes of a graph and the numbers in them."""

    def __init__(self, inputs: int, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.inputs = inputs
        #: One node per operation: its name, its arguments (nodes as they are, numbers as the complement of their place).
        self.nodes: list[tuple[Any, ...]] = [("input",)] * inputs
        self.numbers: list[float] = []

    def input(self, index: int) -> Recorded:
        return Recorded(self, index)

    def node(self, op: str, *args: Any) -> int:
        coded = []
        for arg in args:
            if isinstance(arg, float):
                self.numbers.append(arg)
                coded.append(~(len(self.numbers) - 1))
            else:
                coded.append(arg)
        self.nodes.append((op, *coded))
        return len(self.nodes) - 1
