"""In the child process: classes and functions that take arrays and gradients and move them in place or give them back."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.check.loading import Failed
from descend.check.sessions import Layout, Session, _set_attributes, readable_state, set_counters

if TYPE_CHECKING:
    from descend.check.plan import Plan

__all__ = ["PlainSession"]

Arrays = list[np.ndarray]


class PlainSession(Session):
    """A class or function called with arrays: all of them in a list or a dict, or each by itself."""

    def __init__(self, plan: Plan, arrays: Arrays, settings: dict[str, Any], dtype: str, layout: Layout) -> None:
        self.plan, self.settings, self.dtype, self.layout = plan, settings, dtype, layout
        self.ps = [self._array(a, layout.params) for a in arrays]
        self.t = 0
        #: Whether the first step gives back the number of the second.
        self.counted = False
        together = plan.container != "array"
        self.parts = [list(range(len(arrays)))] if together else [[i] for i in range(len(arrays))]
        self.calls = [self._call_of(part) for part in self.parts]
        self.kept = [self._first_state(part) for part in self.parts]

    def _array(self, x: np.ndarray, strided: bool = False) -> Any:
        if self.plan.arrays == "torch":
            import torch

            return self.layout.torch(x, strided, getattr(torch, self.dtype))
        return self.layout.numpy(x, strided, self.dtype)

    def _call_of(self, part: list[int]) -> Any:
        plan = self.plan
        if plan.adapter == "function":
            return plan.target
        given = [self._packed([self.ps[i] for i in part])] if plan.takes_params else []
        self.made = plan.target(*given, **self.settings)
        return self.made

    def _packed(self, values: list[Any]) -> Any:
        if self.plan.container == "array":
            return values[0]
        return values if self.plan.container == "list" else {f"w{i}": v for i, v in enumerate(values)}

    def _unpacked(self, value: Any, model: list[Any]) -> list[Any]:
        if self.plan.container == "array":
            return [value]
        values = list(value.values()) if isinstance(value, dict) else list(value)
        if len(values) != len(model):
            raise Failed(f"{len(model)} arrays went in and {len(values)} came back")
        return values

    def _first_state(self, part: list[int]) -> dict[str, Any]:
        """What the arguments other than parameters and gradients start as, for the arrays of one call."""
        plan = self.plan
        model = self._packed([self.ps[i] for i in part])
        zeros = self._packed([self.ps[i] * 0 for i in part])
        first = {"empty": {}, "none": None, "zeros": zeros}.get(plan.state)
        if plan.state == "init" and plan.init is not None:
            first = plan.init(model)
        kept = {r: None if plan.nones else copy.deepcopy(zeros) for r in plan.roles if r.startswith("slot:")}
        return kept | ({"state": first} if "state" in plan.roles else {})

    def step(self, grads: Sequence[np.ndarray | None]) -> None:
        if any(g is None for g in grads):
            raise Failed("it is given no None gradients")
        self.t += 1
        given = [self._array(g, self.layout.grads) for g in grads if g is not None]
        for part, call, kept in zip(self.parts, self.calls, self.kept, strict=True):
            self._step_part(part, call, kept, given)
        for mine, theirs in zip(given, grads, strict=True):
            if theirs is not None and not np.array_equal(np.asarray(mine), np.asarray(theirs, dtype=self.dtype)):
                self.touched = True

    def _step_part(self, part: list[int], call: Any, kept: dict[str, Any], given: list[Any]) -> None:
        ps, gs = [self.ps[i] for i in part], [given[i] for i in part]
        packed, before = self._packed(ps), [_values(p).copy() for p in ps]
        arguments = [self._argument(role, packed, gs, kept) for role in self.plan.roles]
        if self.plan.adapter == "function":
            result = call(*arguments, **self.settings)
        else:
            result = getattr(call, self.plan.method)(*arguments)
        if "t" in self.plan.roles and self.t == 1 and isinstance(result, tuple):
            self.counted = any(type(x) is int and x == 2 for x in result)
        self.plan.gives_state = self.plan.gives_state or self._is_state(result, ps, before)
        if self.plan.gives_state and result is not None:
            kept[next(r for r in self.plan.roles if r not in ("p", "g", "t"))], result = result, None
        self._take(part, result, packed, kept)

    def _is_state(self, result: Any, ps: list[Any], before: list[np.ndarray]) -> bool:
        """Whether what came back is the state alone: the parameters were moved in place, and it is other arrays than they."""
        carried = [r for r in self.plan.roles if r not in ("p", "g", "t")]
        if result is None or isinstance(result, tuple) or len(carried) != 1:
            return False
        now = [_values(p) for p in ps]
        if all(np.array_equal(a, b, equal_nan=True) for a, b in zip(now, before, strict=True)):
            return False
        try:
            given = [_values(x) for x in self._unpacked(result, ps)]
        except (Failed, TypeError, ValueError):
            return True
        return not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(given, now, strict=True))

    def _argument(self, role: str, packed: Any, gs: list[Any], kept: dict[str, Any]) -> Any:
        if role == "p":
            return packed
        if role == "g":
            return self._packed(gs)
        return self.t - bool(self.plan.counts) if role == "t" else kept[role]

    def _take(self, part: list[int], result: Any, packed: Any, kept: dict[str, Any]) -> None:
        """What came back: nothing (in place), the parameters, or the parameters with what was carried."""
        carried = [r for r in self.plan.roles if r.startswith("slot:") or r == "state"]
        self._check_slots(result, carried, kept)
        if self._replaced(result):
            raise Failed("a step gives back the next optimizer")
        old = [self.ps[i] for i in part]
        if result is None:
            new = self._unpacked(packed, old)
        elif isinstance(result, tuple) and (carried or len(result) == 2) and len(result) >= 2:
            rest = [r for r in result[1:] if not (isinstance(r, int) and len(result) - 1 > len(carried))]
            first, rest = self._parameters_first(result[0], rest)
            for role, value in zip(carried, rest, strict=False):
                kept[role] = value
            new = self._unpacked(packed if first is None else first, old)
        else:
            new = self._unpacked(result, old)
        if "p" not in self.plan.roles and result is not None and not self.plan.takes_params:
            new = [p + u for p, u in zip(old, new, strict=True)]
        for i, p in zip(part, new, strict=True):
            self.ps[i] = p if hasattr(p, "shape") else self._array(np.asarray(p))

    def _replaced(self, result: Any) -> bool:
        """Whether the optimizer itself comes back, changed, beside the parameters or in place of them."""
        cls, parts = self.plan.target, result if isinstance(result, tuple) else (result,)
        return isinstance(cls, type) and any(isinstance(p, cls) and p is not self.made for p in parts)

    def _check_slots(self, result: Any, carried: list[str], kept: dict[str, Any]) -> None:
        """An argument that is neither given back nor written to is no state: it is a hyperparameter of an unknown name."""
        for role in carried:
            given_back = isinstance(result, tuple) or self.plan.container != "array"
            if role.startswith("slot:") and not given_back and not np.any(np.asarray(kept[role])):
                name = role.removeprefix("slot:")
                raise Failed(f"nothing is known about the argument {name}: say what it is with --map {name}=lr, or another")

    @staticmethod
    def _parameters_first(first: Any, rest: list[Any]) -> tuple[Any, list[Any]]:
        """Some give back (state, parameters): a dict before an array."""
        if isinstance(first, dict) and rest and not isinstance(rest[0], dict) and hasattr(rest[0], "shape"):
            return rest[0], [first, *rest[1:]]
        return first, rest

    def points(self) -> Arrays:
        found = []
        for p in self.ps:
            x = p.detach().numpy() if hasattr(p, "detach") else np.asarray(p)
            if x.dtype.kind not in "fiu":
                raise Failed(f"the parameters come back as {x.dtype}, which is no number")
            found.append(x.copy())
        return found

    def set(self, settings: dict[str, Any]) -> None:
        if self.plan.adapter == "function":
            self.settings = self.settings | settings
            return
        for call in self.calls:
            _set_attributes(call, settings)

    def state(self) -> dict[str, Any]:
        return readable_state(vars(self.calls[0])) if self.plan.adapter == "class" else readable_state(dict(self.kept[0]))

    def jump(self, taken: int, to: int, margin: int = 2) -> str | None:
        places = [vars(c) for c in self.calls if hasattr(c, "__dict__")] if self.plan.adapter == "class" else []
        places += [k["state"] for k in self.kept if isinstance(k.get("state"), dict)]
        places += [v for place in list(places) for v in place.values() if isinstance(v, dict)]
        found = set_counters(places, taken, to, margin)
        if "t" in self.plan.roles:
            self.t, found = to, found or "int"
        return found

    def reload(self) -> None:
        if self.plan.adapter == "function":
            self.kept = copy.deepcopy(self.kept)
        else:
            raise Failed("it offers no way to save and load")


def _values(array: Any) -> np.ndarray:
    return np.asarray(array.detach() if hasattr(array, "detach") else array)
