"""Healthy things that look alarming: they are recognised and said, and never counted as faults."""

from __future__ import annotations

import math

import numpy as np

from descend.doctor.evidence import climb, fall_sentence, flip_run, number, span
from descend.doctor.finding import Case, Condition, Evidence, Verdict
from descend.doctor.series import noise

__all__ = ["CONDITIONS"]


def edge_rule(case: Case) -> tuple[Verdict, float] | None:
    """Zig-zag well beyond what noise gives, inside a run that keeps falling."""
    run = flip_run(case.loss.value)
    long = run is not None and run.flips >= 12 and run.flips >= 0.15 * len(case.loss)
    if long and case["net"] > 0.8 and case["alternation"] > 0.75:
        return "found", 0.7
    return "clear", 0.8


def edge_evidence(case: Case) -> Evidence:
    run = flip_run(case.loss.value)
    if run is None:
        return case.whole("no stretch of regular up-and-down inside the fall")
    first, last = span(case.loss, run.first, run.last)
    return Evidence(
        f"between {case.unit}s {first} and {last} the loss alternates {run.flips} times in {run.last - run.first} rows, "
        f"yet over the run {fall_sentence(case)}",
        first,
        last,
    )


def catapult_rule(case: Case) -> tuple[Verdict, float] | None:
    rise, early = case["high_above_start_noise"], case["high_at"] < 0.3
    bump = climb(case.loss)
    early = early and float(np.sum(case.loss.value > case.loss.value[0])) >= 3
    if (
        bump
        and bump[1] < 0.3 * len(case.loss)
        and early
        and case["high_above_start"] > 0.1
        and rise > 1.2
        and case["net"] > 0.5
        and case["end_above_low"] < 0.15
    ):
        return "found", 0.75
    return "clear", 0.85


def catapult_evidence(case: Case) -> Evidence:
    found = climb(case.loss)
    if found is None:
        return case.whole("the loss makes no early bump")
    low, high, _ = found
    first, last = span(case.loss, low, high)
    y = case.loss.value
    return Evidence(
        f"the loss rises from {number(float(y[low]))} at {case.unit} {first} to {number(float(y[high]))} at {last}, "
        f"then recovers fully and ends at {number(float(np.median(y[-max(len(y) // 10, 1) :])))}",
        first,
        last,
    )


def converged_rule(case: Case) -> tuple[Verdict, float] | None:
    """Flat at the end, far below the start, at its own minimum."""
    flat = abs(case["end_slope"]) < 0.15 and case["end_above_low"] < 0.05 and case["fall_90"] < 0.67
    if flat and case["net"] > 0.8 and case["net_noise"] > 0.8:
        return "found", 0.8
    return "clear", 0.7


def converged_evidence(case: Case) -> Evidence:
    last = case.step(1)
    first = case.step(0.67)
    text = f"over the last third the loss changes by {abs(case['end_slope']) / 3:.1%} of its whole fall; {fall_sentence(case)}"
    if case.has("grad_norm") and case["grad_change"] < -0.5:
        text += f"; the gradient norm shrank {10 ** -case['grad_change']:.0f}-fold"
    return Evidence(text, first, last)


def floor_rule(case: Case) -> tuple[Verdict, float] | None:
    """A noisy plateau after real learning; said only where lr and gradient show that steps no longer pay."""
    if not case.has("lr", "grad_norm"):
        return "cannot_tell", 0.5
    flat = abs(case["end_slope"]) < 0.2 and case["fall_90"] < 0.6 and case["net"] > 0.6
    if flat and case["noise_over_progress"] > 2.3 and case["efficiency_last"] < 2.0 and case["grad_change"] > -1:
        return "found", 0.65
    return "clear", 0.7


