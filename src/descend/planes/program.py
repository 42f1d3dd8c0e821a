"""One descent as a scalar program, and a chunk of them as that program under vmap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from descend.rules import Optimizer

if TYPE_CHECKING:
    from descend.planes.job import Job

__all__ = ["program"]

Array = Any

#: Compiled programs kept.
KEPT = 64
_compiled: dict[Any, tuple[Any, Any]] = {}


#: Gradients of up to this many numbers are looked at one by one.
FEW = 4


def program(job: Job) -> Callable[..., Any]:
    """The compiled program for a chunk, found again for an equal objective, rule and set of axes.

    It takes (constants, start arrays, fixed hyperparameters, axis values, marks, minimum, tol), of which only the axis values
    have a row per descent, and returns snapshots (n, marks, 3) of loss, gradient norm and the gradient's largest part until the
    next mark, (n, 3, 3) lowest, highest and summed loss of the first half and the last two quarters, the step at the tolerance,
    and the last point.
    """
    key = (job.traced.text, job.shapes, job.optimizer.structure, tuple(map(str, job.targets)), job.points)
    if key not in _compiled:
        if len(_compiled) >= KEPT:
            _compiled.pop(next(iter(_compiled)))
        _compiled[key] = (_built(job), job.traced)  # the trace is kept, so that what it refers to stays
    found: Callable[..., Any] = _compiled[key][0]
    return found


def _built(job: Job) -> Callable[..., Any]:
    import jax

    made = _Descent(job.optimizer, tuple(job.targets), job.traced.closed.jaxpr, bool(job.points))
    return jax.jit(jax.vmap(made.run, in_axes=(None, None, None, 0, None, None, None)))


@dataclass(frozen=True)
class _Descent:
    """What one descent's program is made of; everything here is fixed when it is compiled."""

    optimizer: Optimizer
    targets: tuple[tuple[str, Any], ...]
    jaxpr: Any
    points: bool

    def run(self, consts: Any, first: Any, fixed: Any, values: Any, marks: Any, floor: Any, tol: Any) -> Any:
        """A whole descent: stretch after stretch, with a snapshot at the start of each."""
        import jax
        import jax.numpy as jnp

        leaves, hyper, own = self.placed(first, fixed, values)
        number, count = leaves[0].dtype, marks.shape[0]
        step = self.stepper(consts, hyper, own)
        nothing = jnp.asarray([jnp.inf, -jnp.inf, 0], number)

        def stretch(i: Any, carry: Any) -> Any:
            leaves, slots, stats, hit, goal, snaps = carry
            loss, size = self.seen(consts, leaves, slots)
            goal = jnp.where(i == 0, floor + tol * (loss - floor), goal)
            snaps = snaps.at[i, :2].set(jnp.stack([loss, size]).astype(number))
            hit = jnp.where((i == count - 1) & (hit < 0) & (loss <= goal), marks[-1], hit)
            part = jnp.clip(i - (count - 4), 0, 2)  # all but the last three stretches are the first half
            low, high, total = stats[part]
            inside = (leaves, slots, low, high, total, hit, goal, jnp.zeros((), number))
            end = jnp.where(i < count - 1, marks[jnp.minimum(i + 1, count - 1)], marks[i])
            leaves, slots, low, high, total, hit, _, peak = jax.lax.fori_loop(marks[i], end, step, inside)
            return leaves, slots, stats.at[part].set(jnp.stack([low, high, total])), hit, goal, snaps.at[i, 2].set(peak)

        carry = (
            leaves,
            _first_slots(self.optimizer, leaves, hyper),
            jnp.tile(nothing, (3, 1)),
            jnp.asarray(-1, marks.dtype),
            jnp.asarray(-jnp.inf, number),
            jnp.zeros((count, 3), number),
        )
        leaves, slots, stats, hit, _, snaps = jax.lax.fori_loop(0, count, stretch, carry)
        last = [x.reshape(-1) for x in self.shown(leaves, slots)] if self.points else [jnp.zeros(0, number)]
        return snaps, stats, hit, jnp.concatenate(last)

    def placed(self, first: Any, fixed: Any, values: Any) -> tuple[list[Array], dict[str, Any], list[dict[str, Array]]]:
        """Axis values where they belong: start arrays, hyperparameters, and hyperparameters of one array."""
        hyper, leaves = self.optimizer.structural | fixed, list(first)
        own: list[dict[str, Array]] = [{} for _ in leaves]
        for (kind, where), value in zip(self.targets, values, strict=True):
            if kind == "hyper":
                hyper[where] = value
            elif kind == "leaf":
                own[where[1]][where[0]] = value
            else:
                leaves[0] = leaves[0].at[where].set(value)
        return leaves, hyper, own

    def evaluate(self, consts: Any, leaves: Any) -> tuple[Array, list[Array]]:
        """Loss and gradients."""
        import jax

        loss, *grads = jax.core.eval_jaxpr(self.jaxpr, consts, *leaves)
        return loss, grads

    def shown(self, leaves: Any, slots: Any) -> Any:
        """The point the rule reports."""
        return self.optimizer.report(leaves, {"slots": slots}) if self.optimizer.reports_elsewhere else leaves

    def seen(self, consts: Any, leaves: Any, slots: Any) -> tuple[Array, Array]:
        """Loss at the point the rule reports and gradient norm at the point it steps from, as a trace has them."""
        import jax.numpy as jnp

        loss, grads = self.evaluate(consts, leaves)
        if self.optimizer.reports_elsewhere:
            loss, _ = self.evaluate(consts, self.shown(leaves, slots))
        flat = jnp.concatenate([g.reshape(-1) for g in grads])
        largest = jnp.max(jnp.abs(flat))  # squares of very small or large parts would leave the range of numbers
        unit = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
        return loss, unit * jnp.sqrt(jnp.sum((flat / unit) ** 2))

    def stepper(self, consts: Any, hyper: dict[str, Any], own: list[dict[str, Array]]) -> Callable[[Any, Any], Any]:
        """One update, with the running lowest, highest and summed loss and the running largest part of the gradient."""
        import jax
        import jax.numpy as jnp

        rule = self.optimizer.rule

        def moved(k: Any, leaves: Any, grads: Any, slots: Any) -> Any:
            if not any(own):
                new, state = self.optimizer.step_leaves(leaves, grads, {"t": k, "slots": slots}, hyper)
                return new, state["slots"]
            each = rule.apply_all(grads, leaves, slots, [{name: hyper[name] for name in rule.hyperparameters} | o for o in own])
            return [p for p, _ in each], [s for _, s in each]

        def step(k: Any, carry: Any) -> Any:
            leaves, slots, low, high, total, hit, goal, peak = carry
            loss, grads = self.evaluate(consts, leaves)
            for part in _parts(grads):
                size = jnp.abs(part).astype(peak.dtype)
                peak = jnp.where(size > peak, size, peak)
            seen = self.evaluate(consts, self.shown(leaves, slots))[0] if self.optimizer.reports_elsewhere else loss
            seen = seen.astype(low.dtype)
            low, high = jnp.where(seen < low, seen, low), jnp.where(seen > high, seen, high)
            hit = jnp.where((hit < 0) & (seen <= goal), k, hit)
            after = moved(k, leaves, grads, slots)
            new = jax.tree_util.tree_map(lambda old, x: jnp.asarray(x, old.dtype), (leaves, slots), after)
            return *new, low, high, total + seen, hit, goal, peak

        return step


def _parts(arrays: Any) -> list[Any]:
    """Single entries where there are few, so that nothing is reduced inside the loop; the largest of each array otherwise."""
    import jax.numpy as jnp

    if sum(a.size for a in arrays) <= FEW:
        return [a.reshape(-1)[i] for a in arrays for i in range(a.size)]
    return [jnp.max(jnp.abs(a)) for a in arrays]


def _first_slots(optimizer: Optimizer, leaves: Sequence[Array], hyper: Mapping[str, Any]) -> list[dict[str, Array]]:
    """The first state with hyperparameters that may be traced: numbers become arrays of the parameter's type."""
    import jax.numpy as jnp

    rule, slots = optimizer.rule, []
    own = {k: hyper[k] for k in rule.hyperparameters}
    for p in leaves:
        fresh = rule.start(p, own)
        slots.append({name: jnp.asarray(getattr(fresh, name), p.dtype) for name in rule.kept_slots(p, own)})
    return slots
