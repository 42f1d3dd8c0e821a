"""Every known mistake is caught and named, by runs alone: the judge is given the points visited and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from descend.check.classes import classes, full_mapping
from descend.check.dialects import references
from descend.check.judge import EXACT, judge, mistake_candidates
from descend.check.mistakes import Mistake, catalogue, mistakes_of
from descend.check.probes import probes_for
from descend.check.variants import Candidate, agrees, apart, trajectory
from descend.rules import OPTIMIZERS

RULES = list(dict.fromkeys(m.rule for m in catalogue()))
ASKED = {
    "sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "lion", "lamb",
    "adafactor", "muon", "schedule_free_sgd", "schedule_free_adamw", "prodigy",
}  # fmt: skip

#: Groups of mistakes that are one in other words: algebra, not weak probes.
SAME = {
    "momentum": 2, "nesterov": 3, "rmsprop": 1, "adam": 1, "adamw": 1, "amsgrad": 4, "adamax": 1, "radam": 2, "muon": 1,
    "schedule_free_sgd": 1, "schedule_free_adamw": 1, "prodigy": 1,
}  # fmt: skip


def test_the_catalogue_covers_every_rule_asked_for() -> None:
    assert set(RULES) >= ASKED
    assert len(catalogue()) >= 150
    assert len({(m.rule, m.name) for m in catalogue()}) == len(catalogue()), "two entries of one rule have the same name"


@pytest.mark.parametrize("name", RULES)
def test_every_mistake_is_caught_and_named(name: str) -> None:
    rule, mapped = OPTIMIZERS[name], full_mapping(name)
    probes = probes_for(rule, mapped.ours)
    ref = references(rule, True)[0]
    made = {c.entries[0].name: c for c in mistake_candidates(rule, mapped, ref)}
    assert set(made) == {m.name for m in mistakes_of(name)}
    same = classes(name)
    for mistake in mistakes_of(name):
        match = judge(rule, mapped, probes, [trajectory(made[mistake.name], p) for p in probes])
        assert match.kind == "wrong", f"{mistake.name} passes as {match.kind}: {[c.label for c in match.candidates]}"
        named = {c.label for c in match.candidates}
        allowed = next((set(group) for group in same if mistake.name in group), {mistake.name})
        assert named == allowed


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_a_right_rule_and_its_dialects_are_not_called_wrong(name: str) -> None:
    rule, mapped = OPTIMIZERS[name], full_mapping(name)
    probes = probes_for(rule, mapped.ours)
    for i, candidate in enumerate(r for r in references(rule, True) if r.without not in mapped.ours):
        points = [trajectory(candidate, p) for p in probes]
        # L2 and decoupled decay are one for SGD
        same = all(apart(a, trajectory(references(rule, True)[0], p)) <= EXACT for a, p in zip(points, probes, strict=True))
        assert i == 0 or not same or name in ("sgd", "schedule_free_sgd")
        assert judge(rule, mapped, probes, points, "optax").kind == ("right" if same else "dialect"), candidate.label


@pytest.mark.parametrize("name", RULES)
def test_what_cannot_be_told_apart_is_listed(name: str) -> None:
    assert len(classes(name)) == SAME.get(name, 0)


def shown(mistake: Mistake) -> str:
    return f"{mistake.rule}: {mistake.name}"


@pytest.mark.parametrize("rule", RULES)
def test_every_entry_says_what_is_wrong_and_what_is_right(rule: str) -> None:
    for mistake in mistakes_of(rule):
        assert mistake.consequence.endswith((".", ":")), shown(mistake)
        assert mistake.hint, shown(mistake)
        assert mistake.expected, shown(mistake)
        assert mistake.yours, shown(mistake)
        assert mistake.expected != mistake.yours, shown(mistake)


def test_early_stopping_changes_no_verdict() -> None:
    rule, mapped = OPTIMIZERS["adamw"], full_mapping("adamw")
    for probe in probes_for(rule, mapped.ours):
        ref = references(rule, True)[0]
        visited = trajectory(ref, probe)
        for candidate in mistake_candidates(rule, mapped, ref)[::7]:
            fresh = Candidate(candidate.rule, "mistake", "", candidate.fixed, whole=candidate.whole)
            equal = agrees(fresh, probe, visited, EXACT) <= EXACT
            assert equal == (apart(trajectory(candidate, probe), visited) <= EXACT)


def test_two_mistakes_on_different_equations_are_both_named() -> None:
    rule, mapped = OPTIMIZERS["adamw"], full_mapping("adamw")
    probes = probes_for(rule, mapped.ours)
    by_name = {m.name: m for m in mistakes_of("adamw")}
    pairs = [
        ("the second moment is corrected with β₁", "the decay is not multiplied by the learning rate"),
        ("the first moment uses β₂", "ε stands inside the root"),
        ("the second moment averages |g| in place of g²", "the step is not multiplied by the learning rate"),
        ("the weight decay is ignored", "the first moment is not corrected"),
    ]
    for names in pairs:
        wrong = references(rule, True)[0].rule
        for name in names:
            wrong = by_name[name].on(wrong)
        points = [trajectory(Candidate(wrong, "mistake", ""), p) for p in probes]
        match = judge(rule, mapped, probes, points)
        assert any({e.name for e in c.entries} == set(names) for c in match.candidates), names
        assert match.candidates[0].base is not None


def test_a_difference_in_the_last_digits_is_none_and_one_in_the_tenth_is() -> None:
    a = np.array([[1.0], [1.1], [1.2]])
    assert apart(a * (1 + 1e-16), a) == 0.0
    assert apart(a + np.array([[0.0], [0.0], [1e-10]]), a) > EXACT
    assert apart(a * np.nan, a) == float("inf")
