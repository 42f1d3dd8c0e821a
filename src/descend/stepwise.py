"""The same descent a step at a time in Python: for functions that JAX cannot trace, and gradients that their author gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from descend.compiled import CAPACITY
from descend.engine import Ending, jax_switch
from descend.errors import DescendError
from descend.rows import Rows, norm

__all__ = ["PythonEngine", "jax_gradient", "torch_gradient"]

Array = Any


class PythonEngine:
    """The same descent, a step at a time, for a value-and-gradient function on NumPy arrays."""

    name = "python"
    capacity = CAPACITY

    def __init__(
        self,
        value_and_grad: Callable[[list[Array]], tuple[float, list[Array]]],
        optimizer: Any,
        leaves: list[Array],
        state: dict[str, Any],
        *,
        points: bool = True,
    ) -> None:
        self.value_and_grad, self.optimizer, self.points = value_and_grad, optimizer, points
        self.size = sum(leaf.size for leaf in leaves)
        self._at = leaves, state
        self._history: list[tuple[list[Array], dict[str, Any]]] = []

    @property
    def t(self) -> int:
        """Updates made so far."""
        return int(self._at[1]["t"])

    def advance(self, n: int, *, last: bool = False) -> Rows:
        """The rows of n points and, with `last`, of the one reached; stops early where a value is not finite."""
        rows: list[Any] = []
        self._history = []
        with np.errstate(all="ignore"):
            for _ in range(n):
                loss, grads, row = self._evaluate()
                self._history.append(self._at)
                rows.append(row)
                if not math.isfinite(loss):
                    break
                old, state = self._at
                self._at = self.optimizer.step_leaves(old, grads, state, self.optimizer.at_step(self.t))
                row[2] = _numpy_norm([a - b for a, b in zip(self._at[0], old, strict=True)])
            else:
                rows += [self._evaluate()[2]] if last else []
        return self._rows(rows)

    def peek(self) -> Rows:
        """The row of the present point; nothing moves."""
        with np.errstate(all="ignore"):
            return self._rows([self._evaluate()[2]])

    def rewind(self, k: int) -> None:
        """Go back to where only k of the updates of the last `advance` were made."""
        if k < len(self._history):
            self._at = self._history[k]

    def _rows(self, rows: list[Any]) -> Rows:
        return Rows(*(np.array([r[i] for r in rows], dtype=np.float64) for i in range(4)))

    def _evaluate(self) -> tuple[float, list[Array], list[Any]]:
        leaves, state = self._at
        loss, grads = self.value_and_grad(leaves)
        for leaf, grad in zip(leaves, grads, strict=True):
            if np.shape(grad) != np.shape(leaf):
                raise DescendError(
                    f"the gradient has shape {np.shape(grad)} where the parameter has {leaf.shape}; they must match"
                )
        grads = [np.asarray(g, dtype=leaf.dtype) for g, leaf in zip(grads, leaves, strict=True)]
        shown = leaves
        if self.optimizer.reports_elsewhere:
            shown = self.optimizer.report(leaves, state)
            loss, _ = self.value_and_grad(shown)
        point = np.concatenate([np.asarray(x, np.float64).ravel() for x in shown]) if self.points else np.zeros(0)
        return loss, grads, [loss, _numpy_norm(grads), math.nan, point]

    def ending(self) -> Ending:
        """The parameters and the state as they are now."""
        return Ending(partial(_as_arrays, *self._at))


def _as_arrays(leaves: list[Array], state: dict[str, Any]) -> tuple[list[Array], dict[str, Any]]:
    slots = [{k: np.asarray(v) for k, v in s.items()} for s in state["slots"]]
    return [np.asarray(leaf) for leaf in leaves], {"t": int(state["t"]), "slots": slots}


def _numpy_norm(arrays: Sequence[Array]) -> float:
    return norm(np.concatenate([np.asarray(x, dtype=np.float64).ravel() for x in arrays]))


def jax_gradient(fun: Callable[[Any], Any], rebuild: Any) -> Callable[[list[Array]], tuple[float, list[Array]]]:
    """Value and gradient of a JAX function, on NumPy arrays."""
    import jax

    both = jax.jit(jax.value_and_grad(lambda leaves: fun(rebuild(leaves))))

    def value_and_grad(leaves: list[Array]) -> tuple[float, list[Array]]:
        with jax_switch(any(np.asarray(leaf).dtype == np.float64 for leaf in leaves)):
            value, grads = both([np.asarray(leaf) for leaf in leaves])
            return float(value), [np.asarray(g) for g in grads]

    return value_and_grad


def torch_gradient(fun: Callable[[Any], Any], rebuild: Any) -> Callable[[list[Array]], tuple[float, list[Array]]]:
    """Value and gradient of a torch function, on NumPy arrays."""
    import torch

    def value_and_grad(leaves: list[Array]) -> tuple[float, list[Array]]:
        tensors = [torch.tensor(leaf, requires_grad=True) for leaf in leaves]
        value = fun(rebuild(tensors))
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            got = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
            raise DescendError(f"the objective must return one number as a torch tensor; it returned {got}")
        grads = torch.autograd.grad(value, tensors, allow_unused=True)
        return float(value.detach()), [
            np.zeros_like(leaf) if g is None else g.detach().numpy() for g, leaf in zip(grads, leaves, strict=True)
        ]

    return value_and_grad
