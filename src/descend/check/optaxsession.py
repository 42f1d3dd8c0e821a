"""In the child process: one run of an optax transformation, compiled where that pays."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from descend.check.loading import Failed
from descend.check.sessions import Session, readable_state

__all__ = ["UNCOMPILED", "OptaxSession"]

Arrays = list[np.ndarray]
Settings = dict[str, Any]

#: Steps of one run that an optax transformation makes operation by operation before its update is compiled.
UNCOMPILED = 60
#: What is compiled anew in every step where it is not part of a compiled update.
_BRANCHES = {"while", "cond", "scan"}


class OptaxSession(Session):
    """An optax transformation: update, then apply.

    Short runs go operation by operation: JAX compiles each operation once for a shape, whatever the settings and whichever the
    optimizer, where a compiled update is of use to one setting only and costs as much as a hundred such steps. Long runs, and
    updates with loops or branches of JAX's own, are compiled.
    """

    def __init__(self, factory: Callable[..., Any], arrays: Arrays, settings: Settings, dtype: str, programs: Settings) -> None:
        import jax
        import jax.numpy as jnp

        self.jax, self.programs, self.taken = jax, programs, 0
        self.key = f"{settings}{[a.shape for a in arrays]}{dtype}"
        with jax.enable_x64(True):
            self.tx = factory(**settings)
            self.params = [jnp.asarray(a, dtype=dtype) for a in arrays]
            self.opt_state = self.tx.init(self.params)

    def step(self, grads: Sequence[np.ndarray | None]) -> None:
        if any(g is None for g in grads):
            raise Failed("optax takes no None gradients")
        with self.jax.enable_x64(True):
            given = [self.jax.numpy.asarray(g, dtype=p.dtype) for g, p in zip(grads, self.params, strict=True)]
            try:
                updates, self.opt_state = self._program(given)(given, self.opt_state, self.params)
            except TypeError as error:
                if "keyword-only" not in str(error):
                    raise
                names = " and ".join(re.findall(r"'(\w+)'", str(error)))
                raise Failed(f"its update asks for {names} as well: of the loss, where a check has gradients alone") from None
            self.params = [p + u for p, u in zip(self.params, updates, strict=True)]
        self.taken += 1

    def _program(self, grads: Any) -> Callable[..., Any]:
        """The update to call: as it is; compiled in a long run or where it branches; as it is where it cannot be compiled."""
        if "branches" not in self.programs:
            self.programs["branches"] = self._branches(grads)
        if self.key in self.programs:
            return self.programs[self.key]  # type: ignore[no-any-return]
        if self.taken < UNCOMPILED and not self.programs["branches"]:
            return self.tx.update  # type: ignore[no-any-return]
        program = self.jax.jit(self.tx.update)
        try:
            program(grads, self.opt_state, self.params)
        except Exception:
            program = self.tx.update
        self.programs[self.key] = program
        return program

    def _branches(self, grads: Any) -> bool:
        """Whether the update has loops or branches of JAX's own; no, where it cannot be traced."""
        try:
            equations = self.jax.make_jaxpr(self.tx.update)(grads, self.opt_state, self.params).jaxpr.eqns
        except Exception:
            return False
        return any(e.primitive.name in _BRANCHES for e in equations)

    def points(self) -> Arrays:
        return [np.array(p) for p in self.params]

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for part in self.opt_state if isinstance(self.opt_state, tuple) else (self.opt_state,):
            for name, value in getattr(part, "_asdict", dict)().items():
                first = value[0] if isinstance(value, list) and value else value
                if hasattr(first, "shape"):
                    found[name] = np.asarray(first)
        return readable_state(found)

    def reload(self) -> None:
        import jax

        leaves, tree = jax.tree_util.tree_flatten(self.opt_state)
        self.opt_state = jax.tree_util.tree_unflatten(tree, [np.array(leaf) for leaf in leaves])
