"""The logs people have: one recorded run as a dense log or an epoch log, with more or fewer columns."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from recipes import label

from descend.trace import Trace, column

#: Which columns a log has beside the loss.
RICHNESS: dict[str, tuple[str, ...]] = {
    "step: loss": (),
    "step: loss, val": ("val_loss", "val_accuracy"),
    "step: loss, lr": ("lr",),
    "step: loss, lr, grad": ("lr", "grad_norm"),
    "step: all": ("lr", "grad_norm", "val_loss", "val_accuracy", "accuracy"),
    "epoch: loss": (),
    "epoch: loss, accuracy": ("accuracy",),
    "epoch: loss, accuracy, val": ("accuracy", "val_loss", "val_accuracy"),
    "epoch: all": ("accuracy", "val_loss", "val_accuracy", "lr", "grad_norm"),
}


#: Kinds of loss whose unit is the unit of the data: any factor is as natural as another.
UNITLESS = ("reg", "nll", "poisson", "absolute", "quantile", "huber")


def load(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The runs of one program's file, with their recorded arrays, and what is known of the program."""
    with np.load(path) as archive:
        table = json.loads(str(archive["table"]))
        for i, run in enumerate(table["runs"]):
            run["steps"], run["epochs"] = archive[f"s{i}"].astype(float), archive[f"e{i}"].astype(float)
            answers = label(run, table["meta"]["best"])
            run["answers"] = None if answers is None else list(answers)
    return table["runs"], table["meta"]


def logged(run: dict[str, Any]) -> np.ndarray:
    """What the logger wrote: the recorded steps, except where the logger itself hides NaN."""
    steps = run["steps"].copy()
    if run["recipe"]["fault"] == "hidden-nan":
        bad = ~np.isfinite(steps[:, 0])
        if bad.any() and not bad[0]:
            steps[bad, 0] = steps[np.argmax(bad) - 1, 0] if run["recipe"]["extra"]["style"] == "repeat" else 0.0
    return steps


def step_log(run: dict[str, Any], rng: np.random.Generator) -> Trace:
    """A log every k steps, of the last value or of the mean since the last row, with validation once an epoch."""
    steps = logged(run)
    total = len(steps)
    choices = [k for k in (1, 2, 5, 10, 25, 50) if 20 <= total / k <= 1000] or [1]
    k = int(rng.choice(choices))
    at = np.arange(0, total, k)
    columns = {name: column(at, steps[at, j]) for name, j in (("loss", 0), ("lr", 1), ("grad_norm", 2), ("accuracy", 3))}
    if k > 1 and rng.uniform() < 0.5:
        means = np.array([steps[max(i - k + 1, 0) : i + 1, 0].mean() for i in at])
        columns["loss"] = column(at, means)
    ends = (np.arange(len(run["epochs"])) + 1) * run["per_epoch"] - 1
    columns |= {"val_loss": column(ends, run["epochs"][:, 0]), "val_accuracy": column(ends, run["epochs"][:, 1])}
    return Trace(columns)


def epoch_log(run: dict[str, Any], rng: np.random.Generator) -> Trace:
    """A row an epoch, as Keras writes it: running means of training loss and accuracy, validation at the end."""
    steps, per = logged(run), run["per_epoch"]
    n = len(run["epochs"])
    blocks = steps[: n * per].reshape(n, per, 4)
    at = np.arange(n)
    columns = {
        name: column(at, blocks[:, :, j].mean(1)) for name, j in (("loss", 0), ("lr", 1), ("grad_norm", 2), ("accuracy", 3))
    }
    return Trace(columns | {"val_loss": column(at, run["epochs"][:, 0]), "val_accuracy": column(at, run["epochs"][:, 1])})


def unseen_spike(run: dict[str, Any], log: Trace) -> bool:
    """Whether a spike fell between two rows of the log (before it was put in other units), so that no reader can see it."""
    if run["recipe"]["fault"] != "spike":
        return False
    loss, shown = run["steps"][:, 0], log.columns["loss"]
    whole = len(shown) == len(run["epochs"]) or not np.allclose(shown.value, loss[shown.step], equal_nan=True)
    return not whole and int(run["recipe"]["extra"]["when"] * len(loss)) not in shown.step


def keep(trace: Trace, names: tuple[str, ...]) -> Trace:
    """Only the loss and these columns, and of them only those that say anything."""
    columns = {"loss": trace.columns["loss"]}
    for name in names:
        c = trace.columns[name]
        if name == "grad_norm" or np.isfinite(c.value).any():
            columns[name] = c
    return Trace(columns)


def rescale(trace: Trace, rng: np.random.Generator, kind: str) -> Trace:
    """The same run in other units: a loss with no natural unit is multiplied, and sometimes shifted, by a random amount.

    Some logs keep four decimals or four digits, as progress bars and printed tables do.
    """
    trace = in_units(trace, rng, kind)
    return rounded(trace, rng) if rng.uniform() < 0.25 else trace


def rounded(trace: Trace, rng: np.random.Generator) -> Trace:
    """Losses and accuracies as they are printed: four decimals, or four significant digits."""
    typical = (
        float(np.nanmedian(np.abs(np.where(np.isfinite(trace.loss), trace.loss, np.nan))))
        if np.isfinite(trace.loss).any()
        else 1.0
    )
    columns = dict(trace.columns)
    decimals = typical > 3e-2 and rng.uniform() < 0.6
    for name in set(columns) & {"loss", "val_loss", "accuracy", "val_accuracy"}:
        v = columns[name].value
        if decimals:
            v = np.round(v, 4)
        else:
            with np.errstate(all="ignore"):
                unit = 10.0 ** (np.floor(np.log10(np.abs(v))) - 3)
                v = np.where(np.isfinite(v) & (v != 0), np.round(v / unit) * unit, v)
        columns[name] = column(columns[name].step, v)
    return Trace(columns)


def in_units(trace: Trace, rng: np.random.Generator, kind: str) -> Trace:
    """The loss times a random factor, and sometimes shifted, where it has no natural unit; gradient and lr follow."""
    if kind not in UNITLESS or rng.uniform() < 0.3:
        return trace
    scale = 10 ** rng.uniform(-4, 4)
    finite = trace.loss[np.isfinite(trace.loss)]
    shift = rng.choice([0.0, 0.0, rng.uniform(-1, 3)]) * (
        float(np.quantile(finite, 0.9) - finite.min()) if len(finite) else 0.0
    )
    columns = dict(trace.columns)
    for name in ("loss", "val_loss"):
        if name in columns:
            c = columns[name]
            columns[name] = column(c.step, np.where(c.value == 0, 0.0, (c.value + shift) * scale))
    if "grad_norm" in columns:
        columns["grad_norm"] = column(columns["grad_norm"].step, columns["grad_norm"].value * scale)
    if "lr" in columns:
        columns["lr"] = column(columns["lr"].step, columns["lr"].value / scale)
    return Trace(columns)


def views(runs: list[dict[str, Any]], seed: int) -> Iterator[tuple[dict[str, Any], str, Trace]]:
    """Every kept run at every richness: (run, richness, trace)."""
    rng = np.random.default_rng(seed)
    for run in runs:
        if run["answers"] is None:
            continue
        step, epoch = step_log(run, rng), epoch_log(run, rng)
        for richness, names in RICHNESS.items():
            base = step if richness.startswith("step") else epoch
            yield run, richness, keep(base, names)


def has_accuracy(trace: Trace) -> bool:
    """Whether the program has an accuracy at all."""
    return "accuracy" in trace.columns and not math.isnan(float(trace["accuracy"][0]))
