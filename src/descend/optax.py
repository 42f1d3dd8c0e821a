"""A rule as an optax transformation.

tx = descend.optax.as_transformation(descend.lion(lr=1e-4))
updates, state = tx.update(grads, tx.init(params), params)
params = optax.apply_updates(params, updates)
"""

from __future__ import annotations

from collections.abc import Sequence
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

    #: Updates made so far.
    count: Array
    #: The float hyperparameters as they stand: a training loop may set them, as with `optax.inject_hyperparams`.
    hyperparams: dict[str, Array]
    #: Single numbers that are the same for all arrays, such as running powers of β.
    shared: Slots
    #: The slots of each array, in the order of the parameters' leaves.
    slots: list[Slots]


def as_transformation(optimizer: Optimizer | Rule) -> optax.GradientTransformation:
    """A rule as an `optax.GradientTransformation`; `update` needs the parameters.

    The updates are the difference of the new and the old parameters, which is exact wherever the two are within a factor of
    two; for parameters in half precision they are float32, so that small steps survive until they are applied.
    `state.hyperparams` holds the float hyperparameters and may be changed between updates; schedules write theirs into it.

    >>> import jax.numpy as jnp
    >>> from descend.optimizers import adam
    >>> tx, p = as_transformation(adam(lr=0.1)), jnp.array([4.0, 3.0])
    >>> updates, state = tx.update(2 * p, tx.init(p), p)
    >>> p + updates
    Array([3.9, 2.9], dtype=float32)
    """
    bound = optimizer() if isinstance(optimizer, Rule) else optimizer
    if not isinstance(bound, Optimizer):
        raise DescendError(f"as_transformation takes a rule such as adam(lr=1e-3); got {type(optimizer).__name__}")
    drive = _Driven(bound)
    return optax.GradientTransformation(drive.init, drive.update)


class _Driven:
    """The two functions of a transformation."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        slots = optimizer.rule.slots
        self._common = {name for name, slot in slots.items() if slot.power_of is not None or slot.counts}
        self._schedules = optimizer.scheduled
        structural = set(optimizer.structural)
        self._floats = [name for name in optimizer.hyperparameters if name not in structural]

    def init(self, params: Any) -> RuleState:
        leaves = [jnp.asarray(p) for p in jax.tree_util.tree_leaves(params)]
        kind = _number_type(leaves)
        slots = []
        for p, own in zip(leaves, self.optimizer.init_leaves(leaves)["slots"], strict=True):
            slots.append({k: _slot(v, self.optimizer.rule.slots[k].shape, p, kind) for k, v in own.items()})
        shared = {k: v for own in slots for k, v in own.items() if k in self._common}
        values = self.optimizer.at_step(0)
        hyperparams = {name: jnp.asarray(values[name], kind) for name in self._floats}
        own = [{k: v for k, v in s.items() if k not in self._common} for s in slots]
        return RuleState(jnp.zeros((), jnp.int32), hyperparams, shared, own)

    def update(self, grads: Any, state: RuleState, params: Any = None) -> tuple[Any, RuleState]:
        if params is None:
            raise DescendError(f"{self.optimizer.name} needs the parameters: call update(grads, state, params)")
        leaves, tree = jax.tree_util.tree_flatten(params)
        leaves = [_wide(jnp.asarray(p)) for p in leaves]
        hyperparams = state.hyperparams | self._scheduled(state)
        hyper = self.optimizer.structural | hyperparams
        slots = self._joined(leaves, state, hyper)
        gradients = [_wide(jnp.asarray(g)) for g in jax.tree_util.tree_leaves(grads)]
        new, after = self.optimizer.step_leaves(leaves, gradients, {"t": state.count, "slots": slots}, hyper)
        updates = [(q - p).astype(p.dtype) for q, p in zip(new, leaves, strict=True)]
        fixed = [{k: jnp.asarray(v, s[k].dtype) for k, v in own.items()} for own, s in zip(after["slots"], slots, strict=True)]
        shared = {k: v for own in fixed for k, v in own.items() if k in self._common}
        kept = [{k: v for k, v in own.items() if k not in self._common} for own in fixed]
        return jax.tree_util.tree_unflatten(tree, updates), RuleState(state.count + 1, hyperparams, shared, kept)

    def _joined(self, leaves: Sequence[Array], state: RuleState, hyper: dict[str, Any]) -> list[Slots]:
        rule = self.optimizer.rule
        return [
            own | {k: v for k, v in state.shared.items() if rule.slots[k].kept(p, dict(self.optimizer.values))}
            for p, own in zip(leaves, state.slots, strict=True)
        ]

    def _scheduled(self, state: RuleState) -> dict[str, Array]:
        return {name: _at(schedule, state.count, state.hyperparams[name].dtype) for name, schedule in self._schedules.items()}


def _at(schedule: Schedule, count: Array, dtype: Any) -> Array:
    """A schedule's value; under jit it is asked for from outside the compiled program."""
    if not isinstance(count, jax.core.Tracer):
        return jnp.asarray(schedule(count), dtype)
    like = jax.eval_shape(lambda: jnp.zeros((), dtype))
    return jax.pure_callback(lambda t: schedule(t).astype(dtype), like, count, vmap_method="expand_dims")


def _number_type(leaves: Sequence[Array]) -> Any:
    return jnp.float64 if any(p.dtype == jnp.float64 for p in leaves) else jnp.float32


def _slot(value: Any, shape: str, p: Array, kind: Any) -> Array:
    return jnp.asarray(value, kind if shape == "scalar" else p.dtype)


def _wide(x: Array) -> Array:
    return x.astype(jnp.float32) if x.dtype in (jnp.float16, jnp.bfloat16) else x
