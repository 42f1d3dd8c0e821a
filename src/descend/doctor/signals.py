"""The signals: interpretable numbers about one run, in units of the run's own noise and its own progress.

Every signal is invariant to the unit of the loss unless its name ends in `_level` or `_ratio`; one that cannot be computed
from what was logged is NaN, never a guess. The conditions and the scorer read nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from descend.doctor.series import (
    Floats,
    alternation,
    autocorrelation,
    finite,
    log_ratio,
    noise,
    rank_trend,
    repeats,
    signed_log,
    thin,
    trend,
)
from descend.trace import Column, Trace

__all__ = ["Signals", "read_signals"]

NAN = math.nan


@dataclass
class Signals:
    """What was measured about a run: the thinned columns, and the numbers by name."""

    trace: Trace
    loss: Column
    columns: dict[str, Column] = field(default_factory=dict)
    value: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return self.value.get(name, NAN)

    def has(self, *names: str) -> bool:
        """Whether all these columns were logged with at least two finite values."""
        return all(name in self.columns for name in names)


def read_signals(trace: Trace, known: Signals | None = None) -> Signals:
    """Measure every signal a trace allows; `known` holds those of the loss alone where the same loss was measured before.

    >>> from descend.trace import Trace, column
    >>> s = read_signals(Trace({"loss": column(range(50), [0.9**k for k in range(50)])}))
    >>> round(s["fall_half"], 2), s["alternation"]
    (0.14, 0.0)
    """
    raw = trace.columns.get("loss", Column(np.zeros(0, np.int64), np.zeros(0)))
    out = Signals(trace, known.loss if known else thin(finite(raw)))
    for name, c in trace.columns.items():
        if name != "loss" and c.value.ndim == 1 and np.isfinite(c.value).sum() >= 2:
            out.columns[name] = thin(finite(c))
    y = np.clip(out.loss.value, -1e100, 1e100)
    with np.errstate(all="ignore"):
        out.value |= known.value if known else raw_signals(trace, raw)
        if len(y) >= 3 and not known:
            out.value |= shape_signals(y) | rhythm_signals(y) | level_signals(y)
        if len(y) >= 3:
            out.value |= column_signals(out, y)
    return out


def column_signals(s: Signals, y: Floats) -> dict[str, float]:
    """What the columns beside the loss say."""
    from descend.doctor.signals_gradient import gradient_signals
    from descend.doctor.signals_more import accuracy_signals, lr_signals, validation_signals

    out = validation_signals(s, y) | accuracy_signals(s, y) | lr_signals(s, y)
    return out | gradient_signals(s, y)


def raw_signals(trace: Trace, raw: Column) -> dict[str, float]:
    """Counts that need every logged row: non-finite values, exact repeats, exact zeros, the logging interval."""
    v, n = raw.value, len(raw)
    bad = ~np.isfinite(v)
    first_bad = int(np.argmax(bad)) if bad.any() else n
    out = {"points": float(n), "points_log": math.log10(max(n, 1)), "bad_share": float(bad.mean()) if n else NAN}
    out["bad_from"] = first_bad / n if n and first_bad < n else NAN
    out["bad_last"] = float(bad[-1]) if n else NAN
    good = v[~bad]
    if len(good) >= 3:
        share, start, length = repeats(good)
        out |= {"repeat_share": share, "repeat_longest": length / len(good), "zero_share": float((good == 0).mean())}
        out["repeat_to_end"] = float(start + length == len(good) and length >= 3)
        out["last_zero"] = float(good[-1] == 0)
        out |= spike_signals(good)
    interval = np.diff(raw.step)
    out["interval"] = float(np.median(interval)) if len(interval) else NAN
    return out


def spike_signals(v: Floats) -> dict[str, float]:
    """The largest upward excursion over a local median, in units of the local spread, and how isolated it is."""
    n = len(v)
    if n < 12:
        return {}
    window = 9
    padded = np.concatenate([v[:4][::-1], v, v[-4:][::-1]])
    if n <= 20000:
        local = np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1)
    else:  # medians over blocks of nine: bounded memory on a million points
        blocks = np.median(v[: n // window * window].reshape(-1, window), axis=1)
        local = np.repeat(blocks, window)
        local = np.concatenate([local, np.full(n - len(local), local[-1])])
    above = v - local
    typical = 1.4826 * float(np.median(np.abs(above[n // 20 :])))
    spread = max(typical, noise(v[n // 20 :]), 1e-6 * float(np.ptp(v)), 1e-300)
    skip = max(n // 20, 3)  # the first fall is no spike
    body = above[skip:]
    at = int(np.argmax(body)) + skip
    top = float(above[at])
    near = slice(max(at - max(n // 8, 10), 0), at + max(n // 8, 10))
    around = above[near][np.abs(np.arange(*near.indices(n)) - at) > 3]
    rest = float(np.max(np.abs(around))) if len(around) else NAN
    after = v[at + 3 : at + 3 + max(n // 20, 3)]
    recovered = float(np.median(after) - local[max(at - 4, 0)]) / top if len(after) and top > 0 else NAN
    return {
        "spike_size": signed_log(top / spread),
        "spike_over_rest": signed_log(top / max(rest, 1e-300)),
        "spike_over_range": signed_log(top / max(float(np.ptp(np.quantile(v, [0.02, 0.98]))), 1e-300)),
        "spike_at": at / n,
        "spike_left": recovered,
        "spike_count": float(np.sum(body > 0.3 * top)),
    }


def shape_signals(y: Floats) -> dict[str, float]:
    """How the loss falls: how soon, how far from its minimum it ends, whether it is still falling."""
    n = len(y)
    t = trend(y)
    start, tail = float(np.mean(y[: max(n // 100, 1)])), float(np.median(y[-max(n // 10, 1) :]))
    low, high = float(t.min()), float(t.max())
    extent = max(high - low, 1e-300)
    sigma = noise(y)
    sigma_end = noise(y[-max(n // 3, 4) :])
    fall = start - low
    out = {"fall_half": NAN, "fall_at_10": NAN, "fall_at_25": NAN, "fall_at_50": NAN, "fall_90": NAN}
    if fall > 0:
        done = (start - t) / fall
        out |= {f"fall_at_{k}": float(done[int((n - 1) * k / 100)]) for k in (10, 25, 50)}
        out |= {"fall_half": float(np.argmax(done >= 0.5)) / n, "fall_90": float(np.argmax(done >= 0.9)) / n}
    out["net"] = (start - tail) / extent
    out["net_noise"] = signed_log((start - tail) / max(sigma, 1e-12 * abs(start), 1e-300))
    out["end_above_low"] = (tail - low) / extent
    out["end_above_low_noise"] = signed_log((tail - low) / max(sigma_end, 1e-9 * extent))
    out["low_at"] = float(np.argmin(t)) / n
    out["high_at"] = float(np.argmax(t)) / n
    out["high_above_start"] = (high - start) / extent
    out["high_above_start_noise"] = signed_log((high - start) / max(sigma, 1e-9 * extent))
    out["above_start_share"] = float(np.mean(y > start))
    out |= {f"rank_{name}": rank_trend(part) for name, part in thirds(y).items()}
    out["rank"] = rank_trend(y)
    out |= end_signals(y, t, extent)
    return out


def thirds(y: Floats) -> dict[str, Floats]:
    n = len(y)
    return {"first": y[: max(n // 3, 4)], "middle": y[n // 3 : max(2 * n // 3, n // 3 + 4)], "last": y[-max(n // 3, 4) :]}


def end_signals(y: Floats, t: Floats, extent: float) -> dict[str, float]:
    """Slopes: the last third against the whole, in units of progress and of its own standard error."""
    n = len(y)
    tail = y[-max(n // 3, 4) :]
    x = np.arange(len(tail)) - (len(tail) - 1) / 2
    slope = float(x @ tail / (x @ x))
    error = float(np.std(tail - tail.mean() - slope * x)) / math.sqrt(float(x @ x))
    half = y[-max(n // 2, 4) :]
    mid = t[n // 3] - t[2 * n // 3]
    first = t[0] - t[n // 3]
    return {
        "end_slope": slope * n / extent,
        "end_slope_t": signed_log(slope / max(error, 1e-300)),
        "half_slope_t": slope_t(half),
        "slope_t": slope_t(y),
        "third_ratio": (t[2 * n // 3] - t[-1]) / extent,
        "curvature": float((first - mid) / extent),
        "kink": steepest(t, extent)[0],
        "kink_at": steepest(t, extent)[1],
    }


def slope_t(y: Floats) -> float:
    """A straight line's slope in units of its standard error: over many rows it shows a change far below the noise of one."""
    x = np.arange(len(y)) - (len(y) - 1) / 2
    slope = float(x @ y / (x @ x))
    error = float(np.std(y - y.mean() - slope * x)) / math.sqrt(float(x @ x))
    return signed_log(slope / max(error, 1e-300))


