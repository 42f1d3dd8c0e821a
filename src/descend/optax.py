"""A rule as an optax transformation.

tx = descend.optax.as_transformation(descend.lion(lr=1e-4))
updates, state = tx.update(grads, tx.init(params), params)
params = optax.apply_updates(params, updates)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from descend.errors import DescendError
from descend.rules import Optimizer, Rule
from descend.schedules import Schedule

__all__ = ["RuleState", "as_transformation"]

Array = Any
Slots = dict[str, Array]


class RuleState(NamedTuple):
    """The state of a rule: a pytree of arrays."""

    #: Updates made so far; None where nothing depends on it.
    step: Array | None
    #: All single numbers side by side in one array, because each array of a state costs time at every call: what all parameters
    #: share, running powers of β, in the order of the rule's slots; then what each has for itself. None where there are none.
    numbers: Array | None
    #: The other slots: for each an entry per array, in the order of the parameters' leaves; None for arrays that have no such.
    slots: dict[str, list[Array | None]]


def as_transformation(optimizer: Optimizer | Rule, **values: Any) -> optax.GradientTransformation:
    """A rule as an `optax.GradientTransformation`; `update` needs the parameters.

    The updates are the difference of the new and the old parameters, which is exact wherever the two are within a factor of
    two; for parameters in half precision they are float32, so that small steps survive until they are applied.

    `values` are float hyperparameters that may be JAX numbers, traced ones too, so that a training loop can change them:
    `optax.inject_hyperparams(lambda lr: as_transformation(adam, lr=lr))(lr=0.1)`. A `Schedule` of ours is asked for its value
    from outside the compiled program at every update.

    >>> import jax.numpy as jnp
    >>> from descend.optimizers import lion
    >>> tx, p = as_transformation(lion(lr=0.5)), jnp.array([4.0, 3.0])
    >>> updates, state = tx.update(2 * p, tx.init(p), p)
    >>> p + updates
    Array([3.5, 2.5], dtype=float32)
    """
    bound = optimizer() if isinstance(optimizer, Rule) else optimizer
    if not isinstance(bound, Optimizer):
        raise DescendError(f"as_transformation takes a rule such as adam(lr=1e-3); got {type(optimizer).__name__}")
    if hasattr(bound, "members"):
        raise DescendError(
            "in optax each rule is a transformation of its own: join those of the groups with optax.multi_transform"
        )
    for name in values:
        if name not in bound.hyperparameters or name in bound.structural:
            known = ", ".join(n for n in bound.hyperparameters if n not in bound.structural)
            raise DescendError(f"{bound.name} has no float hyperparameter {name!r} here; it has {known}")
    drive = _Driven(bound, values)
    return optax.GradientTransformation(drive.init, drive.update)


class _Driven:
    """The two functions of a transformation."""

    def __init__(self, optimizer: Optimizer, values: dict[str, Any]) -> None:
        self.optimizer = optimizer
        self._common = [k for k, slot in optimizer.rule.slots.items() if slot.power_of is not None or slot.counts]
        self._schedules = {k: v for k, v in optimizer.scheduled.items() if k not in values}
        self._values = values
        #: Running powers whose base may change at any update: they are made from the number of steps.
        self._moving = [k for k, slot in optimizer.rule.slots.items() if slot.power_of in values]

    def init(self, params: Any) -> RuleState:
        leaves = [jnp.asarray(p) for p in jax.tree_util.tree_leaves(params)]
        kind = jnp.float64 if any(p.dtype == jnp.float64 for p in leaves) else jnp.float32
        rule, slots = self.optimizer.rule, []
        for p, own in zip(leaves, self.optimizer.init_leaves(leaves)["slots"], strict=True):
            slots.append({k: jnp.asarray(v, kind if rule.slots[k].shape == "scalar" else p.dtype) for k, v in own.items()})
        counted = jnp.zeros((), jnp.int32) if self._schedules or self._moving else None
        return RuleState(counted, *self._parted(slots))

    def update(self, grads: Any, state: RuleState, params: Any = None) -> tuple[Any, RuleState]:
        if params is None:
            raise DescendError(f"{self.optimizer.name} needs the parameters: call update(grads, state, params)")
        leaves, tree = jax.tree_util.tree_flatten(params)
        leaves = [_wide(jnp.asarray(p)) for p in leaves]
        gradients = [_wide(jnp.asarray(g)) for g in jax.tree_util.tree_leaves(grads)]
        hyper = self.optimizer.hyperparameters | self._values
        hyper |= {name: _at(schedule, state.step) for name, schedule in self._schedules.items()}
        slots = self._joined(leaves, state, hyper)
        new, after = self.optimizer.step_leaves(
            leaves, gradients, {"t": 0 if state.step is None else state.step, "slots": slots}, hyper
        )
        updates = [(q - p).astype(p.dtype) for q, p in zip(new, leaves, strict=True)]
        fixed = [{k: jnp.asarray(v, s[k].dtype) for k, v in own.items()} for own, s in zip(after["slots"], slots, strict=True)]
        count = None if state.step is None else state.step + 1
        return jax.tree_util.tree_unflatten(tree, updates), RuleState(count, *self._parted(fixed))

    def _parted(self, slots: Sequence[Slots]) -> tuple[Array | None, dict[str, list[Array | None]]]:
        """The single numbers side by side, shared ones once; and the other slots by name."""
        common, single = self._numbers(slots)
        shared = {k: v for own in slots for k, v in own.items()}  # of any array: they are all the same
        numbers = [shared[k] for k in common] + [own[k] for own, names in zip(slots, single, strict=True) for k in names]
        whole = [k for k, slot in self.optimizer.rule.slots.items() if slot.shape != "scalar" and k in shared]
        return (jnp.stack(numbers) if numbers else None), {k: [own.get(k) for own in slots] for k in whole}

    def _joined(self, leaves: Sequence[Array], state: RuleState, hyper: dict[str, Any]) -> list[Slots]:
        """All slots of each array by name."""
        slots, values = self.optimizer.rule.slots, dict(self.optimizer.values)
        kept = [self.optimizer.rule.kept_slots(p, values) for p in leaves]
        common, single = self._numbers(kept)
        numbers = iter(() if state.numbers is None else state.numbers)
        shared = {k: next(numbers) for k in common}
        shared |= {k: jnp.asarray(slots[k].after(state.step, hyper), shared[k].dtype) for k in self._moving}
        joined = []
        for place, (needed, names) in enumerate(zip(kept, single, strict=True)):
            own = {k: entries[place] for k, entries in state.slots.items() if k in needed}
            joined.append(own | {k: v for k, v in shared.items() if k in needed} | {k: next(numbers) for k in names})
        return joined

    def _numbers(self, slots: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
        """The names of the single numbers that all arrays share, and of those of each."""
        single = [k for k, slot in self.optimizer.rule.slots.items() if slot.shape == "scalar" and k not in self._common]
        shared = [k for k in self._common if any(k in own for own in slots)]
        return shared, [[k for k in single if k in own] for own in slots]


def _at(schedule: Schedule, count: Array) -> Array:
    """A schedule's value; under jit it is asked for from outside the compiled program."""
    if not isinstance(count, jax.core.Tracer):
        return float(schedule(count))
    like = jax.eval_shape(lambda: jnp.zeros(()))
    return jax.pure_callback(lambda t: schedule(t).astype(like.dtype), like, count, vmap_method="expand_dims")


def _wide(x: Array) -> Array:
    return x.astype(jnp.float32) if x.dtype in (jnp.float16, jnp.bfloat16) else x
