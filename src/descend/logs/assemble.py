"""From what a reader found to a Trace: steps put in order, restarts resolved, roles named, losses of detail marked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.logs.collect import Raw
from descend.logs.roles import assign, guess, words
from descend.trace import Column, Trace

__all__ = ["in_order", "known", "to_trace"]

_PRINTED = ("text", "keras text", "hugging face")  # formats whose numbers were printed for people
_TABLES = ("csv", "keras", "json lines", "json", "parquet", "w&b chart")
_MOST_RESTARTS = 200  # a step that falls back more often than this is disorder, not restarts
_KNOWN = {
    "lr": {"lr", "learning_rate", "learningrate", "base_lr", "initial_lr"},
    "batch_size": {"batch_size", "batchsize", "bs", "train_batch_size", "per_device_train_batch_size"},
    "momentum": {"momentum"},
    "weight_decay": {"weight_decay", "wd"},
    "optimizer": {"optimizer", "optim", "opt", "optimizer_name", "optimizer_type"},
    "seed": {"seed", "random_seed"},
}


def to_trace(raw: Raw, map: Mapping[str, str] | None = None) -> Trace:
    """The trace of one run; `map` gives roles to names of the source: {"loss": "train/foo"}."""
    wanted = _wanted(raw, map or {})
    counts = {name: points.count for name, points in raw.series.items() if points.count}
    roles = assign(counts, {r: n for r, n in {**raw.hints, **wanted}.items() if n in counts})
    names = {source: role for role, source in roles.items()}
    main = roles.get("loss") or (max(counts, key=lambda name: counts[name]) if counts else "")
    columns, remarks = _columns(raw, names, main)
    config = _config(raw, roles, columns.get("loss"))
    if rounding := _rounding(columns):
        config["rounding"] = rounding
        if raw.format in _PRINTED:
            config["lossy"].append("rounded")
    if config.get("nan_filtered") and "loss" in columns:
        config["nan_filtered"] = bool(np.isfinite(columns["loss"].value).all())
    if config.get("nan_filtered"):
        remarks.append("the Trainer replaces NaN and Inf losses by default (logging_nan_inf_filter): they may be hidden here")
    if (gaps := _gaps(raw, columns)) is not None:
        config["empty"], sentence = gaps
        remarks.append(sentence)
    notes = [*raw.notes, *remarks, *_remarks(raw, roles, columns)]
    return Trace(columns, config=config, source=raw.source, name=raw.name, notes=tuple(dict.fromkeys(notes)))


def _wanted(raw: Raw, map: Mapping[str, str]) -> dict[str, str]:
    """The user's corrections; a name that the run lacks is an error, for it is most likely misspelt."""
    for role, name in map.items():
        if name not in raw.series and name not in (raw.axis_name, ""):
            offered = ", ".join(sorted(raw.series)[:20]) or "none"
            raise DescendError(f"{raw.source!r} has no column {name!r} to read as {role}; it has {offered}")
    return {role: name for role, name in map.items() if name}


def _columns(raw: Raw, names: Mapping[str, str], main: str) -> tuple[dict[str, Column], list[str]]:
    """Every quantity as an ordered column: the main one first, roles before the rest."""
    remarks: list[str] = []
    columns: dict[str, Column] = {}
    last_after_restart: int | None = None
    for source in sorted(raw.series, key=lambda n: (n != main, n not in names, list(names).index(n) if n in names else 0)):
        steps, values = raw.series[source].arrays()
        if not len(steps):
            continue
        name = names.get(source, source if source not in names.values() else f"{source} (as logged)")
        ordered, remark, restarted = in_order(steps, values)
        if restarted and source == main:
            last_after_restart = int(ordered.step[-1])
        elif last_after_restart is not None and not restarted and name.startswith("val_"):
            ordered = _before(ordered, last_after_restart)
        if remark and (source == main or (not remarks and restarted)):
            remarks.append(remark)
        columns[name] = ordered
    return columns, remarks


def _before(c: Column, last: int) -> Column:
    """Validation points of a branch that a restart abandoned are dropped with it."""
    kept = c.step <= last
    return c if kept.all() else Column(c.step[kept], c.value[kept])


