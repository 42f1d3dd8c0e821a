"""In the child process: one run of a user's optimizer, whatever its interface. Every session speaks the same few words."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.check.loading import Failed

__all__ = [
    "ArenaSession",
    "KerasSession",
    "Layout",
    "Session",
    "TorchSession",
    "readable_state",
    "set_counters",
]

Arrays = list[np.ndarray]
Settings = dict[str, Any]


class Session:
    """One optimizer with its parameters: made, stepped, looked at."""

    #: Whether a gradient was other after a step than before it.
    touched = False

    def step(self, grads: Sequence[np.ndarray | None]) -> None:
        """One step."""
        raise NotImplementedError

    def points(self) -> Arrays:
        """The parameters as they are now, copied."""
        raise NotImplementedError

    def set(self, settings: Settings) -> None:
        """Change hyperparameters in mid-run."""
        raise Failed("its settings cannot be changed in mid-run")

    def state(self) -> dict[str, Any]:
        """What can be read of its state: name -> array of the first parameter."""
        return {}

    def roots(self) -> dict[str, Any]:
        """Where its arrays are kept."""
        return vars(self)

    def jump(self, taken: int, to: int, margin: int = 2) -> str | None:
        """Set the step count from the steps taken to far ahead; the type it has, or None where none was found."""
        return None

    def reload(self) -> None:
        """Save the state, make the optimizer anew, load the state."""
        raise Failed("it offers no way to save and load")


@dataclass(frozen=True)
class Layout:
    """How arrays lie in memory: rows first as usual, or columns first, where a view as one row is not to be had."""

    params: bool = False
    grads: bool = False

    @staticmethod
    def numpy(a: np.ndarray, strided: bool, dtype: str) -> np.ndarray:
        """A NumPy array laid out so."""
        return np.array(a, dtype=dtype, order="F" if strided else "C")

    @staticmethod
    def torch(a: np.ndarray, strided: bool, dtype: Any) -> Any:
        """A torch tensor laid out so: the transpose of a contiguous one."""
        import torch

        if not strided:
            return torch.tensor(a, dtype=dtype)
        return torch.tensor(np.array(a.T, order="C"), dtype=dtype).permute(*reversed(range(a.ndim)))


def _key(opt: Any, name: str, settings: Settings) -> str:
    """The name that an optimizer's groups have for an argument: `lr` for `learning_rate`, where the class says so."""
    known = getattr(opt, "defaults", {})
    same = [k for k, v in known.items() if name in settings and type(v) is type(settings[name]) and v == settings[name]]
    return name if name in known or len(same) != 1 else same[0]


