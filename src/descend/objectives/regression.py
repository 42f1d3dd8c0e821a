"""Models on data as objectives: what predicts, what is minimised, and the exact answer to compare with.

Parameters are one vector of shape (features + 1,): weights, then intercept. `X` has shape (rows, features), `y` (rows,).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.errors import DescendError
from descend.objectives.objective import Objective
from descend.ondata import OnData

__all__ = [
    "MODELS",
    "LeastSquares",
    "Model",
    "expected_smoothness",
    "least_squares",
    "model_named",
    "mse",
    "mse_gradient",
    "parameter_names",
    "regression",
]

Array = Any
Floats = NDArray[np.float64]

#: Up to so many numbers the compiled code, and with it the data, is kept for the next descent on the same objective.
KEPT = 20_000


# -- the mean squared error, by hand --------------------------------------------------------------------------------------


def mse(X: ArrayLike, y: ArrayLike, w: ArrayLike, b: float = 0.0) -> float:
    """Mean squared error of Xw + b: X of shape (n, d), y of shape (n,), w of shape (d,). In units of y squared.

    >>> mse([[1.0], [2.0]], [2.0, 4.0], [1.0])
    2.5
    """
    r = np.asarray(X) @ np.asarray(w) + b - np.asarray(y)
    return float(np.mean(r * r))


def mse_gradient(X: ArrayLike, y: ArrayLike, w: ArrayLike, b: float = 0.0) -> tuple[Floats, float]:
    """Its gradient: (2/n) Xᵀ(Xw + b − y), of the shape of w, and 2 mean(Xw + b − y) for b.

    >>> mse_gradient([[1.0], [2.0]], [2.0, 4.0], [1.0])
    (array([-5.]), -3.0)
    """
    matrix = np.asarray(X, dtype=np.float64)
    r = matrix @ np.asarray(w) + b - np.asarray(y)
    return 2 / len(r) * (matrix.T @ r), float(2 * np.mean(r))


# -- the registry of models -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """What predicts y from X under parameters p, what is minimised, and the exact minimum where one can be computed."""

    name: str
    title: str
    #: The name of the loss.
    loss_name: str
    #: (X of shape (n, d), p of shape (d + 1,)) -> predictions of shape (n,); on NumPy and JAX arrays alike.
    predict: Callable[[Array, Array], Array]
    #: (predictions, y) -> each row's loss, shape (n,); the model's is their mean.
    each: Callable[[Array, Array], Array]
    #: The model in a line of mathematics, from the features' and the target's names.
    formula: Callable[[tuple[str, ...], str], str]
    #: (X, y) -> the exact minimum.
    exact: Callable[[Floats, Floats], LeastSquares] | None = None

    def loss(self, predicted: Array, y: Array) -> Array:
        """One number."""
        return self.each(predicted, y).mean()


@dataclass(frozen=True)
class LeastSquares:
    """The exact minimum of the mean squared error, in the units of the data it was computed from."""

    coefficients: Floats
    intercept: float
    mse: float
    #: Independent columns, the intercept's counted; fewer than there are parameters: many lines fit equally well.
    rank: int
    parameters: int

    @property
    def full_rank(self) -> bool:
        """Whether there is one answer only."""
        return self.rank == self.parameters


def _linear(X: Array, p: Array) -> Array:
    return X @ p[:-1] + p[-1]


def _square(predicted: Array, y: Array) -> Array:
    r = predicted - y
    return r * r


def _linear_formula(features: tuple[str, ...], target: str) -> str:
    *weights, intercept = parameter_names(features)
    shown = [f"{w}·{x}" for w, x in zip(weights, features, strict=True)]
    if len(shown) > 5:
        shown = [*shown[:3], "…", shown[-1]]
    return f"{target} = {' + '.join(shown)} + {intercept}"


def least_squares(X: ArrayLike, y: ArrayLike) -> LeastSquares:
    """Weights and intercept of the least mean squared error, by singular values (numpy.linalg.lstsq).

    Columns are centred and scaled first, so that data in unlike units loses no digits. Where several answers fit equally well
    (fewer independent columns than parameters) it is the one of smallest norm, weights and intercept together.

    >>> found = least_squares([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    >>> found.coefficients.round(12), round(found.intercept, 12) + 0.0, found.full_rank
    (array([2.]), 0.0, True)
    """
    matrix, values = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    count = matrix.shape[1] + 1
    centre, scale = matrix.mean(axis=0), matrix.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    middle = values.mean()
    w, _, rank, _ = np.linalg.lstsq((matrix - centre) / scale, values - middle, rcond=None)
    w = w / scale
    b = middle - float(centre @ w)
    if rank + 1 < count:
        both = np.linalg.lstsq(np.column_stack([matrix, np.ones(len(matrix))]), values, rcond=None)[0]
        w, b = both[:-1], both[-1]
    return LeastSquares(w, float(b), mse(matrix, values, w, float(b)), int(rank) + 1, count)


MODELS: dict[str, Model] = {
    "linear": Model("linear", "linear regression", "MSE", _linear, _square, _linear_formula, least_squares),
}


def model_named(name: str) -> Model:
    """The model of that name, or a `DescendError` listing those there are."""
    if name not in MODELS:
        raise DescendError(f"there is no model {name!r}; there is {', '.join(MODELS)}")
    return MODELS[name]


def parameter_names(features: Sequence[str]) -> tuple[str, ...]:
    """`w, b` for one feature, `w1, w2, …, b` for more; other letters where the data uses these itself.

    >>> parameter_names(["x"]), parameter_names(["a", "b"])
    (('w', 'b'), ('w1', 'w2', 'b0'))
    """
    intercept = "b0" if "b" in features else "b"
    if len(features) == 1 and features[0] != "w":
        return ("w", intercept)
    letter = "k" if any(re.fullmatch(r"w\d*", name) for name in features) else "w"
    return (*(f"{letter}{i + 1}" for i in range(len(features))), intercept)


# -- as an objective ------------------------------------------------------------------------------------------------------


def regression(
    X: Floats, y: Floats, *, features: Sequence[str] = (), model: str = "linear", batch_size: int | None = None
) -> Objective:
    """A model's loss on data as an objective of its parameters, a vector of shape (features + 1,).

    With a `batch_size` below the number of rows each step sees that many rows only, drawn afresh with replacement from all of
    them: the loss is then that of the batch, whose mean is the loss of all rows.

    >>> import descend as ds
    >>> ds.descend(regression(np.array([[1.0], [2.0]]), np.array([2.0, 4.0])), [0, 0], ds.sgd(lr=0.1), steps=1).loss[0]
    np.float64(10.0)
    """
    chosen, rows = model_named(model), len(y)
    names = parameter_names(features or ["x"] * X.shape[1])
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
        raise DescendError(f"batch_size must be a whole number of at least 1; got {batch_size!r}")
    if batch_size is None or batch_size >= rows:
        return Objective(
            fun=_on_data(chosen, X, y),
            name=chosen.name,
            text=f"{chosen.loss_name}({', '.join(_few(names))}) over {rows:,} rows",
            variables=names,
            start=(0.0,) * len(names),
            immutable=X.size <= KEPT,
        )

    def batch_loss(p: Array, key: Array) -> Array:
        import jax
        import jax.numpy as jnp

        at = jax.random.randint(key, (batch_size,), 0, rows, dtype=jnp.int32)  # the same rows in either precision
        return chosen.loss(chosen.predict(jnp.asarray(X)[at], p), jnp.asarray(y)[at])

    return Objective(
        fun=batch_loss,
        name=chosen.name,
        text=f"{chosen.loss_name}({', '.join(_few(names))}) over batches of {batch_size:,} of {rows:,} rows",
        variables=names,
        start=(0.0,) * len(names),
        stochastic=True,
    )


def _on_data(model: Model, X: Floats, y: Floats) -> Callable[[Array], Array]:
    """The loss on these rows. Few rows are filled up to a power of two, so that one program serves any number near theirs."""

    def plain(p: Array) -> Array:
        return model.loss(model.predict(X, p), y)

    if X.size > KEPT:
        return plain
    more = (1 << max(3, (len(y) - 1).bit_length())) - len(y)
    padded = np.pad(X, ((0, more), (0, 0))), np.pad(y, (0, more)), np.array(float(len(y)))
    return OnData(plain, _of_rows(model.name), padded)


@lru_cache
def _of_rows(name: str) -> Callable[..., Array]:
    """A model's mean loss over the first `rows` rows, as a function of p, X, y and `rows`."""
    model = model_named(name)

    def loss(p: Array, X: Array, y: Array, rows: Array) -> Array:
        import jax.numpy as jnp

        own = jnp.arange(len(y)) < rows
        return jnp.where(own, model.each(model.predict(X, p), y), 0).sum() / rows

    return loss


def _few(names: tuple[str, ...]) -> tuple[str, ...]:
    return names if len(names) <= 6 else (*names[:2], "…", names[-1])


def expected_smoothness(X: Floats, batch_size: int, largest: float) -> float:
    """The curvature a batch of the mean squared error is expected to meet, from that of all rows and of the steepest row.

    𝓛 = L (B − 1)/B + L_max/B for rows drawn with replacement, where L (`largest`) is the largest eigenvalue of the Hessian of
    all rows and L_max that of the row it is largest for. Gower et al. 2019, "SGD: general analysis and improved rates":
    plain descent converges to the neighbourhood of the minimum at rates up to 1/(2𝓛).
    """
    steepest = 2 * float((np.einsum("ij,ij->i", X, X) + 1).max())
    return largest * (batch_size - 1) / batch_size + steepest / batch_size
