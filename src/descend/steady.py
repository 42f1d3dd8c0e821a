"""A user's function that was seen before, as an objective that cannot change: nothing of it is traced again.

A function is somebody's, and what it closes over may have changed since the last descent: to trace it anew takes milliseconds.
Where its fingerprint says that it computes what it did, the program traced the second time stands for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from descend.engine import jax_switch
from descend.objectives import Objective
from descend.objectives.fingerprint import fingerprint
from descend.tracing import inner_arrays, remember, structure_of
from descend.trees import flatten

__all__ = ["known_by", "steady"]

Array = Any

#: The programs of functions seen before, by what they are found by; True for those seen once, None where there is no program.
_programs: OrderedDict[Any, Callable[[Any], Any] | bool | None] = OrderedDict()


def known_by(function: Any) -> Any:
    """What an equal function is found by; None where what it computes cannot be told without tracing it."""
    told = fingerprint(function)
    if told is None:
        return None
    try:
        import jax
        from jax._src.config import trace_context  # the settings that decide what is traced; there is no public name for them

        context = jax.config.jax_default_prng_impl, trace_context()  # type: ignore[attr-defined]
        hash(context)
    except Exception:  # another version of JAX: functions are traced as ever
        return None
    return told, context


def steady(goal: Objective, leaves: Sequence[Array], rebuild: Callable[[Any], Any]) -> Objective:
    """The objective for parameters like these; one that cannot change from its second time on, where that can be told."""
    if goal.immutable or goal.backend != "jax" or goal.grad is not None or goal.stochastic:
        return goal
    if any(leaf.dtype != np.float64 for leaf in leaves) or not _plain(rebuild(list(leaves))):
        return goal
    told = known_by(goal.fun)
    if told is None:
        return goal
    key = (told, structure_of(rebuild, len(leaves)), *((leaf.shape, leaf.dtype) for leaf in leaves))
    program = _programs.get(key, False)
    if program is False:  # to trace it now would be to trace those twice whose data are new each time
        remember(_programs, key, True)
        return goal
    if program is True:
        program = _traced(goal.fun, leaves, rebuild)
    remember(_programs, key, program)
    return replace(goal, fun=program, immutable=True) if callable(program) else goal


def _plain(tree: Any) -> bool:
    """Whether a tree is made of arrays in lists, tuples and dicts: nodes of other kinds may have methods that change."""
    kind = type(tree)
    if kind is dict:
        return all(_plain(v) for v in tree.values())
    return all(_plain(v) for v in tree) if kind in (list, tuple) else isinstance(tree, np.ndarray)


def _traced(fun: Callable[[Any], Any], leaves: Sequence[Array], rebuild: Callable[[Any], Any]) -> Callable[[Any], Any] | None:
    """The function as a program with arrays of its own; None where there is none, or some stay within it."""
    import jax

    try:
        with jax_switch(wide=True):
            closed = jax.make_jaxpr(lambda values: fun(rebuild(list(values))))(list(leaves))
    except Exception:  # the loop says what is wrong with it
        return None
    one = [(out.shape, np.issubdtype(out.dtype, np.floating)) for out in closed.out_avals] == [((), True)]
    if not one or next(inner_arrays(closed.jaxpr), None) is not None:
        return None
    consts = [c.copy() if isinstance(c, np.ndarray) else c for c in closed.consts]

    def program(p: Any) -> Any:
        return jax.core.eval_jaxpr(closed.jaxpr, consts, *flatten(p)[0])[0]

    return program
