"""The log-only rules of other tools, re-implemented from their papers and documentation: what each says of a trace.

Only rules that need no tensors are here; each is given exactly the columns the doctor is given. Every function returns the
codes it would raise; an empty set means nothing was found.
"""

from __future__ import annotations

import numpy as np

from descend.trace import Trace

__all__ = ["BASELINES"]


def finite_loss(t: Trace) -> np.ndarray:
    loss = t.loss
    return loss[np.isfinite(loss)]


def auto_trainer(t: Trace) -> set[str]:
    """AutoTrainer: NaN or a loss of at least 1e3; accuracy swinging by more than 3%; slow: it gains under 1% a step."""
    found = set()
    loss = t.loss
    if not np.isfinite(loss).all() or (len(loss) and np.nanmax(np.abs(loss)) >= 1e3):
        found.add("lr-too-high")
    if "accuracy" in t.columns and len(t["accuracy"]) >= 5:
        a = t["accuracy"] / (100 if np.nanmax(t["accuracy"]) > 1.5 else 1)
        change = np.diff(a)
        turns = (change[1:] * change[:-1] < 0) & (np.minimum(np.abs(change[1:]), np.abs(change[:-1])) > 0.03)
        if turns.mean() > 0.25:
            found.add("lr-too-high")
        if np.nanmax(a) < 0.6 and np.mean(np.abs(change) < 0.01) > 0.6:
            found.add("lr-too-low")
    return found


def umlaut(t: Trace) -> set[str]:
    """UMLAUT: lr above 0.01 or below 1e-7; any epoch whose validation loss rises while training loss falls."""
    found = set()
    if not np.isfinite(t.loss).all():
        found.add("nan")
    if "lr" in t.columns:
        lr = np.abs(t["lr"])
        found |= {"lr-too-high"} if np.nanmax(lr) > 0.01 else set()
        found |= {"lr-too-low"} if 0 < np.nanmax(lr) < 1e-7 else set()
    if "val_loss" in t.columns and len(t["val_loss"]) >= 2:
        v = t.columns["val_loss"]
        train = np.interp(v.step, t.step, t.loss)
        if np.any((np.diff(v.value) > 0) & (np.diff(train) < 0)):
            found.add("overfitting")
    return found


def deep_diagnosis(t: Trace) -> set[str]:
    """DeepDiagnosis: loss not a number, or unchanged between logs; accuracy not rising; mean gradient under 1e-7."""
    found, loss = set(), t.loss
    if not np.isfinite(loss).all():
        found.add("nan")
    good = finite_loss(t)
    if len(good) >= 4:
        if np.mean(np.diff(good) >= 0) > 0.5:
            found.add("lr-too-high")
        if np.mean(np.abs(np.diff(good)) < 1e-4) > 0.5:
            found.add("constant-predictor")
    if "accuracy" in t.columns and len(t["accuracy"]) >= 4 and np.mean(np.diff(t["accuracy"]) <= 0) > 0.6:
        found.add("constant-predictor")
    if "grad_norm" in t.columns and np.nanmedian(t["grad_norm"]) < 1e-7:
        found.add("vanishing-gradients")
    return found


def sagemaker(t: Trace) -> set[str]:
    """SageMaker Debugger: (val − train)/train > 0.1 (overfit); loss not below 10 steps ago for most of the run; NaN."""
    found = set()
    if not np.isfinite(t.loss).all():
        found.add("nan")
    good = finite_loss(t)
    if len(good) > 10 and np.mean(good[10:] >= good[:-10]) > 0.5:
        found.add("constant-predictor")
    if "val_loss" in t.columns and len(t["val_loss"]) >= 3 and len(good):
        v = t.columns["val_loss"]
        train = np.interp(v.step, t.step, t.loss)
        if np.median(((v.value - train) / np.maximum(np.abs(train), 1e-12))[-max(len(v) // 4, 1) :]) > 0.1:
            found.add("overfitting")
    return found


BASELINES = {"AutoTrainer": auto_trainer, "UMLAUT": umlaut, "DeepDiagnosis": deep_diagnosis, "SageMaker Debugger": sagemaker}
