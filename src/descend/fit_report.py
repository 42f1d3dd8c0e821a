"""What is said about a fit: has it arrived, which direction lags, and everything as plain values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.explain import Explanation, explain
from descend.judging import plural
from descend.objectives.regression import expected_smoothness
from descend.stability import Curvature, curvature_at, direction_name, spectral_radius

if TYPE_CHECKING:
    from descend.fitting import Fit

__all__ = ["as_dict", "conclusion", "explained"]

Floats = NDArray[np.float64]


def explained(fit: Fit) -> Explanation:
    """Why the descent did what it did, and what to try; with batches, what their own curvature adds."""
    told = explain(fit.goal, fit.optimizer, fit.trace, fit.start)
    found = told.statement.curvature
    if fit.batch_size is None or found is None or fit.optimizer.rule.kind != "linear":
        if fit.batch_size is not None:
            told.advice = []
        return told
    met = expected_smoothness(fit.scaling.apply(fit.data)[0], fit.batch_size, found.largest)
    told.why.append(
        f"That is said of all rows; batches of {fit.batch_size} are expected to meet a curvature 𝓛 of {met:.4g}, and plain "
        f"descent on them settles about the minimum at rates up to 1/(2𝓛) = {1 / (2 * met):.3g}."
    )
    told.advice = []  # it would be advice for a descent on all rows
    return told


def conclusion(fit: Fit) -> list[str]:
    """Whether the descent has arrived at least squares; if not, which direction lags and how long it would take."""
    from descend.fitting import ARRIVED, ARRIVED_OF_VARIANCE

    exact, outcome = fit.least_squares, fit.trace.outcome
    if outcome is None or outcome.kind in ("diverged", "failed") or not math.isfinite(fit.loss):
        return ["The fit is of no use: the descent did not settle."]
    sentences = []
    if not exact.full_rank:
        free = plural(exact.parameters - exact.rank, "direction")
        sentences.append(
            f"The data leaves {free} undetermined ({exact.rank} independent columns for {exact.parameters} coefficients): many "
            "answers fit equally well; the one shown as least squares is the smallest."
        )
    excess = fit.loss - exact.mse
    allowed = ARRIVED * exact.mse + ARRIVED_OF_VARIANCE * float(fit.data.y.var())
    if excess <= allowed:
        more = f", {excess:.2g} above the least possible {exact.mse:.6g}" if excess > 0 else ", the least possible"
        return [*sentences, f"Arrived: the {fit.model.loss_name} over all rows is {fit.loss:.6g}{more}."]
    return [*sentences, *_not_there(fit, excess, allowed)]


def _not_there(fit: Fit, excess: float, allowed: float) -> list[str]:
    """The coefficient farthest from its value, the direction that lags, and the steps it still needs."""
    exact = fit.least_squares
    sentence = (
        f"Not there yet: the {fit.model.loss_name} over all rows is {fit.loss:.6g}, {excess:.3g} above the least possible "
        f"{exact.mse:.6g}"
    )
    found = curvature_at(fit.goal, fit.start)
    if found is None or not found.exact:
        return [sentence + "."]
    needed, k = _time_left(fit, found, allowed)
    direction, curvature = direction_name(found.eigenvectors[:, k], fit.names), float(found.eigenvalues[k])
    own, best = np.append(fit.coefficients, fit.intercept), np.append(exact.coefficients, exact.intercept)
    far = int(np.argmax(np.abs(found.eigenvectors[:, k])))
    sentence += f"; {fit.names[far]} is {own[far]:.4g} and belongs at {best[far]:.4g}."
    if fit.batch_size is not None:
        hover = "With batches the coefficients hover about least squares: "
        schedule = "more steps" if fit.optimizer.scheduled else "a schedule that lowers the rate"
        return [sentence, f"{hover}a smaller lr, a larger batch or {schedule} brings them closer."]
    lags = f"The direction that lags is {direction}, of curvature {curvature:.3g}"
    lags += f" (the steepest has {found.largest:.3g})" if curvature < 0.9 * found.largest else ", the steepest there is"
    if fit.optimizer.rule.kind != "linear":
        return [sentence, lags + "."]
    lr = fit.optimizer.at_step(fit.trace.steps).get("lr", math.nan)
    factor = float(spectral_radius(fit.optimizer, lr, curvature))
    if needed is None:
        return [sentence, f"{lags}: at lr {lr:g} it comes no closer."]
    lags += f": each step at lr {lr:g} keeps {_percent(factor)} of its distance"
    return [sentence, f"{lags}, and about {plural(_rounded(needed), 'more step')} would bring it there."]


def _time_left(fit: Fit, found: Curvature, allowed: float) -> tuple[int | None, int]:
    """Steps until the excess loss is within what is allowed, and the direction that carries most of it then.

    Each direction's share of the excess is λa²/2 and shrinks by the square of its factor a step.
    """
    exact = fit.least_squares
    best = fit.scaling.do(np.append(exact.coefficients, exact.intercept))
    amplitudes = found.eigenvectors.T @ (np.asarray(fit.trace.point, dtype=np.float64) - best)
    shares = np.maximum(found.eigenvalues, 0) * amplitudes**2 / 2 * fit.scaling.y_scale**2
    worst = int(np.argmax(shares))
    if fit.optimizer.rule.kind != "linear":
        return None, worst
    lr = fit.optimizer.at_step(fit.trace.steps).get("lr", math.nan)
    factors = spectral_radius(fit.optimizer, lr, found.eigenvalues)
    if np.any((factors >= 1) & (shares > allowed / len(shares))):
        return None, int(np.argmax(np.where(factors >= 1, shares, 0)))

    def left(steps: float) -> Floats:
        return np.asarray(shares * np.minimum(factors, 1.0) ** (2 * steps))

    low, high = 0.0, 1.0
    while left(high).sum() > allowed and high < 1e15:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle).sum() > allowed else (low, middle)
    return math.ceil(high), int(np.argmax(left(high)))


def _percent(fraction: float) -> str:
    digits = max(1, min(6, int(-math.log10(max(1 - fraction, 1e-6)))))
    return f"{100 * fraction:.{digits}f}%"


def _rounded(count: int) -> int:
    """Two digits: more would be a false promise."""
    return int(float(f"{count:.2g}"))


def as_dict(fit: Fit) -> dict[str, Any]:
    """The fit as plain values, losses and coefficients in the data's own units."""
    exact, data, losses = fit.least_squares, fit.data, fit.losses
    told = explained(fit)
    finite = losses[np.isfinite(losses)]
    return {
        "model": fit.model.name,
        "formula": fit.model.formula(data.features, data.target),
        "data": {
            "source": data.source,
            "rows_read": data.rows_read,
            "rows": data.rows,
            "features": list(data.features),
            "target": data.target,
            "notes": list(data.notes),
        },
        "optimizer": fit.optimizer.name,
        "hyperparameters": fit.trace.config["hyperparameters"],
        "lr_predicted": bool(fit.lr_reason),
        "standardised": fit.standardised,
        "batch_size": fit.batch_size,
        "seed": fit.seed,
        "outcome": fit.trace.outcome.kind if fit.trace.outcome else None,
        "message": fit.trace.outcome.message if fit.trace.outcome else None,
        "steps": fit.trace.steps,
        "loss": {"first": losses[0], "last": losses[-1], "best": finite.min() if finite.size else None},
        "mse": fit.loss,
        "r2": fit.r2,
        "coefficients": _named(fit, fit.coefficients),
        "intercept": fit.intercept,
        "least_squares": {
            "coefficients": _named(fit, exact.coefficients),
            "intercept": exact.intercept,
            "mse": exact.mse,
            "rank": exact.rank,
            "unique": exact.full_rank,
        },
        "stability": told.statement.to_dict(),
        "why": told.why,
        "advice": told.advice,
        "conclusion": conclusion(fit),
    }


def _named(fit: Fit, values: Floats) -> dict[str, float]:
    return dict(zip(fit.data.features, values.tolist(), strict=True))
