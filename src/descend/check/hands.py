"""In the child process: the forms in which arrays and their gradients are handed to an optimizer, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from descend.check.sessions import Variable

__all__ = ["HANDS", "Hand", "hand_text", "like"]


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


def _even(arrays: Sequence[Any]) -> list[Any]:
    """Weights have biases: one more array where their number is odd."""
    return [*arrays, arrays[0].ravel()[:1] * 0] if len(arrays) % 2 else list(arrays)


class NumberedHand(DictHand):
    """A dict with W1, b1, W2, … and their gradients dW1, db1, …"""

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(_even(arrays), keys)
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


class _Seq(MutableSequence[Any]):
    """A list of a model's arrays, which can also be asked for as layer.params()."""

    def __init__(self, cells: list[Any], most: int | None = None) -> None:
        self._cells, self._most = cells, most

    def __call__(self) -> _Seq:
        return self

    def __len__(self) -> int:
        return len(self._cells) if self._most is None else min(self._most, len(self._cells))

    def __getitem__(self, i: Any) -> Any:
        return self._cells[: len(self)][i]

    def __setitem__(self, i: Any, value: Any) -> None:
        self._cells[i] = value

    def __delitem__(self, i: Any) -> None:
        raise TypeError("arrays of a model are not deleted")

    def insert(self, index: int, value: Any) -> None:
        raise TypeError("arrays of a model are not added to")