class TorchSession(Session):
    """A subclass of torch.optim.Optimizer."""

    def __init__(
        self,
        cls: Callable[..., Any],
        arrays: Arrays,
        settings: Settings,
        groups: Any,
        dtype: str,
        layout: Layout,
        double: bool = True,
    ) -> None:
        import torch

        self.number = torch.float64 if double and dtype == "float64" else torch.get_default_dtype()
        self.torch, self.cls, self.layout = torch, cls, layout
        kind = getattr(torch, dtype)
        self.params = [torch.nn.Parameter(layout.torch(a, layout.params, kind)) for a in arrays]
        self.settings, self.groups = settings, groups
        with _double_numbers(torch, self.number):
            self.opt = self._made()
        if callable(getattr(self.opt, "train", None)):  # schedule-free ones have two modes, and step in this one only
            self.opt.train()

    def _made(self) -> Any:
        given: Any = self.params
        if self.groups:
            known = self.cls(self.params, **self.settings)
            given = [
                {"params": [self.params[i] for i in places], **{_key(known, k, self.settings): v for k, v in extra.items()}}
                for places, extra in self.groups
            ]
        return self.cls(given, **self.settings)

    #: Whether gradients are added to those there are, once the optimizer's own zero_grad has cleared them.
    accumulates = False

    #: Whether its step is given a closure, and whether gradients keep the graph they came from.
    closure = False
    graph = False

    def step(self, grads: Sequence[np.ndarray | None]) -> None:
        torch, kept = self.torch, []
        fresh = [
            None if g is None else self.layout.torch(g, self.layout.grads, p.dtype)
            for p, g in zip(self.params, grads, strict=True)
        ]
        for p, g in zip(self.params, fresh, strict=True):
            if g is None or p.grad is None or not self.accumulates:
                p.grad = g
            else:  # into the same array, as a backward pass does: who keeps that array sees it change
                p.grad.add_(g)
            kept.append(None if p.grad is None else p.grad.clone())
        if self.graph:
            self._backward(fresh)
        with _double_numbers(torch, self.number):
            self.opt.step(*([lambda: self._backward(fresh)] if self.closure else []))
        if self.closure:  # whoever has gradients worked out anew is expected to leave others behind
            return
        for p, old in zip(self.params, kept, strict=True):
            if old is not None and (p.grad is None or not torch.equal(p.grad, old)):
                self.touched = True

    def _backward(self, grads: Sequence[Any]) -> Any:
        """What a closure does: Σ g·p and its gradients; with a graph, of a function that has a Hessian of one as well."""
        with self.torch.enable_grad():
            loss = self.torch.zeros(())
            for p, g in zip(self.params, grads, strict=True):
                p.grad = None
                if g is not None:
                    loss = loss + (g * p).sum() + (0.5 * ((p - p.detach()) ** 2).sum() if self.graph else 0.0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # that a graph is kept
                loss.backward(create_graph=self.graph)  # type: ignore[no-untyped-call]
        return loss

    def points(self) -> Arrays:
        return [p.detach().numpy().copy() for p in self.params]

    def set(self, settings: Settings) -> None:
        for group in getattr(self.opt, "param_groups", ()):
            for name, value in settings.items():
                if name not in group:
                    raise Failed(f"its groups have no {name!r}")
                group[name] = type(group[name])(value) if isinstance(group[name], tuple | list) else value

    def state(self) -> dict[str, Any]:
        return readable_state(dict(self.opt.state.get(self.params[0], {})))

    def jump(self, taken: int, to: int, margin: int = 2) -> str | None:
        return set_counters([*self.opt.state.values(), *self.opt.param_groups, vars(self.opt)], taken, to, margin)

    def reload(self) -> None:
        saved = copy.deepcopy(self.opt.state_dict())
        self.params = [self.torch.nn.Parameter(p.detach().clone()) for p in self.params]
        self.opt = self._made()
        self.opt.load_state_dict(saved)


class ArenaSession(TorchSession):
    """A class that is given a list of parameters and reads their .grad: torch tensors, or objects with .data and .grad."""

    def __init__(
        self, cls: Callable[..., Any], arrays: Arrays, settings: Settings, dtype: str, layout: Layout, kind: str
    ) -> None:
        self.kind = kind
        if kind == "torch":
            super().__init__(cls, arrays, settings, None, dtype, layout)
            self.accumulates = callable(getattr(self.opt, "zero_grad", None))
            return
        self.cls, self.settings, self.groups, self.layout = cls, settings, None, layout
        self.params: Any = [Variable(layout.numpy(a, layout.params, dtype)) for a in arrays]
        self.opt = self._made()

    def step(self, grads: Sequence[np.ndarray | None]) -> None:
        if self.kind == "torch":
            if self.accumulates:
                self.opt.zero_grad()
            super().step(grads)
            return
        kept = []
        for p, g in zip(self.params, grads, strict=True):
            p.grad = None if g is None else self.layout.numpy(g, self.layout.grads, "float64")
            kept.append(None if g is None else np.array(g))
        self.opt.step()
        for p, old in zip(self.params, kept, strict=True):
            if old is not None and (p.grad is None or not np.array_equal(p.grad, old)):
                self.touched = True

    def points(self) -> Arrays:
        return super().points() if self.kind == "torch" else [np.array(p.data) for p in self.params]

    def set(self, settings: Settings) -> None:
        _set_attributes(self.opt, settings)

    def state(self) -> dict[str, Any]:
        return readable_state(vars(self.opt))

    def jump(self, taken: int, to: int, margin: int = 2) -> str | None:
        return set_counters([vars(self.opt)], taken, to, margin)

    def reload(self) -> None:
        raise Failed("it offers no way to save and load")


class Variable:
    """A parameter with .data and .grad for optimizers written without a library."""

    def __init__(self, data: np.ndarray) -> None:
        self.data = data
        self.grad: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data."""
        return self.data.shape


@contextlib.contextmanager
def _double_numbers(torch: Any, kind: Any) -> Iterator[None]:
    """torch keeps single numbers of a state in its default type: this one within this context."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _set_attributes(thing: Any, settings: Settings) -> None:
    """Set the attribute that holds an argument: of the same name, or under its usual other names."""
    for name, value in settings.items():
        for attribute in (name, f"_{name}", "lr", "learning_rate", "alpha", "eta", "step_size", "lmbda"):
            if hasattr(thing, attribute):
                setattr(thing, attribute, value)
                break
        else:
            raise Failed(f"it has no attribute {name!r} to change")


class KerasSession(Session):
    """A Keras optimizer."""

    def __init__(self, cls: Callable[..., Any], arrays: Arrays, settings: Settings, dtype: str) -> None:
        import keras

        keras.config.set_floatx(dtype)
        self.keras = keras
        self.params = [keras.Variable(np.array(a), dtype=dtype) for a in arrays]
        self.opt = cls(**settings)
        self.opt.build(self.params)

    def step(self, grads: Sequence[np.ndarray | None]) -> None:
        if any(g is None for g in grads):
            raise Failed("Keras optimizers are not given None gradients here")
        given = [self.keras.ops.convert_to_tensor(g, dtype=p.dtype) for g, p in zip(grads, self.params, strict=True)]
        self.opt.apply(given, self.params)

    def points(self) -> Arrays:
        return [np.array(self.keras.ops.convert_to_numpy(p.value)) for p in self.params]

    def set(self, settings: Settings) -> None:
        for name, value in settings.items():
            if name != "learning_rate":
                raise Failed(f"{name} is not changed in mid-run")
            self.opt.learning_rate = value


#: What people call the number of steps made.
COUNTERS = {
    "t", "step", "steps", "k", "iteration", "iterations", "i", "n", "it", "iter", "timestep", "step_num", "count", "step_count",
    "num_step", "num_steps", "_t", "_step", "time", "nt",
}  # fmt: skip


def set_counters(places: Sequence[Any], taken: int, to: int, margin: int = 2) -> str | None:
    """Set every number with a counter's name that holds the number of steps taken; small integers to just below their limit."""
    kind = None
    for place in places:
        for name, value in list(place.items()) if isinstance(place, dict) else ():
            if str(name).lower() in COUNTERS and not isinstance(value, bool) and _is_number(value) and float(value) == taken:
                kind = str(getattr(value, "dtype", type(value).__name__)).removeprefix("torch.")
                number = min(to, _LIMITS.get(kind, to + margin) - margin)
                if hasattr(value, "fill_"):
                    value.fill_(number)
                else:
                    place[name] = type(value)(number) if getattr(value, "ndim", 0) == 0 else value * 0 + number
    return kind


_LIMITS = {"int8": 127, "uint8": 255, "int16": 32767, "uint16": 65535}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) or (hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0)


def readable_state(entries: dict[str, Any]) -> dict[str, Any]:
    """Arrays and numbers of a state under their own names; of lists and dicts the entry of the first parameter."""
    found: dict[str, Any] = {}
    for name, value in list(entries.items())[:40]:
        if name in ("params", "param_groups", "defaults"):
            continue
        if isinstance(value, dict) and value:
            inner = readable_state({str(k): v for k, v in list(value.items())[:8]})
            found |= inner if name in ("state", "cache") or not inner else {name: next(iter(inner.values()))}
            continue
        first = value[0] if isinstance(value, list | tuple) and value else value
        if hasattr(first, "detach"):
            first = first.detach().numpy()
        if isinstance(first, np.ndarray | int | float | np.generic) and not isinstance(first, bool):
            number = np.asarray(first)
            if number.dtype.kind in "fi" and number.size <= 64:
                found[name] = np.array(number, dtype=np.float64)
    return found
