"""The predicted largest stable learning rate, as a curve over a plane."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.objectives import Objective

if TYPE_CHECKING:
    from descend.planes.result import Plane

__all__ = ["Limit", "predicted_limit", "sliced_limit"]

#: Values of the other axis and the limit at each; one pair where lr is the only axis.
Limit = tuple[NDArray[np.float64], NDArray[np.float64]]
#: Values of the other axis at which the limit is calculated.
PLACES = 65


def predicted_limit(made: Plane, goal: Objective) -> Limit | None:
    """The predicted largest stable lr for each value of the other axis (or once, where lr is the only one)."""
    import descend.optimizers  # noqa: F401  (fills the registry)
    from descend.rules import OPTIMIZERS
    from descend.stability import lr_limit

    others = [name for name in made.axes if name != "lr"]
    rule = OPTIMIZERS.get(made.config.get("optimizer", ""))
    if "lr" not in made.axes or len(others) > 1 or rule is None or rule.kind != "linear" or not made.config.get("start"):
        return None
    start = np.array(made.config["start"], dtype=np.float64)
    fixed = made.config["hyperparameters"] | made.config.get("fixed", {})
    for name in set(fixed) & set(made.variables):
        start[made.variables.index(name)] = fixed.pop(name)
    fixed.pop("lr", None)
    at_start = _sharpness(goal, start)

    def limit(value: float) -> float:
        own, curvature = dict(fixed), at_start
        if others and others[0] in made.variables:
            point = start.copy()
            point[made.variables.index(others[0])] = value
            curvature = _sharpness(goal, point)
        elif others:
            own[others[0]] = value
        most = lr_limit(rule(**own), curvature)
        return math.nan if most is None else most

    values = made.axes[others[0]].values if others else np.zeros(1)
    if len(values) > PLACES:
        values = values[np.unique(np.linspace(0, len(values) - 1, PLACES).round().astype(int))]
    return values, np.array([limit(float(v)) for v in values])


def _sharpness(goal: Objective, point: NDArray[np.float64]) -> float:
    from descend.stability import curvature_at

    found = curvature_at(goal, point)
    return 0.0 if found is None else float(np.abs(found.eigenvalues).max())


def sliced_limit(limit: Limit, fixed: dict[str, float], along_lr: bool) -> Limit | None:
    """What is left of a limit where the other axis is fixed at a value; None where lr itself is."""
    if not along_lr:
        return None
    return (np.zeros(1), np.array([np.interp(value, *limit) for value in fixed.values()][:1])) if fixed else limit
