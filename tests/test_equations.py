"""Rules read from their own source: the text, the LaTeX, one structure at a time, what a step defines, one line swapped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import descend as ds
from descend.equations import equations, intermediate, latex, lines, swap

MOMENTS = ["m ← β₁·m + (1 − β₁)·g", "v ← β₂·v + (1 − β₂)·g²", "m̂ = m/(1 − β₁ᵗ)", "v̂ = v/(1 − β₂ᵗ)"]
STEP = "p ← p − lr·m̂/(√v̂ + ε)"

TEXT: dict[str, tuple[Any, list[str]]] = {
    "sgd": (ds.sgd, ["p ← p − lr·g"]),
    "momentum": (ds.momentum, ["b ← β·b + g", "p ← p − lr·b"]),
    "momentum at 0": (ds.momentum(momentum=0.0), ["b ← g", "p ← p − lr·b"]),
    "lr in velocity": (ds.momentum(lr_in_velocity=True), ["b ← β·b + lr·g", "p ← p − b"]),
    "nesterov": (ds.nesterov, ["b ← β·b + g", "d = g + β·b", "p ← p − lr·d"]),
    "rmsprop": (ds.rmsprop, ["v ← ρ·v + (1 − ρ)·g²", "r = √v + ε", "b = g/r", "p ← p − lr·b"]),
    "rmsprop, all on": (
        ds.rmsprop(momentum=0.9, centered=True),
        [
            "v ← ρ·v + (1 − ρ)·g²",
            "a ← ρ·a + (1 − ρ)·g",
            "var = max(v − a², 0)",
            "r = √var + ε",
            "b ← β·b + g/r",
            "p ← p − lr·b",
        ],
    ),
    "adam": (ds.adam, [*MOMENTS, STEP]),
    "adamw": (ds.adamw, ["p ← p − lr·wd·p", *MOMENTS, STEP]),
    "adamw at 0": (ds.adamw(weight_decay=0.0), [*MOMENTS, STEP]),
    "adam with L2": (ds.adam(weight_decay=0.1), ["g ← g + wd·p", *MOMENTS, STEP]),
    "adam, decoupled": (ds.adam(weight_decay=0.1, decoupled=True), ["p ← p − lr·wd·p", *MOMENTS, STEP]),
    "clipped as torch does": (
        ds.sgd(clip_norm=2.0, clip_eps=1e-6),
        ["g ← g·min(1, clip_norm/(‖g‖ + clip_eps))", "p ← p − lr·g"],
    ),
    "everything around": (
        ds.sgd(maximize=True, clip_value=1.0, clip_norm=2.0, clip_global_norm=3.0, weight_decay=0.1),
        [
            "g ← −g",
            "g ← min(max(g, −clip_value), clip_value)",
            "g ← g·min(1, clip_norm/‖g‖)",
            "g ← g·min(1, clip_global_norm/‖all g‖)",
            "g ← g + wd·p",
            "p ← p − lr·g",
        ],
    ),
}


@pytest.mark.parametrize("name", TEXT)
def test_the_update_as_lines_of_mathematics(name: str) -> None:
    optimizer, expected = TEXT[name]
    assert lines(optimizer) == expected


def test_the_update_in_latex() -> None:
    assert latex(ds.sgd) == [r"p_{t} = p_{t-1} - \mathrm{lr} \, g_{t}"]
    assert latex(ds.momentum) == [r"b_{t} = \beta \, b_{t-1} + g_{t}", r"p_{t} = p_{t-1} - \mathrm{lr} \, b_{t}"]
    assert latex(ds.adam) == [
        r"m_{t} = \beta_1 \, m_{t-1} + \left(1 - \beta_1\right) \, g_{t}",
        r"v_{t} = \beta_2 \, v_{t-1} + \left(1 - \beta_2\right) \, g_{t}^{2}",
        r"\hat{m}_{t} = \frac{m_{t}}{1 - \beta_1^{t}}",
        r"\hat{v}_{t} = \frac{v_{t}}{1 - \beta_2^{t}}",
        r"p_{t} = p_{t-1} - \frac{\mathrm{lr} \, \hat{m}_{t}}{\sqrt{\hat{v}_{t}} + \epsilon}",
    ]


def test_what_is_renewed_twice_in_a_step_carries_a_prime_between() -> None:
    first, *_, last = latex(ds.adamw)
    assert first == r"p'_{t} = p_{t-1} - \mathrm{lr} \, \mathrm{wd} \, p_{t-1}"
    assert last == r"p_{t} = p'_{t} - \frac{\mathrm{lr} \, \hat{m}_{t}}{\sqrt{\hat{v}_{t}} + \epsilon}"


GRADIENT = r"\nabla f(p_{t-1})"
OPTIONS: dict[str, tuple[Any, list[str]]] = {
    "maximize": (ds.sgd(maximize=True), [rf"g_{{t}} = -{GRADIENT}"]),
    "L2": (ds.sgd(weight_decay=0.1), [rf"g_{{t}} = {GRADIENT} + \mathrm{{wd}} \, p_{{t-1}}"]),
    "both": (
        ds.sgd(maximize=True, weight_decay=0.1),
        [rf"g'_{{t}} = -{GRADIENT}", r"g_{t} = g'_{t} + \mathrm{wd} \, p_{t-1}"],
    ),
    "clip_value": (
        ds.sgd(clip_value=1.0),
        [rf"g_{{t}} = \min\left(\max\left({GRADIENT}, -\mathrm{{clip\_value}}\right), \mathrm{{clip\_value}}\right)"],
    ),
    "both norms": (
        ds.sgd(clip_norm=1.0, clip_global_norm=2.0, clip_eps=1e-6),
        [
            rf"g'_{{t}} = {GRADIENT} \, \min\left(1, \frac{{\mathrm{{clip\_norm}}}}"
            rf"{{\left\|{GRADIENT}\right\| + \mathrm{{clip\_eps}}}}\right)",
            r"g_{t} = g'_{t} \, \min\left(1, \frac{\mathrm{clip\_global\_norm}}"
            r"{\left\|\text{all } g'_{t}\right\| + \mathrm{clip\_eps}}\right)",
        ],
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_shared_options_in_latex_make_the_gradient_the_rule_sees(name: str) -> None:
    optimizer, before = OPTIONS[name]
    assert latex(optimizer) == [*before, *latex(ds.sgd)]


def test_decoupled_decay_in_latex_leaves_the_gradient_where_it_was_taken() -> None:
    first, second, last = latex(ds.sgd(maximize=True, weight_decay=0.1, decoupled=True))
    assert first == rf"g_{{t}} = -{GRADIENT}"
    assert second == r"p'_{t} = p_{t-1} - \mathrm{lr} \, \mathrm{wd} \, p_{t-1}"
    assert last == r"p_{t} = p'_{t} - \mathrm{lr} \, g_{t}"


def test_groups_are_written_one_by_one() -> None:
    both = ds.groups(lambda p: "hidden" if p.ndim == 2 else "rest", hidden=ds.momentum(), rest=ds.sgd(maximize=True))
    assert lines(both) == ["hidden: b ← β·b + g", "hidden: p ← p − lr·b", "rest: g ← −g", "rest: p ← p − lr·g"]
    hidden, rest = latex(ds.momentum), latex(ds.sgd(maximize=True))
    assert latex(both) == [rf"\text{{hidden: }} {x}" for x in hidden] + [rf"\text{{rest: }} {x}" for x in rest]


@pytest.mark.parametrize("name", ds.optimizers.__all__)
def test_every_rule_is_written_with_balanced_brackets(name: str) -> None:
    rule = getattr(ds, name)
    text, tex = lines(rule), latex(rule)
    assert len(text) == len(tex) >= 1
    for line in text:
        assert line.count("(") == line.count(")")
        assert "←" in line or " = " in line
    for line in tex:
        assert line.count("{") == line.count("}")
        assert line.count(r"\left") == line.count(r"\right")


@pytest.mark.parametrize("name", [n for n in ds.optimizers.__all__ if n not in ("prodigy", "muon", "adafactor")])
def test_the_equations_shown_are_those_that_run(name: str) -> None:
    """Each one evaluated from its own source, in order, on plain numbers, gives what a step gives."""
    rule = getattr(ds, name)
    optimizer = rule()
    values = dict(optimizer.values)
    g, p = np.array([2.0, -0.5]), np.array([1.0, 3.0])
    slots = optimizer.init_leaves([p])["slots"][0]
    expected, after = rule.apply(g, p, slots, values)
    from types import SimpleNamespace

    state = SimpleNamespace(**(dict.fromkeys(rule.slots, 0.0) | slots))
    scope = dict(rule.function.__globals__) | values | {"g": g, "p": p, "s": state}
    for equation in equations(rule):
        value = eval(equation.source, scope)
        if equation.slot:
            setattr(state, equation.target, value)
        elif equation.target.startswith("("):
            for part, v in zip(equation.target.strip("()").split(", "), value, strict=True):
                scope[part] = v
        else:
            scope[equation.target] = value
    np.testing.assert_allclose(scope["p"], expected, rtol=1e-15)
    for slot, v in after.items():
        np.testing.assert_allclose(getattr(state, slot), v, rtol=1e-15)


# -- intermediate values ---------------------------------------------------------------------------------------------------


def test_adams_second_step_by_hand() -> None:
    b1, b2, lr, eps = 0.9, 0.99, 0.1, 1e-3
    slots = {"m": np.array([0.2]), "v": np.array([0.04]), "k1": b1, "k2": b2}
    hyper = {"lr": lr, "beta1": b1, "beta2": b2, "eps": eps}
    seen = intermediate(ds.adam, np.array([3.0]), np.array([1.0]), slots, hyper)
    m, v = 0.9 * 0.2 + 0.1 * 3.0, 0.99 * 0.04 + 0.01 * 9.0
    m_hat, v_hat = m / (1 - 0.81), v / (1 - 0.9801)
    hand = {"m": m, "v": v, "k1": 0.81, "k2": 0.9801, "m_hat": m_hat, "v_hat": v_hat, "p": 1 - lr * m_hat / (v_hat**0.5 + eps)}
    for name, value in hand.items():
        assert float(np.asarray(seen[name]).item()) == pytest.approx(value, rel=1e-14), name
    assert set(seen) == {*hand, "g"}


def test_intermediate_values_leave_what_was_given_alone() -> None:
    slots = {"b": np.array([1.0]), "w": 1.0}
    hyper = ds.momentum().values
    seen = intermediate(ds.momentum, np.array([2.0]), np.array([0.0]), slots, hyper)
    assert float(seen["b"][0]) == pytest.approx(0.9 + 2.0)
    assert slots["b"].tolist() == [1.0]
    with pytest.raises(ds.DescendError, match="prodigy sums over all arrays"):
        intermediate(ds.prodigy, np.ones(1), np.ones(1), {}, ds.prodigy().values)


# -- swapping --------------------------------------------------------------------------------------------------------------


def test_a_swapped_rule_shows_its_new_line_and_no_other() -> None:
    wrong = swap(ds.adam, "v", "beta2 * s.v + (1 - beta2) * abs(g)")
    assert [a for a, b in zip(lines(wrong), lines(ds.adam), strict=True) if a != b] == ["v ← β₂·v + (1 − β₂)·|g|"]
    assert latex(wrong)[1] == r"v_{t} = \beta_2 \, v_{t-1} + \left(1 - \beta_2\right) \, \left|g_{t}\right|"
    assert wrong.hyperparameters == ds.adam.hyperparameters


def test_swaps_add_up() -> None:
    twice = swap(swap(ds.adam, "m_hat", "s.m"), "v_hat", "s.v", name="uncorrected")
    assert lines(twice)[-2:] != lines(ds.adam)[-2:]
    p, _ = twice(lr=1.0, eps=0.0).step(np.zeros(1), np.ones(1), twice().init(np.zeros(1)))
    assert -p[0] == pytest.approx(0.1 / 0.001**0.5, rel=1e-12)  # 3.16, as of a rule without corrections
    assert twice.name == "uncorrected"


def test_the_occurrence_is_counted_and_a_missing_equation_said() -> None:
    late = swap(ds.adamw, "p", "p - lr * m_hat", occurrence=1)
    assert lines(late)[0] == lines(ds.adamw)[0]
    assert lines(late)[-1] == "p ← p − lr·m̂"
    with pytest.raises(ds.DescendError, match="sgd has no equation for 'm'; it has p"):
        swap(ds.sgd, "m", "g")
