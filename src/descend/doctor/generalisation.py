"""Conditions seen by comparing training with validation, and the loss with what it should be."""

from __future__ import annotations

import math

import numpy as np

from descend.doctor.evidence import fall_sentence, number, val_turn
from descend.doctor.finding import Case, Condition, Evidence, Verdict
from descend.doctor.series import noise, rank_trend, trend
from descend.doctor.signals_more import share_of_one

__all__ = ["CONDITIONS"]

#: Validation losses without which no rise is proof, and how many of them must follow the minimum.
ENOUGH, LASTS = 8, 6
#: A cause of the same rise with this share of the votes is left to explain it, and one of other marks with this share.
CLAIM, OTHER_CLAIM = 0.45, 0.25


def memorises(case: Case) -> bool:
    """Validation rises many times its noise from a minimum near training's level, while training goes on falling.

    The minimum may be the first row: an epoch has learned already when it is logged. What validation gained by then, from the
    first training loss on, tells this from labels that mean nothing; the gap there, from a shifted validation set.
    """
    v, y = case.signals.columns["val_loss"], case.loss.value
    at = int(np.argmin(trend(v.value, 1 / 8)))
    if len(v) < ENOUGH or len(v) - at < LASTS:
        return False
    low = float(trend(v.value, 1 / 8)[at])
    rise = float(np.median(v.value[-max(len(v) // 10, 2) :])) - low
    train = np.interp(v.step, case.loss.step, trend(y))
    end, gained = float(np.median(train[-max(len(v) // 10, 1) :])), float(y[0]) - low
    fall = max(float(y[0] - train.min()), 1e-300)
    return bool(
        rise > 8 * noise(v.value)
        and rise > 0.2 * (max(float(v.value[0]), float(y[0])) - low)
        and rank_trend(v.value[at:]) > 0.6
        and float(train[at]) - end > max(0.05 * fall, 4 * noise(y) / math.sqrt(max(len(v) // 10, 1)))
        and end < float(train.min()) + 0.1 * fall
        and gained > 0.3 * fall
        and low - float(train[at]) < 0.3 * gained
    )


def claimed(case: Case) -> bool:
    """Whether the votes give the rise to another cause that makes one: such a run memorises too, but that is not its fault.

    A shifted validation set hardly improves while it is watched; where it did, over a third of what was learned, votes for
    a shift count for nothing.
    """
    v, y = case.signals.columns["val_loss"].value, case.loss.value
    low = float(trend(v, 1 / 8).min())
    improved = float(v[0]) - low > max(0.3 * (float(y[0]) - low), 8 * noise(v))
    alike = ("wrong-labels",) if improved else ("wrong-labels", "distribution-shift")
    votes = [case.probability.get(code, 0.0) - CLAIM for code in alike]
    votes += [case.probability.get(code, 0.0) - OTHER_CLAIM for code in ("wrong-loss", "spike", "lr-too-low")]
    return max(votes) > 0


def overfit_rule(case: Case) -> tuple[Verdict, float] | None:
    """A lasting rise of validation while training falls is proof; without a rise beyond its noise there is nothing to see."""
    if not case.has("val_loss"):
        return "cannot_tell", 0.5
    if memorises(case) and not claimed(case):
        return "found", 0.8
    if case["val_rise"] < 0.9 or case["val_rise_noise"] < 0.3:
        return "clear", 0.95
    return None


def overfit_fix(case: Case) -> str:
    v = case.signals.columns["val_loss"]
    return (
        f"Keep the weights of {case.unit} {int(v.step[int(np.argmin(trend(v.value, 1 / 8)))])} (early "
        "stopping); then more data or augmentation, dropout 0.2 to 0.5, weight_decay 1e-4 to 1e-2, or a "
        "smaller network."
    )


def val_only(case: Case) -> tuple[Verdict, float] | None:
    return None if case.has("val_loss") or case.has("val_accuracy") else ("cannot_tell", 0.5)


def shift_evidence(case: Case) -> Evidence:
    v = case.signals.columns["val_loss"]
    train = np.interp(v.step, case.loss.step, trend(case.loss.value))
    a, b = number(float(v.value[0])), number(float(np.median(v.value[-max(len(v) // 4, 1) :])))
    return Evidence(
        f"validation loss is {a} against {number(float(train[0]))} in training at the first evaluation and {b} against "
        f"{number(float(np.median(train[-max(len(v) // 4, 1) :])))} at the end: a gap that is there almost from the start",
        int(v.step[0]), int(v.step[-1]),
    )  # fmt: skip


def noisy_rule(case: Case) -> tuple[Verdict, float] | None:
    """Ups and downs of validation far beyond those of training, without a trend. A remark: it limits what can be concluded."""
    if not case.has("val_loss") or len(case.signals.columns["val_loss"]) < 8:
        return "cannot_tell", 0.5
    if case["val_alternation"] > 0.5 and case["val_noise"] > 2.0 and case["val_noise_to_train"] > 0.6:
        return "found", 0.7
    return "clear", 0.8


def noisy_evidence(case: Case) -> Evidence:
    v = case.signals.columns["val_loss"]
    return Evidence(
        (
f"validation loss varies by {number(noise(v.value))} from one evaluation to the next, "
f"{10 ** case['val_noise_to_train']:.1f} times the noise of training"
),
        int(v.step[0]), int(v.step[-1]),
    )  # fmt: skip


def stairs(case: Case) -> tuple[float, float, int] | None:
    """The median fall across an epoch boundary, the noise, and the number of boundaries; None when it cannot be measured."""
    epoch, c = case.trace.columns.get("epoch"), case.loss
    if epoch is None or len(epoch) < 2 or epoch.value.ndim != 1 or len(c) < 60:
        return None
    number_of = np.floor(np.interp(c.step, epoch.step, epoch.value) + 1e-9)
    edges = np.flatnonzero(np.diff(number_of) > 0) + 1
    width = int(np.median(np.diff(edges))) // 3 if len(edges) >= 3 else 0
    if width < 5:
        return None
    y = c.value
    falls, inner = [], []
    for e in edges[1:]:
        if e - 2 * width >= 0 and e + width <= len(y):
            falls.append(float(np.mean(y[e - width : e]) - np.mean(y[e : e + width])))
            inner.append(float(np.mean(y[e - 2 * width : e - width]) - np.mean(y[e - width : e])))
    if len(falls) < 2:
        return None
    return float(np.median(falls) - max(np.median(inner), 0)), noise(y) / math.sqrt(width / 2), len(falls)


def stairs_rule(case: Case) -> tuple[Verdict, float] | None:
    found = stairs(case)
    if found is None:
        return "cannot_tell", 0.5
    return ("found", 0.75) if found[0] > 4 * found[1] / math.sqrt(found[2]) and found[0] > found[1] else ("clear", 0.8)


def stairs_evidence(case: Case) -> Evidence:
    found = stairs(case)
    if found is None:
        return case.whole("no epoch column dense enough to compare epoch boundaries")
    return case.whole(
        f"at {found[2]} epoch boundaries the loss falls by {number(found[0])} in the median, beyond the "
        f"slope inside epochs (noise {number(found[1])})"
    )


def loss_evidence(case: Case) -> Evidence:
    y = case.loss.value
    start, tail = float(y[0]), float(np.median(y[-max(len(y) // 10, 1) :]))
    if case.has("accuracy") and y.min() < 0:
        return case.whole(
            f"the loss is negative ({number(float(y.min()))}) although an accuracy is logged: a cross-entropy cannot be below 0"
        )
    if case.has("accuracy"):
        a = float(np.median(share_of_one(case.signals.columns["accuracy"].value)[-max(len(y) // 10, 1) :]))
        return case.whole(
            f"the loss ends at {number(tail)} with a training accuracy of {a:.1%}: predictions that good "
            f"would cost about {number(-math.log(max(a, 1e-3)))} or less as a cross-entropy, unless their "
            "confidence is capped"
        )
    return case.whole(
        f"the loss starts at {number(start)} and settles at {number(tail)}; neither fits a cross-entropy "
        f"that learns ({fall_sentence(case)})"
    )


def loss_rule(case: Case) -> tuple[Verdict, float] | None:
    """A negative loss beside an accuracy is certain; a positive one is left to the scorer."""
    if case["negative"] == 1 and (case.has("accuracy") or case.has("val_accuracy")) and case["low_at"] > 0:
        return "found", 0.9
    return None


def labels_evidence(case: Case) -> Evidence:
    text = fall_sentence(case)
    if case.has("val_accuracy"):
        text += f", while validation accuracy goes from {case['val_acc_first_level']:.1%} to {case['val_acc_last_level']:.1%}"
    if case.has("val_loss"):
        v = case.signals.columns["val_loss"].value
        text += (
            f" and validation loss from {number(float(v[0]))} to "
            f"{number(float(np.median(v[-max(len(v) // 10, 1) :])))}: what is learned does not carry over to "
            "any example not seen"
        )
    return case.whole(text)


CONDITIONS = (
    Condition(
        "overfitting",
        "overfitting",
        "fault",
        3,
        ("loss", "val_loss"),
        "Training loss keeps falling while validation loss, beyond its noise, has turned upwards: the "
        "network memorises what does not carry "
        "over. One bad evaluation is noise; a gap that was there from the first epoch is another "
        "distribution, or dropout and averaging.",
        "generalisation",
        {
            "noisy-validation": "the rise is many times the noise and has a direction",
            "distribution-shift": "at its lowest, validation had followed training down",
            "wrong-labels": "validation did get below the first training loss",
        },
        val_turn,
        overfit_fix,
        overfit_rule,
    ),
    Condition(
        "distribution-shift",
        "validation differs from training",
        "fault",
        3,
        ("loss", "val_loss"),
        "Validation comes from other data, or other preprocessing (inputs not scaled the same way is the "
        "classic): a gap from the first "
        "evaluation that training does not close. Dropout, augmentation and the epoch's running mean put "
        "validation *below* training, which is healthy.",
        "generalisation",
        {"overfitting": "there validation comes near training's loss before it turns upwards"},
        shift_evidence,
        lambda case: (
            "Evaluate the training set through the validation pipeline: if that loss is high too, the "
            "preprocessing differs; if not, compare input means and deviations of both sets."
        ),
        val_only,
    ),
    Condition(
        "noisy-validation",
        "noisy validation",
        "note",
        1,
        ("val_loss",),
        (
            "A small validation set makes its loss jump without a trend: its noise falls with the square root of its size. "
            "One evaluation above the last is not overfitting; a rise counts when it is several times this noise and lasts."
        ),
        "generalisation",
        {"overfitting": "there is no direction in it"},
        noisy_evidence,
        lambda case: "Use a validation set four times larger (half the noise), or judge by a running mean of five evaluations.",
        noisy_rule,
    ),
    Condition(
        "memorisation-stairs",
        "stairs at epoch boundaries",
        "note",
        1,
        ("loss", "epoch"),
        "A large network that sees every example again drops at each epoch boundary: it remembers. "
        "Common in fine-tuning, and a reason to "
        "watch validation. A drop where lr is cut is something else.",
        "generalisation",
        {"lr-decay-step": "lr does not change at the drops"},
        stairs_evidence,
        lambda case: "Watch validation loss; two or three epochs are usually enough for fine-tuning.",
        stairs_rule,
    ),
    Condition(
        "wrong-loss",
        "wrong loss",
        "fault",
        4,
        ("loss",),
        "The formula is not the loss that was meant: softmax applied twice (a ten-class loss cannot go "
        "below 1.46 however right the answers), "
        "a missing logarithm (negative loss), a sum instead of a mean (the first loss is the batch size times ln K). "
        "Accuracy and loss then disagree.",
        "losses",
        {
            "constant-predictor": "accuracy is far above a guess",
            "wrong-labels": "there accuracy on validation stays at a guess",
        },
        loss_evidence,
        lambda case: (
            "Give the cross-entropy raw logits (no softmax or sigmoid before it), reduction='mean', and "
            "check the first loss: ln K for K balanced classes."
        ),
        loss_rule,
    ),
    Condition(
        "wrong-labels",
        "labels do not belong to the inputs",
        "fault",
        4,
        ("loss", "val_loss|val_accuracy"),
        "Labels were shuffled, joined on the wrong key or shifted by one: a large network memorises them "
        "slowly, a small one stays at the "
        "constant predictor, and validation never gets better than a guess. With labels shuffled again "
        "the curve is the same: that is the test.",
        "data",
        {
            "overfitting": "with overfitting validation first improves well beyond a guess",
            "constant-predictor": "training loss does fall",
        },
        labels_evidence,
        lambda case: (
            "Look at twenty examples with their labels; train once with labels shuffled on purpose: if the "
            "curve is the same, the labels carry nothing."
        ),
        val_only,
    ),
)
