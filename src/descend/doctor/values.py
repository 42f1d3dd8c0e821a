"""Conditions of the numbers themselves: NaN and infinity, NaN hidden by the logger, isolated spikes, a log too coarse."""

from __future__ import annotations

import math

import numpy as np

from descend.doctor.evidence import number
from descend.doctor.finding import Case, Condition, Evidence, Verdict
from descend.doctor.series import repeats

__all__ = ["CONDITIONS"]


def first_bad(case: Case) -> tuple[str, int] | None:
    """The column and row of the first value that is not finite: loss, then validation loss."""
    for name in ("loss", "val_loss"):
        c = case.trace.columns.get(name)
        if c is not None and len(c):
            bad = np.flatnonzero(~np.isfinite(c.value))
            if len(bad) and (name == "loss" or bad[-1] == len(c) - 1):
                return name, int(bad[0])
    return None


def emptied(case: Case) -> tuple[int, int] | None:
    """First and last step of rows at the end of a table that lack only the loss; None when there are fewer than three."""
    empty = case.trace.config.get("empty")
    if not isinstance(empty, dict) or not len(case.trace.columns["loss"]):
        return None
    last = max(int(c.step[-1]) for k, c in case.trace.columns.items() if len(c) and not k.startswith("val_"))
    end = int(case.trace.columns["loss"].step[-1])
    return (end + 1, last) if last > end and empty.get("count", 0) >= 3 and empty.get("first", 0) > end else None


def nan_rule(case: Case) -> tuple[Verdict, float] | None:
    """A value that is not finite is proof; where only validation shows it, the logger may have replaced the training loss."""
    found = first_bad(case)
    if found and found[0] != "loss" and hidden_rows(case):
        return "clear", 0.6
    if found is None and emptied(case):
        return "found", 0.75
    return ("found", 0.99) if found else ("clear", 0.98)


