"""pytorch_optimizer 4.1.0 as it is installed: what is right there is not called wrong, and its shipped bugs are named.

A sample by default, all of its classes in the slow tests.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

pytest.importorskip("pytorch_optimizer")

from descend.check import Report
from descend.check.checking import check_all

MODULE = "pytorch_optimizer"

#: Reference, verdict, and words of the form.
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
    "Muon": "the gradient is changed by the step",
}
#: No rule of ours, of which the properties of any optimizer are asked all the same.
OTHERS = {
    "DAdaptAdan": "maximize is not descent on −g",
    "Magma": "maximize is not descent on −g",
    "Gravity": "",
    "AdaNorm": "",
}
#: Driven with more than parameters and gradients: words of how.
DRIVEN = {
    "SAM": "around torch's SGD, with a closure",
    "WSAM": "given a model, around torch's SGD, with a closure",
    "AliG": "with a closure",
    "LBFGS": "with a closure",
    "BSAM": "num_data = 1000, with a closure",
    "Ranger21": "num_iterations = 1000",
    "AdamMini": "given a model",
    "Lookahead": "around torch's SGD",
    "ScheduleFreeWrapper": "around torch's SGD",
    "AdaMuon": "use_muon = True",
    "AdaHessian": "torch.optim.Optimizer",
}
#: Not driven: words of the one sentence that says what is missing.
NOT_DRIVEN = {
    "GSAM": "it cannot be made without rho_scheduler",
    "LOMO": "through its own fused_backward(",
    "AdaLOMO": "through its own fused_backward(",
    "PCGrad": "through its own pc_backward(",
    "SafeFP16Optimizer": "through its own backward(",
    "DeMo": "`einops`",
    "DistributedMuon": "a process group of torch.distributed",
    "FAdam": "float32 parameters only",
    "LoRARite": "a 4 × 2 and a 2 × 3 matrix",
}
#: Of all its classes: those that write into .grad whatever their options are.
OVERWRITE = {"Adalite", "GrokFastAdamW", "LARS", "Muon", "NorMuon", "NovoGrad", "OrthoGrad", "PID", "Ranger", "Ranger21"} | {
    "SCIONLight", "ScheduleFreeAdamW", "ScheduleFreeRAdam", "Shampoo", "StableSPAM",
}  # fmt: skip
#: Those that turn the wrong thing round under maximize=True.
TURN_WRONGLY = {"Adan", "DAdaptAdan", "Magma", "Shampoo"}

TURNED, TOUCHED = "maximize is not descent on −g", "the gradient is changed by the step"


def reports(names: list[str] | None) -> dict[str, Report]:
    """Reports by the name of the class."""
    return {r.target.partition(":")[2]: r for r in check_all(MODULE, names, seconds=60.0)}


@pytest.fixture(scope="module")
def sample() -> Mapping[str, Report]:
    return reports([*RIGHT, *WRONG, *OTHERS, *DRIVEN, "FAdam", "GSAM", "LOMO"])


@pytest.mark.parametrize("name", RIGHT)
def test_right(sample: Mapping[str, Report], name: str) -> None:
    reference, verdict, words = RIGHT[name]
    report = sample[name]
    assert (report.reference, report.verdict) == (reference, verdict), str(report)
    assert not report.mistakes
    assert words in f"{report.dialect}{report.message}"


@pytest.mark.parametrize("name", WRONG)
def test_wrong(sample: Mapping[str, Report], name: str) -> None:
    report = sample[name]
    assert report.verdict == "wrong"
    assert len(report.mistakes) == 1
    assert WRONG[name] in report.mistakes[0].name


@pytest.mark.parametrize("name", OTHERS)
def test_no_reference(sample: Mapping[str, Report], name: str) -> None:
    report = sample[name]
    assert (report.verdict, report.exit_code) == ("no_reference", 2)
    assert [m.name for m in report.mistakes] == ([OTHERS[name]] if OTHERS[name] else [])


@pytest.mark.parametrize("name", DRIVEN)
def test_driven_with_what_it_asks_for(sample: Mapping[str, Report], name: str) -> None:
    report = sample[name]
    assert report.verdict == "no_reference", str(report)
    assert report.driven.endswith(DRIVEN[name]), report.driven
    assert ("is not seen" in " ".join(report.remarks)) == ("closure" in report.driven or name == "AdaHessian")


@pytest.mark.parametrize("name", ["FAdam", "GSAM", "LOMO"])
def test_what_is_missing_is_named(sample: Mapping[str, Report], name: str) -> None:
    assert (sample[name].verdict, sample[name].exit_code) == ("could_not_run", 2)
    assert NOT_DRIVEN[name] in sample[name].message


def named(found: Mapping[str, Report], words: str) -> set[str]:
    """The classes of which a mistake is told in these words."""
    return {name for name, report in found.items() if any(words in m.name for m in report.mistakes)}


@pytest.mark.slow
def test_all_of_its_classes() -> None:
    """Who overwrites .grad and who turns wrongly, out of all; and why each of the rest is not driven."""
    found = reports(None)
    assert len(found) == 139
    assert named(found, TOUCHED) == OVERWRITE
    assert named(found, TURNED) == TURN_WRONGLY
    missing = {name: report.message for name, report in found.items() if report.verdict == "could_not_run"}
    assert set(missing) == set(NOT_DRIVEN), missing
    assert all(words in missing[name] for name, words in NOT_DRIVEN.items()), missing
    others = {name for name, r in found.items() if r.verdict == "wrong"} - OVERWRITE - TURN_WRONGLY
    assert others == {"Lamb"}
