"""What an optimizer without a reference shows of itself: direction, scale, memory, decay."""

from __future__ import annotations

from typing import Any

import numpy as np

from descend.check.invariants import request
from descend.check.names import Mapped

__all__ = ["behaviour"]

#: A step this small next to the point is rounding: p₀ + sum/d, worked out again in each step, is p₀ to the last digit or two.
ROUNDED = 1e-13


def behaviour(talk: Any, mapped: Mapped) -> list[str]:
    """Sentences on direction, scale, memory and decay, from a few runs at the optimizer's own settings."""
    lr = {"lr": 0.01} if "lr" in mapped.ours else {}
    settings = mapped.settings(lr)
    rng = np.random.default_rng(5)
    start = [rng.normal(size=(4, 2)) + 0.5]
    g = [rng.normal(size=(4, 2)) + np.sign(rng.normal(size=(4, 2)))]
    zero = [np.zeros((4, 2))]
    asked = {
        "constant": request(start, [g] * 6, settings),
        "large": request(start, [[100 * x for x in g]] * 6, settings),
        "still": request(start, [zero] * 4, settings),
        "impulse": request(start, [g, *[zero] * 5], settings),
    }
    if "lr" in mapped.ours:
        asked["rate"] = request(start, [g] * 6, mapped.settings({"lr": 0.02}))
    if "weight_decay" in mapped.ours:
        asked["decay"] = request(start, [zero] * 4, mapped.settings(lr | {"weight_decay": 0.1}))
    answers = dict(zip(asked, talk.run(list(asked.values())), strict=True))
    runs = {k: np.array(a["points"], dtype=np.float64) for k, a in answers.items() if "error" not in a}
    failed = [f"{k}: {a['error']}" for k, a in answers.items() if "error" in a]
    told = [_direction(runs, g[0].ravel()), _scale(runs), _rate(runs), _memory(runs), _decay(runs)]
    return [t for t in told if t] + failed


def _first(points: np.ndarray) -> np.ndarray:
    return np.asarray(points[1] - points[0])


def _direction(runs: dict[str, np.ndarray], g: np.ndarray) -> str:
    if "constant" not in runs:
        return ""
    moved = runs["constant"][-1] - runs["constant"][0]
    if not np.abs(moved).max() > 0:
        return "it does not move"
    share = float(np.mean(np.sign(moved) == -np.sign(g)))
    if share == 1.0:
        return "every entry moves against its gradient"
    return (
        "every entry moves along its gradient: it climbs"
        if share == 0.0
        else f"{share:.0%} of the entries move against their gradient"
    )


def _scale(runs: dict[str, np.ndarray]) -> str:
    if "large" not in runs or "constant" not in runs:
        return ""
    a, b = np.abs(_first(runs["constant"])).max(), np.abs(_first(runs["large"])).max()
    if not a > 0 or not b > 0:
        return "its first step does nothing"
    power = float(np.log(b / a) / np.log(100.0))
    if abs(power) < 0.02:
        return f"the size of the gradient does not matter: the first step is {a:.3g} long at a hundredfold gradient too"
    if abs(power - 1) < 0.02:
        return "the step is proportional to the gradient"
    return f"a hundredfold gradient makes the first step {b / a:.3g} times as long"


def _rate(runs: dict[str, np.ndarray]) -> str:
    if "rate" not in runs or "constant" not in runs:
        return ""
    a, b = np.abs(_first(runs["constant"])).max(), np.abs(_first(runs["rate"])).max()
    if not a > 0:
        return ""
    return (
        "the step is proportional to lr"
        if abs(b / a - 2) < 1e-3
        else f"twice the lr makes the first step {b / a:.3g} times as long"
    )


def _memory(runs: dict[str, np.ndarray]) -> str:
    if "impulse" not in runs:
        return ""
    after = np.abs(np.diff(runs["impulse"], axis=0)).max(axis=1)
    still = np.abs(np.diff(runs["still"], axis=0)).max() if "still" in runs else 0.0
    if not after[1:].max() > 1.01 * still + 1e-15:
        return "it has no memory of direction: once the gradient is zero it stands still"
    ratio = after[2] / after[1] if after[1] > 0 else float("nan")
    return f"it remembers: after one gradient it goes on, each step {ratio:.3g} times the one before"


def _decay(runs: dict[str, np.ndarray]) -> str:
    if "still" in runs:
        gap = np.abs(_first(runs["still"])).max()
        if gap > ROUNDED * np.abs(runs["still"][0]).max():
            factor = float(np.median(runs["still"][1] / runs["still"][0]))
            return f"without a gradient a step multiplies p by about {factor:.6g} at its own settings"
    if "decay" in runs:
        ratio = runs["decay"][1] / runs["decay"][0]
        if np.ptp(ratio) < 1e-9:
            return f"its weight decay multiplies p by {float(ratio[0]):.6g} a step (lr 0.01, decay 0.1)"
        return "its weight decay is not a factor on p"
    return "without a gradient it stands still"
