"""The numbers that make_fixtures.py logged with every writer: what the readers must give back."""

from __future__ import annotations

import math

STEPS = 40
NAN_STEP, INF_STEP, NEG_INF_STEP = 17, 23, 24
EVAL_EVERY = 10


def loss(step: int) -> float:
    """Falls smoothly, with one NaN, one Inf and one -Inf in it."""
    special = {NAN_STEP: math.nan, INF_STEP: math.inf, NEG_INF_STEP: -math.inf}
    return special.get(step, 2.0 * math.exp(-step / 12) + 0.125 * math.sin(step))


def finite_loss(step: int) -> float:
    """The same without the special values, for writers that refuse them."""
    return 2.0 * math.exp(-step / 12) + 0.125 * math.sin(step)


def lr(step: int) -> float:
    """A cosine schedule."""
    return 0.05 * (1 + math.cos(math.pi * step / STEPS))


def grad_norm(step: int) -> float:
    """A gradient norm."""
    return 1.5 / (1 + step)


def val_loss(step: int) -> float:
    """A validation loss, logged every EVAL_EVERY steps."""
    return 2.25 * math.exp(-step / 15) + 0.25


def accuracy(step: int) -> float:
    """A training accuracy."""
    return 1 - 0.9 * math.exp(-step / 9)


EVAL_STEPS = list(range(0, STEPS, EVAL_EVERY))
HYPERPARAMETERS = {"lr": 0.1, "batch_size": 32, "optimizer": "adam"}
