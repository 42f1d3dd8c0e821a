"""`fit(...)`: a model fitted to data by gradient descent, beside the exact answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.errors import DescendError
from descend.judging import plural
from descend.objectives.data import Dataset, dataset
from descend.objectives.objective import Objective
from descend.objectives.regression import (
    LeastSquares,
    Model,
    expected_smoothness,
    model_named,
    parameter_names,
    regression,
)
from descend.rules import Optimizer, Rule
from descend.trace import Trace, strict_json

__all__ = ["Fit", "Scaling", "fit"]

Floats = NDArray[np.float64]

#: Steps with batches, where none are stated: no tolerance can tell that a noisy descent is done.
BATCH_STEPS = 1000
#: A fit has arrived when its MSE exceeds the least possible by no more than these parts of it and of the target's variance.
ARRIVED, ARRIVED_OF_VARIANCE = 1e-4, 1e-8


@dataclass(frozen=True)
class Scaling:
    """What the columns are shifted by and divided by before the descent: centre and scale of X (d,), and of y."""

    centre: Floats
    scale: Floats
    y_centre: float = 0.0
    y_scale: float = 1.0

    @classmethod
    def none(cls, features: int) -> Scaling:
        """The data as it is."""
        return cls(np.zeros(features), np.ones(features))

    @classmethod
    def standard(cls, data: Dataset) -> Scaling:
        """Mean 0 and standard deviation 1 for every column and the target."""
        with np.errstate(all="ignore"):
            scale, y_scale = data.X.std(axis=0), float(data.y.std())
        for name, s in zip((*data.features, data.target), (*scale, y_scale), strict=True):
            if not 0 < s < math.inf:
                what = "large" if s > 0 else "small"
                raise DescendError(f"the values of {name!r} vary too {what}ly to be squared; give them in another unit")
        return cls(data.X.mean(axis=0), scale, float(data.y.mean()), y_scale)

    def apply(self, data: Dataset) -> tuple[Floats, Floats]:
        """X and y as the descent sees them."""
        return (data.X - self.centre) / self.scale, (data.y - self.y_centre) / self.y_scale

    def undo(self, p: Floats) -> Floats:
        """Parameters, shape (..., d + 1), from the descent's units to the data's own."""
        w = p[..., :-1] * (self.y_scale / self.scale)
        b = self.y_centre + self.y_scale * p[..., -1] - w @ self.centre
        return np.concatenate([w, np.asarray(b)[..., None]], axis=-1)

    def do(self, p: Floats) -> Floats:
        """Parameters from the data's own units to the descent's."""
        w = p[..., :-1] * (self.scale / self.y_scale)
        b = (p[..., -1] + p[..., :-1] @ self.centre - self.y_centre) / self.y_scale
        return np.concatenate([w, np.asarray(b)[..., None]], axis=-1)


@dataclass(repr=False)
class Fit:
    """A fitted model: its coefficients in the data's own units, how it got there, and the exact answer beside it."""

    model: Model
    data: Dataset
    #: Weights, shape (features,), and the intercept, in the data's own units.
    coefficients: Floats
    intercept: float
    #: Mean squared error over all rows, in units of the target squared.
    loss: float
    #: The descent as it ran: in standardised units where `scaling` is not trivial.
    trace: Trace
    optimizer: Optimizer
    least_squares: LeastSquares
    scaling: Scaling
    #: The loss over all rows in the descent's units, and the point it started from.
    goal: Objective
    start: Floats
    standardised: bool = True
    batch_size: int | None = None
    seed: int = 0
    #: Why the learning rate was used that was, where none was stated.
    lr_reason: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """`w, b`, or `w1, w2, …, b`."""
        return parameter_names(self.data.features)

    @property
    def r2(self) -> float:
        """The part of the target's variance that the fit explains: 1 − MSE/variance."""
        return 1 - self.loss / float(self.data.y.var())

    @property
    def losses(self) -> Floats:
        """The loss at each recorded step, in units of the target squared (of each step's batch where there are batches)."""
        return self.trace.loss * self.scaling.y_scale**2

    @property
    def path(self) -> Floats | None:
        """Weights and intercept before each step, shape (steps + 1, features + 1), in the data's units; None if over 32."""
        return self.scaling.undo(self.trace.points) if "point" in self.trace else None

    def predict(self, X: ArrayLike) -> Floats:
        """Predictions, shape (n,), for X of shape (n, features), or (n,) where there is one feature."""
        matrix = np.asarray(X, dtype=np.float64)
        count = len(self.data.features)
        if matrix.ndim < 2:
            matrix = matrix.reshape(-1, count) if count == 1 or matrix.size == count else np.atleast_2d(matrix)
        if matrix.ndim != 2 or matrix.shape[1] != count:
            raise DescendError(f"this fit has {plural(count, 'feature')}; X has shape {np.shape(X)}")
        return np.asarray(self.model.predict(matrix, np.append(self.coefficients, self.intercept)))

    def __repr__(self) -> str:
        formula, outcome = self.model.formula(self.data.features, self.data.target), self.trace.outcome
        ended = f", {outcome.kind} after {plural(self.trace.steps, 'step')}" if outcome else ""
        return f"Fit({formula}: {self.model.loss_name} {self.loss:.6g}, R² {self.r2:.4f}{ended})"

    def __str__(self) -> str:
        exact = self.least_squares
        values = [f"{n} = {v:.6g}" for n, v in zip(self.names, [*self.coefficients, self.intercept], strict=True)]
        best = [f"{v:.6g}" for v in [*exact.coefficients, exact.intercept]]
        some = 8 if len(values) > 8 else len(values)
        lines = [
            self.model.formula(self.data.features, self.data.target),
            f"{', '.join(values[:some])}{' …' if some < len(values) else ''}   (least squares: {', '.join(best[:some])})",
            f"{self.model.loss_name} {self.loss:.6g} (least squares {exact.mse:.6g}), R² {self.r2:.4f}",
            ("In standardised units: " if self.standardised else "")
            + (self.trace.outcome.message if self.trace.outcome else ""),
            *self.conclusion(),
        ]
        return "\n".join(line for line in lines if line)

    def conclusion(self) -> list[str]:
        """Whether the descent has arrived at least squares; if not, which direction lags and how long it would take."""
        from descend.fit_report import conclusion

        return conclusion(self)

    def plot(self, **options: Any) -> Any:
        """Draw data, line and descent; with several features predictions and coefficients. Returns a matplotlib Figure."""
        from descend.figures import draw_fit, draw_fit_many

        exact, data = self.least_squares, self.data
        outcome = self.trace.outcome
        settled = outcome is None or outcome.kind not in ("diverged", "failed")
        said = self.conclusion()[0] if settled or outcome is None else outcome.message
        words: dict[str, Any] = {"subtitle": said, "least_loss": exact.mse} | options
        path = self.path
        if len(data.features) == 1 and path is not None:
            words = {"x_label": data.features[0], "y_label": data.target, "label": self.optimizer.name} | words
            best = (float(exact.coefficients[0]), exact.intercept)
            return draw_fit(data.X[:, 0], data.y, path, self.losses, best, **words)
        scaling = Scaling.standard(data)
        mine, best_scaled = (
            scaling.do(np.append(w, b))[:-1]
            for w, b in ((self.coefficients, self.intercept), (exact.coefficients, exact.intercept))
        )
        words = {"y_label": data.target} | words
        return draw_fit_many(data.y, self.predict(data.X), self.losses, data.features, mine, best_scaled, **words)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the steps as plain values; `to_json` makes what is not finite null."""
        from descend.fit_report import as_dict

        return as_dict(self)

    def to_json(self, indent: int | None = None) -> str:
        """The fit as one strict JSON object."""
        return strict_json(self.to_dict(), indent)


def fit(
    data: Any,
    y: Any = None,
    optimizer: Optimizer | Rule | None = None,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    model: str = "linear",
    steps: int | None = None,
    lr: Any = None,
    standardise: bool = True,
    batch_size: int | None = None,
    start: ArrayLike | None = None,
    seed: int = 0,
    callback: Any = None,
) -> Fit:
    """Fit a model to data by gradient descent, and compute the exact answer to compare with.

    Parameters
    ----------
    data
        X of shape (rows, features) or (rows,), with `y` of shape (rows,); or a table: the path of a CSV file (`-`: standard
        input), a mapping of columns, a data frame, a `Dataset`, with the target column's name in `target` (or as `y`).
    optimizer
        `ds.sgd`, `ds.adam(lr=0.1)`, …; by default `sgd`. `lr` is used where it states none; without one it is predicted.
    features
        Columns to predict from; by default all others that hold numbers.
    steps
        Updates to make, all of them. By default up to 1000, until the gradient has vanished; with batches 1000.
    standardise
        Shift and scale every column and the target to mean 0 and deviation 1 for the descent. Undone, exactly, in everything
        the fit reports.
    batch_size
        Rows each step sees, drawn anew with replacement by `seed`. As many as there are, or None: all of them.
    start
        Weights and intercept to start from, shape (features + 1,), in the data's own units; by default zeros in the descent's.

    Raises
    ------
    DescendError
        For data that cannot be fitted; the sentence says which column, row or cell.

    Examples
    --------
    >>> import descend as ds
    >>> found = ds.fit([1, 2, 3, 4, 5], [2, 4, 6, 8, 10], ds.sgd(lr=0.01), steps=2000, standardise=False)
    >>> found.coefficients.round(5), round(found.intercept, 5)
    (array([1.99984]), 0.00059)
    """
    chosen_model = model_named(model)
    rows = dataset(data, y, target=target, features=features)
    scaling = Scaling.standard(rows) if standardise else Scaling.none(len(rows.features))
    X, values = scaling.apply(rows)
    goal = rows.kept.setdefault((model, standardise), regression(X, values, features=rows.features, model=model))
    batches = regression(X, values, features=rows.features, model=model, batch_size=batch_size)
    stepped = batches if batches.stochastic else goal
    first = _start(start, scaling, goal)
    budget = steps if steps is not None or not stepped.stochastic else BATCH_STEPS
    batch = batch_size if stepped.stochastic else None
    exact = _exact(chosen_model, rows, scaling, X, values)
    chosen, reason = _optimizer(optimizer, lr, goal, first, budget, X, batch)
    reason = _of_a_quadratic(reason, exact)

    from descend.loop import descend

    trace = descend(stepped, first, chosen, steps=budget, seed=seed, callback=callback)
    trace.config |= {
        "lr_predicted": bool(reason),
        "data": rows.source,
        "standardised": standardise,
        "centre": [*scaling.centre.tolist(), scaling.y_centre],
        "scale": [*scaling.scale.tolist(), scaling.y_scale],
        "batch_size": batch,
    }
    p = np.asarray(trace.point, dtype=np.float64)
    with np.errstate(all="ignore"):
        loss = float(chosen_model.loss(chosen_model.predict(X, p), values)) * scaling.y_scale**2
        own = scaling.undo(p)
    return Fit(
        model=chosen_model,
        data=rows,
        coefficients=own[:-1],
        intercept=float(own[-1]),
        loss=loss,
        trace=trace,
        optimizer=chosen,
        least_squares=exact,
        scaling=scaling,
        goal=goal,
        start=first,
        standardised=standardise,
        batch_size=batch,
        seed=seed,
        lr_reason=reason,
    )


def _start(start: ArrayLike | None, scaling: Scaling, goal: Objective) -> Floats:
    if start is None:
        return np.zeros(len(goal.variables))
    point = np.asarray(start, dtype=np.float64)
    if point.shape != (len(goal.variables),) or not np.isfinite(point).all():
        raise DescendError(f"the start is one finite number for each of {', '.join(goal.variables)}; got {start!r}")
    return scaling.do(point)


def _optimizer(
    optimizer: Any, lr: Any, goal: Objective, start: Floats, steps: int | None, X: Floats, batch: int | None
) -> tuple[Optimizer, str]:
    """The optimizer with its rate, and why that rate where none was stated."""
    from descend.loop import trial_of
    from descend.optimizers import sgd
    from descend.stability import curvature_at, suggest_lr

    chosen = sgd() if optimizer is None else optimizer() if isinstance(optimizer, Rule) else optimizer
    if not isinstance(chosen, Optimizer):
        raise DescendError(f"an optimizer such as ds.adam(lr=0.1) is needed; got {type(chosen).__name__}")
    if "lr" not in chosen.rule.hyperparameters or "lr" in chosen.stated:
        return chosen, ""
    if lr is not None:
        return chosen.with_values(lr=lr), ""
    found = curvature_at(goal, start)
    if batch is not None and chosen.rule.kind == "linear" and found is not None and found.largest > 0:
        damping = 1 - float(chosen.hyperparameters.get("momentum", 0.0))
        bound = expected_smoothness(X, batch, found.largest)
        rate = float(f"{damping / (2 * bound):.3g}")
        return chosen.with_values(
            lr=rate
        ), f"1/(2𝓛), where batches of {batch} are expected to meet a curvature 𝓛 of {bound:.4g}"
    suggestion = suggest_lr(goal, start, chosen, found=found, trial=trial_of(goal, start, steps or BATCH_STEPS))
    return chosen.with_values(lr=suggestion.lr), suggestion.reason


def _of_a_quadratic(reason: str, exact: LeastSquares) -> str:
    """The reason for a rate in words that hold for the mean squared error, whose curvature is the same everywhere."""
    flat = exact.parameters - exact.rank
    why = "only the largest curvature is known" if not flat else "one direction is flat"
    why = f"{flat} directions are flat" if flat > 1 else why
    return reason.replace(" at this point, since the curvature changes along the way", f", since {why}")


def _exact(model: Model, rows: Dataset, scaling: Scaling, X: Floats, values: Floats) -> LeastSquares:
    """The exact answer in the data's units. Where there are many, the one of least norm as the descent measures it."""
    assert model.exact is not None
    with np.errstate(all="ignore"):
        found = model.exact(X, values)
        own = scaling.undo(np.append(found.coefficients, found.intercept))
    return LeastSquares(own[:-1], float(own[-1]), found.mse * scaling.y_scale**2, found.rank, found.parameters)
