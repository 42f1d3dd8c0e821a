"""The search: other writings are the rule, the sieve lets through what fits, options together, other ways to be driven."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import random

import numpy as np
import pytest

from descend.check import check
from descend.check.classes import full_mapping
from descend.check.dialects import references
from descend.check.edits import doubled_candidates, edited_candidates
from descend.check.judge import mistake_candidates
from descend.check.probes import probes_for
from descend.check.sieve import Sieve
from descend.check.variants import apart, trajectory
from descend.check.writings import WRITINGS, writings
from descend.rules import OPTIMIZERS


@pytest.mark.parametrize("name", WRITINGS)
def test_a_writing_is_the_rule(name: str) -> None:
    rule, mapped = OPTIMIZERS[name], full_mapping(name)
    probes, refs = probes_for(rule, mapped.ours), references(rule, True)
    assert writings(rule, True)
    for form in writings(rule, True):
        gaps = [max(apart(trajectory(r, p), trajectory(form, p)) for p in probes) for r in refs]
        assert min(gaps) <= 1e-13, form.rule.function.__name__


@pytest.mark.parametrize("name", ["adam", "momentum", "lamb", "prodigy", "adafactor"])
def test_the_sieve_lets_through_what_fits_and_little_else(name: str) -> None:
    rule, mapped = OPTIMIZERS[name], full_mapping(name)
    probes, ref = probes_for(rule, mapped.ours), references(rule, False)[0]
    pool = [c for c in mistake_candidates(rule, mapped, ref) if not c.whole and not c.entries[0].decays]
    for candidate in random.Random(2).sample(pool, 6):
        points = [trajectory(candidate, p) for p in probes]
        if not all(np.isfinite(x).all() for x in points):
            continue
        sieve = Sieve(ref, probes, points)
        entry = candidate.entries[0]
        made = sieve.pieces_of(entry.changes)
        assert made is not None
        assert sieve.passes(made, entry.slots), entry.name
        assert sieve.passes({}, {}) == (
            max(apart(trajectory(ref, p), x) for p, x in zip(probes, points, strict=True)) < 1e-9
        ) or (apart(trajectory(ref, probes[0])[:5], points[0][:5]) < 1e-8)


def test_edits_and_doubled_edits_have_words_and_two_equations() -> None:
    ref = references(OPTIMIZERS["adam"], True)[0]
    for candidate in [*edited_candidates(ref), *random.Random(1).sample(doubled_candidates(ref), 20)]:
        (entry,) = candidate.entries
        assert entry.name
        assert entry.expected
        assert entry.yours
        assert "old_" not in entry.yours
        assert "raw_" not in entry.yours


def test_two_edits_that_no_table_has() -> None:
    def adam(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 3
        return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v

    def both(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m = beta1 * m + (1 - beta1**2) * g
        v = beta2 * v + (1 - beta2) * g**2
        return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + np.sqrt(eps)), m, v

    assert check(adam, "adam").verdict == "wrong"
    report = check(both, "adam")
    assert {m.equation for m in report.mistakes} == {"m", "p"}, str(report)


def test_the_square_of_the_mean_where_the_mean_of_squares_should_be() -> None:
    def rmsprop(w, dw, cache, lr=1e-2, rho=0.9, eps=1e-8):
        cache = rho * cache + (1 - rho) * dw
        return w - lr * dw / (np.sqrt(cache**2) + eps), cache

    (mistake,) = check(rmsprop, "rmsprop").mistakes
    assert mistake.equation == "v"
    assert "square" in mistake.name


def test_a_mistake_that_shows_with_two_options_together() -> None:
    torch = pytest.importorskip("torch")

    class SGD(torch.optim.Optimizer):  # type: ignore[name-defined, misc]
        def __init__(self, params, lr=1e-2, momentum=0.0, weight_decay=0.0, nesterov=False, maximize=False, turned=False):
            kept = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize}
            super().__init__(params, kept)

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in (q for q in group["params"] if q.grad is not None):
                    g = p.grad.add(p, alpha=group["weight_decay"] * (-1 if self.late and group["maximize"] else 1))
                    g = g - 2 * p.grad if group["maximize"] else g
                    state = self.state[p]
                    state["b"] = group["momentum"] * state["b"] + g if "b" in state else g.clone()
                    d = self.ahead(group, g, state["b"]) if group["nesterov"] else state["b"]
                    p.add_(d, alpha=-group["lr"])

        late = False

        def ahead(self, group, g, b):
            return g + group["momentum"] * b

    class Late(SGD):
        late = True

    class Behind(SGD):
        def ahead(self, group, g, b):
            return b + group["momentum"] * g

    assert check(SGD, "momentum").verdict == "right"
    assert [m.equation for m in check(Late, "momentum").mistakes] == ["weight decay"]
    report = check(Behind, "momentum")
    assert report.verdict == "wrong"
    assert [m.equation for m in report.mistakes] == ["d"]
    assert "nesterov=True" in report.message


def test_a_function_with_a_loop_of_its_own() -> None:
    def minimise(grad_fn, x0, lr=0.1, beta=0.9, n_steps=100, trace=None):
        x, b = np.array(x0, dtype=float), 0.0
        for _ in range(n_steps):
            b = beta * b + grad_fn(x)
            x = x - lr * b
        return x

    def wrong(grad_fn, x0, lr=0.1, beta=0.9, n_steps=100):
        x, b = np.array(x0, dtype=float), 0.0
        for _ in range(n_steps):
            b = beta * b - grad_fn(x)
            x = x - lr * b
        return x

    def stops(grad_fn, x0, lr=0.1, n_steps=100):
        return x0 - lr * grad_fn(x0)

    assert check(minimise, "momentum").verdict == "right"
    assert [m.equation for m in check(wrong, "momentum").mistakes] == ["b"]
    report = check(stops, "sgd")
    assert report.verdict == "could_not_run"
    assert "before it had made the number of steps" in report.message


def test_state_that_starts_as_none_is_kept() -> None:
    def lion(w, grad, m=None, *, lr=1e-4, b1=0.9, b2=0.99, wd=0.0):
        m = np.zeros_like(w) if m is None else m
        c = b1 * m + (1 - b1) * grad
        return w - lr * (np.sign(c) + wd * w), b2 * m + (1 - b2) * grad

    assert check(lion, "lion").verdict == "right"


def test_the_exponent_of_adafactor_without_its_sign() -> None:
    from descend.check.names import map_names

    mapped = map_names(OPTIMIZERS["adafactor"], [{"name": "decay", "default": 0.8}], {})
    assert mapped.settings({"beta2_decay": -0.7}) == {"decay": 0.7}
    assert mapped.text == "decay → −beta2_decay"


def test_single_precision_is_searched_too() -> None:
    def adam(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, l2=0.0):
        p, g, m, v = (np.asarray(x, dtype=np.float32) for x in (p, g, m, v))
        m = np.float32(beta1) * m + np.float32(1 - beta1) * (g + np.float32(l2) * p)
        v = np.float32(beta2) * v + np.float32(1 - beta2) * g**2
        root = np.sqrt(v / np.float32(1 - beta2**t)) + np.float32(eps)
        return p - np.float32(lr) * m / np.float32(1 - beta1**t) / root, m, v

    report = check(adam, "adam")
    assert [m.equation for m in report.mistakes] == ["v"], str(report)
