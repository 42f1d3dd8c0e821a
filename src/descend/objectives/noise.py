"""An objective whose gradient is seen through noise, as a minibatch sees it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.objectives.lookup import resolve
from descend.objectives.objective import Objective

__all__ = ["noisy"]


def noisy(goal: str | Objective | Callable[..., Any], sigma: float) -> Objective:
    """The same objective with normal noise on its gradient: what a minibatch does, with the batch's size as one number.

    Parameters
    ----------
    goal
        An expression, a surface's name, an `Objective`, or a function that JAX can differentiate.
    sigma
        Standard deviation of the noise on each entry of the gradient, in the units of the gradient; independent for each
        entry and each step, and given by the descent's seed.

    Returns
    -------
    Objective
        Its loss is the true one, f(p); its gradient is ∇f(p) + sigma·ξ with ξ ~ N(0, I). `goal` itself where sigma is 0.

    Raises
    ------
    DescendError
        For a sigma that is negative or not finite, and for objectives that JAX does not differentiate or that are random
        already.

    Notes
    -----
    The additive model of Robbins & Monro 1951; Bottou, Curtis & Nocedal 2018, section 4.1, with the constant variance of
    their assumption 4.3 (M_V = 0).

    Examples
    --------
    >>> import descend as ds
    >>> quiet = ds.descend("x^2", [1.0], ds.sgd(lr=0.1), steps=100)
    >>> seen = ds.descend(ds.noisy("x^2", 0.5), [1.0], ds.sgd(lr=0.1), steps=100, seed=1)
    >>> bool(quiet.loss[-1] < 1e-18), bool(seen.loss[-1] > 1e-6)
    (True, True)
    """
    known = resolve(goal)
    if isinstance(sigma, bool) or not isinstance(sigma, int | float | np.number) or not 0 <= float(sigma) < math.inf:
        raise DescendError(f"noise is a standard deviation, a finite number of at least 0; got {sigma!r:.40}")
    if sigma == 0:
        return known
    if known.stochastic:
        raise DescendError(f"{known.name} is random already; noise is for objectives that are not")
    if known.backend != "jax" or known.grad is not None:
        raise DescendError(f"noise needs an objective that JAX differentiates; {known.name} has its gradient from elsewhere")
    return replace(
        known,
        fun=_with_noise(known.fun, float(sigma)),
        text=f"{known.text} with noise {sigma:g} on its gradient",
        stochastic=True,
        expression=None,
    )


def _with_noise(fun: Callable[[Any], Any], sigma: float) -> Callable[[Any, Any], Any]:
    scale = np.array([sigma])  # an array closed over is an argument of the compiled program: another sigma compiles nothing

    def seen(p: Any, key: Any) -> Any:
        import jax
        import jax.numpy as jnp

        leaves = jax.tree_util.tree_leaves(p)
        value = fun(p)
        for leaf, own in zip(leaves, jax.random.split(key, len(leaves)), strict=True):
            here = jnp.asarray(leaf)
            # 0 in value, the identity in gradient; where p is infinite already, inf − inf would make a NaN of the loss
            moved = jnp.where(jnp.isfinite(here), here - jax.lax.stop_gradient(here), 0.0)
            drawn = jax.random.normal(own, here.shape, here.dtype)
            value = value + jnp.sum(jnp.asarray(scale).astype(here.dtype)[0] * drawn * moved)
        return value

    return seen
