"""Conditions in which training does not move: a constant prediction, dead units, lost gradients, no step at all."""

from __future__ import annotations

import math

import numpy as np

from descend.doctor.evidence import climb, fall_sentence, flat_stretch, number, span
from descend.doctor.finding import Case, Condition, Evidence, Verdict
from descend.doctor.series import noise

__all__ = ["CONDITIONS", "guess_level"]


def guess_level(loss: float, noise_level: float = 0.0) -> int | None:
    """The number of classes K whose guessing loss ln K this is, or None.

    >>> guess_level(2.3026), guess_level(0.6931), guess_level(1.9)
    (10, 2, None)
    """
    if not 0.5 < loss < 14:
        return None
    k = round(math.exp(loss))
    common = k in (2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 26, 50, 100, 256, 1000, 50257)
    return k if common and abs(loss - math.log(k)) < max(0.01, min(2 * noise_level, 0.03)) else None


def stuck_evidence(case: Case) -> Evidence:
    y = case.loss.value
    first, last = flat_stretch(y)
    tail = float(np.median(y[-max(len(y) // 3, 1) :]))
    k = guess_level(tail, noise(y))
    text = f"the loss stays at {number(tail)}"
    if k:
        text += f", which is ln {k}: what guessing evenly among {k} classes costs"
    elif case.has("accuracy") or case.has("val_accuracy"):
        a = case["acc_last_level"] if case.has("accuracy") else case["val_acc_last_level"]
        text += f" with accuracy {a:.1%}, no better than answering the same for everything"
    else:
        text += f" (its noise is {number(noise(y))}); {fall_sentence(case)}"
    if case.has("grad_norm") and case["grad_change"] < -1:
        text += f"; the gradient norm fell {10 ** -case['grad_change']:.0f}-fold although nothing was learned"
    steps = span(case.loss, first, last)
    return Evidence(text, *steps)


def explode_evidence(case: Case) -> Evidence:
    y = case.loss.value
    high = int(np.argmax(y))
    text = (
        f"the loss starts at or reaches {number(float(y[high]))}, "
        f"{number(float(y[high]) / max(abs(float(np.median(y))), 1e-300))} times its median"
    )
    if case.has("grad_norm"):
        g = case.signals.columns["grad_norm"].value
        text += f"; the gradient norm goes from {number(float(g[0]))} to as much as {number(float(g.max()))}"
    found = climb(case.loss)
    first, last = span(case.loss, *(found[:2] if found else (0, high or 1)))
    return Evidence(text, first, last)


def frozen_rule(case: Case) -> tuple[Verdict, float] | None:
    """Validation loss exactly constant while training goes on: the weights never change."""
    rounded = case.trace.config.get("rounding")
    if case["val_constant"] == 1 and case["val_points"] >= 0.6 and case["bad_share"] == 0 and not rounded:
        return "found", 0.97
    if case["grad_zero_share"] == 1:
        return "found", 0.95
    if case["repeat_longest"] == 1 and case["points"] >= 5 and case["last_zero"] == 0 and not rounded:
        return "found", 0.9
    if case["net_noise"] > 1.3 and case["rank"] < -0.9:
        return "clear", 0.97
    return None


def frozen_evidence(case: Case) -> Evidence:
    if case["val_constant"] == 1:
        value = float(case.signals.columns["val_loss"].value[0])
        return case.whole(
            f"validation loss is exactly {value!r} at all {len(case.signals.columns['val_loss'])} "
            "evaluations: the weights do not change"
        )
    if case["grad_zero_share"] == 1:
        return case.whole("the gradient norm is exactly 0 in every row: nothing reaches the parameters")
    if case["repeat_longest"] == 1:
        return case.whole(f"the loss is exactly {float(case.loss.value[0])!r} in all {len(case.loss)} rows")
    y = case.loss.value
    text = (
        f"the loss fluctuates around {number(float(np.median(y)))} ± {number(float(np.std(y)))} without "
        f"any trend (rank correlation with time {case['rank']:+.2f})"
    )
    if case.has("grad_norm"):
        text += f" while the gradient norm stays near {number(float(np.median(case.signals.columns['grad_norm'].value)))}"
    return case.whole(text)


def decay_evidence(case: Case) -> Evidence:
    found = climb(case.loss)
    if found and found[0] > 0:
        low, high, _ = found
        first, last = span(case.loss, low, high)
        y = case.loss.value
        return Evidence(
            (
                f"the loss falls to {number(float(y[low]))} by {case.unit} {first} and is pulled back up to "
                f"{number(float(y[high]))}, where it stays"
            ),
            first,
            last,
        )
    return stuck_evidence(case)


def vanishing_rule(case: Case) -> tuple[Verdict, float] | None:
    """Only a gradient norm tells: tiny from the start beside a loss that has not moved."""
    if not case.has("grad_norm"):
        return "cannot_tell", 0.5
    return None


CONDITIONS = (
    Condition(
        "constant-predictor",
        "stuck at the constant predictor",
        "fault",
        4,
        ("loss",),
        "The loss sits at ln K (0.693, 1.386, 2.303, 6.908 for 2, 4, 10, 1000 classes) or at the "
        "variance of the target: the network "
        "answers the same for every input. Inputs that are zero or huge, all-zero weights, dead units, "
        "labels that do not belong to the "
        "inputs or a weight decay that wins all end here. A run that has only just begun sits there too: "
        "a plateau at the start may drop.",
        "initialisation",
        {
            "converged": "nothing was learned before the plateau",
            "lr-too-low": "a slow run keeps a slope",
            "wrong-labels": "with wrong labels a large network still memorises: training accuracy climbs",
        },
        stuck_evidence,
        lambda case: (
            "Overfit one batch of 8 examples: if that fails, look at the initial weights and inputs (zero "
            "the input: the loss will not change); draw weights with He or Glorot scale, standardise inputs."
        ),
    ),
    Condition(
        "dead-units",
        "dead or saturated units",
        "fault",
        4,
        ("loss", "grad_norm"),
        "ReLUs that are negative on every input, or sigmoids at 0 or 1, pass no gradient: the layers "
        "before them stop learning and the "
        "output becomes a constant. A large negative bias, a huge first step or unscaled inputs do it.",
        "initialisation",
        {
            "constant-predictor": "the gradient norm, small although nothing was learned, points at the units",
            "vanishing-gradients": "there the loss of gradient is gradual, layer by layer",
        },
        stuck_evidence,
        lambda case: (
            "Log the share of zero activations per layer; use leaky ReLU or GELU, biases at 0, He "
            "initialisation, a tenth of the lr, standardised inputs."
        ),
        lambda case: None if case.has("grad_norm") else ("cannot_tell", 0.5),
    ),
    Condition(
        "vanishing-gradients",
        "vanishing gradients",
        "fault",
        4,
        ("loss", "grad_norm"),
        "Each layer multiplies the gradient by less than one, and the first layers receive nothing: "
        "typical of deep sigmoid or tanh stacks, "
        "of tiny initial weights and of long recurrent chains. Norms per layer settle it: smallest near the input.",
        "initialisation",
        {"dead-units": "dead units are exactly zero", "lr-too-low": "a higher lr would not help"},
        stuck_evidence,
        lambda case: (
            "Use He or Glorot initialisation, residual connections or normalisation layers, ReLU or GELU "
            "instead of sigmoid; log gradient norms per layer."
        ),
        vanishing_rule,
    ),
    Condition(
        "exploding-gradients",
        "exploding gradients",
        "fault",
        4,
        ("loss",),
        "Each layer (or time step) multiplies the gradient by more than one, or the initial weights are "
        "far too large: the first loss is "
        "many times what a guess costs and the gradient norm is huge near the input. A rate too high "
        "explodes too, but starts from a sane loss.",
        "initialisation",
        {"lr-too-high": "with a rate too high the first loss is sane and then grows"},
        explode_evidence,
        lambda case: (
            "Clip the gradient norm at about its median, draw weights with He or Glorot scale, add "
            "normalisation; check that the first loss is near ln K or the variance of the target."
        ),
    ),
    Condition(
        "not-stepping",
        "frozen, detached or not stepping",
        "fault",
        5,
        ("loss",),
        "The parameters never change: optimizer.step() is missing, the optimizer was given other "
        "parameters, requires_grad is off, or the "
        "loss was detached. The loss only repeats the noise of the batches, and validation loss is the same number every time. "
        "A rate far too low looks similar, but validation then moves in its last digits.",
        "training-loop",
        {
            "lr-too-low": "with a tiny rate the validation loss still moves",
            "constant-predictor": "there the loss moved before it settled",
        },
        frozen_evidence,
        lambda case: (
            "Compare one weight before and after a step. Call optimizer.step(), build the optimizer from "
            "model.parameters() after the model is final, and look for detach(), no_grad() or "
            "requires_grad=False."
        ),
        frozen_rule,
    ),
    Condition(
        "weight-decay-dominates",
        "weight decay dominates",
        "fault",
        3,
        ("loss",),
        "When decay pulls harder than the data, weights shrink towards zero: the loss falls at first, "
        "then returns towards the constant "
        "predictor's, with a gradient that stays where it is because the pull balances it. The weight "
        "norm, shrinking at small gradients, settles it.",
        "regularisation",
        {"constant-predictor": "there nothing was learned even at first", "lr-too-high": "there the way back up is rough"},
        decay_evidence,
        lambda case: "Divide weight_decay by 100 (1e-4 for SGD and 1e-2 for AdamW are usual), and log the weight norm.",
    ),
)
