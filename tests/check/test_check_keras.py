"""Keras's optimizers are right, or right in a form of their own: no false alarm. Each runs in the checker's child process."""

# ruff: noqa: E501
from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported; its own default is tensorflow
pytest.importorskip("keras", exc_type=ImportError)

from descend.check import check

KERAS = {
    "SGD": ("momentum", "dialect"), "RMSprop": ("rmsprop", "dialect"), "Adam": ("adam", "dialect"), "AdamW": ("adamw", "dialect"),
    "Adadelta": ("adadelta", "dialect"), "Adagrad": ("adagrad", "dialect"), "Adamax": ("adamax", "dialect"),
    "Adafactor": ("adafactor", "dialect"), "Nadam": ("nadam", "dialect"), "Lion": ("lion", "right"), "Lamb": ("lamb", "dialect"),
    "Muon": ("muon", "dialect"),
}  # fmt: skip


@pytest.mark.parametrize("name", KERAS)
def test_keras(name: str) -> None:
    reference, verdict = KERAS[name]
    report = check(f"keras.optimizers:{name}", seconds=60.0)
    assert (report.reference, report.verdict) == (reference, verdict), str(report)
    assert not report.mistakes
    assert report.exit_code == 0
    if verdict == "dialect":
        assert report.dialect is not None
        assert "form" in report.dialect


def test_keras_schedule_free_adamw_forgets_its_decay() -> None:
    """Decay moves y before the step, which recovers x from y and averages what is decayed away; z never hears of it."""
    report = check("keras.optimizers:ScheduleFreeAdamW", seconds=60.0)
    assert (report.reference, report.verdict) == ("schedule_free_adamw", "wrong"), str(report)
    assert report.mistakes[0].name.startswith("the weight decay is ignored")


def test_every_optimizer_of_keras_is_listed() -> None:
    from descend.check.listing import public_optimizers

    listed = public_optimizers("keras.optimizers")
    assert {*KERAS, "ScheduleFreeAdamW"} <= {*listed}
    assert "Optimizer" not in listed
