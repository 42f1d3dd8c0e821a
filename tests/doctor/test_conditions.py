"""Each condition: a sick run that is recognised, a healthy look-alike that is not alarmed about, and an entry worth reading."""

from __future__ import annotations

import numpy as np
import pytest

from descend.doctor import CONDITIONS, diagnose
from descend.doctor.healthy import CONDITIONS as HEALTHY
from descend.doctor.scorer import FAMILIES
from descend.trace import Trace, column

from .conftest import load_cases, quadratic

CODES = [
    "lr-too-high",
    "flipped-sign",
    "missing-zero-grad",
    "momentum-too-high",
    "edge-of-stability",
    "catapult",
    "lr-too-low",
    "ill-conditioned",
    "noise-floor",
    "converged",
    "constant-predictor",
    "dead-units",
    "vanishing-gradients",
    "exploding-gradients",
    "nan",
    "hidden-nan",
    "spike",
    "over-clipping",
    "overfitting",
    "noisy-validation",
    "distribution-shift",
    "memorisation-stairs",
    "lr-decay-step",
    "wrong-loss",
    "wrong-labels",
    "not-stepping",
    "schedule-too-early",
    "weight-decay-dominates",
    "log-too-coarse",
]
SICK = sorted(name for name in load_cases() if name.endswith("/sick"))
WELL = sorted(name for name in load_cases() if name.endswith("/well"))


def test_every_code_of_the_book_has_one_entry():
    assert sorted(CONDITIONS) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_an_entry_explains_itself(code):
    c = CONDITIONS[code]
    assert len(c.essay.split()) >= 30
    assert c.lesson
    assert 1 <= c.severity <= 5
    assert set(c.confusable) <= set(CODES) - {code}
    assert c.confusable or code == "log-too-coarse"


def test_families_name_conditions_and_do_not_overlap():
    members = [code for codes in FAMILIES.values() for code in codes]
    assert len(members) == len(set(members))
    assert set(members) == {c.code for c in CONDITIONS.values() if c.kind == "fault"}


def test_there_are_cases_for_most_faults():
    assert len(SICK) >= 16


@pytest.mark.parametrize("name", SICK)
def test_a_sick_run_is_recognised(cases, name):
    d = diagnose(cases[name])
    assert d.verdict == "fault"
    first, code = d.found[0], name.split("/")[0]
    assert first.condition == code
    assert first.confidence > 0.3
    assert any(ch.isdigit() for ch in first.evidence), "evidence has numbers"
    assert len(first.prescription) > 20
    assert cases[name].step[0] <= first.steps[0] <= first.steps[1] <= cases[name].steps


@pytest.mark.parametrize("name", WELL)
def test_its_healthy_look_alike_is_left_alone(cases, name):
    d = diagnose(cases[name])
    assert d.verdict == "healthy"
    assert not [f for f in d.found if f.kind == "fault"]


def test_divergence_on_a_quadratic_is_the_rate_and_ascent_is_the_sign():
    hot = diagnose(quadratic(0.21, [10.0, 1.0], 60))
    assert hot.verdict == "fault"
    assert hot.found[0].condition == "lr-too-high"
    up = diagnose(quadratic(0.05, [10.0, 1.0], 30, sign=-1.0))
    assert up.verdict == "fault"
    assert up.found[0].condition == "flipped-sign"


def test_nan_tells_its_onset():
    values = np.concatenate([np.linspace(2.0, 0.5, 200), [np.inf], np.full(30, np.nan)])
    d = diagnose(Trace({"loss": column(range(len(values)), values)}))
    assert d.found[0].condition == "nan"
    assert d.found[0].steps[0] == 200
    assert "infinite from step 200" in d.found[0].evidence
    assert "no growth before it" in d.found[0].evidence
    grown = np.concatenate([1.5 ** np.arange(60.0), np.full(30, np.nan)])
    d = diagnose(Trace({"loss": column(range(90), grown)}))
    assert d.found[0].condition == "nan"
    assert "overflow after divergence" in d.found[0].evidence


def test_loss_zero_beside_a_nan_gradient_is_a_hidden_nan():
    loss = np.concatenate([2 * np.exp(-np.arange(60) / 30), np.zeros(40)])
    grad = np.concatenate([np.exp(-np.arange(60) / 60), np.full(40, np.nan)])
    d = diagnose(Trace({"loss": column(range(100), loss), "grad_norm": column(range(100), grad)}))
    assert d.verdict == "fault"
    assert d.found[0].condition == "hidden-nan"
    assert d.found[0].steps[0] == 60


def test_a_drop_at_a_cut_of_the_rate_is_healthy_and_said():
    rng = np.random.default_rng(0)
    floor = np.where(np.arange(400) < 200, 0.5, 0.2)
    loss = floor + 3 * np.exp(-np.arange(400) / 15) + 0.05 * rng.normal(size=400)
    lr = np.where(np.arange(400) < 200, 0.1, 0.01)
    d = diagnose(Trace({"loss": column(range(400), loss), "lr": column(range(400), lr)}))
    assert d.verdict == "healthy"
    said = {f.condition: f for f in d.found}
    assert "lr-decay-step" in said
    assert abs(said["lr-decay-step"].steps[0] - 200) <= 2