def steepest(t: Floats, extent: float) -> tuple[float, float]:
    """The largest fall over a twentieth of the run after its first tenth, and where: a drop after a plateau."""
    n = len(t)
    width = max(n // 20, 1)
    falls = t[:-width] - t[width:]
    skip = min(max(n // 10, 1), len(falls) - 1)
    at = int(np.argmax(falls[skip:])) + skip
    return float(falls[at] / extent), at / n


def rhythm_signals(y: Floats) -> dict[str, float]:
    """Zig-zag, waves and noise: what the loss does around its trend."""
    n = len(y)
    t = trend(y)
    rest = y - t
    extent = max(float(t.max() - t.min()), 1e-300)
    parts = thirds(y)
    sigma = {k: noise(v) for k, v in parts.items()}
    out = {"alternation": alternation(y), "alternation_last": alternation(parts["last"])}
    out["alternation_first"] = alternation(parts["first"])
    out["noise_over_progress"] = signed_log(sigma["last"] / extent, 1e-4)
    out["noise_first_over_progress"] = signed_log(sigma["first"] / extent, 1e-4)
    out["noise_change"] = log_ratio(max(sigma["last"], 1e-12 * extent), max(sigma["first"], 1e-12 * extent))
    spread = max(1.4826 * float(np.median(np.abs(rest))), 1e-12 * extent)
    out["tail_weight"] = signed_log(float(np.max(np.abs(rest))) / spread)
    out["rest_up_down"] = signed_log(float(np.max(rest)) / max(-float(np.min(rest)), 1e-12 * extent))
    out["rest_lag1"] = autocorrelation(rest, 1)
    out["rest_lag2"] = autocorrelation(rest, 2)
    out |= wave_signals(y[n // 10 :])
    rises = np.diff(y[n // 10 :])
    out["rise_share"] = float(np.mean(rises > 0)) if len(rises) else NAN
    out |= climb_signals(y)
    out["tail_spread"] = signed_log(float(np.std(parts["last"])) / extent, 1e-4)
    return out


def climb_signals(y: Floats) -> dict[str, float]:
    """The climb from the lowest to the highest point: where it begins, how smooth it is, and its factor a row.

    A growing mode gives changes in geometric progression, so the factor is the ratio of consecutive changes: no zero is needed.
    """
    t = trend(y, 1 / 64)
    high = int(np.argmax(t))
    low = int(np.argmin(t[: high + 1]))
    if high - low < 4:
        return {"climb_share": (high - low) / len(y)}
    change = np.diff(y[low : high + 1])
    late = change[len(change) // 2 :]
    ratio = late[1:] / np.where(late[:-1] == 0, np.nan, late[:-1])
    factor = float(np.nanmedian(np.abs(ratio))) if np.isfinite(ratio).any() else NAN
    out = {"climb_share": (high - low) / len(y), "climb_from": low / len(y), "climb_smooth": float(np.mean(change > 0))}
    out["climb_factor_log"] = signed_log(math.log(factor), 1e-3) if factor > 0 else NAN
    out["climb_factor"] = factor
    out["climb_spread"] = float(np.ptp(np.nanquantile(np.log(np.abs(ratio)), [0.1, 0.9]))) if factor > 0 else NAN
    fallen, before = float(y[0] - y[low]), y[: low + 1]
    out["fallen_before_climb"] = (
        fallen / max(noise(before) if low >= 5 else 0.0, 0.02 * abs(fallen), 1e-300) if low >= 3 else 0.0
    )
    out["climb_rows"] = math.log10(high - low)
    out["climb_height"] = log_ratio(float(t[high] - t[low]), abs(float(t[0] - t[low])) + 1e-3 * abs(float(t[high] - t[low])))
    return out


def wave_signals(y: Floats) -> dict[str, float]:
    """A slow wave: the strongest half-period of the series about a straight line, in points, and how strong it is."""
    n = len(y)
    if n < 16:
        return {}
    x = np.linspace(-1, 1, n)
    y = np.argsort(np.argsort(y)).astype(float)  # ranks: one spike is no wave
    rest = y - y.mean() - x * float(x @ (y - y.mean())) / float(x @ x)
    lags = np.unique(np.geomspace(1, n // 3, 24).astype(int))
    correlations = np.array([autocorrelation(rest, int(k)) for k in lags])
    low = int(np.argmin(correlations))
    after = correlations[low:]
    return {"wave_trough": float(correlations[low]), "wave_half": lags[low] / n, "wave_return": float(after.max())}


def level_signals(y: Floats) -> dict[str, float]:
    """What depends on the unit or the zero of the loss: ratios, negative values, the loss of guessing among K classes."""
    n = len(y)
    start, tail = float(np.mean(y[: max(n // 100, 1)])), float(np.median(y[-max(n // 10, 1) :]))
    out = {"negative": float(y.min() < 0), "start_negative": float(start < 0)}
    out["relative_fall"] = (start - tail) / max(abs(start), abs(tail), 1e-300)
    out["relative_extent"] = signed_log(float(np.ptp(y)) / max(abs(start), 1e-300), 1e-3)
    if y.min() > 0:
        out["tail_ratio"] = log_ratio(tail, start)
        out["high_ratio"] = log_ratio(float(y.max()), start)
        out["low_ratio"] = log_ratio(float(y.min()), start)
        out["relative_noise_ratio"] = signed_log(noise(y[-max(n // 3, 4) :]) / tail, 1e-4)
    for name, level in (("start", start), ("tail", tail)):
        k = round(math.exp(level)) if 0 < level < 12 else 0
        out[f"{name}_guess_level"] = abs(level - math.log(k)) if k >= 2 else NAN
    k = round(math.exp(start)) if 0.6 < start < 12 else 0
    if k >= 2:  # a softmax of a softmax cannot fall below ln(1 + (K − 1)/e): where the lowest loss lies between there and ln K
        floor = math.log1p((k - 1) / math.e)
        out["twice_level"] = (float(trend(y).min()) - floor) / (math.log(k) - floor)
    return out