def nan_evidence(case: Case) -> Evidence:
    found = first_bad(case)
    if found is None and (gone := emptied(case)):
        text = (
            f"from {case.unit} {gone[0]} to the end the loss column is empty while other columns go on: NaN, "
            "as pandas and JSON leave it out"
        )
        return Evidence(text, *gone)
    if found is None:
        return case.whole("every logged loss is a finite number")
    name, row = found
    c = case.trace.columns[name]
    kind = "NaN" if math.isnan(c.value[row]) else "infinite"
    first, last = int(c.step[row]), int(c.step[-1])
    words = f"{name.replace('_', ' ')} is {kind} from {case.unit} {first}" + (
        " on" if not np.isfinite(c.value[-1]) else ", and finite again later"
    )
    before = c.value[:row]
    if not row:
        return Evidence(
            f"{words}: the very first value; the data, the initial weights or the loss formula, not the learning rate",
            first,
            last,
        )
    if (
        row >= 3
        and abs(before[-1]) > 3 * max(abs(float(np.median(before[: max(row // 2, 1)]))), 1e-300)
        and before[-1] > np.median(before)
    ):
        grown = (
            "; in the rows before it the loss had grown to "
            + number(float(before[-1]))
            + ", so this is overflow after divergence"
        )
        return Evidence(words + grown, int(c.step[max(row - 3, 0)]), last)
    when = (
        "within the first steps, which points at a rate far too high or at bad data"
        if row <= 3
        else "with no growth before it, which points at one bad batch, log(0) or a division by 0 rather than at lr"
    )
    return Evidence(f"{words}, {when} (the last finite value is {number(float(before[-1]))})", first, last)


def nan_fix(case: Case) -> str:
    lr = f"lr = {number(case.lr / 10)} (now {number(case.lr)})" if not math.isnan(case.lr) else "a tenth of the present lr"
    clip = "the gradient norm at 1"
    if case.has("grad_norm"):
        g = case.trace.columns["grad_norm"].value
        clip = f"the gradient norm at {number(2 * float(np.median(g[np.isfinite(g)])))}"
    found = first_bad(case)
    if found and found[1] == 0:
        return (
            "Check the inputs and labels of the first batch and the initial weights with isfinite; add 1e-8 inside every log "
            "and division of the loss; repeat in float64 to rule out overflow."
        )
    return (
        f"Use {lr}; clip {clip}; add 1e-8 inside every log and division; check the inputs of the batch at "
        "that step with isfinite; repeat in float64 to rule out overflow."
    )


def quantum(case: Case, name: str = "loss") -> float:
    """The decimal the reader saw a column rounded to, or 0."""
    return float((case.trace.config.get("rounding") or {}).get(name, 0.0))


def hidden_rows(case: Case) -> tuple[int, int, str] | None:
    """Rows in which the loss is exactly 0 or one repeated value while the gradient norm is not finite, or to the end."""
    c = case.trace.columns["loss"]
    g = case.trace.columns.get("grad_norm")
    if g is not None and g.value.ndim == 1:
        bad = g.step[~np.isfinite(g.value)]
        shown = np.isfinite(np.interp(bad, c.step, c.value)) if len(bad) and len(c) else np.zeros(0)
        if len(bad) and shown.any() and np.isfinite(c.value).all():
            return int(np.searchsorted(c.step, bad[0])), len(c) - 1, "while the gradient norm is not a finite number"
    values = c.value
    if len(values) < 8 or not np.isfinite(values).all():
        return None
    _, start, length = repeats(values)
    to_end = start + length == len(values)
    moved = start >= 3 and np.mean(np.diff(values[: start + 1]) == 0) < 0.2
    if abs(values[start]) < 100 * quantum(case):
        return None  # a converged loss in a log that keeps a few decimals repeats too
    jumped = moved and abs(values[start] - values[start - 1]) > 3 * float(np.median(np.abs(np.diff(values[:start]))))
    if to_end and moved and length >= 4 and (values[start] != 0 or jumped):
        return start, len(values) - 1, "from there to the end of the run, which no minibatch loss does"
    return None


def hidden_rule(case: Case) -> tuple[Verdict, float] | None:
    found = hidden_rows(case)
    if found is None:
        return "clear", 0.95
    return ("found", 0.97) if "gradient" in found[2] else None


def hidden_evidence(case: Case) -> Evidence:
    found = hidden_rows(case)
    if found is None:
        return case.whole("no loss is exactly repeated or exactly 0 where the gradient is not finite")
    c = case.trace.columns["loss"]
    first, last, why = found
    value = c.value[min(first, len(c) - 1)]
    return Evidence(
        f"from {case.unit} {c.step[min(first, len(c) - 1)]} the logged loss is exactly {float(value)!r} {why}",
        int(c.step[min(first, len(c) - 1)]),
        int(c.step[last]),
    )


def spike_row(case: Case) -> int:
    c = case.trace.columns["loss"]
    return min(int(case["spike_at"] * len(c)), len(c) - 1) if not math.isnan(case["spike_at"]) else 0


def spike_rule(case: Case) -> tuple[Verdict, float] | None:
    """One excursion, far beyond the spread and beyond everything near it, that comes back."""
    size, rest = case["spike_size"], case["spike_over_rest"]
    if math.isnan(size):
        return "cannot_tell", 0.5
    back, rows, reach = abs(case["spike_left"]) < 0.3, case["spike_count"], case["spike_over_range"]
    alone = rows == 1 and size > 1.1 and rest > 0.6 and reach > 0.05
    if back and (alone or (rows == 2 and size > 1.3 and rest > 1 and reach > 0.2)):
        return "found", 0.85
    if size < 0.9 or rest < 0.35:
        return "clear", 0.93
    return None


def spike_evidence(case: Case) -> Evidence:
    c, at = case.trace.columns["loss"], spike_row(case)
    at = int(np.nanargmax(np.where(np.abs(np.arange(len(c)) - at) <= 2, c.value, -np.inf)))
    size, rest = 10 ** case["spike_size"] - 1, 10 ** case["spike_over_rest"] - 1
    text = (
        f"at {case.unit} {c.step[at]} the loss jumps to {number(float(c.value[at]))}, "
        f"{min(size, 9999):.0f} times the usual spread and {rest:.1f} times the largest excursion near "
        "it, and comes back"
    )
    if case.has("grad_norm"):
        g = case.signals.columns["grad_norm"]
        there = float(np.interp(c.step[at], g.step, g.value))
        text += (
            f"; the gradient norm there is {number(there)}, "
            f"{number(there / max(float(np.median(g.value)), 1e-300))} times its median"
        )
    return Evidence(text, int(c.step[max(at - 1, 0)]), int(c.step[min(at + 3, len(c) - 1)]))


def thinned(case: Case) -> bool:
    """Whether the source kept only some rows; rounded values are another matter."""
    return bool(set(case.trace.config.get("lossy") or ()) - {"rounded"})


def coarse_rule(case: Case) -> tuple[Verdict, float] | None:
    if case["points"] < 10:
        return "found", 0.9
    return ("found", 0.6) if thinned(case) else ("clear", 0.8)


def coarse_evidence(case: Case) -> Evidence:
    words = f"{case['points']:.0f} logged losses, one {spacing(case)}" if case["points"] > 1 else "a single logged loss"
    if averaged(case):
        return case.whole(f"{words}, each a mean over the steps between: rhythm, spikes and onset inside them cannot be seen")
    if thinned(case):
        return case.whole(f"{words}, and the source left some out: rhythm, spikes and onset between them cannot be seen")
    return case.whole(f"{words}: too few to show rhythm, spikes and onset")


def coarse_fix(case: Case) -> str:
    """Single steps where rows are means, the whole series where it was sampled, more rows where they are few."""
    if averaged(case):
        return "Log the loss of single steps (logging_steps=1 in transformers), with lr and gradient norm."
    if thinned(case):
        return "Read the log the run itself wrote, which has every row, rather than an export or a summary of it."
    return f"Log loss, lr and gradient norm more often than {spacing(case)}: at least thirty rows a run."


def spacing(case: Case) -> str:
    """ "a step" or "every 10 steps"."""
    if not case["interval"] > 1:
        return case.every
    return f"every {number(case['interval'])} {case.unit}s"


def averaged(case: Case) -> bool:
    """Whether each logged loss is a mean over several steps."""
    return "window_mean" in (case.trace.config.get("lossy") or ())


CONDITIONS = (
    Condition(
        "nan",
        "NaN or infinity",
        "fault",
        5,
        ("loss",),
        "A value overflowed or was undefined: a rate far too high (at once, or after visible growth), a "
        "bad batch, log(0), 0/0, or half "
        "precision. The onset tells which: at step 2 the rate is far too high or the data are bad; after "
        "hundreds of steps without "
        "growth it is one batch, log(0) or a division; infinity first and NaN later is growth to overflow.",
        "numbers",
        {"lr-too-high": "growth before the first NaN means the rate", "hidden-nan": "here the logger shows it"},
        nan_evidence,
        nan_fix,
        nan_rule,
    ),
    Condition(
        "hidden-nan",
        "NaN hidden by the logger",
        "fault",
        5,
        ("loss",),
        "Some trainers replace a NaN loss before logging it (by 0, or by the last average): the loss is "
        "exactly 0.0 or exactly constant "
        "while the gradient norm is NaN. The run is dead although the curve looks perfect.",
        "numbers",
        {
            "converged": "a converged minibatch loss still differs in its last digits",
            "not-stepping": "there the loss never moved at all",
        },
        hidden_evidence,
        lambda case: (
            "Switch the filter off (logging_nan_inf_filter=False in transformers), then treat it as NaN: " + nan_fix(case)
        ),
        hidden_rule,
    ),
    Condition(
        "spike",
        "isolated spike",
        "fault",
        2,
        ("loss",),
        "One bad batch, or a rare large gradient, throws the loss up for a few steps and it recovers. "
        "The gradient norm spikes at the same "
        "step. Repeated or growing spikes are instability instead.",
        "clipping",
        {"lr-too-high": "a rate too high does not spike just once", "edge-of-stability": "there the ups and downs are regular"},
        spike_evidence,
        lambda case: (
            (f"Look at the batch of step {case.trace.columns['loss'].step[spike_row(case)]}; clip the gradient norm")
            + (
                (f" at {number(3 * float(np.median(case.signals.columns['grad_norm'].value)))}, three times its median")
                if case.has("grad_norm")
                else " at three times its median"
            )
            + "; skip a batch whose loss is ten times the running median."
        ),
        spike_rule,
    ),
    Condition(
        "log-too-coarse",
        "log too coarse",
        "note",
        1,
        ("loss",),
        "What is asked happens faster than the log shows: a zig-zag of period two inside an epoch mean, "
        "a spike between two rows. Ten "
        "points show a trend and nothing of its rhythm.",
        "reading-curves",
        {},
        coarse_evidence,
        coarse_fix,
        coarse_rule,
    ),
)
