"""Signals from the gradient norm: its growth and noise, the descent efficiency, and how far from its end the loss is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from descend.doctor.series import Floats, alternation, autocorrelation, log_ratio, noise, rank_trend, signed_log, trend
from descend.doctor.signals_more import at_steps

if TYPE_CHECKING:
    from descend.doctor.signals import Signals

__all__ = ["efficiency", "gradient_signals"]

NAN = math.nan


def efficiency(s: Signals, y: Floats) -> tuple[Floats, Floats]:
    """Cumulative fall of the loss, and what plain gradient descent at a tiny rate would have brought: Σ lr·‖g‖²."""
    g, lr = at_steps(s.columns["grad_norm"], s.loss.step), np.abs(at_steps(s.columns["lr"], s.loss.step))
    width = np.diff(s.loss.step, append=s.loss.step[-1]).astype(float)
    return y[0] - trend(y), np.cumsum(lr * g * g * width)


def gradient_signals(s: Signals, y: Floats) -> dict[str, float]:
    """The gradient norm: its growth, its noise, and the descent efficiency e = −ΔL/(lr·‖g‖²)."""
    raw = s.trace.columns.get("grad_norm")
    if raw is None or len(raw) < 3 or raw.value.ndim != 1:
        return {}
    out = {"grad_bad_share": float(np.mean(~np.isfinite(raw.value))), "grad_zero_share": float(np.mean(raw.value == 0))}
    if not s.has("grad_norm"):
        return out
    g = np.clip(np.abs(s.columns["grad_norm"].value), 1e-30, 1e100)
    n, log = len(g), np.log10(g)
    t = trend(log)
    out |= {"grad_change": float(np.median(log[-max(n // 10, 1) :]) - np.median(log[: max(n // 20, 1)]))}
    out |= {"grad_high": float(t.max() - t[0]), "grad_low": float(t.min() - t[0]), "grad_rank": rank_trend(g)}
    out["grad_noise"] = noise(log)
    out["grad_alternation"] = alternation(log)
    out["grad_peak"] = float(log.max() - np.median(log))
    out |= memory_signals(s, y, log)
    extent = max(float(np.ptp(trend(y))), 1e-300)
    level = max(abs(float(np.median(y[-max(len(y) // 10, 1) :]))), 1e-300)
    out["grad_level"] = float(log[0])
    out["grad_end_to_level_ratio"] = float(np.median(log[-max(n // 10, 1) :])) - math.log10(level)
    out["grad_start_to_level_ratio"] = float(np.median(log[: max(n // 20, 1)])) - math.log10(max(abs(float(y[0])), 1e-300))
    both = np.corrcoef(np.log(g), np.interp(s.columns["grad_norm"].step, s.loss.step, y))[0, 1] if n > 4 else NAN
    out["grad_loss_correlation"] = float(both)
    if s.has("lr"):
        out |= efficiency_signals(s, y, extent)
    return out


def memory_signals(s: Signals, y: Floats, log: Floats) -> dict[str, float]:
    """Whether the norm remembers (accumulated gradients do), whether it moves at all, and what it says of the loss's floor.

    Near a minimum ‖g‖² is proportional to the loss above it: the line through both gives the loss at which it would be 0.
    """
    from descend.doctor.signals import slope_t

    rest = log - trend(log)
    out = {"grad_lag1": autocorrelation(rest, 1), "grad_lag2": autocorrelation(rest, 2), "grad_slope_t": slope_t(log)}
    out["grad_smooth"] = signed_log(noise(log) / max(float(np.std(log)), 1e-12), 1e-3)
    steps = s.columns["grad_norm"].step
    loss, power = np.interp(steps, s.loss.step, trend(y)), 10 ** (2 * (log - log.max()))
    n = len(log)
    a, b = float(np.median(loss[: max(n // 10, 1)])), float(np.median(loss[-max(n // 10, 1) :]))
    off = loss - loss.mean()
    slope = float(off @ power) / max(float(off @ off), 1e-300)
    if slope > 0 and a > b:
        floor = float(loss.mean() - power.mean() / slope)
        out["floor_left"] = signed_log((b - floor) / max(a - floor, 1e-300), 1e-2)
    at = s["spike_at"]
    if not math.isnan(at):
        row = min(int(at * n), n - 1)
        near = log[max(row - 2, 0) : row + 3].max() - np.median(log[max(row - n // 8 - 5, 0) : row + n // 8 + 5])
        out["spike_grad"] = float(near)
        out["spike_grad_noise"] = signed_log(float(near) / max(noise(log), 1e-3))
    return out


def efficiency_signals(s: Signals, y: Floats, extent: float) -> dict[str, float]:
    """Efficiency over the first tenth, the whole and the last half; and the reach: Σ lr·‖g‖² in units of the progress."""
    fallen, promised = efficiency(s, y)
    n = len(y)
    out = {"reach": log_ratio(float(promised[-1]), extent)}
    if promised[-1] <= 0:
        return out
    for name, a, b in (("first", 0, max(n // 10, 2)), ("whole", 0, n - 1), ("last", n // 2, n - 1)):
        gained, hoped = float(fallen[min(b, n - 1)] - fallen[a]), float(promised[min(b, n - 1)] - promised[a])
        out[f"efficiency_{name}"] = signed_log(gained / max(hoped, 1e-300), 1e-4) if hoped > 0 else NAN
    lr, g = np.abs(at_steps(s.columns["lr"], s.loss.step)), at_steps(s.columns["grad_norm"], s.loss.step)
    out |= sign_signals(y, lr, g, np.diff(s.loss.step))
    out["move_level"] = log_ratio(float(np.median(lr * g)), 1.0)
    return out


def sign_signals(y: Floats, lr: Floats, g: Floats, width: np.ndarray) -> dict[str, float]:
    """Overshooting or climbing: the efficiency e of rising steps against their growth.

    On a curvature λ both make the change of the loss grow by a factor r a step, but a step along the gradient has
    e = −(1+√r)/2 and one that overshoots has e = (1−√r)/2: `sign_test` is 0 for the first and 1 for the second.
    """
    change = np.diff(y)
    if len(change) < 4 or np.median(width) != 1:
        return {}
    e = -change / np.maximum(lr[:-1] * g[:-1] ** 2, 1e-300)
    r = change[1:] / np.where(change[:-1] == 0, np.nan, change[:-1])
    rising = (change[1:] > 0) & (r > 1.0) & (r < 1e4)
    if rising.sum() < 3:
        return {"rising_efficiency": signed_log(float(np.median(e)), 1e-2)}
    test = e[1:][rising] + (1 + np.sqrt(r[rising])) / 2
    return {
        "sign_test": signed_log(float(np.median(test)), 1e-1),
        "sign_value": float(np.median(test[len(test) // 2 :])),
        "sign_spread": float(np.ptp(np.quantile(test[len(test) // 2 :], [0.1, 0.9]))),
        "rising_efficiency": signed_log(float(np.median(e[1:][rising])), 1e-2),
    }
