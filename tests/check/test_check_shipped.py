"""pytorch_optimizer as it is installed: what is right there is not called wrong, and its shipped bugs are named."""

from __future__ import annotations

import pytest

pytest.importorskip("pytorch_optimizer")

from descend.check import check

#: In 4.1.0: reference, verdict, and words of the form.
RIGHT = {
    "AdaFactor": ("adafactor", "dialect", "Hugging Face"),
    "Prodigy": ("prodigy", "dialect", "the authors'"),
    "RAdam": ("radam", "dialect", "the authors'"),
    "Lion": ("lion", "right", "Lion"),
    "AdaMax": ("adamax", "right", "Adamax"),
    "AdaDelta": ("adadelta", "right", "Adadelta"),
    "ScheduleFreeSGD": ("schedule_free_sgd", "right", "schedule-free SGD"),
}
#: Wrong, with the words that name it.
WRONG = {
    "Lamb": "multiplies the step after the trust ratio",
    "Adan": "maximize is not descent on −g",
    "ScheduleFreeAdamW": "the gradient is changed by the step",
}
#: No rule of ours, of which the properties of any optimizer are asked all the same.
OTHERS = {"DAdaptAdan": "maximize is not descent on −g", "Gravity": "", "ASGD": "", "AdaNorm": "", "QHAdam": ""}


@pytest.mark.parametrize("name", RIGHT)
def test_right(name: str) -> None:
    reference, verdict, words = RIGHT[name]
    report = check(f"pytorch_optimizer:{name}", seconds=60.0)
    assert (report.reference, report.verdict) == (reference, verdict), str(report)
    assert not report.mistakes
    assert words in f"{report.dialect}{report.message}"


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str) -> None:
    report = check(f"pytorch_optimizer:{name}", seconds=60.0)
    assert report.verdict == "wrong"
    assert len(report.mistakes) == 1
    assert WRONG[name] in report.mistakes[0].name


@pytest.mark.parametrize("name", OTHERS)
def test_no_reference(name: str) -> None:
    report = check(f"pytorch_optimizer:{name}", seconds=60.0)
    assert (report.verdict, report.exit_code) == ("no_reference", 2)
    assert [m.name for m in report.mistakes] == ([OTHERS[name]] if OTHERS[name] else [])
