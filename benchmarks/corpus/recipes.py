"""Which runs the corpus makes: healthy recipes, and each fault injected in its cause at several strengths.

Labels come from the cause and are verified by the outcome in `label`: the thresholds below were fixed before any run was
looked at, and a run between the two is dropped, not relabelled to taste.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from programs import PROGRAMS, Program
from train import Recipe

#: The share of the best known improvement over the constant predictor that a healthy run must reach …
LEARNED = 0.75
#: … and that a run with a fault of optimisation must stay under. Runs in between are dropped.
FAILED = 0.5
#: Validation loss must end this far above its minimum, relative to the improvement it had, to be called overfitting …
OVERFIT = 0.35
#: … and a healthy run must stay under this.
NOT_OVERFIT = 0.12

SCHEDULES = ("constant", "constant", "cosine", "warmup-cosine", "warmup", "step", "linear")
CANDIDATES = {"sgd": 10.0 ** np.arange(-4, 1.1, 0.5), "adam": 10.0 ** np.arange(-4, 0.1, 0.5)}


def probe_recipes(p: Program) -> list[Recipe]:
    """Short runs over a grid of learning rates, to know what a well-tuned one is."""
    return [
        Recipe(p.name, optimizer, float(lr), max(p.epochs // 2, 4), p.batch, 0)
        for optimizer, grid in CANDIDATES.items()
        for lr in grid
    ]


def tuned_lr(p: Program, tuned: dict[str, float], optimizer: str) -> float:
    """The tuned learning rate of an optimizer, from those of SGD and Adam."""
    share = {"sgd": 1.0, "momentum": 0.15, "nesterov": 0.15, "adam": 1.0, "adamw": 1.0, "rmsprop": 0.5}[optimizer]
    return tuned["sgd" if optimizer in ("sgd", "momentum", "nesterov") else "adam"] * share


ORDER = ("sgd", "momentum", "adam", "adamw", "rmsprop", "sgd", "adam")
WIDER = ("sgd", "rmsprop", "adam", "nesterov", "rmsprop", "adamw", "momentum")


def healthy_recipes(
    p: Program, tuned: dict[str, float], count: int, rng: np.random.Generator, wider: bool = False
) -> list[Recipe]:
    """Healthy ways to train: optimizers, rates around the tuned one, schedules, batches, dropout, lengths."""
    recipes = []
    for i in range(count):
        optimizer = (WIDER if wider else ORDER)[i % 7]
        batch = int(min([p.batch, p.batch, p.batch // 2, p.batch * 4, 10**6][rng.integers(5)], 900))
        epochs = max(int(p.epochs * rng.choice([0.6, 1, 1, 2])), 10)
        if batch > 4 * p.batch:
            epochs = int(rng.choice([60, 150, 300])) if p.kind != "lm" else 60
        hot = i % 6 == 5  # near the edge of stability: bumps that recover
        recipes.append(
            Recipe(
                p.name, optimizer, float(tuned_lr(p, tuned, optimizer) * rng.choice([2, 3] if hot else [0.3, 1, 1])),
                epochs, batch, 100 + i,
                schedule=str(rng.choice([*SCHEDULES, "exponential"] if wider else SCHEDULES)),
                dropout=float(rng.choice([0, 0, 0.1, 0.3])), weight_decay=float(rng.choice([0, 0, 1e-4, 1e-3])),
                clip=float(rng.choice([math.inf, math.inf, 1.0 if p.kind in ("class", "lm") else math.inf])),
                note="hot" if hot else "",
            )
        )  # fmt: skip
    return recipes


def fault_recipes(p: Program, tuned: dict[str, float], rng: np.random.Generator) -> list[Recipe]:
    """Every fault that makes sense for the program, injected in its cause."""
    recipes: list[Recipe] = []

    def add(fault: str, strength: float = 0.0, optimizer: str = "", rate: float = 1.0, **more: Any) -> None:
        name = optimizer or str(rng.choice(["sgd", "momentum", "adam", "adam", "adamw", "rmsprop"]))
        batch = int(p.batch if rng.uniform() < 0.75 else min(4 * p.batch, 900))
        epochs = max(int(p.epochs * rng.choice([0.6, 1, 1, 1.5])), 10)
        options = {"schedule": str(rng.choice(["constant", "constant", "constant", "cosine", "warmup-cosine"]))} | more
        base = Recipe(p.name, name, tuned_lr(p, tuned, name) * rate, epochs, batch, 1000 + len(recipes))
        recipes.append(replace(base, fault=fault, strength=strength, **options))

    add_optimizer_faults(p, add, rng)
    add_model_faults(p, add, rng)
    add_data_faults(p, add, rng)
    return recipes


def add_optimizer_faults(p: Program, add: Any, rng: np.random.Generator) -> None:
    for factor in (4.0, 10.0, 30.0, 100.0, 1000.0):
        for optimizer in ("sgd", "momentum", "adam"):
            add("lr-too-high", factor, optimizer if factor != 30.0 or optimizer != "adam" else "rmsprop", factor)
    if p.batch > 10**5:  # full batch: the tuned rate is close to the limit, and just above it divergence is slow
        for factor in (1.3, 1.7, 2.2, 3.0):
            for optimizer in ("sgd", "sgd", "momentum"):
                add("lr-too-high", factor, optimizer, factor)
        for rate in (0.3, 0.1, 0.03):
            add("flipped-sign", rate, "sgd", rate)
    for factor in (30.0, 100.0, 1000.0):
        for optimizer in ("sgd", "adam"):
            add("lr-too-low", factor, optimizer, 1 / factor)
    for optimizer, rate in (("sgd", 1.0), ("momentum", 0.3), ("adam", 1.0), ("sgd", 0.1), ("adam", 0.1)):
        add("flipped-sign", rate, optimizer, rate)
    for optimizer, rate in (("sgd", 1.0), ("sgd", 0.3), ("momentum", 1.0), ("adam", 1.0)):
        add("missing-zero-grad", rate, optimizer, rate)
    for beta in (0.99, 0.995, 0.999):
        add("momentum-too-high", beta, "momentum", 1.0, beta=beta)
    for strength in (1e-2, 1e-3, 1e-4):
        add("over-clipping", strength, str(rng.choice(["sgd", "momentum"])))
    for _ in range(3):
        add("not-stepping")
    add("detached")
    for when, factor in ((0.03, 1e-3), (0.06, 1e-2), (0.1, 1e-4)):
        add("schedule-too-early", when, rate=0.3, schedule=f"early:{when}:{factor}")
    for strength in (0.3, 1.0, 3.0):
        add("weight-decay", strength, str(rng.choice(["sgd", "adam"])), weight_decay=strength)


def add_model_faults(p: Program, add: Any, rng: np.random.Generator) -> None:
    for scale in (0.0, 1e-3, 10.0, 100.0):
        add("init-scale", scale)
    if not p.tokens and p.kind in ("class", "reg", "nll"):
        for strength in (5.0, 20.0, 20.0):
            add("dead-units", strength, extra={"act": "relu"})
        for strength in (30.0, 100.0, 300.0):
            add("saturated-units", strength, extra={"act": str(rng.choice(["sigmoid", "tanh"]))})
    if p.kind in ("class", "lm"):
        for _ in range(3):
            add("double-softmax")
            add("missing-log")
    for _ in range(2):
        add("sum-loss")


def add_data_faults(p: Program, add: Any, rng: np.random.Generator) -> None:
    for _ in range(4):
        add("wrong-labels")
    for size in (12, 25, 40, 60):
        add("overfitting", size, str(rng.choice(["momentum", "adam"])), epochs=int(p.epochs * rng.choice([3, 6])), batch=16)
    for strength in (0.6, 0.9, 0.9) if p.tokens else (1.5, 3.0, 5.0):
        add("distribution-shift", strength)
    for _ in range(2):
        add("noisy-validation", 6)
    if p.tokens:
        return
    for decades in (1.5, 2.5, 3.5):
        add("unnormalised", decades)
    for when in (0.0, 0.2, 0.6):
        add("nan-data", extra={"when": when + 0.2 * float(rng.uniform())})
    for style in ("zero", "repeat", "skip"):
        add("hidden-nan", extra={"when": 0.15 + 0.6 * float(rng.uniform()), "style": style})
    for strength in (10.0, 30.0, 100.0):
        add("spike", strength, str(rng.choice(["sgd", "adam"])), clip=1.0, extra={"when": 0.3 + 0.5 * float(rng.uniform())})
    if p.kind == "class":
        add("log-zero", extra={"when": 0.1 + 0.6 * float(rng.uniform())})


#: The codes that name the cause of a fault. Several codes: each is a right answer, because nothing in a log separates them.
ANSWERS: dict[str, tuple[str, ...]] = {
    "lr-too-high": ("lr-too-high",),
    "lr-too-low": ("lr-too-low",),
    "flipped-sign": ("flipped-sign",),
    "missing-zero-grad": ("missing-zero-grad",),
    "momentum-too-high": ("momentum-too-high",),
    "over-clipping": ("over-clipping",),
    "not-stepping": ("not-stepping",),
    "detached": ("not-stepping",),
    "schedule-too-early": ("schedule-too-early",),
    "weight-decay": ("weight-decay-dominates",),
    "dead-units": ("dead-units", "constant-predictor", "vanishing-gradients"),
    "saturated-units": ("dead-units", "constant-predictor", "vanishing-gradients"),
    "double-softmax": ("wrong-loss",),
    "missing-log": ("wrong-loss",),
    "sum-loss": ("wrong-loss", "lr-too-high"),
    "log-zero": ("nan",),
    "nan-data": ("nan",),
    "hidden-nan": ("hidden-nan",),
    "wrong-labels": ("wrong-labels",),
    "overfitting": ("overfitting",),
    "distribution-shift": ("distribution-shift",),
    "noisy-validation": ("noisy-validation",),
    "unnormalised": ("ill-conditioned", "lr-too-high"),  # inputs a thousand times too large make any lr too high
    "spike": ("spike",),
}

#: Classes of equivalent causes, declared before the first run: naming another member of the class counts as the right
#: diagnosis in the "class" column of the report; the "exact" column counts the code itself.
EQUIVALENT: dict[str, tuple[str, ...]] = {
    "unstable": ("lr-too-high", "momentum-too-high", "missing-zero-grad", "exploding-gradients"),
    "slow": ("lr-too-low", "over-clipping", "ill-conditioned"),
    "stuck": ("constant-predictor", "dead-units", "vanishing-gradients", "weight-decay-dominates"),
    "frozen": ("not-stepping",),
    "ascending": ("flipped-sign",),
    "schedule": ("schedule-too-early",),
    "non-finite": ("nan", "hidden-nan"),
    "labels": ("wrong-labels",),
    "loss": ("wrong-loss",),
    "overfit": ("overfitting",),
    "shift": ("distribution-shift",),
    "spike": ("spike",),
}


def gain(run: dict[str, Any], best: float) -> float:
    """The share of the best known improvement over the constant predictor that a run reached on its own training set."""
    end = run["true_end"]
    if not math.isfinite(end):
        return -math.inf
    return (run["base"] - end) / max(run["base"] - best, 1e-9)


def rise(run: dict[str, Any]) -> float:
    """How far validation loss ended above its minimum, as a share of its improvement; both smoothed over a tenth."""
    v = run["epochs"][:, 0].astype(float)
    if not np.isfinite(v).all() or len(v) < 5:
        return math.nan
    k = max(len(v) // 10, 1)
    smooth = np.convolve(v, np.ones(k) / k, "valid")
    return float((smooth[-1] - smooth.min()) / max(v[0] - smooth.min(), 0.1 * abs(smooth.min()), 1e-9))


def label(run: dict[str, Any], best: float) -> tuple[str, ...] | None:
    """The right answers for a run: ("healthy",), the codes of its fault, or None when the outcome contradicts the cause."""
    fault, g, up = run["recipe"]["fault"], gain(run, best), rise(run)
    finite = bool(np.isfinite(run["steps"][:, 0]).all())
    if fault in ("", "noisy-validation"):
        if finite and g >= LEARNED and up <= (OVERFIT if fault else NOT_OVERFIT):
            return ("healthy",)
        if finite and g >= LEARNED and up >= OVERFIT:
            return ("overfitting",)
        return ("lr-too-high",) if run["recipe"]["note"] == "hot" and g < FAILED else None
    if fault == "overfitting":
        return ("overfitting",) if g >= LEARNED and up >= OVERFIT else None
    if fault in ("nan-data", "log-zero", "hidden-nan"):
        return ANSWERS[fault] if not finite else None
    if fault in ("not-stepping", "detached"):
        return ANSWERS[fault]
    if fault == "spike":
        return spike_label(run, g)
    if fault == "distribution-shift":
        last = float(np.mean(run["epochs"][-3:, 0]))
        shifted = last - run["true_val"] > 0.5 * max(run["base_val"] - run["true_val"], 1e-9)
        return ANSWERS[fault] if g >= LEARNED and shifted else None
    if fault == "wrong-labels":
        beaten = (run["base_val"] - run["true_val"]) / max(run["base"] - best, 1e-9)
        return ANSWERS[fault] if beaten < 0.3 else None
    if fault in ("double-softmax", "missing-log") and g < LEARNED:
        return ANSWERS[fault]
    if g >= FAILED:
        return None
    return optimisation_label(run, fault, finite)


def spike_label(run: dict[str, Any], g: float) -> tuple[str, ...] | None:
    """A spike is one only if it stood out of the logged loss and was recovered from."""
    loss = run["steps"][:, 0].astype(float)
    at = int(run["recipe"]["extra"]["when"] * len(loss))
    around = loss[max(at - 30, 0) : at]
    stood = len(around) > 5 and loss[at] - np.median(around) > 8 * max(np.std(around), 1e-9)
    return ("spike",) if stood and g >= LEARNED and math.isfinite(loss[-1]) else None


def optimisation_label(run: dict[str, Any], fault: str, finite: bool) -> tuple[str, ...]:
    """Codes for a fault of optimisation that did fail; where it went non-finite, that is a right answer as well."""
    if fault == "init-scale":
        big = run["recipe"]["strength"] > 1
        answers: tuple[str, ...] = (
            ("exploding-gradients",) if big else ("constant-predictor", "vanishing-gradients", "dead-units")
        )
    else:
        answers = ANSWERS[fault]
    return answers if finite else (*answers, "nan")


def programs(split: str = "") -> list[Program]:
    """The programs of a split, or all."""
    return [p for p in PROGRAMS.values() if split in ("", p.split)]
