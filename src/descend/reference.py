"""L-BFGS by SciPy: not one of descend's rules, but what a comparison should be read against on a small smooth problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.engine import jax_switch

__all__ = ["Reference", "lbfgs"]


@dataclass(frozen=True)
class Reference:
    """Where L-BFGS got to, and what it took: each evaluation is one loss and one gradient, like a step of a descent."""

    loss: float
    point: np.ndarray
    evaluations: int
    message: str


def lbfgs(goal: Any, start: Any, *, evaluations: int = 1000) -> Reference | None:
    """Minimise with scipy.optimize's L-BFGS-B (10 pairs, Nocedal & Wright 2006, algorithm 7.5) from one array of numbers.

    None for objectives that JAX cannot differentiate and for stochastic ones.

    >>> import numpy as np
    >>> from descend.objectives import resolve
    >>> found = lbfgs(resolve("rosenbrock"), np.array([-1.2, 1.0]))
    >>> found.loss < 1e-9, found.evaluations < 100
    (True, True)
    """
    if goal.backend != "jax" or goal.stochastic or not isinstance(start, np.ndarray):
        return None
    import jax
    from scipy.optimize import minimize

    with jax_switch(True):
        both = jax.jit(jax.value_and_grad(goal.fun))

        def value_and_grad(p: Any) -> tuple[float, Any]:
            value, grad = both(p)
            return float(value), np.asarray(grad, dtype=np.float64)

        with np.errstate(all="ignore"):
            options = {"maxfun": evaluations, "maxiter": evaluations, "ftol": 0.0, "gtol": 1e-10}
            found = minimize(value_and_grad, np.asarray(start, dtype=np.float64), jac=True, method="L-BFGS-B", options=options)
    return Reference(float(found.fun), found.x, int(found.nfev), str(found.message))
