"""Conditions of the step: too long, too short, in the wrong direction, with too much memory, cut short too early."""

from __future__ import annotations

import math

import numpy as np

from descend.doctor.evidence import climb, fall_sentence, flip_run, number, period, span
from descend.doctor.finding import Case, Condition, Evidence, Verdict
from descend.doctor.series import rank_trend, trend

__all__ = ["CONDITIONS"]


def rate(case: Case, factor: float) -> str:
    """The learning rate times a factor: a number when lr was logged, words when not."""
    if math.isnan(case.lr):
        if factor == 1:
            return "the present lr"
        part = {10: "tenth", 100: "hundredth"}.get(round(1 / factor), f"{1 / factor:.0f}th")
        return f"{factor:g} times the present lr" if factor > 1 else f"a {part} of the present lr"
    return f"lr = {number(case.lr * factor)} (now {number(case.lr)})" if factor != 1 else f"lr = {number(case.lr)}"


def hot_factor(case: Case) -> float:
    """How far to lower lr: the growth a step, (lr·λ−1)², gives lr·λ; aim at lr·λ = 0.5, and at least ten times lower."""
    run, found = flip_run(case.loss.value), climb(case.loss)
    growth = run.growth if run and run.growth > 1.02 else found[2] if found else 1.0
    return min(0.1, float(f"{0.5 / (1 + math.sqrt(growth)):.0e}")) if 1.0 < growth < 1e6 else 0.1


