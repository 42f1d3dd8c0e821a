"""In the child process: the forms in which arrays and their gradients are handed to an optimizer, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from descend.check.sessions import Variable

__all__ = [
    "ArrayHand", "DictHand", "GradHand", "Hand", "NumberedHand", "OneGradHand", "PairsHand", "TurnedPairsHand",
    "WeightListsHand", "WeightsHand", "even", "like", "numbers",
]  # fmt: skip


class Hand:
    """Arrays of one call: `p` is what is handed as parameters, `g` as gradients, `both` as one thing that holds both.

    `cells` and `slopes` are the arrays in order; who writes into `p` or `both` writes into `cells`.
    """

    #: Whether each array is handed by itself.
    single = False
    #: Whether the gradient belongs to the parameter, and who steps may clear it.
    owned = False

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        self.cells, self.slopes, self.keys = list(arrays), [a * 0 for a in arrays], list(keys)

    def load(self, grads: Sequence[Any]) -> None:
        """The gradients of a step."""
        self.slopes[: len(grads)] = grads

    def store(self, arrays: Sequence[Any]) -> None:
        """New parameters, where they came back as a result."""
        self.cells[: len(arrays)] = arrays

    def settle(self) -> None:
        """After a step: read `cells` from what was handed over, where that is another thing."""

    @property
    def p(self) -> Any:
        """What is handed as parameters."""
        return self.cells

    @property
    def g(self) -> Any:
        """What is handed as gradients."""
        return list(self.slopes)

    def packed(self, values: list[Any]) -> Any:
        """Other values, packed as parameters are: zeros for a state."""
        return values

    def unpacked(self, value: Any) -> list[Any] | None:
        """The arrays in what came back, or None where it is nothing like parameters."""
        value = [*value.values()] if isinstance(value, dict) else value
        if not isinstance(value, list | tuple) or len(value) != len(self.cells):
            return None
        return list(value) if all(like(v, c) for v, c in zip(value, self.cells, strict=True)) else None

    @property
    def both(self) -> Any:
        """A model, a layer, or pairs."""
        return self._pairs(list(zip(self.cells, self.slopes, strict=True)))

    @staticmethod
    def _pairs(pairs: list[Any]) -> Any:
        return pairs


def like(value: Any, array: Any) -> bool:
    """Whether a value could be the array's successor: it has its shape."""
    return hasattr(value, "shape") and tuple(value.shape) == tuple(array.shape)


class ArrayHand(Hand):
    """One array."""

    single = True

    @property
    def p(self) -> Any:
        return self.cells[0]

    @property
    def g(self) -> Any:
        return self.slopes[0]

    def packed(self, values: list[Any]) -> Any:
        return values[0]

    def unpacked(self, value: Any) -> list[Any] | None:
        return [value] if like(value, self.cells[0]) else None


class DictHand(Hand):
    """A dict of arrays, and of gradients under the same names."""

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(arrays, keys)
        self.names = [f"w{i}" for i in range(len(self.cells))]
        self.dict = dict(zip(self.names, self.cells, strict=True))

    @property
    def p(self) -> Any:
        return self.dict

    @property
    def g(self) -> Any:
        return dict(zip(self.names, self.slopes, strict=True))

    def packed(self, values: list[Any]) -> Any:
        return dict(zip(self.names, values, strict=True))

    def settle(self) -> None:
        self.cells = [self.dict[n] for n in self.names]

    def store(self, arrays: Sequence[Any]) -> None:
        self.cells[: len(arrays)] = arrays
        self.dict.update(zip(self.names, self.cells, strict=True))

    def unpacked(self, value: Any) -> list[Any] | None:
        if not isinstance(value, dict) or set(value) != set(self.names):
            return None
        return super().unpacked([value[n] for n in self.names])


def even(arrays: Sequence[Any]) -> list[Any]:
    """Weights have biases: one more array where their number is odd."""
    return [*arrays, arrays[0].ravel()[:1] * 0] if len(arrays) % 2 else list(arrays)


class NumberedHand(DictHand):
    """A dict with W1, b1, W2, … and their gradients dW1, db1, …"""

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(even(arrays), keys)
        self.names = [f"{'Wb'[i % 2]}{i // 2 + 1}" for i in range(len(self.cells))]
        self.dict = dict(zip(self.names, self.cells, strict=True))

    @property
    def g(self) -> Any:
        return {f"d{n}": v for n, v in zip(self.names, self.slopes, strict=True)}


class PairsHand(Hand):
    """A list of (parameter, gradient)."""


class TurnedPairsHand(Hand):
    """A list of (gradient, parameter)."""

    @staticmethod
    def _pairs(pairs: list[Any]) -> Any:
        return [(g, p) for p, g in pairs]


class GradHand(Hand):
    """Parameters that carry their gradient: torch tensors, or objects with .data and .grad."""

    owned = True

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(arrays, keys)
        if hasattr(arrays[0], "detach"):
            self.owners: list[Any] = [a.clone().requires_grad_(True) for a in arrays]
        else:
            self.owners = [Variable(a) for a in arrays]
        self.load(self.slopes)

    def load(self, grads: Sequence[Any]) -> None:
        self.slopes[: len(grads)] = grads
        for owner, g in zip(self.owners, grads, strict=False):
            owner.grad = g

    def store(self, arrays: Sequence[Any]) -> None:
        for owner, a in zip(self.owners, arrays, strict=False):
            owner.data = a.detach() if hasattr(a, "detach") else a
        self.settle()

    def settle(self) -> None:
        self.cells = [o.detach() if hasattr(o, "detach") else o.data for o in self.owners]

    @property
    def p(self) -> Any:
        return self.owners

    @property
    def both(self) -> Any:
        return self.owners


class OneGradHand(GradHand):
    """One parameter that carries its gradient."""

    single = True

    @property
    def p(self) -> Any:
        return self.owners[0]

    @property
    def both(self) -> Any:
        return self.owners[0]

    def unpacked(self, value: Any) -> list[Any] | None:
        return [value] if like(value, self.cells[0]) else None


class WeightsHand(Hand):
    """Weights and biases as two arguments with two gradients."""

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(even(arrays), keys)

    def pick(self, role: str) -> Any:
        """What is handed for p0, p1, g0 and g1."""
        return (self.cells if role[0] == "p" else self.slopes)[int(role[1])]

    def joined(self, result: Any) -> list[Any] | None:
        """The arrays in what came back for both."""
        found = list(result) if isinstance(result, tuple | list) and len(result) == 2 else None
        return found if found and all(like(f, c) for f, c in zip(found, self.cells, strict=True)) else None


class WeightListsHand(WeightsHand):
    """Lists of weights and lists of biases."""

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(arrays, keys)
        self.lists = [self.cells[0::2], self.cells[1::2]]

    def pick(self, role: str) -> Any:
        return self.lists[int(role[1])] if role[0] == "p" else self.slopes[int(role[1]) :: 2]

    def settle(self) -> None:
        self.cells = [c for pair in zip(*self.lists, strict=True) for c in pair]

    def store(self, arrays: Sequence[Any]) -> None:
        self.cells[: len(arrays)] = arrays
        for i, held in enumerate(self.lists):
            held[:] = self.cells[i::2]

    def joined(self, result: Any) -> list[Any] | None:
        if not isinstance(result, tuple | list) or len(result) != 2 or any(len(r) * 2 != len(self.cells) for r in result):
            return None
        return [c for pair in zip(*result, strict=True) for c in pair]


def numbers(value: Any) -> np.ndarray:
    """An array of any library as NumPy's."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
