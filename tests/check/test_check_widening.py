"""Numbers solved for, formulas read from them, and the wide grammar: mistakes that no table has, by what they are."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.check import check
from descend.check.dialects import references
from descend.check.identify import formulas_for
from descend.check.wide import wide_candidate, wide_edits
from descend.rules import OPTIMIZERS

HYPER = [
    {"lr": 0.1, "beta1": 0.8, "beta2": 0.97},
    {"lr": 0.05, "beta1": 0.6, "beta2": 0.9},
    {"lr": 0.02, "beta1": 0.9, "beta2": 0.95},
]


def adam(change: Callable[..., Any]) -> Callable[..., Any]:
    """Adam as a function, with something done on the way: change(place, value, step, the values of hyperparameters)."""

    def update(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        h = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}
        g = change("g", g, t, h)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - change("beta2", beta2, t, h)) * g**2
        k = change("t", t, t, h)
        u = change("lr", lr, t, h) * m / (1 - beta1**k) / (np.sqrt(v / (1 - beta2**k)) + change("eps", eps, t, h))
        return p - u, m, v

    return update


CASES = {
    "a rate that falls": ("lr", lambda x, t, h: x / np.sqrt(t), {"p"}),
    "a warm-up": ("lr", lambda x, t, h: x * min(1.0, t / 5), {"p"}),
    "a constant in the code": ("beta2", lambda x, t, h: 0.999, {"v"}),
    "epsilon times the rate": ("eps", lambda x, t, h: x * h["lr"], {"p"}),
    "steps counted one late": ("t", lambda x, t, h: max(t - 1, 1), {"t"}),
    "clipped by norm": ("g", lambda x, t, h: x * min(1.0, 1.0 / (np.linalg.norm(x) + 1e-6)), {"g"}),
    "divided by the rows": ("g", lambda x, t, h: x / x.shape[0], {"g"}),
    "centred": ("g", lambda x, t, h: x - x.mean(), {"g"}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_that_no_table_has_is_named(name: str) -> None:
    place, wrong, targets = CASES[name]
    report = check(adam(lambda where, x, t, h: wrong(x, t, h) if where == place else x), "adam")
    assert report.verdict == "wrong"
    assert {m.equation for m in report.mistakes} == targets, str(report)
    assert "none of the known" not in report.message, str(report)


def test_adam_itself_is_right_in_this_form() -> None:
    assert check(adam(lambda where, x, t, h: x), "adam").verdict == "right"


@given(
    factor=st.sampled_from([1.0, 2.0, 0.5, -1.0]),
    name=st.sampled_from(["lr", "beta1", "beta2"]),
    power=st.sampled_from([1.0, -1.0, 0.5]),
    late=st.booleans(),
)
def test_a_formula_gives_the_numbers_it_was_read_from(factor: float, name: str, power: float, late: bool) -> None:
    def value(h: dict[str, float], t: int) -> float:
        return factor * h[name] ** power * (t**-0.5 if late and abs(factor) == 1 else 1.0)

    samples = [(h, t, value(h, t), {}) for h in HYPER for t in range(1, 8)]
    found = formulas_for(samples, True, None)
    assert found
    scope = {"sqrt": np.sqrt, "maximum": max, "minimum": min, "exp": np.exp}
    for h, t, c, _ in samples:
        step = type("S", (), {"step": float(t)})
        assert eval(found[0][0], scope, {"s": step, **h}) == pytest.approx(c, rel=1e-4)


def test_noise_is_no_formula() -> None:
    rng = np.random.default_rng(0)
    samples = [(h, t, float(x), {}) for h in HYPER for t, x in enumerate(rng.lognormal(size=7), 1)]
    assert formulas_for(samples, True, 1.0) == []


def test_wide_edits_have_words_and_two_equations() -> None:
    ref = references(OPTIMIZERS["adamw"], True)[0]
    for edit in wide_edits(ref.rule)[::40]:
        made = wide_candidate(ref, edit)
        assert made is not None
        assert edit.name
        assert made.entries[0].expected != made.entries[0].yours


def test_arrays_of_one_shape_have_states_of_their_own() -> None:
    class Shared:
        def __init__(self, lr=0.1, momentum=0.9):
            self.lr, self.momentum, self.kept = lr, momentum, {}

        def step(self, params, grads):
            for p, g in zip(params, grads, strict=True):
                b = self.kept.setdefault(p.shape, np.zeros_like(p))
                b *= self.momentum
                b += g
                p -= self.lr * b

    assert [m.equation for m in check(Shared, "momentum").mistakes] == ["each array has its own state"]


def test_a_function_that_makes_init_and_update() -> None:
    def made(sign: float) -> Callable[..., Any]:
        def momentum(lr=0.1, beta=0.9):
            def init(params):
                return {k: np.zeros_like(p) for k, p in params.items()}

            def update(params, grads, state):
                state = {k: beta * state[k] + grads[k] for k in params}
                return {k: params[k] - sign * lr * state[k] for k in params}, state

            return init, update

        return momentum

    assert check(made(1.0), "momentum").verdict == "right"
    assert check(made(-1.0), "momentum").verdict == "wrong"


def test_a_method_of_any_name_that_takes_gradients() -> None:
    class Plain:
        def __init__(self, lr=0.1):
            self.lr = lr

        def make_a_move(self, params, grads):
            return [p - self.lr * g for p, g in zip(params, grads, strict=True)]

    assert check(Plain, "sgd").verdict == "right"
