"""Signals from the other columns: validation against training, accuracy, the learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from descend.doctor.series import Floats, alternation, log_ratio, noise, rank_trend, signed_log, trend
from descend.trace import Column

if TYPE_CHECKING:
    from descend.doctor.signals import Signals

__all__ = ["accuracy_signals", "at_steps", "lr_signals", "share_of_one", "validation_signals"]

NAN = math.nan


def at_steps(c: Column, steps: np.ndarray) -> Floats:
    """A column's values at other steps, by straight lines between its rows."""
    values: Floats = np.interp(steps, c.step, c.value)
    return values


def validation_signals(s: Signals, y: Floats) -> dict[str, float]:
    """Validation loss: its own trend, how far it ended above its minimum, and its gap to training loss."""
    if not s.has("val_loss") or len(s.columns["val_loss"]) < 3:
        return {}
    v, steps = np.clip(s.columns["val_loss"].value, -1e100, 1e100), s.columns["val_loss"].step
    train = np.clip(at_steps(Column(s.loss.step, trend(y)), steps), -1e100, 1e100)
    t, n = trend(v, 1 / 8), len(v)
    sigma = noise(v)
    low, at = float(t.min()), int(np.argmin(t))
    # progress is measured from the worse of the two starts: in epoch logs the first epoch has learned already
    progress = max(float(max(v[0], y[0]) - low), 1e-300)
    fall_train = max(float(y[0] - train.min()), 1e-300)
    out = {
        "val_points": math.log10(n),
        "val_low_at": at / n,
        "val_rank": rank_trend(v),
        "val_rank_last": rank_trend(v[n // 2 :]),
    }
    tail = float(np.median(v[-max(n // 10, 1) :]))
    out["val_rise"] = signed_log((tail - low) / progress, 1e-2)
    out["val_rise_noise"] = signed_log((tail - low) / max(sigma, 1e-9 * progress))
    out["val_rise_level_ratio"] = log_ratio(tail, low) if low > 0 else NAN
    out["train_after_val_low"] = (train[at] - float(np.median(train[-max(n // 10, 1) :]))) / fall_train
    out["rank_after_val_low"] = rank_trend(v[at:]) if n - at >= 4 else 0.0
    gap = v - train
    out["gap_end"] = signed_log(float(np.median(gap[-max(n // 4, 1) :])) / fall_train, 1e-2)
    out["gap_start"] = signed_log(float(np.median(gap[: max(n // 5, 1)])) / fall_train, 1e-2)
    out["gap_end_noise"] = signed_log(float(np.median(gap[-max(n // 4, 1) :])) / max(sigma, 1e-9 * progress))
    out["gap_trend"] = rank_trend(gap)
    out["val_noise"] = signed_log(sigma / fall_train, 1e-3)
    out["val_noise_to_train"] = log_ratio(max(sigma, 1e-12 * progress), max(noise(y), 1e-12 * progress))
    out["val_alternation"] = alternation(v)
    out["val_constant"] = float(np.mean(np.diff(v) == 0))
    out["val_fall"] = signed_log(float(v[0] - low) / fall_train, 1e-2)
    out["val_net"] = signed_log(float(v[0] - tail) / max(sigma, 1e-9 * progress))
    # what carried over to validation, of what was learned from the very first loss on: near 0 when labels mean nothing
    out["val_gain"] = signed_log(float(y[0] - low) / fall_train, 1e-2)
    out["val_end_gain"] = signed_log(float(y[0] - tail) / fall_train, 1e-2)
    if train.min() > 0 and v.min() > 0:
        out["gap_end_ratio"] = log_ratio(tail, float(np.median(train[-max(n // 10, 1) :])))
        out["gap_start_ratio"] = log_ratio(float(v[0]), float(train[0]))
    return out


def share_of_one(v: Floats) -> Floats:
    """Accuracy as a share: logs in percent are recognised by values over one.

    >>> share_of_one(np.array([12.0, 97.5]))
    array([0.12 , 0.975])
    """
    return v / 100 if len(v) and v.max() > 1.5 else v


def accuracy_signals(s: Signals, y: Floats) -> dict[str, float]:
    """Accuracy and validation accuracy: gain, final level, and whether they agree with the loss."""
    out: dict[str, float] = {}
    for name in ("accuracy", "val_accuracy"):
        if not s.has(name) or len(s.columns[name]) < 3:
            continue
        a = share_of_one(s.columns[name].value)
        n, key = len(a), "acc" if name == "accuracy" else "val_acc"
        first, last = float(np.mean(a[: max(n // 50, 1)])), float(np.median(a[-max(n // 10, 1) :]))
        out |= {f"{key}_first_level": first, f"{key}_last_level": last, f"{key}_gain": last - first}
        out[f"{key}_best_level"] = float(trend(a).max())
        out[f"{key}_gain_noise"] = signed_log((last - first) / max(noise(a), 1e-3))
        out[f"{key}_rank"] = rank_trend(a)
        out[f"{key}_drop"] = float(trend(a).max() - last)
        out[f"{key}_constant"] = float(np.mean(np.diff(a) == 0))
        column = s.loss if name == "accuracy" else s.columns.get("val_loss")
        if column is not None and last > 0:
            # guessing among K balanced classes has accuracy 1/K and loss ln K: the sum of loss and ln(accuracy) is 0
            tail = float(np.median(column.value[-max(len(column) // 10, 1) :]))
            out[f"{key}_surprise_level"] = tail + math.log(last)
            out[f"{key}_first_surprise_level"] = float(column.value[0]) + math.log(max(first, 1e-3))
            out[f"{key}_twice_level"] = classes_if_twice(tail, last)
    if "acc_last_level" in out and "val_acc_last_level" in out:
        out["acc_gap"] = out["acc_last_level"] - out["val_acc_last_level"]
        out["val_acc_over_start"] = out["val_acc_best_level"] - out["acc_first_level"]
    return out


def classes_if_twice(loss: float, accuracy: float) -> float:
    """How far from a whole number the classes are if the loss is of a softmax applied twice: ln(1 + (K − 1)/e) + 1 − accuracy.

    >>> round(classes_if_twice(1.461, 1.0), 2)
    0.0
    """
    inner = loss - 1 + accuracy
    k = 1 + math.e * math.expm1(inner) if inner < 8 else NAN
    return abs(k - round(k)) / k if k > 1.5 else NAN


def lr_signals(s: Signals, y: Floats) -> dict[str, float]:
    """The schedule: how early it decays, and whether the loss stops falling there."""
    if not s.has("lr"):
        return {}
    lr = np.abs(at_steps(s.columns["lr"], s.loss.step))
    top, n = float(lr.max()), len(lr)
    if top <= 0:
        return {"lr_level": -30.0}
    out = {"lr_level": math.log10(top), "lr_end_share": signed_log(float(lr[-1]) / top, 1e-6)}
    out["lr_start_share"] = signed_log(float(lr[0]) / top, 1e-6)
    peak = int(np.argmax(lr))
    low = np.flatnonzero(lr[peak:] <= 0.05 * top)
    out["lr_low_from"] = (peak + int(low[0])) / n if len(low) else 1.5
    out["lr_area"] = float(lr.mean()) / top
    if len(low) and n >= 8:
        cut = peak + int(low[0])
        t = trend(y)
        extent = max(float(t.max() - t.min()), 1e-300)
        before = (t[max(cut - max(cut // 2, 2), 0)] - t[max(cut - 1, 0)]) / max(cut // 2, 2)
        after = (t[min(cut + 1, n - 1)] - t[-1]) / max(n - cut - 1, 1)
        out["slope_before_cut"] = signed_log(before * n / extent, 1e-2)
        out["slope_after_cut"] = signed_log(after * n / extent, 1e-2)
        out["fallen_at_cut"] = float((t[0] - t[min(cut, n - 1)]) / extent)
    return out
