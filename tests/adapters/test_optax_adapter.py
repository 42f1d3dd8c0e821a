"""A rule as an optax transformation, against the rule stepped by itself and against optax's own where it has the rule."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import descend as ds
from descend.errors import DescendError
from descend.grouping import groups
from descend.optax import as_transformation
from descend.optimizers import adam, adamw, lion, momentum, nesterov, sgd
from descend.rules import OPTIMIZERS, Optimizer
from descend.schedules import cosine

ALL = sorted(OPTIMIZERS)
SHAPES: list[tuple[int, ...]] = [(3, 4), (5,), (2, 2, 3)]
MATRICES: list[tuple[int, ...]] = [(4, 3), (3, 5)]


def start(shapes: list[tuple[int, ...]], seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) for s in shapes]


def gradients(shapes: list[tuple[int, ...]], steps: int) -> list[list[Any]]:
    rng = np.random.default_rng(1)
    return [[rng.normal(size=s) * 10.0 ** (i - 1) for i, s in enumerate(shapes)] for _ in range(steps)]


def updated(tx: optax.GradientTransformation, p: Any, gs: list[list[Any]], compiled: bool = True) -> Any:
    p = [jnp.asarray(x) for x in p]
    state, update = tx.init(p), jax.jit(tx.update) if compiled else tx.update
    for g in gs:
        updates, state = update([jnp.asarray(x) for x in g], state, p)
        p = optax.apply_updates(p, updates)
    return [np.asarray(x) for x in p]


@pytest.mark.parametrize(
    ("name", "compiled"), [*((name, True) for name in ALL), *((name, False) for name in ("adam", "momentum", "prodigy"))]
)
def test_a_transformation_is_the_rule(name: str, compiled: bool) -> None:
    """12 steps, 1e-15 of the parameters' size a step."""
    shapes = MATRICES if name == "muon" else SHAPES
    rule, p, gs = OPTIMIZERS[name](weight_decay=0.1, maximize=True), start(shapes), gradients(shapes, 12)
    with jax.enable_x64(True):
        ours = updated(as_transformation(rule), p, gs, compiled)
        points, state = p, rule.init(p)
        for g in gs:
            points, state = rule.step(points, g, state)
    size = max(np.abs(x).max() for x in points)
    assert max(np.abs(a - b).max() for a, b in zip(ours, points, strict=True)) <= 12e-15 * size
    assert max(np.abs(a - b).max() for a, b in zip(points, p, strict=True)) > 0


PAIRS: list[tuple[Optimizer, optax.GradientTransformation]] = [
    (sgd(lr=0.1), optax.sgd(0.1)),
    (momentum(lr=0.1, momentum=0.8), optax.sgd(0.1, momentum=0.8)),
    (nesterov(lr=0.1, momentum=0.8), optax.sgd(0.1, momentum=0.8, nesterov=True)),
    (adam(lr=0.1, beta1=0.8, eps=1e-3), optax.adam(0.1, b1=0.8, eps=1e-3)),
    (adamw(lr=0.1, weight_decay=0.2), optax.adamw(0.1, weight_decay=0.2)),
    (lion(lr=0.1, weight_decay=0.2), optax.lion(0.1, weight_decay=0.2)),
    (adam(lr=0.1, clip_global_norm=1.0), optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.1))),
]


@pytest.mark.parametrize(("rule", "theirs"), PAIRS, ids=lambda v: getattr(v, "name", ""))
def test_it_is_optaxs_where_optax_has_the_rule(rule: Optimizer, theirs: optax.GradientTransformation) -> None:
    p, gs = start(SHAPES), gradients(SHAPES, 12)
    with jax.enable_x64(True):
        ours, reference = updated(as_transformation(rule), p, gs), updated(theirs, p, gs)
    moved = max(np.abs(a - b).max() for a, b in zip(reference, p, strict=True))
    assert max(np.abs(a - b).max() for a, b in zip(ours, reference, strict=True)) <= 1e-12 * moved


def test_it_composes_and_takes_any_tree() -> None:
    params = {"w": jnp.ones((2, 3)), "b": (jnp.zeros(3), jnp.array(2.0))}
    tx = optax.chain(optax.clip(0.5), as_transformation(adam(lr=0.1)), optax.scale(0.5))
    grads = jax.tree_util.tree_map(lambda x: x + 1.0, params)
    updates, state = jax.jit(tx.update)(grads, tx.init(params), params)
    assert jax.tree_util.tree_structure(updates) == jax.tree_util.tree_structure(params)
    assert np.allclose(updates["w"], -0.05, rtol=1e-5)
    _, again = jax.jit(tx.update)(grads, state, params)
    assert jax.tree_util.tree_structure(again) == jax.tree_util.tree_structure(state)
    masked = optax.masked(as_transformation(sgd(lr=1.0)), {"w": True, "b": False})
    updates, _ = masked.update(grads, masked.init(params), params)
    assert np.allclose(updates["w"], -2.0)
    assert np.allclose(updates["b"][1], 3.0)


def test_a_step_compiles_once() -> None:
    traced = []
    tx = as_transformation(adam(lr=0.1))

    @jax.jit
    def step(g: Any, state: Any, p: Any) -> Any:
        traced.append(1)
        updates, state = tx.update(g, state, p)
        return optax.apply_updates(p, updates), state

    p = jnp.ones(3)
    state = tx.init(p)
    for _ in range(4):
        p, state = step(2 * p, state, p)
    assert len(traced) == 1