def floor_evidence(case: Case) -> Evidence:
    y = case.loss.value
    tail = y[-max(len(y) // 3, 4) :]
    e = case["efficiency_last"]
    measured = (
        "" if math.isnan(e) else f"; a step now buys {np.sign(e) * 1e-4 * (10 ** abs(e) - 1):.2g} of what lr·‖g‖² promises"
    )
    return Evidence(
        f"the last third stays at {number(float(np.median(tail)))} ± {number(float(np.std(tail)))} without a trend{measured}",
        case.step(0.67),
        case.step(1),
    )


def decay_cut(case: Case) -> tuple[int, float, float] | None:
    """The row of the largest single drop in lr, the factor, and the fall of the loss that followed."""
    if not case.has("lr") or len(case.loss) < 8:
        return None
    lr = np.interp(case.loss.step, case.signals.columns["lr"].step, np.abs(case.signals.columns["lr"].value))
    ratio = lr[1:] / np.maximum(lr[:-1], 1e-300)
    at = int(np.argmin(ratio))
    if ratio[at] > 0.6 or lr[at] <= 0:
        return None
    y, width = case.loss.value, max(len(lr) // 20, 2)
    before, after = y[max(at + 1 - width, 0) : at + 1], y[at + 2 : at + 2 + width]
    return (at, float(ratio[at]), float(np.median(before) - np.median(after))) if len(after) else None


def decay_rule(case: Case) -> tuple[Verdict, float] | None:
    cut = decay_cut(case)
    if cut is None:
        return ("clear", 0.9) if case.has("lr") else ("cannot_tell", 0.5)
    error = 1.25 * noise(case.loss.value) * math.sqrt(2 / max(len(case.loss) // 20, 2))
    return ("found", 0.85) if cut[2] > 4 * max(error, 1e-300) else ("clear", 0.7)


def decay_evidence(case: Case) -> Evidence:
    cut = decay_cut(case)
    if cut is None:
        return case.whole("the learning rate has no sudden cut")
    at, factor, fall = cut
    first, last = span(case.loss, at, at + max(len(case.loss) // 20, 2))
    return Evidence((
f"at {case.unit} {first} lr falls to {factor:.2g} of itself and the loss, level until then, drops "
f"by {number(fall)} within {last - first} steps"
), first, last)  # fmt: skip


CONDITIONS = (
    Condition(
        "edge-of-stability",
        "edge of stability",
        "healthy",
        1,
        ("loss",),
        "Full-batch training raises the sharpness until it reaches 2/lr and then hovers there: the loss goes up and down over "
        "short stretches while it falls over long ones. That is how gradient descent normally works at a useful rate, not a "
        "fault. It is told from divergence by the envelope: at the edge the zig-zag stays bounded and "
        "the long fall goes on; in "
        "divergence its size grows every step and nothing recovers.",
        "edge-of-stability",
        {"lr-too-high": "its envelope would grow and the loss would not come back down"},
        edge_evidence,
        lambda case: "Leave it. If a smoother curve is wanted, halve lr late in training.",
        edge_rule,
    ),
    Condition(
        "catapult",
        "catapult or warm-up bump",
        "healthy",
        1,
        ("loss",),
        "With lr between 2 and about 4 over the sharpness at the start, the loss first rises, the weights are thrown into a "
        "flatter region, and it falls for good. Warm-up and fresh Adam moments give a similar bump. It is healthy when the "
        "recovery is complete; a bump that stays is a learning rate too high.",
        "edge-of-stability",
        {"lr-too-high": "the loss would not recover below where it started"},
        catapult_evidence,
        lambda case: "Leave it; a warm-up over the length of the bump removes it.",
        catapult_rule,
    ),
    Condition(
        "converged",
        "converged",
        "healthy",
        1,
        ("loss",),
        "The loss is flat, at its minimum, far below where it began, and the gradient has shrunk. "
        "Neither a smaller nor a larger "
        "rate would change where it ends. A plateau high above the constant predictor's loss looks the same from afar; the "
        "distance it fell, in units of its noise, tells them apart.",
        "reading-curves",
        {"constant-predictor": "the loss would sit where a guess sits", "noise-floor": "a cut of lr would lower it"},
        converged_evidence,
        lambda case: f"Nothing to fix; the run could have stopped near {case.unit} {case.step(case['fall_90'])}.",
        converged_rule,
    ),
    Condition(
        "noise-floor",
        "noise floor",
        "note",
        1,
        ("loss", "lr", "grad_norm"),
        "Minibatch noise shakes the weights around the minimum: the excess loss is lr·σ²/(2(2−lr·λ)), so it is proportional to "
        "lr and to 1/batch. The loss is flat but the gradient norm is not small, and a step buys nothing. It is a floor, "
        "not a failure: decay lr when you want the rest.",
        "minibatch-noise",
        {"converged": "the gradient would have shrunk", "lr-too-low": "the curve would still be falling smoothly"},
        floor_evidence,
        lambda case: (
            f"Decay lr from {number(case.lr)} to {number(case.lr / 10)} over the last third, or use a batch four times larger."
        ),
        floor_rule,
    ),
    Condition(
        "lr-decay-step",
        "drop at a learning-rate cut",
        "healthy",
        1,
        ("loss", "lr"),
        "When lr is cut, the noise floor falls with it and the loss drops at once. The drop coincides "
        "with the cut; stairs from "
        "memorisation coincide with epoch boundaries instead.",
        "schedules",
        {"memorisation-stairs": "the drop would repeat at every epoch boundary, with lr unchanged"},
        decay_evidence,
        lambda case: "Leave it; that drop is what the schedule is for.",
        decay_rule,
    ),
)
