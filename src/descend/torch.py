"""A rule as a real `torch.optim.Optimizer`.

    optimizer = descend.torch.as_optimizer(descend.lion(lr=1e-4), model.parameters())

Groups and state are kept under torch's own names. Where torch.optim has the rule, a state_dict of either is loaded by the
other in mid-run and continues as if nothing had happened.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from descend.errors import DescendError
from descend.rules import COMMON, Optimizer, Rule
from descend.torch_lists import ListStep, NotElementwiseError
from descend.torch_names import as_tuple, is_tensor_number, names_of, options_of, rule_of

__all__ = ["RuleOptimizer", "as_optimizer", "rule_of"]

Tensor = torch.Tensor
Group = dict[str, Any]
State = dict[str, Any]

#: Keys torch's optimizers have for their own implementations. `foreach` is ours too; the others must stay off.
_IMPLEMENTATION = {"foreach": None, "capturable": False, "differentiable": False, "fused": None}


def as_optimizer(optimizer: Optimizer | Rule, params: Any, *, foreach: bool | None = None) -> RuleOptimizer:
    """A rule as a `torch.optim.Optimizer` over `params`: tensors, (name, tensor) pairs, or dicts that are parameter groups.

    A group may state its own value of any hyperparameter, under our name or torch's (`beta1=` or `betas=`). torch's
    schedulers work on them; a `Schedule` bound to the rule is evaluated at each parameter's own step count. Sums over all
    arrays, where a rule or `clip_global_norm` needs them, are over the arrays of one group: two groups are two optimizers.

    `foreach` as in torch: whether elementwise rules run on many tensors per call. By default they do where it is faster.

    >>> import torch
    >>> from descend.optimizers import adam
    >>> w = torch.nn.Parameter(torch.tensor([4.0, 3.0]))
    >>> optimizer = as_optimizer(adam(lr=0.1), [w])
    >>> (w**2).sum().backward(); optimizer.step(); w.data
    tensor([3.9000, 2.9000])
    """
    bound = optimizer() if isinstance(optimizer, Rule) else optimizer
    if not isinstance(bound, Optimizer):
        raise DescendError(f"as_optimizer takes a rule such as adam(lr=1e-3); got {type(optimizer).__name__}")
    if hasattr(bound, "members"):
        raise DescendError("in torch each rule is an optimizer of its own: call as_optimizer once for each of the groups")
    return RuleOptimizer(bound, params, foreach=foreach)


class RuleOptimizer(torch.optim.Optimizer):
    """An update rule driven as torch drives its own optimizers. Made by `as_optimizer`.

    `capturable`, `differentiable` and `fused` are torch's own implementations and do not apply: they stay off.
    """

    def __init__(self, optimizer: Optimizer, params: Any, *, foreach: bool | None = None) -> None:
        if optimizer.mask is not None and not callable(optimizer.mask):
            raise DescendError("in torch a mask is a test of one array, or a parameter group with weight_decay=0; got a tree")
        self._bind(optimizer)
        super().__init__(params, self._defaults(foreach))

    def _bind(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.rule = optimizer.rule
        self.names = names_of(optimizer.rule)
        self._schedules = optimizer.scheduled
        self._numbers = [
            self.names.slots.get(name, name)
            for name, slot in self.rule.slots.items()
            if slot.shape == "scalar" and self._is_stored(name)
        ]
        stored = [name for name in self.rule.slots if self._is_stored(name)]
        numbered = any(slot.power_of or slot.counts for slot in self.rule.slots.values())
        self._counts = self.names.counts or numbered or bool(self._schedules)
        self._least = bool(stored) + self._counts
        self._floats = {n for n, h in (COMMON | dict(self.rule.hyperparameters)).items() if not h.structural}
        self._unrecordable: set[Any] = set()
        self._last: tuple[Any, ListStep] | None = None

    # -- parameter groups

    def _defaults(self, foreach: bool | None) -> Group:
        hyper = {name: h.default for name, h in COMMON.items()} | self.optimizer.at_step(0)
        fixed = dict(self.names.fixed)
        extras = {k: v for k, v in _torch_defaults(self.names.cls).items() if k not in fixed and k not in self.names.keys}
        keys = {k: ours for k, ours in self.names.keys.items() if k != ours or ours in self._always(hyper)}
        group = {key: self._gather(hyper, ours) for key, ours in keys.items()}
        return group | fixed | dict(_IMPLEMENTATION) | extras | {"foreach": foreach}

    def _always(self, hyper: Mapping[str, Any]) -> set[str]:
        """Options that a group holds even when they are off; the others appear once they are stated."""
        return {"weight_decay", "maximize"} | set(self.rule.hyperparameters) | set(self.optimizer.common)

    def add_param_group(self, param_group: Group) -> None:
        """Add a group, checked: unknown keys, values out of bounds and arrays the rule cannot move are one sentence."""
        if isinstance(param_group, dict):
            param_group = self._checked_group(param_group)
        super().add_param_group(param_group)
        for p in self.param_groups[-1]["params"]:
            try:
                self._check_tensor(p)
            except DescendError:
                self.param_groups.pop()
                raise

    def _checked_group(self, group: Group) -> Group:
        known = {name: COMMON[name] for name in options_of(self.rule)} | dict(self.rule.hyperparameters)
        ours: dict[str, Any] = {}
        rest: Group = {}
        for key, value in group.items():
            target = self.names.keys.get(key, key if key in known else None)
            if key in ("params", "param_names") or key in _IMPLEMENTATION or (target is None and key in self.defaults):
                rest[key] = value
            elif target is None:
                keys = ", ".join(k for k in self.defaults if k not in _IMPLEMENTATION and k not in self.names.fixed)
                raise DescendError(f"a parameter group of {self.rule.name} has no key {key!r}; it has params, {keys}")
            elif isinstance(target, str):
                ours[target] = value
            else:
                ours |= zip(target, as_tuple(key, value, len(target)), strict=True)
        checked = {
            name: value if is_tensor_number(value, name) else known[name].check(value, self.rule.name)
            for name, value in ours.items()
        }
        return rest | self._under_torch_names(checked)

    def _under_torch_names(self, values: Mapping[str, Any]) -> Group:
        """Our values under torch's keys; a tuple of which only some are stated takes the others from the defaults."""
        full = self._values(self.defaults) | dict(values)
        return {
            key: self._gather(full, names)
            for key, names in self.names.keys.items()
            if any(name in values for name in ((names,) if isinstance(names, str) else names))
        }

    def _check_tensor(self, p: Tensor) -> None:
        if not p.is_complex():
            self.optimizer.check_array(p)
            return
        # complex arrays are moved as pairs of real numbers, which only an elementwise rule does not notice
        pairs = torch.zeros_like(_real(p.detach()))
        values = self._values(self.defaults)
        optimizer = self._bound(values)
        try:
            ListStep(optimizer, values, optimizer.init_leaves([pairs])["slots"][0], pairs)
        except (NotElementwiseError, DescendError):
            raise DescendError(f"{self.rule.name} does not move complex parameters; it treats an array as a whole") from None

    def _values(self, group: Group) -> dict[str, Any]:
        """The group's hyperparameters under our names, as numbers."""
        values: dict[str, Any] = {}
        for key, names in self.names.keys.items():
            if key in group:
                if isinstance(names, str):
                    values[names] = _number(group[key])
                else:
                    values |= zip(names, map(_number, group[key]), strict=True)
        for name, ours in self.names.unset.items():
            if values[name] is None:
                values[name] = ours
        return values

    def _gather(self, values: Mapping[str, Any], names: str | tuple[str, ...]) -> Any:
        """The value of one of torch's keys from ours."""
        if isinstance(names, tuple):
            return tuple(self._gather(values, name) for name in names)
        unset = self.names.unset
        return None if names in unset and values[names] == unset[names] else values[names]

    def _check_fixed(self, group: Group) -> None:
        for key, wanted in self.names.fixed.items():
            if key in group and group[key] != wanted:
                theirs = f"torch.optim.{self.names.cls} with {key}={wanted}"
                raise DescendError(f"{self.rule.name} is {theirs}; a parameter group has {key}={group[key]}")
        for key in ("capturable", "differentiable", "fused"):
            if group.get(key):
                raise DescendError(f"{key}=True is an implementation of torch's own optimizers; leave it off here")

    # -- stepping

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step on every parameter that has a gradient. `closure` evaluates the loss again and returns it, as in torch."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            members = [p for p in group["params"] if p.grad is not None]
            if members:
                self._step_group(group, members)
        return loss

    def _step_group(self, group: Group, members: list[Tensor]) -> None:
        self._check_fixed(group)
        values = self._values(group)
        gradients = [_gradient(p, self.rule.name) for p in members]
        states = [self.state[p] for p in members]
        steps = self._begin(members, states, values)
        if self._schedules:
            self._follow_schedules(group, values, max(steps))
        if not self._in_lists(group, values, members, gradients, states, steps):
            self._one_by_one(values, members, gradients, states, steps)
        if self._counts:
            torch._foreach_add_([state["step"] for state in states], 1.0)

    def _begin(self, members: list[Tensor], states: list[State], values: Mapping[str, Any]) -> list[int]:
        """The number of steps each parameter has made; the state of those new to it is made."""
        steps = []
        for p, state in zip(members, states, strict=True):
            # torch's SGD counts no steps: whoever has a buffer is past the first.
            step = 1 if state else 0
            if self._counts:
                if "step" not in state:
                    state["step"] = torch.tensor(float(step), dtype=torch.float32)
                step = int(state["step"].item())
            if len(state) < self._least:
                self._start(p, state, values)
            steps.append(step)
        return steps

    def _one_by_one(
        self, values: dict[str, Any], members: list[Tensor], gradients: list[Tensor], states: list[State], steps: list[int]
    ) -> None:
        """The rule on each tensor by itself; sums over all of them where it asks for them."""
        views = [_real(p) for p in members]
        slots = [self._slots(p, s, t, values) for p, s, t in zip(members, states, steps, strict=True)]
        optimizer = self._bound(values, members)
        new, after = optimizer.step_leaves(views, gradients, {"t": 0, "slots": slots}, values)
        for view, value in zip(views, new, strict=True):
            view.copy_(value)
        for state, old, fresh in zip(states, slots, after["slots"], strict=True):
            self._store(state, old, fresh)

    @contextlib.contextmanager
    def reported(self) -> Iterator[None]:
        """Within this context the parameters are at the point the rule reports: the mean of schedule-free rules and of ASGD.

        Evaluate and save the model in it; train outside. For other rules nothing changes.
        """
        held: list[tuple[Tensor, Tensor]] = []
        at = self.rule.at
        try:
            with torch.no_grad():
                for group in self.param_groups if at is not None else ():
                    values = self._values(group)
                    for p in group["params"]:
                        state = self.state[p]
                        if state and at is not None:
                            slots = self._slots(p, state, int(state["step"].item()) if self._counts else 1, values)
                            held.append((p, p.detach().clone()))
                            _real(p.detach()).copy_(at(_real(p.detach()), slots))
            yield
        finally:
            with torch.no_grad():
                for p, old in held:
                    p.copy_(old)

    def _in_lists(
        self,
        group: Group,
        values: dict[str, Any],
        members: list[Tensor],
        gradients: list[Tensor],
        states: list[State],
        steps: list[int],
    ) -> bool:
        """The rule on many tensors per call, those together that share type, device and single numbers; False if it cannot."""
        words = tuple([v for k, v in values.items() if k not in self._floats or (k.startswith("clip") and v)])
        if group["foreach"] is False or words in self._unrecordable:
            return False
        buckets: dict[Any, tuple[list[Tensor], list[Tensor], list[State]]] = {}
        for p, g, state, t in zip(members, gradients, states, steps, strict=True):
            alike = (p.dtype, p.device, self._decays(p), t, *[state[k] for k in self._numbers if k in state])
            bucket = buckets.get(alike)
            if bucket is None:
                bucket = buckets[alike] = ([], [], [])
            bucket[0].append(p)
            bucket[1].append(g)
            bucket[2].append(state)
        try:
            programs = [
                self._recorded(values if alike[2] else values | {"weight_decay": 0.0}, ps[0], ss[0], alike[3])
                for alike, (ps, _, ss) in buckets.items()
            ]
        except NotElementwiseError:
            self._unrecordable.add(words)
            return False
        for bucket, program in zip(buckets.values(), programs, strict=True):
            self._run(program, *bucket)
        return True

    def _recorded(self, values: dict[str, Any], p: Tensor, state: State, step: int) -> ListStep:
        """One step of the rule, recorded; the last one again where nothing has changed."""
        slots = self._slots(p, state, step, values)
        numbers = [_number(v) for name, v in slots.items() if self.rule.slots[name].shape == "scalar"]
        key = (p.dtype, *values.values(), *numbers)
        if self._last is None or self._last[0] != key:
            self._last = (key, ListStep(self._bound(values), values, slots, _real(p)))
        return self._last[1]

    def _run(self, program: ListStep, params: list[Tensor], gradients: list[Tensor], states: list[State]) -> None:
        lists = [params, gradients]
        for name in program.arrays:
            stored = self.names.slots.get(name, name)
            lists.append([state[stored] for state in states])
        if params[0].is_complex():
            lists = [[_real(t) for t in tensors] for tensors in lists]
        program.run(lists)
        for name, value in program.numbers.items():
            if self._is_stored(name):
                for state in states:
                    state[self.names.slots.get(name, name)] = value

    def _decays(self, p: Tensor) -> bool:
        mask = self.optimizer.mask
        return True if mask is None else bool(mask(p))

    def _bound(self, values: Mapping[str, Any], members: Sequence[Tensor] = ()) -> Optimizer:
        """The rule with this step's values: shared options are present exactly when they are on."""
        mask = [self._decays(p) for p in members] if members and self.optimizer.mask is not None else None
        own = {name: values[name] for name in self.rule.hyperparameters}
        common = {name: value for name, value in values.items() if name not in own and value}
        return Optimizer(self.rule, own, common, mask=mask)

    def _follow_schedules(self, group: Group, values: dict[str, Any], step: int) -> None:
        values |= {name: float(schedule(step)) for name, schedule in self._schedules.items()}
        group |= {key: self._gather(values, names) for key, names in self.names.keys.items() if key in group}

    # -- state, kept under torch's names

    def _start(self, p: Tensor, state: State, values: Mapping[str, Any]) -> None:
        """Make the slots that are missing: all of them at first, and those a changed hyperparameter has brought in."""
        (fresh,) = self._bound(values).init_leaves([_real(p)])["slots"]
        for name, value in fresh.items():
            if self._is_stored(name):
                state.setdefault(self.names.slots.get(name, name), _unreal(value, p))

    def _is_stored(self, name: str) -> bool:
        """Whether a slot is part of the state, rather than made from the step count."""
        slot = self.rule.slots[name]
        return slot.power_of is None and not slot.counts and name not in self.names.derived

    def _slots(self, p: Tensor, state: State, step: int, values: Mapping[str, Any]) -> dict[str, Any]:
        """The state as the rule knows it. Running powers are made from the step count, as torch does: β may change any time."""
        slots = {}
        for name, slot in self.rule.kept_slots(p, values).items():
            if self._is_stored(name):
                stored = self.names.slots.get(name, name)
                if stored not in state:
                    self._start(p, state, values)
                slots[name] = _real(state[stored])
            elif name in self.names.derived:
                slots[name] = self.names.derived[name](step, values)
            else:
                slots[name] = slot.after(step, values)
        return slots

    def _store(self, state: State, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        for name, value in new.items():
            if self._is_stored(name):
                if isinstance(old[name], Tensor):
                    old[name].copy_(value)
                else:
                    state[self.names.slots.get(name, name)] = value

    # -- copies and checkpoints

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"optimizer": _pickled(self.optimizer)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "optimizer" in state:
            state = dict(state)
            self._bind(_unpickled(state.pop("optimizer")))
        super().__setstate__(state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state_dict of this class, or of the torch.optim class that has the same rule."""
        groups = [self._loaded_group(g, own) for g, own in zip(state_dict["param_groups"], self.param_groups, strict=False)]
        groups += state_dict["param_groups"][len(groups) :]
        super().load_state_dict(state_dict | {"param_groups": groups})
        for state in self.state.values():  # torch before 1.12 counted in plain numbers
            if isinstance(state.get("step"), int | float):
                state["step"] = torch.tensor(float(state["step"]), dtype=torch.float32)

    def _loaded_group(self, saved: Group, own: Group) -> Group:
        self._check_fixed(saved)
        theirs = _torch_defaults(self.names.cls) or own
        for key in self.names.keys:
            if key in own and key in theirs and key not in saved and key not in COMMON:
                raise DescendError(
                    f"the state to load has no {key!r} in a parameter group: it is not a state of {self.rule.name}"
                )
        return {k: v for k, v in own.items() if k not in ("params", "param_names")} | saved


def _torch_defaults(cls: str) -> Group:
    """The keys of a parameter group of that torch class, with their defaults: read from the class itself."""
    if not cls or not hasattr(torch.optim, cls):
        return {}
    return dict(getattr(torch.optim, cls)([torch.zeros(1, 1)]).defaults)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


def _real(x: Any) -> Any:
    """Complex tensors as pairs of real numbers, as torch's optimizers treat them."""
    return torch.view_as_real(x) if isinstance(x, Tensor) and x.is_complex() else x


def _unreal(x: Any, p: Tensor) -> Any:
    return torch.view_as_complex(x) if p.is_complex() and isinstance(x, Tensor) and x.ndim == p.ndim + 1 else x


def _gradient(p: Tensor, name: str) -> Tensor:
    g = p.grad
    assert g is not None
    if g.layout is not torch.strided:
        raise DescendError(f"{name} needs dense gradients; a parameter of shape {tuple(p.shape)} has a sparse one")
    return _real(g)  # type: ignore[no-any-return]


def _pickled(optimizer: Optimizer) -> Any:
    rule = optimizer.rule
    module = rule.function.__module__
    return module, rule.function.__name__, dict(optimizer.values), dict(optimizer.common), optimizer.stated, optimizer.mask


def _unpickled(parts: Any) -> Optimizer:
    module, name, values, common, stated, mask = parts
    return Optimizer(getattr(importlib.import_module(module), name), values, common, stated, mask)
