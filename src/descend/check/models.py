"""In the child process: layers and models as small networks have them, for optimizers that are handed one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, MutableSequence, Sequence
from typing import Any

from descend.check.hands import (
    ArrayHand,
    DictHand,
    GradHand,
    Hand,
    NumberedHand,
    OneGradHand,
    PairsHand,
    TurnedPairsHand,
    WeightListsHand,
    WeightsHand,
    even,
)

__all__ = ["HANDS", "Layer", "Network", "hand_text"]


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
    return [
        f"d{name}",
        f"d_{name}",
        f"grad_{name}",
        f"{name}_grad",
        f"{name}_gradient",
        f"grad_{name.lower()}",
        f"delta_{name}",
    ]


class Layer:
    """Weights and biases with their gradients, under any of the usual names. An optimizer may keep its memory on it."""

    def __init__(self, cells: list[Any], slopes: list[Any], form: str) -> None:
        names = [f"{'Wb'[i % 2]}{i // 2 + 1 if len(cells) > 2 else ''}" for i in range(len(cells))]
        places: dict[str, tuple[list[Any], int]] = {}
        for i, bases in enumerate((_WEIGHTS, _BIASES)[: len(cells)]):
            for base in bases:
                places[base] = (cells, i)
                places |= dict.fromkeys(_gradient_names(base), (slopes, i))
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
        super().__init__(even(arrays), keys)
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


class LayersHand(NetworkHand):
    """A list of layers."""

    @property
    def both(self) -> Any:
        return self.layer.layers


class NamedLayersHand(LayersHand):
    """A list of layers whose `params` are dicts."""

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
    "layers": (LayersHand, 0, "a list of layers with weights, biases and their gradients"),
    "named layers": (NamedLayersHand, 0, "a list of layers with dicts of parameters and gradients"),
    "weight lists": (WeightListsHand, 0, "lists of weights and of biases with their gradients"),
    "weights": (WeightsHand, 2, "weights and biases with their gradients"),
}


def hand_text(name: str) -> str:
    """How arrays are handed over, in words."""
    return HANDS[name][2]