@pytest.mark.parametrize(("rule", "theirs"), PAIRS, ids=lambda v: getattr(v, "name", ""))
def test_a_state_has_no_more_arrays_than_optaxs(rule: Optimizer, theirs: optax.GradientTransformation) -> None:
    """Each array costs time at every call: the single numbers of a rule are one. Momentum's says that a step was made."""
    params = [jnp.ones(s) for s in SHAPES]
    ours = jax.tree_util.tree_leaves(as_transformation(rule).init(params))
    allowed = len(jax.tree_util.tree_leaves(theirs.init(params))) + (rule.name == "momentum")
    assert len(ours) <= allowed


def test_single_numbers_stand_side_by_side() -> None:
    """RAdam's three are shared; NAdam's product each array has for itself; SGD has none."""
    p = [jnp.ones(3), jnp.ones((2, 2))]
    numbers = {}
    for name in ("radam", "nadam"):
        tx = as_transformation(OPTIMIZERS[name](beta1=0.8, beta2=0.9))
        state = tx.init(p)
        for _ in range(3):
            _, state = jax.jit(tx.update)(p, state, p)
        numbers[name] = state.numbers
    np.testing.assert_allclose(numbers["radam"], [0.8**3, 0.9**3, 3], rtol=1e-6)
    q = [0.96 ** (0.004 * t) for t in (1, 2, 3)]
    product = np.prod([0.8 * (1 - 0.5 * x) for x in q])
    np.testing.assert_allclose(numbers["nadam"], [q[-1], 0.9**3, product, product], rtol=1e-6)
    assert as_transformation(sgd()).init(p).numbers is None
    assert as_transformation(adam()).init([]).numbers is None
    assert as_transformation(adam()).update([], as_transformation(adam()).init([]), [])[0] == []


def test_a_training_loop_can_change_the_rate() -> None:
    """`optax.inject_hyperparams` around a rule, the rate and beta1 changed in mid-run; optax's own does the same."""
    p, gs = start(SHAPES), gradients(SHAPES, 8)

    def run(tx: optax.GradientTransformation, rate: str, beta: str) -> Any:
        q = [jnp.asarray(x) for x in p]
        state, update = tx.init(q), jax.jit(tx.update)
        for step, g in enumerate(gs):
            if step == 4:
                state.hyperparams[rate], state.hyperparams[beta] = jnp.asarray(0.01), jnp.asarray(0.5)
            updates, state = update([jnp.asarray(x) for x in g], state, q)
            q = optax.apply_updates(q, updates)
        return [np.asarray(x) for x in q]

    with jax.enable_x64(True):
        ours = run(
            optax.inject_hyperparams(lambda lr, beta1: as_transformation(adam, lr=lr, beta1=beta1))(0.1, 0.9), "lr", "beta1"
        )
        theirs = run(optax.inject_hyperparams(optax.adam)(0.1, b1=0.9), "learning_rate", "b1")
    moved = max(np.abs(a - b).max() for a, b in zip(theirs, p, strict=True))
    assert max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)) <= 1e-12 * moved
    with pytest.raises(DescendError, match="adam has no float hyperparameter 'speed' here; it has lr, beta1"):
        as_transformation(adam, speed=1.0)


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "plain"])
def test_schedules_of_ours_are_followed(compiled: bool) -> None:
    p, gs = start(SHAPES), gradients(SHAPES, 8)
    rule = adam(lr=cosine(0.1, steps=8))
    with jax.enable_x64(True):
        ours = updated(as_transformation(rule), p, gs, compiled)
    points, state = p, rule.init(p)
    for g in gs:
        points, state = rule.step(points, g, state)
    assert max(np.abs(a - b).max() for a, b in zip(ours, points, strict=True)) <= 1e-14


def test_small_steps_survive_in_half_precision() -> None:
    """The update of a bfloat16 parameter is told in float32, though the parameter itself cannot hold it."""
    p = jnp.full(3, 100.0, jnp.bfloat16)
    tx = as_transformation(sgd(lr=1e-3))
    updates, _ = tx.update(jnp.ones(3, jnp.bfloat16), tx.init(p), p)
    assert updates.dtype == jnp.float32
    assert np.allclose(updates, -1e-3, rtol=1e-2)


def test_errors() -> None:
    tx = as_transformation(adam())
    with pytest.raises(DescendError, match=r"adam needs the parameters: call update\(grads, state, params\)"):
        tx.update(jnp.ones(2), tx.init(jnp.ones(2)))
    with pytest.raises(DescendError, match="as_transformation takes a rule such as adam"):
        as_transformation(optax.adam(0.1))  # type: ignore[arg-type]
    with pytest.raises(DescendError, match=r"join those of the groups with optax\.multi_transform"):
        as_transformation(groups(lambda p: "all", all=adam()))
    with pytest.raises(DescendError, match="muon works on matrices alone"):
        as_transformation(OPTIMIZERS["muon"]).init(jnp.ones(3))


def test_the_package_offers_the_module() -> None:
    assert ds.optax.as_transformation is as_transformation