def test_a_bump_that_recovers_is_a_catapult():
    t = np.arange(150)
    loss = 1.0 + 0.8 * np.exp(-((t - 8) ** 2) / 20) - 0.95 * (1 - np.exp(-np.maximum(t - 12, 0) / 15))
    d = diagnose(Trace({"loss": column(t, loss)}))
    assert d.verdict == "healthy"
    assert "catapult" in {f.condition for f in d.found}


def test_stairs_at_epochs_are_seen():
    rng, t = np.random.default_rng(1), np.arange(400)
    loss = 2.0 - 0.4 * (t // 100) + 0.03 * rng.normal(size=400)
    d = diagnose(Trace({"loss": column(t, loss), "epoch": column(t, t / 100)}))
    finding = next(f for f in d.findings if f.condition == "memorisation-stairs")
    drops = (
        "4 epoch boundaries" in finding.evidence
        or "3 epoch boundaries" in finding.evidence
        or "2 epoch boundaries" in finding.evidence
    )
    assert finding.verdict == "found" or d.verdict != "healthy"
    assert drops or d.verdict != "healthy"


def test_healthy_conditions_are_never_faults():
    assert {c.kind for c in HEALTHY} <= {"healthy", "note"}


def test_a_zigzag_whose_envelope_grows_is_the_rate_and_says_so():
    t = np.arange(60)
    loss = np.concatenate([3 * np.exp(-np.arange(60) / 15) + 0.5, 0.55 + 0.01 * 1.12**t * (1.2 + (-1.0) ** t)])
    d = diagnose(Trace({"loss": column(range(120), loss)}))
    assert d.verdict == "fault"
    assert d.found[0].condition == "lr-too-high"
    assert 55 <= d.found[0].steps[0] <= 65
    assert "alternates up and down" in d.found[0].evidence
    assert "envelope grows 1.12x" in d.found[0].evidence


@pytest.mark.parametrize("rows", [9, 14, 40])
def test_an_alternating_climb_is_the_rate_and_never_the_sign(rows):
    k = np.arange(rows)
    for growth in (1.1, 1.3):
        d = diagnose(Trace({"loss": column(k, growth**k * (1 + 0.5 * (-1.0) ** k))}))
        assert d.found[0].condition == "lr-too-high"
        assert "flipped-sign" not in {f.condition for f in d.found}


def test_a_smooth_or_noisy_climb_may_still_be_the_sign():
    k, rng = np.arange(60), np.random.default_rng(0)
    for noise in (0.0, 0.02):
        d = diagnose(Trace({"loss": column(k, 1.1**k * (1 + noise * rng.normal(size=60)))}))
        assert "flipped-sign" in {f.condition for f in d.found}


def epochs(train, val):
    at = np.arange(len(train))
    return Trace({"loss": column(at, train), "val_loss": column(at, val)}, config={"resolution": "epoch"})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spread", [0.0, 0.02])
def test_validation_that_rises_from_its_minimum_while_training_falls_is_overfitting(seed, spread):
    rng, long, short = np.random.default_rng(seed), np.arange(200), np.arange(35)
    turned = 1.06 + 1.61 * np.exp(-long / 6) + 7.54 * np.clip((long - 18) / 181, 0, None) ** 0.9
    curves = [(2.6 * np.exp(-long / 25) + 0.01, turned), (2 * np.exp(-short / 9) + 0.01, 0.49 + 0.4 * short / 34)]
    for train, val in curves:
        first = diagnose(epochs(*(y * (1 + spread * rng.normal(size=len(y))) for y in (train, val)))).found[0]
        assert first.condition == "overfitting"
        assert first.confidence >= 0.8
        assert first.steps[0] <= len(val) / 5
        assert "validation loss climbs" in first.evidence


@pytest.mark.parametrize("seed", range(4))
def test_validation_that_stays_or_ticks_up_at_the_end_is_not_overfitting(seed):
    rng, k = np.random.default_rng(seed), np.arange(60)
    train = (2 * np.exp(-k / 10) + 0.1) * (1 + 0.01 * rng.normal(size=60))
    flat = 1.6 * np.exp(-k / 8) + 0.5
    for val in (flat, flat + 0.02 * rng.normal(size=60), flat + 0.15 * rng.normal(size=60), flat + 0.03 * (k > 56)):
        assert "overfitting" not in {f.condition for f in diagnose(epochs(train, val)).found}


def test_labels_that_mean_nothing_and_a_shifted_set_are_no_proof_of_overfitting():
    from descend.doctor.finding import Case
    from descend.doctor.generalisation import memorises
    from descend.doctor.signals import read_signals

    k = np.arange(60)
    train = 2.3 * np.exp(-k / 15)
    for val in (2.3 + 0.05 * k, 2.0 + 0.05 * k):  # no better than the first training loss; far above training all along
        assert not memorises(Case(read_signals(epochs(train, val))))
    assert memorises(Case(read_signals(epochs(train, 0.9 + 0.05 * k))))
