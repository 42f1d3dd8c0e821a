"""What holds for every rule in the registry. What a rule is excepted from, its own entry says."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import numpy as np
import pytest
import torch
from fixed_gradients import MATRICES, Arrays, apart, run, sequence, start
from hypothesis import given, settings
from hypothesis import strategies as st

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.grouping import groups
from descend.rules import COMMON, OPTIMIZERS, Hyperparameter, Optimizer, Rule
from descend.schedules import cosine, multistep

RULES = list(OPTIMIZERS.values())
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)


def plain(steps: int = 10, seed: int = 1) -> list[Arrays]:
    """Gradients without zeros, for what divides by them when eps is 0."""
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=shape) + 0.3 for shape in MATRICES] for _ in range(steps)]


def without_eps(rule: Rule, **values: Any) -> Optimizer:
    """The rule with every eps at 0, or as near to it as it may be."""
    return rule(**{n: 0.0 for n in rule.hyperparameters if n == "eps"}, **values)


# -- pure and deterministic ----------------------------------------------------------------------------------------------------


@every_rule
def test_a_step_is_a_pure_function(rule: Rule) -> None:
    opt, ps, gs = rule(), start(MATRICES), sequence(4, MATRICES)
    _, state = opt.step(ps, gs[0], opt.init(ps))
    before = [p.copy() for p in ps], [g.copy() for g in gs[1]], [{k: np.copy(v) for k, v in s.items()} for s in state["slots"]]
    first, second = opt.step(ps, gs[1], state), opt.step(ps, gs[1], state)
    for a, b in zip(first[0], second[0], strict=True):
        np.testing.assert_array_equal(a, b)
    for p, q, g, h in zip(ps, before[0], gs[1], before[1], strict=True):
        np.testing.assert_array_equal(p, q)
        np.testing.assert_array_equal(g, h)
    for s, r in zip(state["slots"], before[2], strict=True):
        assert all(np.array_equal(s[k], r[k]) for k in r)
    assert second[1]["t"] == 2


@every_rule
def test_stopping_and_going_on_changes_nothing(rule: Rule) -> None:
    opt, ps, gs = rule(), start(MATRICES), sequence(12, MATRICES)
    whole = run(opt, ps, gs)
    state, current = opt.init(ps), ps
    for i, g in enumerate(gs):
        current, state = opt.step(current, g, state)
        if i == 5:
            state = {"t": state["t"], "slots": [{k: np.array(v) for k, v in s.items()} for s in state["slots"]]}
            opt = rule()
    assert apart([ps, current], [ps, whole[-1]]) <= 1e-14


@every_rule
def test_what_is_rebuilt_from_the_step_count_is_what_was_carried(rule: Rule) -> None:
    opt, ps, gs = rule(), start(MATRICES), sequence(9, MATRICES)
    state, current = opt.init(ps), ps
    for g in gs:
        current, state = opt.step(current, g, state)
    for carried, anew in zip(state["slots"], opt.rebuilt(state)["slots"], strict=True):
        for name, value in carried.items():
            np.testing.assert_allclose(anew[name], value, rtol=1e-13)


# -- symmetries ----------------------------------------------------------------------------------------------------------------


@every_rule
def test_mirrored_gradients_mirror_the_path(rule: Rule) -> None:
    ps, gs = start(MATRICES), sequence(12, MATRICES)
    there = run(rule(), ps, gs)
    back = run(rule(), [-p for p in ps], [[-g for g in step] for step in gs])
    assert apart([[-p for p in point] for point in back], there) == 0


@every_rule
def test_maximize_is_the_other_sign(rule: Rule) -> None:
    ps, gs = start(MATRICES), sequence(12, MATRICES)
    up, down = run(rule(maximize=True), ps, gs), run(rule(), ps, [[-g for g in step] for step in gs])
    assert apart(up, down) == 0


@every_rule
def test_rows_may_be_permuted(rule: Rule) -> None:
    ps, gs = start(MATRICES), sequence(12, MATRICES)
    straight = run(rule(), ps, gs)
    turned = run(rule(), [p[::-1] for p in ps], [[g[::-1] for g in step] for step in gs])
    assert apart([[p[::-1] for p in point] for point in turned], straight) <= 1e-12


@every_rule
def test_splitting_an_array_changes_nothing_unless_the_rule_needs_the_whole(rule: Rule) -> None:
    ps, gs = start([(4, 3)]), [[g[0]] for g in sequence(12, [(4, 3)])]
    opt = rule()
    whole = run(opt, ps, gs)
    parts = run(opt, [ps[0][:1], ps[0][1:]], [[g[0][:1], g[0][1:]] for g in gs])
    joined = [[np.concatenate(point)] for point in parts]
    assert (apart(joined, whole) > 1e-3) if rule.whole_array else (apart(joined, whole) <= 1e-12)


@every_rule
def test_a_factor_on_the_gradients(rule: Rule) -> None:
    """Linear rules move (p, steps) by that factor; where the size is divided out it makes no difference."""
    factor, ps, gs = 2.0**12, start(MATRICES), plain()
    before = run(without_eps(rule), ps, gs)
    larger = [[factor * g for g in step] for step in gs]
    if rule.degree == 1:
        after = [[p / factor for p in point] for point in run(without_eps(rule), [factor * p for p in ps], larger)]
        assert apart(after, before) <= 1e-12
    elif rule.degree == 0:
        assert apart(run(without_eps(rule), ps, larger), before) <= 1e-10
    else:
        assert rule.degree is None
        assert apart(run(rule(), ps, larger), run(rule(), ps, gs)) > 1e-6, "no exception is needed"


@every_rule
def test_two_groups_are_two_optimizers(rule: Rule) -> None:
    ps, gs = start(MATRICES), sequence(12, MATRICES)
    slow, fast = rule(lr=1e-3), rule(lr=3e-2, maximize=True)
    together = run(groups(["a", "b", "a"], a=slow, b=fast), ps, gs)
    first = run(slow, [ps[0], ps[2]], [[g[0], g[2]] for g in gs])
    second = run(fast, [ps[1]], [[g[1]] for g in gs])
    apart_ = [[a[0], b[0], a[1]] for a, b in zip(first, second, strict=True)]
    assert apart(together, apart_) == 0


@every_rule
def test_an_array_without_a_gradient_stays_with_its_state(rule: Rule) -> None:
    opt, ps, gs = rule(), start(MATRICES), sequence(6, MATRICES)
    state = opt.init(ps)
    ps, state = opt.step(ps, gs[0], state)
    new, after = opt.step(ps, [gs[1][0], None, gs[1][2]], state)
    np.testing.assert_array_equal(new[1], ps[1])
    assert all(np.array_equal(after["slots"][1][k], v) for k, v in state["slots"][1].items())
    alone, _ = opt.step([ps[0], ps[2]], [gs[1][0], gs[1][2]], {"t": 1, "slots": [state["slots"][0], state["slots"][2]]})
    np.testing.assert_array_equal(new[0], alone[0])
    np.testing.assert_array_equal(new[2], alone[1])


# -- it goes downhill ----------------------------------------------------------------------------------------------------------

#: Surfaces of two coordinates (rows; the columns are as many starts), where they begin, and what is left of the loss at most
#: after 600 steps at the best of the rates tried, falling to 0.
SURFACES = {
    "bowl": (lambda w: (w**2).sum() + 2 * (w[1] ** 2).sum(), [[4.0, -2.0], [3.0, 1.0]], 1e-3),
    "ravine": (lambda w: 0.1 * (w[0] ** 2).sum() + 2 * (w[1] ** 2).sum(), [[-5.0, 3.0], [-2.0, 2.0]], 1e-2),
    "rosenbrock": (lambda w: ((1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2).sum(), [[-1.2, 0.5], [1.0, 0.8]], 0.15),
}
RATES = np.geomspace(1e-4, 100.0, 13)


@every_rule
def test_converges(rule: Rule) -> None:
    opt = rule(lr=1.0, **({"weight_decay": 0.0} if "weight_decay" in rule.hyperparameters else {}))
    starts = np.array([w for _, w, _ in SURFACES.values()])

    def loss(w: Any, which: Any) -> Any:  # one program for all surfaces: compiling takes the time here
        return sum(share * f(w) for share, (f, _, _) in zip(which, SURFACES.values(), strict=True))

    def descent(w0: Any, which: Any, lr: Any) -> Any:
        def step(carry: Any, share: Any) -> Any:
            w, state = carry
            (w,), state = opt.step_leaves([w], [jax.grad(loss)(w, which)], state, {**opt.values, "lr": lr * share})
            return (w, state), None

        state = Optimizer(rule, {**opt.values, "lr": lr}).init_leaves([w0])
        state = jax.tree.map(lambda x: jax.numpy.asarray(x) * 1, state)
        (w, state), _ = jax.lax.scan(step, (w0, state), jax.numpy.asarray(cosine(1.0, steps=600)(np.arange(600))))
        return loss(opt.report([w], state)[0], which)

    with jax.enable_x64(True):
        over_rates = jax.vmap(descent, in_axes=(None, None, 0))
        ends = np.asarray(jax.jit(jax.vmap(over_rates, in_axes=(0, 0, None)))(starts, np.eye(3), RATES))
    for end, (name, (f, w0, allowed)) in zip(ends, SURFACES.items(), strict=True):
        left = np.where(np.isfinite(end), end, np.inf) / f(np.array(w0))
        assert left.min() <= allowed, f"{name}: {left.min():.3g} of the loss is left, at lr {RATES[left.argmin()]:.3g}"


# -- number types and libraries ------------------------------------------------------------------------------------------------


@every_rule
def test_numpy_jax_and_torch_agree(rule: Rule) -> None:
    ps, gs = start(MATRICES), sequence(12, MATRICES)
    opt = rule()
    reference = run(opt, ps, gs)
    in_torch = run(opt, [torch.tensor(p) for p in ps], [[torch.tensor(g) for g in step] for step in gs])
    assert apart([[np.asarray(p) for p in point] for point in in_torch], reference) <= 1e-12
    with jax.enable_x64(True):
        params, state, points = [jax.numpy.asarray(p) for p in ps], opt.init(ps), [ps]
        step = jax.jit(lambda p, g, s: opt.step_leaves(p, g, s, opt.values))
        for g in gs:
            params, state = step(params, g, state)
            points.append([np.asarray(p) for p in params])
    assert apart(points, reference) <= 1e-12


def narrow(library: str, kind: str, arrays: Arrays) -> list[Any]:
    if library == "numpy":
        return [a.astype(kind) for a in arrays]
    if library == "jax":
        return [jax.numpy.asarray(a, kind) for a in arrays]
    return [torch.tensor(a, dtype=getattr(torch, kind)) for a in arrays]


NARROW = [("numpy", "float32"), ("jax", "float32"), ("jax", "bfloat16"), ("torch", "float32"), ("torch", "bfloat16")]


def exactly(x: Any) -> Any:
    """A number or an array of any library as float64."""
    if isinstance(x, float | int):
        return float(x)
    return np.asarray(x.double() if isinstance(x, torch.Tensor) else jax.numpy.asarray(x, "float32"), dtype=np.float64)


def spacing(x: Any, kind: str) -> Any:
    """The distance of neighbouring numbers of that type near x; bfloat16 has 8 bits, float32 24."""
    bits = 7 if kind == "bfloat16" else 23
    return 2.0 ** (np.floor(np.log2(np.maximum(np.abs(x), 1e-30))) - bits)


@pytest.mark.parametrize(("library", "kind"), NARROW)
@every_rule
def test_a_step_in_narrow_numbers_is_the_step_rounded_once(rule: Rule, library: str, kind: str) -> None:
    """Parameters and state keep their type, and each step leaves the float64 step of the same numbers, rounded to that type.

    So in bfloat16 every parameter and every entry of the state is within half a spacing, 2⁻⁹ of it, beside what float32, in
    which the step is computed, is off: 1e-5 of the change. Where float32 is stored, that is all.
    """
    ps = [exactly(p) for p in narrow("jax", "bfloat16", start(MATRICES))]
    opt = rule(lr=100.0 if rule.name == "adadelta" else 0.1, **{n: 0.1 for n in rule.hyperparameters if n == "d0"})
    params = narrow(library, kind, ps)
    state = opt.init(params)
    for g in plain(6):
        given = narrow(library, "bfloat16" if kind == "bfloat16" else "float32", g)
        before = [exactly(p) for p in params]
        slots = [{k: exactly(v) for k, v in s.items()} for s in state["slots"]]
        wide, after = opt.step(before, [exactly(x) for x in given], {"t": state["t"], "slots": slots})
        params, state = opt.step(params, given, state)
        for p, q, old in zip(params, wide, before, strict=True):
            assert_rounded(p, q, old, kind)
        for own, reference, old in zip(state["slots"], after["slots"], slots, strict=True):
            for name, value in own.items():
                assert_rounded(value, reference[name], old[name], kind if rule.slots[name].shape != "scalar" else "")
    assert max(np.abs(exactly(p) - q).max() for p, q in zip(params, ps, strict=True)) > 0.1


def assert_rounded(value: Any, reference: Any, old: Any, kind: str) -> None:
    """In its type, and the reference rounded once; single numbers, without a type, are held to float32."""
    if kind:
        assert str(value.dtype).removeprefix("torch.") == kind
    half = 0.5 * spacing(reference, kind) if kind == "bfloat16" else 0.0
    allowed = half + 1e-5 * np.abs(reference - old) + 1e-6 * np.maximum(np.abs(reference), np.abs(old))
    assert (np.abs(exactly(value) - reference) <= allowed).all()


@every_rule
def test_bytes_of_state_are_as_predicted(rule: Rule) -> None:
    """Measured on the arrays of a real state: structural options on and off."""
    for values in [{}, *({n: 0.5} for n in ("momentum",) if n in rule.hyperparameters), *booleans(rule)]:
        opt = rule(**values)
        for shape in [(40, 30)] if rule.ndim else [(40, 30), (7,), (2, 3, 4)]:
            p = np.zeros(shape, np.float32)
            _, state = opt.step(p, p + 1, opt.init(p))
            measured = sum(np.asarray(v).nbytes for v in state["slots"][0].values() if np.ndim(v) > 0)
            assert measured == rule.state_bytes(opt.hyperparameters, 4, shape)


def booleans(rule: Rule) -> list[dict[str, Any]]:
    return [{n: not h.default} for n, h in rule.hyperparameters.items() if isinstance(h.default, bool)]


#: Bytes per parameter in float32 of the field's table, for one large matrix.
BYTES = {
    0: "sgd signsgd",
    4: "momentum nesterov asgd lion adagrad rmsprop muon lars schedule_free_sgd",
    8: "adam adamw adam_hat adamax nadam radam lamb adadelta rprop schedule_free_adamw",
    12: "amsgrad ademamix",
    16: "adan prodigy",
}


def test_bytes_of_the_table() -> None:
    table = {name: size for size, names in BYTES.items() for name in names.split()}
    for rule in RULES:
        each = rule.state_bytes(rule().hyperparameters, 4, (1000, 1000)) / 1e6
        assert each == (table[rule.name] if rule.name in table else pytest.approx(0.008))
    assert set(table) | {"adafactor"} == set(OPTIMIZERS)


@every_rule
def test_a_million_steps_in(rule: Rule) -> None:
    """Running powers have vanished, counts are large: the step is finite, the same in float32, and what it is a step later."""
    ps, gs = start(MATRICES), plain(3)
    opt, moved = rule(lr=0.01, **{n: 0.1 for n in rule.hyperparameters if n == "d0"}), []
    for kind in (np.float64, np.float32):
        params = [p.astype(kind) for p in ps]
        state = opt.init(params)
        for _ in range(50):
            params, state = opt.step(params, [g.astype(kind) for g in gs[0]], state)
        state = opt.rebuilt({**state, "t": 10**6})
        for g in gs:
            new, state = opt.step(params, [x.astype(kind) for x in g], state)
            assert all(np.isfinite(p).all() for p in new)
            moved.append(np.concatenate([(a - b).ravel() for a, b in zip(new, params, strict=True)]).astype(float))
            params = new
    assert state["t"] == 10**6 + 3
    if rule.name != "asgd":  # its rate has fallen away
        assert np.abs(moved[0]).max() > 1e-7
    np.testing.assert_allclose(moved[3:6], moved[:3], rtol=0.02, atol=3e-6)


@every_rule
def test_a_hundred_runs_at_once_are_a_hundred_runs(rule: Rule) -> None:
    """vmap over starts, gradients and rates."""
    rng, runs, steps = np.random.default_rng(3), 100, 8
    p0, gs = rng.normal(size=(runs, 4, 3)), rng.normal(size=(steps, runs, 4, 3))
    rates = np.geomspace(1e-4, 0.3, runs)
    opt = rule(lr=1.0)
    with jax.enable_x64(True):

        def descent(p: Any, g: Any, lr: Any) -> Any:
            state = Optimizer(rule, {**opt.values, "lr": lr}).init_leaves([p])
            for i in range(steps):
                (p,), state = opt.step_leaves([p], [g[i]], state, {**opt.values, "lr": lr})
            return p

        together = np.asarray(jax.jit(jax.vmap(descent, in_axes=(0, 1, 0)))(p0, gs, rates))
    for i in range(runs):
        alone = run(rule(lr=float(rates[i])), [p0[i]], [[g[i]] for g in gs])
        assert apart([[p0[i]], [together[i]]], [[p0[i]], alone[-1]]) <= 1e-10


# -- hyperparameters -----------------------------------------------------------------------------------------------------------


def others(h: Hyperparameter) -> list[Any]:
    """Values a hyperparameter may take besides its default."""
    if isinstance(h.default, bool):
        return [not h.default]
    if isinstance(h.default, str):
        return [c for c in h.choices if c != h.default]
    if isinstance(h.default, int):
        return [h.default + 1]
    candidates = [h.default * 0.5 + 0.05, h.default * 0.97 + 0.001, 0.3, 2.0, 0.0, 8.0, 1e-3, -0.3]
    low, high, low_in, high_in = h.bounds or (-np.inf, np.inf, True, True)
    inside = [c for c in candidates if low < c < high or (c == low and low_in) or (c == high and high_in)]
    return [c for c in inside if c != h.default]


@every_rule
def test_every_hyperparameter_does_something(rule: Rule) -> None:
    """Some other value of each changes the path or the reported point, from a setting where all of them are in play."""
    busy = {"eps": 1e-2, "weight_decay": 0.1, "momentum": 0.7, "dampening": 0.3}
    base = {k: v for k, v in busy.items() if k in rule.hyperparameters}
    rate = multistep(0.02, at=[3, 6], factor=2.0)
    ps, gs = start(MATRICES), [[g + 1.0 for g in step] for step in plain(12)]

    def path(**values: Any) -> list[Arrays]:
        opt, state, current, points = rule(**(base | {"lr": rate} | values)), None, ps, [ps]
        state = opt.init(ps)
        for g in gs:
            current, state = opt.step(current, g, state)
            points.append([*current, *opt.report(current, state)])
        return points[1:]

    reference = path()
    for name, h in rule.hyperparameters.items():
        candidates = others(h)
        assert candidates, name
        with np.errstate(all="ignore"):
            assert any(not same(path(**{name: value}), reference) for value in candidates), f"{name} changes nothing"


def same(a: list[Arrays], b: list[Arrays]) -> bool:
    """Equal, or not finite: a path that blew up proves nothing."""
    pairs = list(zip(itertools.chain(*a), itertools.chain(*b), strict=True))
    return not all(np.isfinite(x).all() for x, _ in pairs) or all(np.allclose(x, y, rtol=1e-9, atol=1e-12) for x, y in pairs)


@every_rule
def test_scheduled_is_the_same_as_set_by_hand(rule: Rule) -> None:
    """Every float hyperparameter may follow a schedule; powers are then rebuilt from the value of the day."""
    ps, gs = start(MATRICES), sequence(8, MATRICES)
    for name, h in rule.hyperparameters.items():
        if h.structural or h.bounds is None or not others(h):
            continue
        then = others(h)[0]
        factor = then / h.default if h.default else 0.0
        if not factor:
            continue
        ours = run(rule(**{name: multistep(h.default, at=[4], factor=factor)}), ps, gs)
        opt, state, current = rule(), rule().init(ps), ps
        for i, g in enumerate(gs):
            opt = rule(**{name: h.default * (factor if i >= 4 else 1.0)})
            if any(slot.power_of == name for slot in rule.slots.values()):
                state = opt.rebuilt(state)
            current, state = opt.step(current, g, state)
        assert apart([ps, ours[-1]], [ps, current]) <= 1e-12


@every_rule
def test_what_an_entry_says(rule: Rule) -> None:
    for text in (rule.title, rule.paper, rule.convention, rule.fixes, rule.avoid, rule.usual_lr, rule.__doc__):
        assert text, rule.name
    assert any(c.isdigit() for c in rule.paper), "a paper has a year"
    assert rule.fixes.endswith(".")
    assert rule.avoid.endswith(".")
    assert rule.kind in ("linear", "adaptive", "sign")
    assert "lr" in rule.hyperparameters
    assert not set(rule.slots) & set(rule.hyperparameters) - {"d"}
    for h in rule.hyperparameters.values():
        assert h.meaning, f"{rule.name}'s {h.name} is not explained"
    assert rule()  # the defaults are within their own bounds
    for name, h in (COMMON | dict(rule.hyperparameters)).items():
        if h.bounds is not None:
            assert h.check(h.default, rule.name) == h.default or name == "clip_value"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([r for r in RULES if not r.whole_array and not r.sums]),
    st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4),
    st.integers(0, 2**31),
)
def test_each_coordinate_minds_its_own_business(rule: Rule, values: list[float], seed: int) -> None:
    """Elementwise rules: a coordinate moves as it would alone."""
    rng = np.random.default_rng(seed)
    p, gs = rng.normal(size=4), [np.array(values) * rng.normal(size=4) for _ in range(4)]
    together = run(rule(), [p], [[g] for g in gs])[-1][0]
    alone = [run(rule(), [p[i : i + 1]], [[g[i : i + 1]] for g in gs])[-1][0][0] for i in range(4)]
    np.testing.assert_array_equal(together, alone)
