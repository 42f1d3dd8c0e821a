"""What runs a descent: one compiled JAX program. What JAX cannot trace is made a step at a time, in `stepwise`.

An engine holds the parameters and the optimizer's state. `advance(n)` makes n updates and returns a row for each point it
left; `peek()` returns the row of the point it stands on; `rewind(k)` goes back to where only k of the last n were made. Stop
rules are judged on the rows, outside: the compiled loop does nothing but evaluate, record and update, and XLA turns so small
a loop into one function, some twenty times faster on a CPU than an operation at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.compiled import Loop, Plain, Vector, Written, besides, capacity, compiled_loop, packing
from descend.objectives import Objective
from descend.ondata import data_of, identity
from descend.rows import Rows
from descend.rules import Optimizer
from descend.tracing import Traced, remember, structure_of, trace_objective

__all__ = ["Ending", "Engine", "JaxEngine", "Repeat", "jax_switch"]

Array = Any
Floats = NDArray[np.float64]


class Ending:
    """Where a descent ended, as NumPy arrays: looked at when it is wanted, and once.

    `look` gives the parameters and the state; `leaves` the parameters alone, where that is cheaper.
    """

    def __init__(
        self, look: Callable[[], tuple[list[Array], dict[str, Any]]], leaves: Callable[[], list[Array]] | None = None
    ) -> None:
        self._look: Callable[[], tuple[list[Array], dict[str, Any]]] | None = look
        self._leaves = leaves
        self._seen: tuple[list[Array], dict[str, Any]] | None = None

    def leaves(self) -> list[Array]:
        """The parameters."""
        return self._both()[0] if self._leaves is None else self._leaves()

    def state(self) -> dict[str, Any]:
        """The optimizer's state."""
        return self._both()[1]

    def _both(self) -> tuple[list[Array], dict[str, Any]]:
        look = self._look
        if look is not None:
            self._seen, self._look = look(), None
        assert self._seen is not None
        return self._seen


class Engine(Protocol):
    """Keeps a descent's parameters and state, and moves them."""

    #: What a trace's configuration calls it; numbers in the parameters; updates one `advance` can make.
    name: str
    size: int
    capacity: int

    @property
    def t(self) -> int:
        """Updates made so far."""
        ...

    def advance(self, n: int, *, last: bool = False) -> Rows:
        """Make n updates (at most `capacity`); the rows of the n points left behind and, with `last`, of the one reached."""
        ...

    def peek(self) -> Rows:
        """The row of the present point; nothing moves."""
        ...

    def rewind(self, k: int) -> None:
        """Go back to where only k of the updates of the last `advance` were made."""
        ...

    def ending(self) -> Ending:
        """The parameters and the state as they are now."""
        ...


def jax_switch(wide: bool) -> AbstractContextManager[Any]:
    """JAX in float64 for the length of a block when the start point is float64. Never yield to a caller inside it."""
    import jax

    if not wide or getattr(jax.config, "jax_enable_x64", False):
        return _AS_IT_IS
    switch: AbstractContextManager[Any] = jax.enable_x64(True)
    return switch


_AS_IT_IS = nullcontext()


def _slot_type(value: Any, scalar: Any) -> Any:
    """Single numbers are kept in float64 or float32, arrays in the type they have."""
    return getattr(value, "dtype", scalar) if getattr(value, "ndim", 0) else scalar


@dataclass(frozen=True)
class _Plan:
    """What a descent needs that depends on its objective, rule and shapes alone, on none of its numbers."""

    traced: Traced
    handed: Plain
    loop: Loop
    #: The hyperparameters that are arguments.
    rates: tuple[str, ...]
    #: The parameters stand in the rows as they are.
    shown: bool
    #: Leaves and slots before the first step as the compiled program is given them, whatever the leaves hold; None where
    #: the slots begin at something that differs from descent to descent.
    fresh: Any


_plans: OrderedDict[Any, _Plan] = OrderedDict()


def _plan_key(goal: Objective, rebuild: Any, optimizer: Any, leaves: Sequence[Array], points: bool) -> Any:
    """What a plan is found by, or None where it must be made anew: a function that may have changed, rates of other kinds."""
    if not goal.immutable or type(optimizer) is not Optimizer or optimizer.mask is not None:
        return None
    kinds: list[Any] = [optimizer.rule, *optimizer.common]
    for value in (*optimizer.values.values(), *optimizer.common.values()):
        if type(value) is float:
            kinds.append(value == 0)  # whether it is off decides what is computed, its value does not
        elif isinstance(value, bool | int | str):
            kinds.append(value)
        else:
            return None
    shapes = [(leaf.shape, leaf.dtype) for leaf in leaves]
    return (identity(goal.fun), goal.stochastic, *kinds, *shapes, structure_of(rebuild, len(leaves)), points)


