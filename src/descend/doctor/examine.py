"""`diagnose`: a trace in, a verdict and findings out.

Rules decide where a log is proof (NaN, a validation loss that never changes); the scorer's votes decide the rest, and between
two thresholds the answer is "cannot tell". Words and numbers always come from the conditions, never from the votes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from descend.doctor import generalisation, healthy, scorer, step_size, stuck, values
from descend.doctor.finding import Case, Condition, Diagnosis, Finding, RunVerdict, Verdict
from descend.doctor.signals import read_signals
from descend.trace import Column, Trace

__all__ = ["CONDITIONS", "diagnose"]

#: Every condition the doctor knows, by code: the only list of them.
CONDITIONS: Mapping[str, Condition] = {
    c.code: c
    for c in (*step_size.CONDITIONS, *stuck.CONDITIONS, *values.CONDITIONS, *generalisation.CONDITIONS, *healthy.CONDITIONS)
}

#: Fewer finite losses than this show no shape worth scoring.
ENOUGH = 8
#: Conditions that any number of rows can show.
ANY_LENGTH = ("nan", "log-too-coarse")
#: Remarks about the log itself, made whatever the verdict.
REMARKS = ("log-too-coarse", "noisy-validation")
#: Codes that share a family: when one is found the others are not ruled out.
UNSEPARATED = tuple(code for codes in scorer.FAMILIES.values() if len(codes) > 1 for code in codes)
#: A cause with less of the votes than this is called clear.
DOUBT = 0.2
#: When rules strike out more of the votes than this, too few are left to find a fault by.
MOSTLY = 0.6
#: An excursion is part of another fault when more of the votes than this are neither for a healthy run nor for a spike.
OTHERWISE_ILL = 0.7
#: A second cause is named beside the first when it has at least this share of the votes for a fault.
SECOND = 0.35


def diagnose(trace: Trace) -> Diagnosis:
    """Examine one run.

    >>> from descend.trace import Trace, column
    >>> d = diagnose(Trace({"loss": column(range(40), [2.0 * 1.3**k * (-1) ** k + 2.5 * 1.3**k for k in range(40)])}))
    >>> d.verdict, d.found[0].condition
    ('fault', 'lr-too-high')
    """
    reason = unreadable(trace)
    if reason:
        return Diagnosis(trace.source, trace.name, "cannot_tell", reason, (), trace, advice(trace))
    with np.errstate(over="ignore"):  # a loss beyond 1e154 has no square, and its spread is infinite
        return examined(trace)


def examined(trace: Trace) -> Diagnosis:
    """The diagnosis of a run that has losses."""
    signals = read_signals(in_order(trace))
    scored = len(signals.loss) >= ENOUGH
    case = Case(signals, scorer.probabilities(signals) if scored else {})
    rules = {code: c.rule(case) if c.rule and (scored or code in ANY_LENGTH) else None for code, c in CONDITIONS.items()}
    verdict, causes = decide(case, rules)
    findings = [report(case, c, verdict, causes, rules[c.code]) for c in CONDITIONS.values()]
    findings.sort(key=importance)
    return Diagnosis(
        trace.source, trace.name, verdict, sentence(case, verdict, findings), tuple(findings), trace, advice(trace)
    )


def unreadable(trace: Trace) -> str:
    """Why nothing can be said, or an empty string."""
    loss = trace.columns.get("loss")
    if loss is None or loss.value.ndim != 1:
        names = ", ".join(trace.columns) or "none"
        return f"There is no loss column (columns: {names}); name it with --map loss=COLUMN."
    if not len(loss):
        return "The log has no loss values yet."
    if len(loss) < 3 and np.isfinite(loss.value).all():
        points = "one point has" if len(loss) == 1 else "two points have"
        return f"Cannot tell: {points} no shape; at least {ENOUGH} losses are needed."
    return ""


def in_order(trace: Trace) -> Trace:
    """The trace with every column sorted by step and, of duplicate steps, the last row kept: restarts overwrite."""
    columns = {}
    for name, c in trace.columns.items():
        if len(c) > 1 and np.any(np.diff(c.step) <= 0):
            order = np.argsort(c.step, kind="stable")
            step, value = c.step[order], c.value[order]
            last = np.append(np.diff(step) > 0, True)
            c = Column(step[last], value[last])
        columns[name] = c
    return trace.replace(columns=columns)


Rules = Mapping[str, "tuple[Verdict, float] | None"]


def decide(case: Case, rules: Rules) -> tuple[RunVerdict, dict[str, float]]:
    """The verdict on the run, and the causes found with their confidence."""
    certain = {k: r[1] for k, r in rules.items() if r and r[0] == "found" and CONDITIONS[k].kind == "fault"}
    if not case.probability:
        return ("fault", certain) if certain else ("cannot_tell", {})
    struck, share = fault_share(case, rules)
    low, high = scorer.threshold(case.signals)
    causes = likely_causes(case, rules, share) if share > high or certain else {}
    if set(certain) == {"spike"} and neither(case, "healthy", "spike") - struck > OTHERWISE_ILL * (1 - struck):
        return "fault", {k: p for k, p in causes.items() if k != "spike"} or certain
    if certain:
        before = {k: p for k, p in causes.items() if p > 0.5 and scorer.family_of(k) in ("unstable", "ascending")}
        return "fault", certain | (before if "nan" in certain else {})
    if share > high and causes and struck < MOSTLY:
        return "fault", causes
    return ("healthy" if share <= low else "cannot_tell"), {}


def neither(case: Case, *codes: str) -> float:
    """The share of the votes for anything but these codes."""
    return 1 - sum(case.probability.get(k, 0.0) for k in codes)


def fault_share(case: Case, rules: Rules) -> tuple[float, float]:
    """The share of the votes that a rule has struck out, and the share for a fault among those that are left."""
    excluded = [k for k, r in rules.items() if r and r[0] == "clear" and CONDITIONS[k].kind == "fault"]
    struck = sum(case.probability.get(k, 0.0) for k in excluded)
    return struck, 1 - case.probability["healthy"] / max(1 - struck, 1e-9)


def likely_causes(case: Case, rules: Rules, share: float) -> dict[str, float]:
    """The most voted family's most voted code (and a close second family's), with the probability that the family is right."""
    votes = {k: p for k, p in case.probability.items() if k in CONDITIONS and not ruled_out(case, k, rules)}
    families: dict[str, float] = {}
    for code, p in votes.items():
        families[scorer.family_of(code)] = families.get(scorer.family_of(code), 0.0) + p
    ranked = sorted(families, key=lambda f: -families[f])
    out = {}
    for place, family in enumerate(ranked[:2]):
        part = families[family] / max(share, 1e-9)
        if place and part < SECOND:
            break
        code = max((k for k in votes if scorer.family_of(k) == family), key=lambda k: votes[k])
        out[code] = scorer.calibrated("cause", part) * scorer.calibrated("fault", share)
    return either_way(case, out)


def either_way(case: Case, causes: dict[str, float]) -> dict[str, float]:
    """A clean exponential climb from the first row is a flipped sign or a rate too high: without the gradient norm, either.

    A factor r a step means lr·λ = √r − 1 for the first and √r + 1 for the second. With every order of magnitude of lr·λ as
    likely as any other, and rates too high four times as common as flipped signs, the odds are (√r + 1)/(4(√r − 1)).
    """
    pair = ("flipped-sign", "lr-too-high")
    clean = (
        case["climb_spread"] < 0.05
        and case["climb_smooth"] > 0.97
        and case["climb_from"] == 0
        and math.isnan(case["sign_value"])
    )
    total = sum(causes.get(code, 0.0) for code in pair)
    if not clean or not total:
        return causes
    root = math.sqrt(max(case["climb_factor"], 1.0)) ** (1 / max(case["interval"], 1.0))
    odds = (root + 1) / (4 * max(root - 1, 1e-3))
    share = min(max(odds / (1 + odds), 0.1), 0.9)
    split = dict(zip(pair, (share, 1 - share), strict=True))
    return {k: p for k, p in causes.items() if k not in pair} | {k: min(total, 0.95) * part for k, part in split.items()}


def ruled_out(case: Case, code: str, rules: Rules) -> bool:
    """Whether a rule excludes a cause, or the log lacks what it needs."""
    rule = rules[code]
    return CONDITIONS[code].kind != "fault" or bool(rule and rule[0] != "found") or bool(CONDITIONS[code].missing(case))


def report(
    case: Case, c: Condition, verdict: RunVerdict, causes: dict[str, float], rule: tuple[Verdict, float] | None
) -> Finding:
    """What is said about one condition: found, clear, or cannot tell."""
    missing = c.missing(case)
    whole = (case.step(0), case.step(1))
    if c.code in causes:
        return found(case, c, causes[c.code], causes)
    if missing:
        return Finding(
            c.code,
            "cannot_tell",
            0.5,
            whole,
            f"needs {' and '.join(missing).replace('|', ' or ')}, which was not logged",
            kind=c.kind,
        )
    if c.kind != "fault":
        if rule and rule[0] == "found" and (verdict == "healthy" or c.code in REMARKS):
            return found(case, c, rule[1], causes)
        kind: Verdict = "cannot_tell" if rule and rule[0] == "cannot_tell" else "clear"
        words = (
            "not enough was logged to say"
            if kind == "cannot_tell"
            else "its marks are absent"
            if verdict == "healthy"
            else "not said of a run with a fault"
        )
        return Finding(c.code, kind, rule[1] if rule else 0.6, whole, words, kind=c.kind)
    if rule and rule[0] != "found":
        words = "ruled out by what was logged" if rule[0] == "clear" else "not enough was logged to say"
        return Finding(c.code, rule[0], rule[1], whole, words, kind=c.kind)
    if c.code in UNSEPARATED and verdict == "fault":
        words = "one of its equivalents was found, and nothing in this log separates them"
        if any(scorer.family_of(k) == scorer.family_of(c.code) for k in causes):
            return Finding(c.code, "cannot_tell", 0.5, whole, words, kind=c.kind)
    p = sum(case.probability.get(k, 0.0) for k in scorer.FAMILIES.get(scorer.family_of(c.code), (c.code,)))
    if not case.probability or p > DOUBT:
        words = (
            "its marks are not distinct enough in this log" if case.probability else f"fewer than {ENOUGH} losses were logged"
        )
        return Finding(c.code, "cannot_tell", 0.5, whole, words, kind=c.kind)
    return Finding(c.code, "clear", 1 - p, whole, "its marks are absent", kind=c.kind)


def found(case: Case, c: Condition, confidence: float, causes: Mapping[str, float]) -> Finding:
    """A finding with its evidence, its prescription and its look-alikes, less those that were found as well."""
    evidence = c.evidence(case)
    unlike = "; ".join(f"not {CONDITIONS[k].name}: {why}" for k, why in c.confusable.items() if k not in causes)
    steps = (min(evidence.first, evidence.last), max(evidence.first, evidence.last))
    return Finding(c.code, "found", min(max(confidence, 0.05), 0.99), steps, evidence.text, c.prescribe(case), c.kind, unlike)


def importance(f: Finding) -> tuple[float, ...]:
    """Found first, faults before remarks, then by severity and confidence."""
    order = {"found": 0, "cannot_tell": 1, "clear": 2}[f.verdict]
    first = f.condition == "nan"  # the numbers stopped being numbers: its cause follows
    return order, f.kind != "fault", not first, -f.confidence * (5 + CONDITIONS[f.condition].severity)


def sentence(case: Case, verdict: RunVerdict, findings: list[Finding]) -> str:
    """The verdict in a sentence."""
    said = [f for f in findings if f.verdict == "found"]
    if verdict == "fault":
        f = said[0]
        return (
            f"{CONDITIONS[f.condition].name[0].upper()}{CONDITIONS[f.condition].name[1:]} ({f.confidence:.0%}): {f.evidence}."
        )
    n = len(case.loss)
    clear = {f.condition for f in findings if f.verdict == "clear"}
    if verdict == "healthy":
        share = 1 - scorer.calibrated("fault", 1 - case.probability["healthy"])
        notes = [CONDITIONS[f.condition].name for f in said]
        return f"Nothing wrong to be seen ({share:.0%}){': ' + ', '.join(notes) if notes else ''}."
    if not case.probability:
        return f"Cannot tell: {n} finite losses show too little shape; log at least {ENOUGH}."
    best = max(((p, k) for k, p in case.probability.items() if k in CONDITIONS and k not in clear), default=None)
    if best is None:
        return "Cannot tell: the curve is unlike the healthy runs the doctor knows, but no fault has its marks in it."
    return (
        f"Cannot tell: the curve lies between healthy runs and runs with a fault; if one is there, "
        f"{CONDITIONS[best[1]].name} is the likeliest ({best[0]:.0%} of the votes)."
    )


def advice(trace: Trace) -> tuple[str, ...]:
    """What to log next time to be surer."""
    wanted = {
        "val_loss": (
            "validation loss once an epoch (without it overfitting, wrong labels and a shifted validation set cannot be seen)"
        ),
        "lr": "the learning rate at every logged step (schedules, and with the gradient norm the descent efficiency)",
        "grad_norm": (
            "the gradient norm before clipping (about 2% of a step; it separates a low rate, clipping, dead "
            "units and hidden NaN)"
        ),
    }
    missing = [text for name, text in wanted.items() if name not in trace.columns]
    loss = trace.columns.get("loss")
    if loss is not None and 0 < len(loss) < 30:
        missing.append("the training loss more often: at least thirty rows a run")
    lossy = set(trace.config.get("lossy") or ())
    if "window_mean" in lossy:
        missing.append("the loss of single steps: each logged one is a mean over several")
    if lossy - {"window_mean", "rounded"}:
        missing.append("the unsampled series: this source thinned it")
    return tuple(missing)
