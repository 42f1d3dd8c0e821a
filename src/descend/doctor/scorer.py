"""The scorer: probabilities of causes from signals, by a forest fitted on the corpus's tuning programs.

The forest is a small file of arrays beside this module (`forest.npz`), written by `benchmarks/corpus/fit.py`; reading it
takes a few milliseconds and scoring a run less than one. A signal that could not be measured follows the branch that missing
values followed in fitting.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from descend.doctor.series import Floats
from descend.doctor.signals import Signals

__all__ = ["FAMILIES", "calibrated", "family_of", "probabilities", "threshold"]

#: Classes of equivalent causes: their members leave the same marks in a log, and confidence is shared among them.
FAMILIES: dict[str, tuple[str, ...]] = {
    "unstable": ("lr-too-high", "momentum-too-high", "missing-zero-grad", "exploding-gradients"),
    "slow": ("lr-too-low", "over-clipping", "ill-conditioned"),
    "stuck": ("constant-predictor", "dead-units", "vanishing-gradients", "weight-decay-dominates"),
    "frozen": ("not-stepping",),
    "ascending": ("flipped-sign",),
    "schedule": ("schedule-too-early",),
    "non-finite": ("nan", "hidden-nan"),
    "labels": ("wrong-labels",),
    "loss": ("wrong-loss",),
    "overfit": ("overfitting",),
    "shift": ("distribution-shift",),
    "spike": ("spike",),
}


def family_of(code: str) -> str:
    """The family of a code, or the code itself when it stands alone."""
    return next((name for name, codes in FAMILIES.items() if code in codes), code)


@cache
def forest() -> dict[str, Any]:
    """The fitted arrays: per tree and node the signal, threshold, children and leaf distribution; thresholds; calibration."""
    with np.load(Path(__file__).with_name("forest.npz"), allow_pickle=False) as archive:
        return {k: archive[k] for k in archive.files}


def leaves(f: dict[str, Any], x: Floats) -> np.ndarray:
    """The leaf each tree sends `x` to."""
    at: np.ndarray = f["root"].astype(np.int64)
    for _ in range(int(f["depth"])):
        signal = f["signal"][at]
        value = x[signal]
        left = np.where(np.isnan(value), f["missing_left"][at], value <= f["split"][at])
        at = np.where(signal < 0, at, np.where(left, at + 1, f["right"][at]))
    return at


def probabilities(s: Signals) -> dict[str, float]:
    """Probability of each code, `healthy` among them, given everything that was measured."""
    f = forest()
    x = np.array([s[str(name)] for name in f["names"]] + [np.nan])
    x = np.clip(np.where(np.isinf(x), np.nan, x), -1e3, 1e3).astype(np.float32)
    share = f["share"][f["right"][leaves(f, x)]].astype(np.float64).mean(0)  # of a leaf, `right` is its row of shares
    share /= share.sum()
    return dict(zip((str(c) for c in f["codes"]), share.tolist(), strict=True))


def richness(s: Signals) -> str:
    """Which kind of log this is, for the threshold: columns beside the loss."""
    val, grad = s.has("val_loss"), s.has("lr", "grad_norm")
    return {(0, 0): "loss", (1, 0): "val", (0, 1): "grad", (1, 1): "all"}[int(val), int(grad)]


def threshold(s: Signals) -> tuple[float, float]:
    """Below the first, healthy; above the second, a fault; between them, cannot tell."""
    f = forest()
    kinds = [str(k) for k in f["kinds"]]
    low, high = f["thresholds"][kinds.index(richness(s))]
    return float(low), float(high)


def calibrated(which: str, raw: float) -> float:
    """A raw share of votes as a probability of being right: monotone, fitted on programs the votes had not seen."""
    f = forest()
    return float(np.interp(raw, f[f"{which}_raw"], f[f"{which}_right"]))