def _made_plan(
    goal: Objective, rebuild: Any, optimizer: Any, leaves: list[Array], slots: list[dict[str, Any]], points: bool, scalar: Any
) -> _Plan:
    wide = scalar is np.float64
    with jax_switch(wide):
        traced = trace_objective(goal.fun, leaves, rebuild, immutable=goal.immutable, stochastic=goal.stochastic)
    fixed = optimizer.scheduled.keys() | optimizer.structural.keys()
    hyper = {k: v for k, v in optimizer.hyperparameters.items() if k not in fixed}
    handed = packing((leaves, slots), hyper, scalar)
    loop = compiled_loop(traced, optimizer, leaves, handed, points=points, wide=wide)
    shown = points and [leaf.ndim for leaf in leaves] == [1] and wide and not optimizer.reports_elsewhere
    constant = isinstance(handed, Vector) and isinstance(optimizer, Optimizer) and optimizer.rule.starts_alike
    return _Plan(traced, handed, loop, tuple(hyper), shown, handed.shut((leaves, slots)) if constant else None)


class JaxEngine:
    """The compiled engine. `state` is the optimizer's to go on from; by default its first."""

    name = "jax"

    def __init__(
        self,
        goal: Objective,
        rebuild: Callable[[Sequence[Any]], Any],
        optimizer: Any,
        leaves: list[Array],
        state: dict[str, Any] | None,
        *,
        points: bool = True,
        seed: int = 0,
    ) -> None:
        self.points, self.size, self.capacity = points, sum(leaf.size for leaf in leaves), capacity(leaves, points)
        self._wide = any(leaf.dtype == np.float64 for leaf in leaves)
        key = _plan_key(goal, rebuild, optimizer, leaves, points) if state is None else None
        plan = None if key is None else _plans.get(key)
        if plan is None:
            state = optimizer.init_leaves(leaves) if state is None else state
            scalar = np.float64 if self._wide else np.float32
            slots = [{k: np.asarray(v, _slot_type(v, scalar)) for k, v in s.items()} for s in state["slots"]]
            plan = _made_plan(goal, rebuild, optimizer, leaves, slots, points, scalar)
            shut, t = plan.handed.shut((leaves, slots)), int(state["t"])
            if key is not None and plan.fresh is not None:
                remember(_plans, key, plan)
        else:
            shut, t = np.concatenate([*(leaf.ravel() for leaf in leaves), plan.fresh[self.size :]]), 0
        self._handed, self._loop = plan.handed, plan.loop
        self._consts = plan.traced.consts + data_of(goal.fun)
        # leaves and slots before the first step, which are the same for other leaves of these shapes
        begun = isinstance(plan.handed, Vector) and isinstance(optimizer, Optimizer) and not optimizer.rule.starts_at_p
        self._fresh = shut if begun and not t else None
        self.narrow = plan.traced.narrow if self._wide else []
        self._key = np.array([0, seed], dtype=np.uint32) if goal.stochastic else None
        self._scheduled = optimizer.scheduled
        # whether updates made again later are the same: in float32 they depend on JAX's switch, and a schedule may be anybody's
        steady = goal.immutable and self._wide and not self._scheduled
        self._shown, self._constant = plan.shown, steady and isinstance(plan.handed, Vector)
        hyper = optimizer.hyperparameters
        self._rates = self._handed.shut_rates({name: hyper[name] for name in plan.rates})
        #: Leaves and slots, or None where they are to be made again, and the number of updates made.
        self._at: tuple[Any, int] = (shut, t)
        self._before = self._at

    @property
    def t(self) -> int:
        """Updates made so far."""
        return self._at[1]

    @property
    def pace(self) -> float:
        """Seconds a step of this program took when it was fastest; infinite before it ran."""
        return self._loop.pace

    @pace.setter
    def pace(self, seconds: float) -> None:
        self._loop.pace = min(self._loop.pace, seconds)

    @property
    def data_size(self) -> int:
        """Numbers the objective closes over: what a step reads, beside the parameters."""
        return sum(int(np.size(const)) for const in self._consts)

    def advance(self, n: int, *, last: bool = False) -> Rows:
        """Make n updates (at most `capacity`); the rows of the n points left behind and, with `last`, of the one reached.

        That row comes with an update too many: leaves and slots are made again when they are wanted, if nothing they are made
        of can have changed by then, else it is a call of its own.
        """
        self._before, t = self._at, self.t
        once = last and self._constant
        shut, self._reached = self._called(*self._at, n + once, beyond=last and not once)
        self._at = None if once else shut, t + n
        return self._reached

    def peek(self) -> Rows:
        """The row of the present point; nothing moves."""
        return self._called(*self._at, 1)[1]

    def rewind(self, k: int) -> None:
        """Go back to where only k of the updates of the last `advance` were made."""
        shut, t = self._before
        self._at = (self._moved(shut, t, k)[0] if k else shut), t + k

    def _called(self, shut: Any, t: int, n: int, *, beyond: bool = False) -> tuple[Any, Rows]:
        """Leaves and slots n updates on, and the rows on the way; `beyond`, the row of the point they lead to as well."""
        shut, written = self._moved(shut, t, n, beyond=beyond)
        found = written.take()
        return shut, self._rows(found if found.dtype == np.float64 else found.astype(np.float64))

    def _moved(self, shut: Any, t: int, n: int, *, beyond: bool = False) -> tuple[Any, Written]:
        """The same with the rows where the program wrote them."""
        tables = self._tables(t, n + beyond) if self._scheduled else {}
        more = besides(self._consts, self._key, tables)
        span, one = np.array([0, n, t]), np.array([n, n + 1, t]) if beyond else None
        with jax_switch(self._wide):
            return self._loop(span, shut, self._rates, more, n + beyond, last=one)

    def _tables(self, t: int, n: int) -> dict[str, Floats]:
        """The hyperparameters that follow a schedule, for n steps; as long as any number of steps may need."""
        tables = {}
        for name, schedule in self._scheduled.items():
            tables[name] = np.zeros(self.capacity + 1)
            tables[name][:n] = schedule(np.arange(t, t + n))
        return tables

    def _rows(self, book: Floats) -> Rows:
        return Rows(book[0], book[1], book[2], book[3:].T, book)

    def ending(self) -> Ending:
        """The parameters and the state as they are now."""
        (shut, t), (begun, first) = self._at, self._before
        if shut is not None:
            return Ending(partial(_opened, self._handed, shut, t))
        return self._later(lambda: self._moved(begun, first, t - first)[0], self._reached, t)

    def _later(self, make: Callable[[], Any], rows: Rows, t: int) -> Ending:
        """Leaves and slots as `make` makes them; a point that was written down as it is stands in the rows."""

        def look() -> tuple[list[Array], dict[str, Any]]:
            import jax

            # wherever it is asked for, in the midst of a trace of something else too
            with jax.ensure_compile_time_eval(), jax.numpy_dtype_promotion("standard"):
                return _opened(self._handed, make(), t)

        if not self._shown:
            return Ending(look)
        point = rows.point[-1].copy()  # now: the rows are handed out, and may be written to
        return Ending(look, lambda: [point.copy()])

    def repeat(self, n: int) -> Repeat | None:
        """The first n updates from other starts; None where one call does not make them, or where slots begin at the start."""
        if self._fresh is None or self._scheduled or self._key is not None or not self._wide or n > self.capacity:
            return None
        return Repeat(self, self._fresh, n)