class _Map(MutableMapping[str, Any]):
    """A dict of a model's arrays; a gradient is found under its parameter's name and under d… of it."""

    def __init__(self, cells: list[Any], names: list[str]) -> None:
        self._cells, self._names = cells, names

    def __call__(self) -> _Map:
        return self

    def _place(self, name: str) -> int:
        for known in (name, name.removeprefix("d"), name.removeprefix("grad_")):
            if known in self._names:
                return self._names.index(known)
        raise KeyError(name)

    def __getitem__(self, name: str) -> Any:
        return self._cells[self._place(name)]

    def __setitem__(self, name: str, value: Any) -> None:
        self._cells[self._place(name)] = value

    def __delitem__(self, name: str) -> None:
        raise TypeError("arrays of a model are not deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


_WEIGHTS, _BIASES = ("weights", "weight", "W", "w", "kernel"), ("biases", "bias", "b", "B")


def _gradient_names(name: str) -> list[str]:
    return [f"d{name}", f"d_{name}", f"grad_{name}", f"{name}_grad", f"{name}_gradient", f"grad_{name.lower()}", f"delta_{name}"]


class Layer:
    """Weights and biases with their gradients, under any of the usual names. An optimizer may keep its memory on it."""

    def __init__(self, cells: list[Any], slopes: list[Any], form: str) -> None:
        names = [f"{'Wb'[i % 2]}{i // 2 + 1 if len(cells) > 2 else ''}" for i in range(len(cells))]
        places: dict[str, tuple[list[Any], int]] = {}
        for i, bases in enumerate((_WEIGHTS, _BIASES)[: len(cells)]):
            for base in bases:
                places[base] = (cells, i)
                places |= {name: (slopes, i) for name in _gradient_names(base)}
        kept: Any = (lambda c: _Map(c, names)) if form == "dict" else _Seq
        space = self.__dict__
        space["_places"], space["_cells"], space["_slopes"], space["_names"] = places, cells, slopes, names
        space["params"], space["grads"] = kept(cells), kept(slopes)
        for name in ("parameters", "trainable_params", "trainable_parameters"):
            space[name] = kept(cells)
        for name in ("gradients", "gradient", "param_grads"):
            space[name] = kept(slopes)

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("_places", {}):
            cells, i = self._places[name]
            return cells[i]
        raise AttributeError(f"a layer here has no {name!r}", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._places:
            cells, i = self._places[name]
            cells[i] = value
        else:
            self.__dict__[name] = value

    def params_and_grads(self) -> Iterator[tuple[Any, Any]]:
        """Pairs, as many small networks give them."""
        return iter(list(zip(self._cells, self._slopes, strict=True)))

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """Names and arrays."""
        return iter(list(zip(self._names, self._cells, strict=True)))


class LayerHand(Hand):
    """One layer: weights and biases."""

    form = "list"

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(_even(arrays), keys)
        self.layer = Layer(self.cells, self.slopes, self.form)

    @property
    def both(self) -> Any:
        return self.layer


class NamedLayerHand(LayerHand):
    """One layer whose `params` is a dict."""

    form = "dict"


class Network(Layer):
    """All arrays, as one, and as layers."""

    def __init__(self, cells: list[Any], slopes: list[Any], form: str) -> None:
        super().__init__(cells, slopes, form)
        self.__dict__["layers"] = [_Part(cells, slopes, form, i) for i in range(0, len(cells), 2)]


class _Part(Layer):
    """Two of a network's arrays."""

    def __init__(self, cells: list[Any], slopes: list[Any], form: str, first: int) -> None:
        super().__init__(_Window(cells, first), _Window(slopes, first), form)


class _Window(list[Any]):
    """Two entries of a longer list, as a list that writes through."""

    def __init__(self, whole: list[Any], first: int) -> None:
        super().__init__([None, None])
        self._whole, self._first = whole, first

    def __getitem__(self, i: Any) -> Any:
        return self._whole[self._first : self._first + 2][i]

    def __setitem__(self, i: Any, value: Any) -> None:
        self._whole[self._first + range(2)[i]] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._whole[self._first : self._first + 2])


class NetworkHand(LayerHand):
    """A model whose `params` and `grads` are lists, with `layers` of weights and biases."""

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(arrays, keys)
        self.layer = Network(self.cells, self.slopes, self.form)


class NamedNetworkHand(NetworkHand):
    """A model whose `params` and `grads` are dicts."""

    form = "dict"


class ModuleHand(GradHand):
    """A model whose `parameters()` carry their gradients: a torch.nn.Module, or one of the same words."""

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(arrays, keys)
        self.module = _module(self.owners)

    @property
    def both(self) -> Any:
        return self.module


def _module(owners: list[Any]) -> Any:
    if not hasattr(owners[0], "detach"):
        return _Module(owners)
    import torch

    module = torch.nn.Module()
    for i, owner in enumerate(list(owners)):
        owners[i] = torch.nn.Parameter(owner.detach())
        owners[i].grad = owner.grad
        module.register_parameter(f"w{i}", owners[i])
    return module


class _Module:
    """A model without a library."""

    def __init__(self, owners: list[Any]) -> None:
        self._owners = owners

    def parameters(self) -> list[Any]:
        """What carries data and gradients."""
        return list(self._owners)

    params = parameters

    def named_parameters(self) -> list[tuple[str, Any]]:
        """The same with names."""
        return [(f"w{i}", o) for i, o in enumerate(self._owners)]


class WeightsHand(Hand):
    """Weights and biases as two arguments with two gradients: `p` and `g` are asked for one by one."""

    def __init__(self, arrays: Sequence[Any], keys: Sequence[Any]) -> None:
        super().__init__(_even(arrays), keys)


#: The forms by name: class, how many arrays a call takes (0: all), and words for it.
HANDS: dict[str, tuple[Callable[[Sequence[Any], Sequence[Any]], Hand], int, str]] = {
    "list": (Hand, 0, "a list of arrays"),
    "array": (ArrayHand, 1, "one array at a time"),
    "dict": (DictHand, 0, "a dict of arrays"),
    "numbered": (NumberedHand, 0, "dicts with W1, b1, … and dW1, db1, …"),
    "pairs": (PairsHand, 0, "a list of (parameter, gradient)"),
    "turned pairs": (TurnedPairsHand, 0, "a list of (gradient, variable)"),
    "grads": (GradHand, 0, "a list of parameters with .grad"),
    "one grad": (OneGradHand, 1, "one parameter with .grad at a time"),
    "layer": (LayerHand, 2, "a layer with weights, biases and their gradients"),
    "named layer": (NamedLayerHand, 2, "a layer with dicts of parameters and gradients"),
    "network": (NetworkHand, 0, "a model with lists of parameters and gradients"),
    "named network": (NamedNetworkHand, 0, "a model with dicts of parameters and gradients"),
    "module": (ModuleHand, 0, "a model whose parameters carry their .grad"),
    "weights": (WeightsHand, 2, "weights and biases with their gradients"),
}


def hand_text(name: str) -> str:
    """How arrays are handed over, in words."""
    return HANDS[name][2]


def numbers(value: Any) -> np.ndarray:
    """An array of any library as NumPy's."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