def unstable_evidence(case: Case) -> Evidence:
    c = case.loss
    run, found = flip_run(c.value), climb(c)
    if run and run.flips >= 8:
        first, last = span(c, run.first, run.last)
        grows = f" while its envelope grows {run.growth:.3g}x a row" if run.growth > 1.01 else ""
        return Evidence(
            f"from {case.unit} {first} the loss alternates up and down {run.flips} times in "
f"{run.last - run.first} rows{grows}; "
            f"{fall_sentence(case)}", first, last,
        )  # fmt: skip
    if found:
        low, high, factor = found
        first, last = span(c, low, high)
        growth = f", {factor:.3g}x {case.every}" if 1.01 < factor < 1e6 else ""
        text = (
            f"from {case.unit} {first} the loss climbs from {number(float(c.value[low]))} to {number(float(c.value[high]))} "
            f"by {last}{growth}"
        )
        if high < len(c) - max(len(c) // 10, 1):
            text += f", and ends at {number(float(np.median(c.value[-max(len(c) // 10, 1) :])))}"
        return Evidence(text, first, last)
    share = case["alternation"]
    if math.isnan(share):
        return case.whole(fall_sentence(case))
    return case.whole(
        f"{fall_sentence(case)}; {share:.0%} of its consecutive changes have opposite signs, and it stays rough to the end"
    )


def sign_by_growth(case: Case) -> float:
    """Which of two makes a clean exponential climb: 0 a step along the gradient, 1 one that overshoots; else NaN."""
    value, clean = case["sign_value"], case["sign_spread"] < 0.1 and case["climb_spread"] < 0.05
    return round(value) if clean and min(abs(value), abs(value - 1)) < 0.2 else math.nan


def growing_zigzag(case: Case) -> bool:
    """Up and down every row for a dozen rows or more, each swing larger until they are ten times the first: overshooting."""
    run = flip_run(case.loss.value)
    if run is None or run.flips < 12 or case["end_above_low"] < 0.3:
        return False
    rows = run.last - run.first
    return run.flips >= 0.85 * (rows - 1) and run.growth > 1.02 and run.growth**rows > 10 and run.last >= 0.8 * len(case.loss)


def alternating_climb(case: Case) -> bool:
    """Up and down every row while the highs and the lows both climb: noise alone flips two changes in three, a sign none."""
    y = case.loss.value
    if len(y) < 8 or not case["alternation"] >= 0.85:
        return False
    above = float(np.median(y[-(len(y) // 3) :])) > float(y[0])
    return above and min(rank_trend(y[::2]), rank_trend(y[1::2])) > 0.8


def slow_wave_rule(case: Case) -> tuple[Verdict, float] | None:
    """A wave of period two is overshooting; momentum and accumulated gradients swing more slowly."""
    return ("clear", 0.9) if growing_zigzag(case) or alternating_climb(case) else None


def hot_rule(case: Case) -> tuple[Verdict, float] | None:
    """Proof of a rate too high: a zig-zag that grows every row or climbs, or a clean climb whose steps overshoot."""
    if growing_zigzag(case):
        return "found", 0.93
    if alternating_climb(case):
        return "found", 0.85
    side = sign_by_growth(case)
    return None if math.isnan(side) else ("found", 0.95) if side == 1 else ("clear", 0.95)


def flipped_rule(case: Case) -> tuple[Verdict, float] | None:
    """An alternating climb overshoots; else growth and efficiency decide, and a curve that first fell in earnest went right."""
    if growing_zigzag(case) or alternating_climb(case):
        return "clear", 0.95
    side = sign_by_growth(case)
    if not math.isnan(side):
        return ("found", 0.95) if side == 0 else ("clear", 0.95)
    if case["fallen_before_climb"] > 5 and case["climb_from"] > 0:
        return "clear", 0.9
    return None


def flipped_evidence(case: Case) -> Evidence:
    y, found = case.loss.value, climb(case.loss)
    factor = f", {found[2]:.3g}x {case.every}" if found and 1.0001 < found[2] < 1e6 else ""
    return case.whole(
        f"from the first {case.unit} the loss rises, from {number(float(y[0]))} to {number(float(y[-1]))}{factor}, "
        f"with {case['alternation']:.0%} of consecutive changes alternating (noise alone: 67%); "
        f"{case['above_start_share']:.0%} of the run lies above its start"
    )


def wave_evidence(case: Case) -> Evidence:
    wave = period(case.loss)
    words = (
        f"the loss swings in a wave of about {wave:.3g} {case.unit}s that does not die out"
        if wave
        else "the loss keeps swinging"
    )
    if case.has("grad_norm") and case["grad_high"] > 0.5:
        words += f", and the logged gradient norm accumulates to {10 ** case['grad_high']:.0f} times its first value"
    inner = unstable_evidence(case)
    return Evidence(f"{words}; {inner.text}", inner.first, inner.last)


def slow_evidence(case: Case) -> Evidence:
    y = case.loss.value
    text = fall_sentence(case)
    if case["net"] > 0 and case["net_noise"] > 0.7 and case["fall_at_10"] > 0 and case["fall_at_25"] > 0:
        text += (
            f", {case['fall_at_10']:.0%}, {case['fall_at_25']:.0%} and {case['fall_at_50']:.0%} of that fall "
            "after a tenth, a quarter "
            f"and half of the run (a straight line would give 10%, 25% and 50%)"
        )
    e = case["efficiency_whole"]
    if not math.isnan(e) and e > 0:
        text += f"; each step lowers the loss by {1e-4 * (10**e - 1):.2g} of lr·‖g‖² (1 where no curvature is felt)"
    elif y[0] > 0:
        text += f"; in all it fell by {number(100 * max(case['relative_fall'], 0))}% of its first value"
    return case.whole(text)


def clip_evidence(case: Case) -> Evidence:
    inner = slow_evidence(case)
    if not case.has("grad_norm"):
        return inner
    g = case.signals.columns["grad_norm"].value
    constant = float(np.mean(np.abs(np.diff(g)) < 1e-6 * np.abs(g[1:])))
    words = (
        f"the logged gradient norm repeats one value in {constant:.0%} of the rows, as after clipping"
        if constant > 0.5
        else f"the gradient norm stays near {number(float(np.median(g)))} while the loss hardly moves for it"
    )
    return Evidence(f"{words}; {inner.text}", inner.first, inner.last)


def crawl_evidence(case: Case) -> Evidence:
    y, t = case.loss.value, trend(case.loss.value)
    third = len(t) // 3
    first, last = float(t[0] - t[third]), float(t[-third] - t[-1])
    return case.whole(
        f"the loss falls by {number(first)} in the first third of the run and by {number(last)} in the last, ending at "
        f"{number(float(np.median(y[-max(len(y) // 10, 1) :])))} and still falling: fast directions are "
        "done, slow ones hardly begun"
    )


def cut_row(case: Case) -> int:
    """The row from which lr stays under a twentieth of its largest value."""
    return min(int(case["lr_low_from"] * len(case.loss)), len(case.loss) - 1) if case["lr_low_from"] <= 1 else -1


def schedule_evidence(case: Case) -> Evidence:
    t, n = trend(case.loss.value), len(case.loss)
    at = cut_row(case)
    if at < 0:
        at = max(int(case["kink_at"] * n), 1) if not math.isnan(case["kink_at"]) else n // 10
        return Evidence((
f"the loss stops falling almost at once near {case.unit} {case.step(0.1)} although it was falling "
f"fast; {fall_sentence(case)}"
), case.step(0.05), case.step(1))  # fmt: skip
    first, last = span(case.loss, at, n - 1)
    before, after = float(t[0] - t[at]), float(t[at] - t[-1])
    return Evidence(
        f"lr falls below a twentieth of its peak at {case.unit} {first}, {at / n:.0%} into the run; the loss had fallen "
        f"{number(before)} by then and falls only {number(after)} in all the rest", first, last,
    )  # fmt: skip


def schedule_rule(case: Case) -> tuple[Verdict, float] | None:
    """A schedule that kept its rate for half the run cannot have cut it too early."""
    if case.has("lr") and (case["lr_low_from"] > 0.5 or case["lr_area"] > 0.5):
        return "clear", 0.97
    return None


CONDITIONS = (
    Condition(
        "lr-too-high",
        "learning rate too high",
        "fault",
        5,
        ("loss",),
        "A step longer than 2/λ (2(1+β)/λ with momentum, about 38/λ for Adam's preconditioned curvature) overshoots: "
        "consecutive gradients oppose each other, and the loss grows by (lr·λ−1)² a step, or bounces at "
        "a height it cannot leave. "
        "A flipped sign rises too, but smoothly and from the first step at any rate; the edge of "
        "stability zig-zags too, but keeps "
        "falling. A rate ten times smaller cures it, and nothing else does.",
        "learning-rate",
        {
            "flipped-sign": "a flipped sign rises smoothly from step 1; here the curve falls first or alternates",
            "edge-of-stability": "the loss does not resume its fall",
            "nan": "the values are still finite: this is what comes before NaN",
        },
        unstable_evidence,
        lambda case: (
            f"Use {rate(case, hot_factor(case))}; if that is stable, double it until the zig-zag returns and "
            "stay a factor 2 below. Clip the gradient norm as a guard."
        ),
        hot_rule,
    ),
    Condition(
        "flipped-sign",
        "flipped sign",
        "fault",
        5,
        ("loss",),
        "Parameters are moved along the gradient instead of against it (or a reward is minimised): the "
        "loss grows by (1+lr·λ)² a step, "
        "smoothly, from the first step, at every learning rate. A rate too high overshoots and "
        "alternates; a smaller one cures it, "
        "while here it only slows the climb.",
        "gradient-direction",
        {"lr-too-high": "the climb starts with the first step and turns no more than its noise does; overshooting alternates"},
        flipped_evidence,
        lambda case: (
            "Check the sign of the update and of the loss: it should be p ← p − lr·g. As a test run ten "
            f"steps at {rate(case, 0.01)}: if the loss still rises, the sign is wrong."
        ),
        flipped_rule,
    ),
    Condition(
        "missing-zero-grad",
        "forgotten zero_grad",
        "fault",
        5,
        ("loss",),
        "Without zero_grad the gradient accumulates, which is momentum with β = 1: the loss swings in an "
        "undamped wave of period "
        "π/arccos(1−lr·λ/2), noise pumps energy in, and the logged gradient norm grows with it. Too much momentum has the same "
        "rhythm but decays √β a step.",
        "gradient-accumulation",
        {
            "momentum-too-high": "momentum's wave dies out, √β a step, and its gradient norm does not accumulate",
            "lr-too-high": "overshooting alternates every step instead of swinging slowly",
        },
        wave_evidence,
        lambda case: (
            "Call optimizer.zero_grad() before every backward(); if gradients are accumulated on purpose, "
            "divide the loss by the number of batches and zero after each step."
        ),
        slow_wave_rule,
    ),
    Condition(
        "momentum-too-high",
        "too much momentum",
        "fault",
        4,
        ("loss",),
        "With β near 1 a step is remembered for 1/(1−β) steps and the effective rate is lr/(1−β): the "
        "loss overshoots and rings with "
        "period 2π/arccos((1+β−lr·λ)/(2√β)), fading only √β a step. A forgotten zero_grad rings without fading.",
        "momentum",
        {
            "missing-zero-grad": "there the gradient norm accumulates and the wave never fades",
            "lr-too-high": "there the zig-zag has a period of two steps",
        },
        wave_evidence,
        lambda case: f"Use beta = 0.9 (momentum 0.9); if beta must stay near 0.99, use {rate(case, 0.1)}.",
        slow_wave_rule,
    ),
    Condition(
        "lr-too-low",
        "learning rate too low",
        "fault",
        3,
        ("loss",),
        "The loss falls smoothly, almost along a straight line, and is far from done when the budget "
        "ends: e = −ΔL/(lr·‖g‖²) is about 1 "
        "because no curvature is felt. Ten times the rate would be about ten times faster. An "
        "ill-conditioned crawl looks similar at "
        "its end, but fell fast at first; there a higher rate diverges.",
        "learning-rate",
        {
            "ill-conditioned": "an ill-conditioned run falls fast first",
            "converged": "the curve has not bent yet",
            "not-stepping": "the loss does fall, by more than its noise",
        },
        slow_evidence,
        lambda case: (
            f"Try {rate(case, 10)}, then ten times that; keep the largest rate whose first hundred steps fall "
            "without a zig-zag."
        ),
    ),
    Condition(
        "ill-conditioned",
        "ill-conditioned crawl",
        "fault",
        3,
        ("loss",),
        "Directions of very different curvature share one rate: the steep ones are done at once and "
        "limit lr, the shallow ones fall by "
        "(1−lr·λmin)² a step. The curve drops, then crawls. Inputs in very different units are the usual "
        "reason. lr too low falls "
        "evenly from the start; here ten times the rate diverges.",
        "conditioning",
        {"lr-too-low": "the first steps are fast", "converged": "the loss is still falling"},
        crawl_evidence,
        lambda case: (
            "Standardise every input to mean 0 and deviation 1 (and the target of a regression), or use "
            "Adam, which rescales each coordinate."
        ),
    ),
    Condition(
        "over-clipping",
        "gradient clipped most of the time",
        "fault",
        3,
        ("loss",),
        "When the clip threshold lies below the usual gradient norm, every step has the same short "
        "length lr·clip, whatever the slope: "
        "the loss falls along a straight line and the norm logged after clipping is one constant. It looks like lr too low; "
        "the gradient norm tells them apart.",
        "clipping",
        {"lr-too-low": "the norm logged before clipping lies far above the threshold in more than half the steps"},
        clip_evidence,
        lambda case: (
            (
                "Raise the clip threshold to "
                f"{number(3 * float(np.median(case.signals.columns['grad_norm'].value)))}, three times the median "
                "gradient norm."
            )
            if case.has("grad_norm")
            else "Raise the clip threshold to three times the median gradient norm; log the norm before clipping."
        ),
    ),
    Condition(
        "schedule-too-early",
        "schedule decays too early",
        "fault",
        3,
        ("loss",),
        "The learning rate is cut while the loss is still falling fast, and the fall stops with it: a "
        "kink at the cut. A drop at a cut is "
        "healthy; a halt is not. Often the schedule's length was given in epochs but counted in steps.",
        "schedules",
        {
            "lr-too-low": "the curve falls fast before the cut",
            "converged": "the loss stops where the schedule says, not where it is done",
            "lr-decay-step": "there the loss drops at the cut",
        },
        schedule_evidence,
        lambda case: (
            f"Keep {rate(case, 1)} for at least half the run, and check that the schedule's length is counted "
            "in the unit the scheduler steps in."
        ),
        schedule_rule,
    ),
)