class Repeat:
    """A fixed number of updates from one array of numbers, by the program of an engine: one call, and one array handed over."""

    def __init__(self, engine: JaxEngine, fresh: Floats, n: int) -> None:
        import jax

        self._engine, self._loop, self._n = engine, engine._loop, n
        self._more = besides(engine._consts, None, {})
        with jax_switch(wide=True):
            self._span, self._rates = jax.device_put(np.array([0, n + 1, 0])), jax.device_put(engine._rates)
        self._slots = fresh[engine.size :].tolist()

    def __call__(self, start: list[float]) -> Written:
        """What `read` reads."""
        shut = np.array(start + self._slots)
        with jax_switch(wide=True):  # an interrupt on its way out would leave the switch on: nothing is freed within
            moved = self._loop(self._span, shut, self._rates, self._more, self._n + 1)
        return moved[1]

    def read(self, start: list[float], written: Written) -> tuple[Rows, Ending]:
        """The rows of all n + 1 points, and where it ended."""
        rows = self._engine._rows(written.take())
        return rows, self._engine._later(partial(self._ended, start), rows, self._n)

    def _ended(self, start: list[float]) -> Any:
        return self._engine._moved(np.array(start + self._slots), 0, self._n)[0]


def _opened(handed: Plain, shut: Any, t: int) -> tuple[list[Array], dict[str, Any]]:
    if isinstance(handed, Vector):
        leaves, slots = handed.open(np.array(shut))
        return leaves, {"t": t, "slots": slots}
    leaves, slots = shut
    slots = [{k: np.asarray(v) for k, v in s.items()} for s in slots]
    return [np.asarray(leaf) for leaf in leaves], {"t": t, "slots": slots}