def in_order(steps: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[Column, str, bool]:
    """A column with rising steps, a remark on what was done, and whether a restart was resolved.

    A step that comes back to what was logged before is a restart: the later branch is kept from there on. Points that only
    came late (from several workers, say) are sorted in; of one step logged twice, the later value is kept.

    >>> in_order(np.array([0, 1, 2, 3, 2, 3]), np.array([9.0, 8.0, 7.0, 6.0, 5.0, 4.0]))[0].value
    array([9., 8., 5., 4.])
    """
    if len(steps) < 2 or bool((steps[1:] > steps[:-1]).all()):
        return Column(steps, values), "", False
    remark, restarted, kept = "", False, np.ones(len(steps), bool)
    falls = np.flatnonzero(steps[1:] < steps[:-1]) + 1
    peaks = np.maximum.accumulate(steps)
    backs = [int(i) for i in falls if _is_restart(steps, int(i), int(peaks[i - 1]))] if len(falls) <= _MOST_RESTARTS else []
    if backs:
        restarted, kept = True, steps < _cuts(steps, backs)
        i, dropped = backs[-1], int((~kept).sum())
        times = "" if len(backs) == 1 else f" ({len(backs)} restarts)"
        remark = f"the step goes back from {peaks[i - 1]} to {steps[i]}{times}: the later branch is kept"
        remark += f", {dropped} earlier points are not"
    steps, values = steps[kept], values[kept]
    if bool((steps[1:] < steps[:-1]).any()):
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
        remark = remark or "steps are out of order; they were sorted"
    last = np.append(steps[1:] != steps[:-1], True)
    if not last.all():
        remark = remark or f"{int((~last).sum())} steps were logged more than once; the last value of each is kept"
    return Column(steps[last], values[last]), remark, restarted


def _cuts(steps: NDArray[np.int64], backs: list[int]) -> NDArray[np.int64]:
    """For each row the lowest step that a later restart goes back to: rows at or beyond it are abandoned."""
    cuts = np.full(len(steps), np.iinfo(np.int64).max)
    cuts[np.array(backs) - 1] = steps[backs]
    return np.minimum.accumulate(cuts[::-1])[::-1]


def _is_restart(steps: NDArray[np.int64], i: int, peak: int) -> bool:
    """Whether the fall at row i revisits steps that were logged, rather than filling a gap that late points left."""
    ahead = steps[i : i + 4096]
    past = np.flatnonzero(ahead > peak)
    turn = np.flatnonzero(ahead[1:] < ahead[:-1])
    length = min(int(past[0]) if len(past) else len(ahead), int(turn[0]) + 1 if len(turn) else len(ahead))
    segment = ahead[:length]
    earlier = steps[:i]
    between = earlier[(earlier >= segment[0]) & (earlier <= segment[-1])]
    if not len(between):
        return False
    return bool(np.isin(segment, between).any()) or length > 2


def _config(raw: Raw, roles: Mapping[str, str], loss: Column | None) -> dict[str, Any]:
    config: dict[str, Any] = {"format": raw.format, "roles": dict(roles)}
    if raw.axis_name:
        config["roles"] = {"step": raw.axis_name, **roles}
    level = "epoch" if raw.axis == "epoch" or _level(roles.get("loss", "")) == "epoch" else "step"
    config["resolution"] = level
    config["interval"] = None
    if loss is not None and len(loss) > 1 and raw.axis != "row":
        config["interval"] = float(np.median(np.diff(loss.step)))
    if raw.hyperparameters:
        config["hyperparameters"] = raw.hyperparameters
        config |= known(raw.hyperparameters)
    config["lossy"] = list(raw.lossy)
    return config | raw.config


def _level(name: str) -> str:
    claim = guess(name)
    return claim.level if claim else ""


def known(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """The settings the rest of descend knows by name, found among a tracker's: lr, batch_size, optimizer …

    >>> known({"train/learning_rate": "0.1", "model": "mlp"})
    {'lr': 0.1}
    """
    found: dict[str, Any] = {}
    for key, value in hyperparameters.items():
        leaf = "_".join(words(key.replace("\\", "/").split("/")[-1].split(".")[-1]))
        for name, aliases in _KNOWN.items():
            if leaf in aliases and name not in found:
                plain = _plain_setting(value, text=name == "optimizer")
                if plain is not None:
                    found[name] = plain
    return found


def _plain_setting(value: Any, text: bool) -> Any:
    if text:
        return value if isinstance(value, str) else None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return (int(number) if isinstance(value, int) else number) if math.isfinite(number) else None


def _remarks(raw: Raw, roles: Mapping[str, str], columns: Mapping[str, Column]) -> list[str]:
    """What a reader of the numbers should know before drawing conclusions."""
    remarks: list[str] = []
    if raw.axis == "row" and columns and not raw.axis_name:
        remarks.append("it has no step counter; its rows are counted instead")
    if columns and not any(role in roles for role in ("loss", "val_loss")):
        remarks.append(
            f"no column looks like a loss (it has {', '.join(sorted(raw.series)[:12])}); "
            "say which one is with map, as in loss=NAME"
        )
    return remarks


def _gaps(raw: Raw, columns: Mapping[str, Column]) -> tuple[dict[str, Any], str] | None:
    """Steps at which a table that otherwise has the loss in every row has none: pandas and JSON writers leave NaN empty."""
    loss = columns.get("loss")
    if raw.format not in _TABLES or loss is None or len(loss) < 3:
        return None
    fullest = max((c for n, c in columns.items() if not n.startswith("val_")), key=len)
    before = int(np.searchsorted(fullest.step, loss.step[-1], side="right"))
    place = np.minimum(np.searchsorted(loss.step, fullest.step), len(loss) - 1)
    missing = fullest.step[loss.step[place] != fullest.step]
    if not len(missing) or len(loss) < 0.9 * before:
        return None
    first, count = int(missing[0]), len(missing)
    sentence = f"the loss is empty at {count} steps from {first} on where other columns have values: it may have been NaN"
    return {"first": first, "count": count}, f"{sentence}, which pandas and JSON leave out"


def _rounding(columns: Mapping[str, Column]) -> dict[str, float]:
    """Decimal quantum of the columns that look rounded."""
    found = {}
    for name in ("loss", "val_loss"):
        if name in columns and (quantum := rounding_quantum(columns[name].value)):
            found[name] = quantum
    return found


def rounding_quantum(values: NDArray[np.float64]) -> float:
    """The power of ten that all finite values are multiples of, or 0: they have more than six, or are too few.

    >>> rounding_quantum(np.arange(0.5, 0.6, 0.0031).round(4))
    0.0001
    """
    finite = values[np.isfinite(values) & (np.abs(values) < 1e9)][-100_000:]
    if len(finite) < 10 or bool((finite == finite[0]).all()):
        return 0.0
    for digits in range(7):
        scaled = finite * 10.0**digits
        if bool((np.abs(scaled - np.round(scaled)) < 1e-3).all()):
            return float(10.0**-digits)
    return 0.0
