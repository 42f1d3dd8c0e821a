"""What no catalogue lists: one edit, two mistakes at once, and how sure a name is."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import random

import numpy as np
import pytest

from descend.check import check
from descend.check.classes import classes, full_mapping
from descend.check.confidence import confidences, unlisted
from descend.check.dialects import references
from descend.check.edits import edited_candidates
from descend.check.judge import judge, mistake_candidates, mistaken
from descend.check.mistakes import mistakes_of
from descend.check.probes import probes_for
from descend.check.variants import apart, trajectory
from descend.rules import OPTIMIZERS

RULES = ["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw", "lion", "radam", "nadam"]


def test_an_edit_is_named_with_both_equations() -> None:
    def adam(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * m
        return p - lr * m / (1 - beta1**t) / (np.sqrt(np.abs(v) / (1 - beta2**t)) + eps), m, v

    def odd(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + np.sqrt(eps)), m, v

    report = check(odd, "adam")
    assert report.verdict == "wrong"
    (mistake,) = report.mistakes
    assert mistake.name == "ε is under a root in the equation for p"
    assert mistake.expected == "p ← p − lr·m̂/(√v̂ + ε)"
    assert mistake.yours == "p ← p − lr·m̂/(√v̂ + √ε)"
    assert 0 < mistake.confidence < 1
    assert report.rows
    assert check(adam, "adam").verdict == "wrong"  # two edits in one line: caught


def test_the_gradient_before_its_decay_in_one_equation() -> None:
    def adam(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
        v = beta2 * v + (1 - beta2) * g**2
        m = beta1 * m + (1 - beta1) * (g + weight_decay * p)
        return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v

    (mistake,) = check(adam, "adam").mistakes
    assert mistake.equation == "v"
    assert "before the decay was added" in mistake.name


@pytest.mark.parametrize(
    "name", ["sgd", "lion", pytest.param("adamw", marks=pytest.mark.slow), pytest.param("rmsprop", marks=pytest.mark.slow)]
)
def test_an_edit_that_changes_the_run_is_never_taken_for_the_rule(name: str) -> None:
    rule, mapped = OPTIMIZERS[name], full_mapping(name)
    probes = probes_for(rule, mapped.ours)
    ref = references(rule, True)[0]
    for candidate in random.Random(3).sample(edited_candidates(ref), 8):
        try:
            points = [trajectory(candidate, p) for p in probes]
        except (NameError, TypeError, ValueError, AttributeError, ArithmeticError):
            continue
        gap = max(apart(trajectory(ref, p), x) for p, x in zip(probes, points, strict=True))
        kind = judge(rule, mapped, probes, points).kind
        if gap == 0:
            assert kind == "right"
        elif gap > 1e-6:
            assert kind in ("wrong", "dialect", "")


def pairs(seed: int, count: int) -> list[tuple[str, str, str]]:
    """Two mistakes on different lines, of which each shows beside the other."""
    rng, found = random.Random(seed), []
    while len(found) < count:
        name = rng.choice(RULES)
        first, second = rng.sample(list(mistakes_of(name)), 2)
        lines = [{(c.target, c.occurrence) for c in m.changes if c.kind == "set"} for m in (first, second)]
        if lines[0] & lines[1]:
            continue
        rule, ref = OPTIMIZERS[name], references(OPTIMIZERS[name], True)[0]
        probes = probes_for(rule, full_mapping(name).ours)
        both, a, b = mistaken(ref, (first, second)), mistaken(ref, (first,)), mistaken(ref, (second,))
        if both is None or a is None or b is None:
            continue
        try:
            points = [trajectory(both, p) for p in probes]
            gaps = [max(apart(trajectory(c, p), x) for p, x in zip(probes, points, strict=True)) for c in (ref, a, b)]
        except (NameError, AttributeError):
            continue
        if min(gaps) > 1e-6 and np.isfinite(points[0]).all() and not np.array_equal(points[0][-1], points[0][0]):
            found.append((name, first.name, second.name))
    return found


def share_named(sample: list[tuple[str, str, str]]) -> tuple[float, float]:
    """How often both are the first answer, and the confidence it was given on average."""
    hits, sure = 0, 0.0
    for name, *wanted in sample:
        rule, mapped = OPTIMIZERS[name], full_mapping(name)
        probes, by_name = probes_for(rule, mapped.ours), {m.name: m for m in mistakes_of(name)}
        ref = references(rule, True)[0]
        both = mistaken(ref, tuple(by_name[w] for w in wanted))
        assert both is not None
        points = [trajectory(both, p) for p in probes]
        match = judge(rule, mapped, probes, points)
        assert match.kind in ("wrong", ""), (name, wanted)
        if not match.candidates:
            continue
        same = {x: set(group) for group in classes(name) for x in group}
        got = [e.name for e in match.candidates[0].entries]
        hits += len(got) == 2 and all(any(g == w or g in same.get(w, ()) for g in got) for w in wanted)
        sure += confidences(match, match.candidates[0].base or ref, probes, points)[0]
    return hits / len(sample), sure / len(sample)


def test_two_at_once_are_both_named() -> None:
    named, sure = share_named(pairs(5, 6))
    assert named >= 0.8
    assert abs(named - sure) <= 0.4  # six cases: the rate itself is hardly known better


@pytest.mark.slow
def test_a_hundred_pairs() -> None:
    named, sure = share_named(pairs(1, 100))
    assert named >= 0.9
    assert abs(named - sure) <= 0.1


MORE = [pytest.param(n, marks=pytest.mark.slow) for n in ("adam", "adamw", "radam", "amsgrad")]


@pytest.mark.parametrize("name", ["momentum", "nesterov", "rmsprop", *MORE])
def test_confidence_is_the_share_of_first_answers_that_are_right(name: str) -> None:
    rule, mapped = OPTIMIZERS[name], full_mapping(name)
    probes, ref = probes_for(rule, mapped.ours), references(rule, True)[0]
    right, sure = 0, 0.0
    candidates = mistake_candidates(rule, mapped, ref)
    for candidate in candidates:
        points = [trajectory(candidate, p) for p in probes]
        match = judge(rule, mapped, probes, points)
        given = confidences(match, match.candidates[0].base or ref, probes, points)
        assert 0 < sum(given) < 1
        right += match.candidates[0].label == candidate.label
        sure += given[0]
    assert abs(right - sure) / len(candidates) <= 0.03


def test_fewer_probes_leave_more_room_for_what_is_not_listed() -> None:
    rooms = [unlisted(n) for n in range(1, 7)]
    assert rooms == sorted(rooms, reverse=True)
    assert unlisted(6, single=True) > unlisted(6)
