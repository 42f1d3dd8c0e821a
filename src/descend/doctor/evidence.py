"""Evidence in words and numbers: where something starts, how fast it grows, how often it alternates."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from descend.doctor.finding import Case, Evidence
from descend.doctor.series import Floats, noise, trend
from descend.trace import Column

__all__ = ["Zigzag", "climb", "fall_sentence", "flat_stretch", "flip_run", "number", "period", "span", "val_turn"]


def number(x: float) -> str:
    """Four significant digits at most, without noise.

    >>> number(0.000123456), number(1234567.0), number(2.0)
    ('0.0001235', '1.235e+06', '2')
    """
    return f"{x:.4g}"


def span(c: Column, first: int, last: int) -> tuple[int, int]:
    """The steps of two rows of a column."""
    n = len(c)
    return int(c.step[min(max(first, 0), n - 1)]), int(c.step[min(max(last, 0), n - 1)])


class Zigzag(NamedTuple):
    """A stretch in which the loss alternates up and down."""

    first: int
    last: int
    flips: int
    growth: float


def flip_run(y: Floats) -> Zigzag | None:
    """The longest stretch whose changes alternate in sign (a miss in ten allowed), and the growth of their size a row."""
    change = np.diff(y)
    flips = (np.sign(change[1:]) * np.sign(change[:-1]) < 0).astype(float)  # their product could overflow
    best: tuple[int, int] | None = None
    start, misses = 0, 0.0
    for i, flip in enumerate(flips):
        misses += 1 - flip
        while misses > 0.12 * (i - start + 1) and start <= i:
            misses -= 1 - flips[start]
            start += 1
        if i - start >= 5 and (best is None or i - start > best[1] - best[0]):
            best = (start, i)
    if best is None:
        return None
    first, last = best
    size = np.abs(change[first : last + 2])
    size = size[size > 0]
    growth = math.exp(np.polyfit(np.arange(len(size)), np.log(size), 1)[0]) if len(size) >= 4 else 1.0
    return Zigzag(first, last + 2, int(flips[first : last + 1].sum()), growth)


def climb(c: Column) -> tuple[int, int, float] | None:
    """Rows from which and to which the loss rises beyond its noise, and its factor a step over the last two decades of that."""
    y = c.value
    t = trend(y, 1 / 32)
    high = int(np.argmax(t))
    low = int(np.argmin(t[: high + 1]))
    rise = float(t[high] - t[low])
    if high - low < 1 or rise <= max(4 * noise(y), 1e-3 * float(np.ptp(t))):
        return None
    above = y[low : high + 1] - y[low]
    clear = above > 0.01 * rise  # below that, noise and the bottom of the curve would flatten the fit
    steps = c.step[low : high + 1][clear].astype(float)
    slope = np.polyfit(steps - steps[0], np.log(above[clear]), 1)[0] if len(steps) >= 3 and steps[-1] > steps[0] else 0.0
    return low, high, math.exp(min(float(slope), 50.0))


def flat_stretch(y: Floats) -> tuple[int, int]:
    """The longest stretch, in rows, over which the trend stays within its noise (or 2% of its extent)."""
    t = trend(y)
    band = max(2 * noise(y), 0.02 * float(np.ptp(t)), 1e-300)
    best, start = (0, 0), 0
    low = high = t[0]
    for i, value in enumerate(t):
        low, high = min(low, value), max(high, value)
        if high - low > band:
            start, low, high = i, value, value
        if i - start > best[1] - best[0]:
            best = (start, i)
    return best


def period(c: Column) -> float | None:
    """The period of the strongest slow wave, in steps; None when there is none."""
    y = trend(c.value, 1 / 64)
    n = len(y)
    if n < 24:
        return None
    x = np.linspace(-1, 1, n)
    rest = y - np.polyval(np.polyfit(x, y, 1), x)
    power = np.abs(np.fft.rfft(rest * np.hanning(n)))[2 : n // 4]
    if not len(power) or power.max() < 4 * np.median(power):
        return None
    return float((c.step[-1] - c.step[0]) / (int(np.argmax(power)) + 2))


def fall_sentence(case: Case) -> str:
    """From where to where the loss went, and when half and nine tenths of the way were done."""
    c = case.loss
    first, last = float(c.value[0]), float(np.median(c.value[-max(len(c) // 10, 1) :]))
    text = f"the loss goes from {number(first)} to {number(last)}"
    if case["net"] > 0.5 and not math.isnan(case["fall_90"]):
        if case["fall_half"] > 0.25 and case["kink"] > 0.3:
            text += f", after a plateau that lasts until about {case.unit} {case.step(case['kink_at'])}"
        text += f", nine tenths of the way by {case.unit} {case.step(case['fall_90'])}"
    return text


def times_noise(ratio: float) -> str:
    """How many times its noise, in words that stay readable."""
    return f"{ratio:.0f} times its noise" if ratio < 100 else "more than a hundred times its noise"


def val_turn(case: Case) -> Evidence:
    """Where validation loss turns, and what training loss did meanwhile."""
    v = case.signals.columns["val_loss"]
    t = trend(v.value, 1 / 8)
    at = int(np.argmin(t))
    tail = float(np.median(v.value[-max(len(v) // 10, 1) :]))
    train = np.interp(v.step, case.loss.step, trend(case.loss.value))
    first, last = span(v, at, len(v) - 1)
    sigma = max(noise(v.value), 1e-300)
    return Evidence(
        f"from {case.unit} {first} validation loss climbs from {number(float(t[at]))} to {number(tail)} "
        f"({times_noise((tail - float(t[at])) / sigma)}) while training loss goes from "
        f"{number(float(train[at]))} to {number(float(train[-1]))}",
        first,
        last,
    )
