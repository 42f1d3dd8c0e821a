"""Traces made by hand, so that figures are tested apart from the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from descend.trace import Outcome, Trace, column


def quadratic_trace(curvatures: Any, start: Any, lr: float, steps: int, kind: str = "step_budget", **config: Any) -> Trace:
    """Plain gradient descent on Σ λᵢ pᵢ² / 2, in closed form: pᵢ(t) = (1 − lr λᵢ)ᵗ pᵢ(0)."""
    curvatures, start = np.asarray(curvatures, float), np.asarray(start, float)
    with np.errstate(all="ignore"):
        points = start * (1 - lr * curvatures) ** np.arange(steps + 1)[:, None]
        loss = (points**2 * curvatures / 2).sum(axis=1)
    at = np.arange(steps + 1)
    return Trace(
        {"loss": column(at, loss), "point": column(at, points), "grad_norm": column(at, np.abs(loss))},
        outcome=Outcome(kind, f"{kind} it is."),  # type: ignore[arg-type]
        config={"optimizer": "sgd", "hyperparameters": {"lr": lr}, **config},
        variables=tuple("xyzuvabcdefgh"[: len(start)]),
    )


@pytest.fixture
def bowl() -> Callable[..., Trace]:
    """x² + 3y² from (4, 3): curvatures 2 and 6."""
    return lambda lr, steps=20, kind="step_budget", **config: quadratic_trace([2, 6], [4, 3], lr, steps, kind, **config)
