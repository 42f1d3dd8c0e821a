"""Mistakes that show after hundreds of steps: small counters, sums that overflow, states that start anew."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from descend.check import check
from descend.check.classes import full_mapping
from descend.check.dialects import references
from descend.check.judge import EXACT, judge
from descend.check.late import EQUAL, fits_late, late_candidates, late_probe
from descend.check.mistakes import catalogue, mistakes_of
from descend.check.probes import probes_for
from descend.check.variants import apart, trajectory
from descend.rules import OPTIMIZERS

RULES = [r for r in OPTIMIZERS if mistakes_of(r, late=True)]
#: Of which every late mistake is compared with every other; the rest have the same entries.
COMPARED = ("adam", "momentum", "adamax")


def test_there_are_some_in_every_rule_with_a_memory() -> None:
    assert set(RULES) >= {"momentum", "rmsprop", "adam", "adamw", "lion", "lamb", "radam", "nadam", "amsgrad", "adamax"}
    late = [m for m in catalogue() if m.late]
    assert len({(m.rule, m.name) for m in late}) == len(late) >= 100
    assert all(m.expected != m.yours and m.consequence and m.hint for m in late)


@pytest.mark.parametrize("name", COMPARED)
def test_every_late_mistake_is_caught_and_named(name: str) -> None:
    rule, mapped = OPTIMIZERS[name], full_mapping(name)
    ref, probe = references(rule, True)[0], late_probe(rule, mapped.ours)
    made = late_candidates(ref, rule)
    assert len(made) == len(mistakes_of(name, late=True))
    for candidate in made:
        points = trajectory(candidate, probe)
        assert apart(trajectory(ref, probe), points) > EQUAL
        # a fresh one, so that it is run again and not looked up
        fitting = [c.label for c in late_candidates(ref, rule) if fits_late(c, probe, points)]
        assert fitting == [candidate.label]


@pytest.mark.parametrize("name", COMPARED)
def test_a_late_mistake_is_right_at_first(name: str) -> None:
    rule, mapped = OPTIMIZERS[name], full_mapping(name)
    probes = probes_for(rule, mapped.ours)
    for candidate in late_candidates(references(rule, True)[0], rule):
        assert judge(rule, mapped, probes, [trajectory(candidate, p) for p in probes]).kind == "right", candidate.label


def numpy_adam(count=int, after=lambda self: None, grows=False) -> type:
    class Adam:
        def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
            self.lr, self.b1, self.b2, self.eps = lr, beta1, beta2, eps
            self.t, self.m, self.v = count(0), None, None

        def step(self, params, grads):
            if self.m is None:
                self.m, self.v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
            with np.errstate(all="ignore"):
                self.t += count(1)
                for i, (p, g) in enumerate(zip(params, grads, strict=True)):
                    if grows:
                        self.m[i] += (1 - self.b1) * g * np.float64(self.b1) ** -self.t
                    else:
                        self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * g
                    self.v[i] = self.b2 * self.v[i] + (1 - self.b2) * g * g
                    power = np.float64(self.b1) ** self.t
                    m = self.m[i] * power if grows else self.m[i]
                    root = np.sqrt(self.v[i] / (1 - np.float64(self.b2) ** self.t))
                    p -= self.lr * m / (1 - power) / (root + self.eps)
            after(self)

    return Adam


def start_anew(self) -> None:
    if self.t % 500 == 0:
        self.m = self.v = None


def forget_count(self) -> None:
    if self.t == 100:
        self.t = 0


def test_the_plain_one_is_right() -> None:
    assert check(numpy_adam(), "adam").verdict == "right"
    assert check(numpy_adam(np.int64), "adam").verdict == "right"
    assert check(numpy_adam(float), "adam").verdict == "right"


@pytest.mark.parametrize(
    ("cls", "said", "equation"),
    [
        (numpy_adam(np.uint8), "the step count holds 8 bits without a sign and starts again at 0 after 255", "t"),
        (numpy_adam(np.int8), "the step count holds 8 bits and becomes −128 after 127", "t"),
        (numpy_adam(np.int16), "the step count holds 16 bits (int16) and overflows", "t"),
        (numpy_adam(after=start_anew), "the state is set back to zero every 500 steps", "m"),
        (numpy_adam(after=forget_count), "the step count starts again at 1 every 100 steps", "t"),
        (numpy_adam(grows=True), "the first moment is written with β₁⁻ᵗ, which overflows", "m"),
    ],
)
def test_in_numpy(cls: type, said: str, equation: str) -> None:
    report = check(cls, "adam")
    assert report.verdict == "wrong"
    assert [m.name for m in report.mistakes] == [said]
    assert report.mistakes[0].equation == equation
    assert "up to step" in report.message or "first steps" in report.message


def test_what_is_in_no_catalogue_is_told_with_its_step() -> None:
    def odd(self) -> None:
        if self.t == 777:
            self.lr = self.lr / 2

    report = check(numpy_adam(after=odd), "adam")
    assert report.verdict == "wrong"
    assert "parts from the reference at step 778" in report.mistakes[0].name
    assert report.rows


def torch_momentum(forgets: bool) -> type[torch.optim.Optimizer]:
    class Momentum(torch.optim.Optimizer):
        def __init__(self, params: Any, lr: float = 0.01, momentum: float = 0.9) -> None:
            super().__init__(params, {"lr": lr, "momentum": momentum})
            self.count = 0

        @torch.no_grad()
        def step(self, closure: Any = None) -> None:
            self.count += 1
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    b = self.state[p].setdefault("b", torch.zeros_like(p))
                    b.mul_(group["momentum"]).add_(p.grad)
                    p.sub_(group["lr"] * b)
                    if forgets and self.count % 1000 == 0:
                        b.zero_()

    return Momentum


def test_in_torch() -> None:
    assert check(torch_momentum(False), "momentum").verdict == "right"
    report = check(torch_momentum(True), "momentum")
    assert [m.name for m in report.mistakes] == ["the state is set back to zero every 1000 steps"]


def test_in_a_function_that_is_told_the_step() -> None:
    def adam(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        small = (t + 32768) % 65536 - 32768
        m_hat, v_hat = m / (1 - beta1**small), v / (1 - beta2**small)
        return p - lr * m_hat / (np.sqrt(v_hat) + eps), m, v

    assert check(adam, "adam").verdict == "right"  # 16 bits worked out by hand: 10⁶ mod 65536 is an ordinary step

    def overflowing(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        grown = (1 / np.float64(beta1)) ** t  # overflows at step 6700 of the usual β₁
        return p - lr * (m * grown / (grown - 1)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v

    with np.errstate(all="ignore"):
        report = check(overflowing, "adam")
    assert report.verdict == "wrong"
    assert report.mistakes[0].name == "the first moment is written with β₁⁻ᵗ, which overflows"


def test_equal_means_less_than_any_late_mistake_shows() -> None:
    assert EXACT < EQUAL < 1e-3
