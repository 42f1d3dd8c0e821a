"""A diagnosis for the terminal: verdict, a sparkline that marks the evidence, findings, and what to log to be surer."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from descend.doctor.examine import CONDITIONS
from descend.doctor.finding import Diagnosis, Finding
from descend.doctor.series import noise

__all__ = ["VERDICTS", "heading", "loss_cells", "render", "sparkline", "totals", "unit"]

BARS = "▁▂▃▄▅▆▇█"
VERDICTS = {"healthy": "HEALTHY", "fault": "FAULT", "cannot_tell": "CANNOT TELL"}


def loss_cells(d: Diagnosis, cells: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """First step and median loss (or a far excursion) of each of at most `cells` parts, and whether a logarithm suits it."""
    c = d.trace.columns["loss"]
    n = min(cells, len(c))
    edges = np.linspace(0, len(c), n + 1).astype(int)
    value = np.full(n, np.nan)
    sigma = noise(c.value[np.isfinite(c.value)])
    for i, (a, b) in enumerate(pairwise(edges)):
        good = c.value[a:b][np.isfinite(c.value[a:b])]
        if len(good) == b - a:
            far = good[np.argmax(np.abs(good - np.median(good)))]
            value[i] = far if abs(far - np.median(good)) > 8 * sigma else np.median(good)
    good = value[np.isfinite(value)]
    log = len(good) > 1 and good.min() > 0 and good.max() > 30 * good.min()
    return c.step[edges[:-1]], value, bool(log)


def sparkline(d: Diagnosis, cells: int = 64) -> tuple[str, str]:
    """The loss as bars, × where it is not finite, and a line below that marks the first finding's steps.

    >>> from descend.doctor import diagnose
    >>> from descend.trace import Trace, column
    >>> sparkline(diagnose(Trace({"loss": column(range(8), [8.0, 7, 6, 5, 4, 3, 2, 1])})))[0]
    '█▇▆▅▄▃▂▁'
    """
    steps, value, log = loss_cells(d, cells)
    with np.errstate(all="ignore"):
        shown = np.log(value) if log else value
        shown = np.clip(shown, -1e300, 1e300)
        low, high = np.nanmin(shown) if np.isfinite(shown).any() else 0.0, np.nanmax(shown) if np.isfinite(shown).any() else 1.0
        level = (shown / 2 - low / 2) / max(high / 2 - low / 2, 1e-300)
    bars = "".join("×" if not np.isfinite(v) else BARS[min(int(v * 8), 7)] for v in level)
    mark = d.found[0].steps if d.found else None
    if mark is None:
        return bars, ""
    ends = np.append(steps[1:], steps[-1] + 1)
    under = "".join("^" if s <= mark[1] and e > mark[0] else " " for s, e in zip(steps, ends, strict=True))
    return bars, under.rstrip()


def render(d: Diagnosis, width: int = 100, full: bool = False) -> str:
    """The whole report as text.

    `full` adds the conditions that are clear and those the log cannot decide.
    """
    lines = [f"{VERDICTS[d.verdict]}  {heading(d)}"]
    lines += wrap(d.sentence if not d.found or d.verdict != "fault" else summary(d), width, "  ")
    if "loss" in d.trace.columns and len(d.trace.columns["loss"]) >= 3:
        bars, under = sparkline(d, min(64, width - 12))
        lines += ["", f"  loss  {bars}"] + ([f"        {under}"] if under else [])
    for f in d.found:
        lines += ["", *finding_lines(f, width, unit(d))]
    lines += other_lines(d, width, full)
    if d.to_log:
        lines += ["", "  To be surer, log:"] + [line for text in d.to_log for line in wrap(text, width, "    - ", "      ")]
    for note in d.trace.notes:
        lines += wrap(f"about the log: {note}", width, "  ")
    return "\n".join(lines)


def heading(d: Diagnosis) -> str:
    """The source and the run's name; a run that is called after its file is named once, standard input by its words.

    >>> from descend.doctor import diagnose
    >>> from descend.trace import Trace
    >>> heading(diagnose(Trace({}, source="runs/v0/metrics.csv", name="v0/metrics.csv")))
    'runs/v0/metrics.csv'
    """
    if d.source == "-":
        return "standard input" if d.run in ("stdin", "") else f"standard input · {d.run}"
    run = "" if f"/{Path(d.source).as_posix()}".endswith(f"/{d.run}") else d.run
    return " · ".join(part for part in (d.source, run) if part) or "run"


def unit(d: Diagnosis) -> str:
    """What one step of the log is called."""
    return "epoch" if d.trace.config.get("resolution") == "epoch" else "step"


def summary(d: Diagnosis) -> str:
    """What is wrong, in half a line: two causes are alternatives, save that one may have led to a NaN."""
    names = [CONDITIONS[f.condition].name for f in d.found if f.kind == "fault"]
    join = " and " if d.found[0].condition == "nan" else " or "
    return f"{join.join(names)}; confidence {d.found[0].confidence:.0%}"


def finding_lines(f: Finding, width: int, unit: str = "step") -> list[str]:
    """Condition, confidence, evidence, look-alikes, prescription."""
    kind = {"fault": "!", "healthy": "✓", "note": "·"}[f.kind]
    head = f"  {kind} {CONDITIONS[f.condition].name} [{f.condition}]  {f.confidence:.0%}, {unit}s {f.steps[0]} to {f.steps[1]}"
    lines = [head, *wrap(f.evidence, width, "      evidence   ", " " * 17)]
    if f.unlike and f.kind == "fault":
        lines += wrap(f.unlike, width, "      look-alike ", " " * 17)
    return lines + wrap(f.prescription, width, "      do         ", " " * 17)


def other_lines(d: Diagnosis, width: int, full: bool) -> list[str]:
    """The conditions that could not be decided, and with `full` those that are clear."""
    open_ones = [f for f in d.findings if f.verdict == "cannot_tell"]
    clear = [f for f in d.findings if f.verdict == "clear"]
    lines: list[str] = []
    if full:
        lines += [""] + [line for f in open_ones for line in wrap(f"? {f.condition}: {f.evidence}", width, "  ", "    ")]
        lines += wrap("clear: " + ", ".join(f.condition for f in clear), width, "  ", "    ")
    elif open_ones:
        lines += ["", *wrap("cannot tell from this log: " + ", ".join(f.condition for f in open_ones), width, "  ", "    ")]
    return lines


def wrap(text: str, width: int, first: str, rest: str | None = None) -> list[str]:
    """Paragraph lines with an indent."""
    indent = first if rest is None else rest
    return textwrap.wrap(text, max(width, 40), initial_indent=first, subsequent_indent=indent, break_long_words=False) or [
        first
    ]


def totals(diagnoses: Sequence[Diagnosis]) -> str:
    """One line for several runs."""
    counts = {v: sum(d.verdict == v for d in diagnoses) for v in VERDICTS}
    return (
        f"{len(diagnoses)} runs: {counts['healthy']} healthy, {counts['fault']} with a fault, "
        f"{counts['cannot_tell']} cannot tell"
    )
