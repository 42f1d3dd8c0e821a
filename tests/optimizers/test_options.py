"""Options around any rule, groups, and what is refused: each refusal one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax
import pytest
import torch
from fixed_gradients import apart, run, sequence, start
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import DescendError
from descend.grouping import Groups, groups
from descend.loop import descend
from descend.optimizers import (
    adam,
    adamw,
    lamb,
    lion,
    momentum,
    muon,
    nadam,
    prodigy,
    radam,
    rmsprop,
    rprop,
    schedule_free_sgd,
    sgd,
)
from descend.rules import OPTIMIZERS, optimizer_named
from descend.schedules import cosine, linear, one_cycle, one_cycle_momentum, warm_up
from descend.stability import lr_limit
from descend.torch import as_optimizer

sizes = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)


def moved(g: Any, **options: Any) -> Any:
    """What SGD at rate 1 takes off the parameters: the gradient as the rule sees it."""
    g = np.asarray(g, dtype=float)
    opt = sgd(lr=1.0, **options)
    return -opt.step(0 * g, g, opt.init(0 * g))[0]


# -- clipping ----------------------------------------------------------------------------------------------------------------


@given(st.lists(sizes, min_size=1, max_size=6), st.floats(1e-3, 1e3))
def test_clip_by_value_bounds_each_entry(g: list[float], bound: float) -> None:
    np.testing.assert_array_equal(moved(g, clip_value=bound), np.clip(g, -bound, bound))


@given(st.lists(sizes, min_size=1, max_size=6), st.floats(1e-3, 1e3))
def test_clip_by_norm_keeps_the_direction_and_bounds_the_length(g: list[float], bound: float) -> None:
    clipped, length = moved(g, clip_norm=bound), np.linalg.norm(g)
    assert np.linalg.norm(clipped) <= bound * (1 + 1e-12)
    if length <= bound:
        np.testing.assert_array_equal(clipped, g)
    else:
        np.testing.assert_allclose(clipped, np.array(g) * (bound / length), rtol=1e-12)


@pytest.mark.parametrize("factor", [1.0, 0.3, 1e-7], ids=["clipped", "just clipped or not", "far below"])
@pytest.mark.parametrize("bound", [1.5, 1e-6])
def test_clip_by_global_norm_with_clip_eps_is_torchs(factor: float, bound: float) -> None:
    """`clip_grad_norm_` adds 1e-6 to the norm. At a bound of that size the two dialects are a factor of two apart."""
    ps, g = start(), [factor * x for x in sequence(8)[0]]
    params = [torch.tensor(p, requires_grad=True) for p in ps]
    for p, x in zip(params, g, strict=True):
        p.grad = torch.tensor(x)
    total = float(torch.nn.utils.clip_grad_norm_(params, bound))
    theirs = [p.grad.numpy() for p in params if p.grad is not None]
    plain, ours = (clipped(ps, g, clip_global_norm=bound, clip_eps=eps) for eps in (0.0, 1e-6))
    for mine, without, x in zip(ours, plain, theirs, strict=True):
        np.testing.assert_allclose(mine, x, rtol=1e-12, atol=1e-15 * bound)
        share = total / (total + 1e-6) if total > bound else min(1.0, bound / (total + 1e-6))
        np.testing.assert_allclose(mine, without * share, rtol=1e-12, atol=1e-15 * bound)


def test_clip_by_norm_with_clip_eps_is_torchs_array_by_array() -> None:
    ps, g = start(), sequence(8)[0]
    for mine, x in zip(clipped(ps, g, clip_norm=1e-6, clip_eps=1e-6), g, strict=True):
        p = torch.tensor(0 * x, requires_grad=True)
        p.grad = torch.tensor(x)
        torch.nn.utils.clip_grad_norm_([p], 1e-6)
        np.testing.assert_allclose(mine, p.grad.numpy(), rtol=1e-12, atol=1e-21)


def test_clip_eps_in_the_torch_adapter_and_without_a_bound() -> None:
    ps, g = start(), sequence(8)[0]
    params = [torch.nn.Parameter(torch.tensor(0 * p)) for p in ps]
    optimizer = as_optimizer(sgd(lr=1.0, clip_global_norm=1e-6, clip_eps=1e-6), params)
    for p, x in zip(params, g, strict=True):
        p.grad = torch.tensor(x)
    optimizer.step()
    for mine, p in zip(clipped(ps, g, clip_global_norm=1e-6, clip_eps=1e-6), params, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), -mine, rtol=1e-12, atol=1e-21)
    for mine, x in zip(clipped(ps, g, clip_eps=1e-6), g, strict=True):
        np.testing.assert_array_equal(mine, x)
    assert lr_limit(sgd(clip_eps=1e-6), 4.0) == pytest.approx(0.5)
    assert lr_limit(sgd(clip_eps=1e-6, clip_norm=1.0), 4.0) is None


def test_clip_by_global_norm_is_optaxs() -> None:
    ps, g = start(), sequence(8)[0]
    clip = optax.clip_by_global_norm(1.5)
    with jax.enable_x64(True):
        theirs, _ = clip.update([jax.numpy.asarray(x) for x in g], clip.init(ps))
    for mine, x in zip(clipped(ps, g, clip_global_norm=1.5), theirs, strict=True):
        np.testing.assert_allclose(mine, np.asarray(x), rtol=1e-12, atol=1e-15)


def clipped(ps: Any, g: Any, **options: float) -> list[Any]:
    """The gradients as SGD sees them."""
    opt, zeros = sgd(lr=1.0, **options), [0 * p for p in ps]
    return [-p for p in opt.step(zeros, g, opt.init(zeros))[0]]


def test_clip_norm_is_per_array_and_global_norm_over_all() -> None:
    ps, g = [np.zeros(2), np.zeros(2)], [np.array([3.0, 4.0]), np.array([0.3, 0.4])]
    for option, expected in [("clip_norm", [1.0, 0.5]), ("clip_global_norm", [5 / np.sqrt(25.25), 0.5 / np.sqrt(25.25)])]:
        opt = sgd(lr=1.0, **{option: 1.0})
        new, _ = opt.step(ps, g, opt.init(ps))
        np.testing.assert_allclose([np.linalg.norm(p) for p in new], expected, rtol=1e-12)


def test_clipping_comes_before_decay() -> None:
    opt, p = sgd(lr=1.0, clip_value=1.0, weight_decay=0.5), np.array([10.0])
    new, _ = opt.step(p, np.array([100.0]), opt.init(p))
    assert new[0] == 10 - (1 + 5)


# -- decay -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [0.01, 0.3])
def test_decoupled_decay_shrinks_by_lr_times_decay_without_a_gradient(lr: float) -> None:
    for opt in (adam(lr=lr, weight_decay=0.1, decoupled=True), adamw(lr=lr, weight_decay=0.1), lion(lr=lr, weight_decay=0.1)):
        p = np.array([2.0, -3.0])
        state = opt.init(p)
        for t in range(1, 4):
            p, state = opt.step(p, np.zeros(2), state)
            np.testing.assert_allclose(p, np.array([2.0, -3.0]) * (1 - lr * 0.1) ** t, rtol=1e-13)


def test_l2_decay_is_part_of_the_gradient_and_goes_through_adams_scaling() -> None:
    opt, p = adam(lr=0.1, weight_decay=0.1), np.array([2.0, -3.0])
    new, _ = opt.step(p, np.zeros(2), opt.init(p))
    np.testing.assert_allclose(new, p - 0.1 * np.sign(p), rtol=1e-6)


@pytest.mark.parametrize("rule", [adam, adamw, lion, lamb], ids=lambda r: r.name)
def test_a_mask_spares_arrays_from_decay(rule: Any) -> None:
    ps, gs = start(), sequence(8)
    own = {} if "weight_decay" in rule.hyperparameters else {"decoupled": True}
    masks: list[Any] = [lambda p: p.ndim > 1, [False, True, True, True]]
    with_decay, without = run(rule(weight_decay=0.2, **own), ps, gs), run(rule(weight_decay=0.0), ps, gs)
    for mask in masks:
        masked = run(rule(weight_decay=0.2, mask=mask, **own), ps, gs)
        assert apart([[p[0]] for p in masked], [[p[0]] for p in without]) == 0
        assert apart([p[1:] for p in masked], [p[1:] for p in with_decay]) == 0


def test_a_mask_may_be_a_tree_like_the_parameters() -> None:
    params = {"w": np.ones(2), "b": np.ones(2)}
    opt = sgd(lr=1.0, weight_decay=0.5, mask={"w": True, "b": False})
    new, _ = opt.step(params, {"w": np.zeros(2), "b": np.zeros(2)}, opt.init(params))
    np.testing.assert_array_equal(new["w"], 0.5)
    np.testing.assert_array_equal(new["b"], 1.0)


def test_a_mask_is_part_of_the_structure() -> None:
    first, second = sgd(weight_decay=0.1, mask=[True, False]), sgd(weight_decay=0.1, mask=[False, True])
    assert hash(first.structure) == hash(sgd(weight_decay=0.3, mask=[True, False]).structure)
    assert first.structure != second.structure
    assert sgd(mask=lambda p: True).structure != sgd(mask=lambda p: False).structure


# -- schedules in a descent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "opt",
    [
        adam(lr=one_cycle(0.3, steps=30), beta1=one_cycle_momentum(30), beta2=linear(0.9, steps=30, end=0.99)),
        momentum(lr=warm_up(0.05, steps=5), momentum=linear(0.0001, steps=20, end=0.9)),
        rmsprop(lr=0.05, momentum=warm_up(0.9, steps=10)),
        groups(["a"], a=nadam(lr=cosine(0.2, steps=30), momentum_decay=linear(0.004, steps=30, end=1.0))),
    ],
    ids=lambda o: o.name,
)
def test_the_compiled_loop_follows_schedules_as_single_steps_do(opt: Any) -> None:
    trace = descend("x**2 + 3*y**2", [4, 3], opt, steps=30)
    p, state = [np.array([4.0, 3.0])], None
    state = opt.init(p)
    for _ in range(30):
        p, state = opt.step(p, [np.array([2.0, 6.0]) * p[0]], state)
    np.testing.assert_allclose(trace.points[-1], p[0], rtol=1e-10, atol=1e-13)


def test_what_a_schedule_starts_at_zero_is_carried_all_the_same() -> None:
    """A momentum that warms up from 0 needs its velocity from the first step."""
    opt, p = rmsprop(momentum=warm_up(0.9, steps=2)), np.array([1.0])
    assert "b" in opt.init(p)["slots"][0]
    assert "b" not in rmsprop(momentum=0.0).init(p)["slots"][0]


# -- groups ------------------------------------------------------------------------------------------------------------------


def test_groups_by_a_tree_by_a_function_and_by_hand_are_the_same() -> None:
    params = {"w": start([(4, 3)])[0], "b": start([(3,)])[0]}
    members = {"hidden": muon(lr=0.02), "rest": schedule_free_sgd(lr=0.1)}
    by_tree = groups({"w": "hidden", "b": "rest"}, **members)
    by_function = groups(lambda p: "hidden" if p.ndim == 2 else "rest", **members)
    grads = {"w": np.ones((4, 3)), "b": np.ones(3)}
    ends = []
    for opt in (by_tree, by_function):
        current, state = params, opt.init(params)
        for _ in range(3):
            current, state = opt.step(current, grads, state)
        leaves = [current["b"], current["w"]]
        ends.append([*leaves, *opt.report(leaves, state)])
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))
    w, state = params["w"], members["hidden"].init(params["w"])
    for _ in range(3):
        w, state = members["hidden"].step(w, grads["w"], state)
    np.testing.assert_array_equal(ends[0][1], w)
    assert not np.array_equal(ends[0][0], ends[0][2])  # schedule-free reports another point than it stands at


def test_groups_speak_of_their_hyperparameters_by_group_and_name() -> None:
    opt = groups(["a", "b"], a=sgd(lr=0.1), b=adam(lr=cosine(0.2, steps=10), clip_value=1.0))
    assert opt.hyperparameters["a.lr"] == 0.1
    assert opt.at_step(5)["b.lr"] == pytest.approx(0.1)
    assert set(opt.scheduled) == {"b.lr"}
    assert {"a.lr", "b.lr", "b.clip_value"} <= opt.stated
    assert opt.with_values(**{"a.lr": 0.3}).hyperparameters["a.lr"] == 0.3
    both = opt.with_values(lr=0.7).hyperparameters
    assert both["a.lr"] == both["b.lr"] == 0.7
    assert both["b.clip_value"] == 1.0
    assert opt.structure != groups(["b", "a"], **opt.members).structure
    assert opt.structure == groups(["a", "b"], **opt.members).structure


def test_a_schedule_in_one_group_is_followed() -> None:
    opt = groups(["a", "b"], a=sgd(lr=cosine(1.0, steps=2)), b=sgd(lr=1.0))
    p, state, one = [np.zeros(1), np.zeros(1)], None, [np.ones(1), np.ones(1)]
    state = opt.init(p)
    for _ in range(3):
        p, state = opt.step(p, one, state)
    assert p[0][0] == pytest.approx(-1.5)
    assert p[1][0] == -3


def test_groups_rebuild_their_powers_and_leave_out_arrays_without_gradient() -> None:
    opt = groups(["a", "b"], a=adam(), b=adam(beta1=0.5))
    p = [np.ones(2), np.ones(2)]
    _, state = opt.step(p, [np.ones(2), None], opt.init(p))
    assert state["slots"][1]["k1"] == 1
    again = opt.rebuilt({**state, "t": 3})
    assert [s["k1"] for s in again["slots"]] == pytest.approx([0.9**3, 0.5**3])


# -- what is refused ---------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: adam(betta1=0.9),
        "adam has no hyperparameter 'betta1'; it has lr, beta1, beta2, eps (and, like every optimizer, weight_decay, ",
    ),
    (lambda: adam(betta1=0.9), "; did you mean beta1?"),
    (lambda: adam(nonsense=1), "maximize, clip_value, clip_norm, clip_global_norm, clip_eps)"),
    (lambda: adamw(decoupled=False), "adamw has no hyperparameter 'decoupled'"),
    (lambda: adam(lr=0), "adam's lr must be above 0; got 0"),
    (lambda: adam(lr=-1), "adam's lr must be above 0; got -1"),
    (lambda: adam(lr=float("inf")), "adam's lr must be above 0 and finite; got inf"),
    (lambda: adam(lr=float("nan")), "adam's lr is a number; got nan"),
    (lambda: adam(lr="fast"), "adam's lr is a number; got 'fast'"),
    (lambda: adam(beta1=1.0), "adam's beta1 must be at least 0 and below 1; got 1"),
    (lambda: adam(weight_decay=-0.1), "adam's weight_decay must be at least 0; got -0.1"),
    (lambda: adam(clip_norm=float("inf")), "adam's clip_norm must be at least 0 and finite; got inf"),
    (lambda: rprop(eta_minus=1.5), "rprop's eta_minus must be above 0 and below 1; got 1.5"),
    (lambda: radam(warm_up="slow"), "radam's warm_up is one of momentum, frozen; got 'slow'"),
    (lambda: radam(warm_up=cosine(0.1, steps=5)), "radam's warm_up cannot follow a schedule; only float hyperparameters can"),
    (lambda: muon(ns_steps=2.5), "muon's ns_steps is a whole number; got 2.5"),
    (lambda: muon(ns_steps=100), "muon's ns_steps must be at least 1 and at most 99; got 100"),
    (lambda: muon(nesterov="perhaps"), "muon's nesterov is true or false; got 'perhaps'"),
    (lambda: prodigy(d0=0), "prodigy's d0 must be above 0; got 0"),
    (
        lambda: muon().init(np.zeros(3)),
        "muon works on matrices alone: put vectors and scalars in a group with another optimizer",
    ),
    (lambda: muon().init(np.zeros((2, 3, 4))), "got an array of shape (2, 3, 4)"),
    (lambda: adam().init(np.zeros(3, int)), "adam moves floating-point parameters; got an array of int64: convert it to float"),
    (lambda: adam().init(torch.zeros(3, dtype=torch.int32)), "got an array of torch.int32"),
    (lambda: sgd().step([np.zeros(2)], [], sgd().init([np.zeros(2)])), "there are 1 parameter arrays and 0 gradients"),
    (lambda: run(sgd(weight_decay=0.1, mask=[True]), start(), sequence(1)), "the mask has 1 entries and there are 4 parameter"),
    (lambda: optimizer_named("adamm"), "there is no optimizer 'adamm'; did you mean adam or "),
    (lambda: optimizer_named("adamm"), "? `descend optimizers` lists the "),
    (lambda: optimizer_named("sophia"), "there is no optimizer 'sophia'; `descend optimizers` lists the "),
    (
        lambda: groups(["a", "c"], a=sgd(), b=sgd()).init([np.zeros(1), np.zeros(1)]),
        "the labels name a group 'c' that has no optimizer; there are a, b",
    ),
    (lambda: groups(["a"], a=sgd()).init([np.zeros(1), np.zeros(1)]), "there are 1 labels and 2 parameter arrays"),
    (lambda: groups(["a"], a=sgd()).with_values(**{"c.lr": 1.0}), "there is no group 'c'; there are a"),
    (lambda: groups(["a"], a=sgd()).with_values(**{"a.beta": 1.0}), "sgd has no hyperparameter 'beta'"),
    (lambda: groups(["a"], a=0.1), "group 'a' needs an optimizer such as adamw(lr=1e-3); got 0.1"),
    (lambda: groups(["a"]), "groups needs an optimizer for each group"),
]


@pytest.mark.parametrize(("action", "says"), REFUSED, ids=lambda x: x[:40] if isinstance(x, str) else "")
def test_refusals_are_one_sentence(action: Callable[[], Any], says: str) -> None:
    with pytest.raises(DescendError, match=re.escape(says)) as caught:
        action()
    assert "\n" not in str(caught.value)


def test_adam_keeps_the_four_hyperparameters_that_its_message_promises() -> None:
    assert list(OPTIMIZERS["adam"].hyperparameters) == ["lr", "beta1", "beta2", "eps"]


def test_lamb_takes_vectors_and_words_are_read_as_the_command_line_writes_them() -> None:
    assert lamb().init(np.zeros(3))["t"] == 0
    assert muon(nesterov="false").values["nesterov"] is False
    assert momentum(lr="0.5").values["lr"] == 0.5
    assert isinstance(groups(["a"], a=sgd), Groups)
    assert optimizer_named("Schedule-Free-SGD") is schedule_free_sgd
