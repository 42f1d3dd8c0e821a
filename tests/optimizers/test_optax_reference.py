"""Rules and dialects that torch lacks: against optax where it has them, else against formulas written here in another way."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import optax
import pytest
import torch
from fixed_gradients import MATRICES, Arrays, apart, run, sequence, start
from optax.contrib._muon import orthogonalize_via_newton_schulz

from descend.optimizers import (
    adagrad,
    adam,
    adam_hat,
    adan,
    ademamix,
    amsgrad,
    lamb,
    lars,
    lion,
    momentum,
    muon,
    nadam,
    prodigy,
    radam,
    rmsprop,
    schedule_free_adamw,
    schedule_free_sgd,
    signsgd,
)
from descend.rules import Optimizer

contrib = optax.contrib
B = {"b1": 0.8, "b2": 0.95}
OURS_B = {"beta1": 0.8, "beta2": 0.95}


ROWS: list[tuple[Optimizer, Any]] = [
    (lion(), optax.lion(1e-4, weight_decay=0.0)),
    (lion(lr=0.01, beta1=0.8, beta2=0.7, weight_decay=0.3), optax.lion(0.01, b1=0.8, b2=0.7, weight_decay=0.3)),
    (signsgd(lr=0.02), optax.sign_sgd(0.02)),
    (
        signsgd(lr=0.02, momentum=0.7),
        optax.chain(optax.ema(0.7, debias=False), optax.scale_by_sign(), optax.scale_by_learning_rate(0.02)),
    ),
    (lamb(), optax.lamb(1e-3)),
    (
        lamb(lr=0.05, eps=1e-2, weight_decay=0.2, **OURS_B),
        optax.lamb(0.05, eps=1e-2, weight_decay=0.2, **B),
    ),
    # optax 0.2.8 weighs the gradient's change by 1 − β2 where the paper and the authors weigh it by β2: at ½ they meet
    (
        adan(lr=0.05, beta1=0.9, beta2=0.5, beta3=0.97, eps=1e-2, weight_decay=0.2, prox=False),
        optax.adan(0.05, b1=0.9, b2=0.5, b3=0.97, eps=1e-2, eps_root=0.0, weight_decay=0.2),
    ),
    (
        prodigy(bias_correction=True),
        contrib.prodigy(),
    ),
    (
        prodigy(lr=0.7, eps=1e-2, d0=1e-2, d_coef=1.5, weight_decay=0.1, bias_correction=True, safeguard_warmup=True, **OURS_B),
        contrib.prodigy(
            0.7, betas=(0.8, 0.95), eps=1e-2, estim_lr0=1e-2, estim_lr_coef=1.5, weight_decay=0.1, safeguard_warmup=True
        ),
    ),
    (schedule_free_sgd(lr=0.05), contrib.schedule_free_sgd(0.05)),
    (
        schedule_free_sgd(lr=0.05, beta1=0.7, weight_decay=0.1, weight_lr_power=1.0),
        contrib.schedule_free_sgd(0.05, b1=0.7, weight_decay=0.1, weight_lr_power=1.0),
    ),
    (schedule_free_adamw(), contrib.schedule_free_adamw()),
    (
        schedule_free_adamw(lr=0.05, eps=1e-2, weight_decay=0.1, **OURS_B),
        contrib.schedule_free_adamw(0.05, eps=1e-2, weight_decay=0.1, **B),
    ),
    (ademamix(lr=0.05), contrib.ademamix(0.05, alpha=5.0)),
    (
        ademamix(lr=0.05, beta3=0.97, alpha=2.0, eps=1e-2, weight_decay=0.1, **OURS_B),
        contrib.ademamix(0.05, b3=0.97, alpha=2.0, eps=1e-2, weight_decay=0.1, **B),
    ),
    (lars(), optax.lars(1.0)),
    (
        lars(lr=2.0, momentum=0.7, weight_decay=0.1, trust=0.02, eps=1e-2),
        optax.lars(2.0, momentum=0.7, weight_decay=0.1, trust_coefficient=0.02, eps=1e-2),
    ),
    # dialects
    (
        rmsprop(lr=0.05, rho=0.9, eps=1e-2, eps_in_root=True, v0=0.3),
        optax.rmsprop(0.05, decay=0.9, eps=1e-2, initial_scale=0.3),
    ),
    (
        rmsprop(lr=0.05, rho=0.9, eps=1e-2, eps_in_root=True, v0=1.0, momentum=0.6, lr_in_velocity=True),
        optax.rmsprop(0.05, decay=0.9, eps=1e-2, initial_scale=1.0, momentum=0.6),
    ),
    (
        adagrad(lr=0.05, eps=1e-2, v0=0.1, eps_in_root=True),
        optax.adagrad(0.05, initial_accumulator_value=0.1, eps=1e-2),
    ),
    (amsgrad(lr=0.05, eps=1e-2, max_of="corrected", **OURS_B), optax.amsgrad(0.05, eps=1e-2, **B)),
    (nadam(lr=0.05, eps=1e-2, momentum_decay=float("inf"), **OURS_B), optax.nadam(0.05, eps=1e-2, **B)),
    (radam(lr=0.05, eps=1e-2, eps_after=True, **OURS_B), optax.radam(0.05, eps=1e-2, **B)),
    (
        radam(lr=0.05, beta2=0.9, eps=1e-2, eps_after=True, threshold=6.5),
        optax.radam(0.05, b2=0.9, eps=1e-2, threshold=6.5),
    ),
    (
        momentum(lr=0.05, momentum=0.8, dampening=0.8, damp_first=True),
        optax.chain(optax.ema(0.8, debias=False), optax.scale_by_learning_rate(0.05)),
    ),
    # clipping and masks
    (adam(lr=0.05, clip_value=0.5), optax.chain(optax.clip(0.5), optax.adam(0.05))),
    (adam(lr=0.05, clip_global_norm=1.5), optax.chain(optax.clip_by_global_norm(1.5), optax.adam(0.05))),
    (
        adam(lr=0.05, weight_decay=0.2, decoupled=True, mask=lambda p: p.ndim > 1),
        optax.adamw(0.05, weight_decay=0.2, mask=lambda ps: [p.ndim > 1 for p in ps]),
    ),
]


def run_optax(transformation: Any, ps: Arrays, gs: list[Arrays]) -> list[Arrays]:
    """The points visited by an optax transformation in float64, the start among them."""
    points = [list(ps)]
    with jax.enable_x64(True):
        params = [jax.numpy.asarray(p) for p in ps]
        state = transformation.init(params)
        step = jax.jit(transformation.update)
        for g in gs:
            updates, state = step([jax.numpy.asarray(x) for x in g], state, params)
            params = optax.apply_updates(params, updates)
            points.append([np.asarray(p) for p in params])
    return points


@pytest.mark.parametrize(("ours", "theirs"), ROWS, ids=lambda x: repr(x) if isinstance(x, Optimizer) else "")
def test_equals_optax(ours: Optimizer, theirs: Any) -> None:
    ps, gs = start(), sequence(20)
    assert apart(run(ours, ps, gs), run_optax(theirs, ps, gs)) <= 1e-12


@pytest.mark.parametrize("rule", [schedule_free_sgd, schedule_free_adamw])
def test_schedule_free_reports_the_averaged_point(rule: Any) -> None:
    ps, gs = start(), sequence(20)
    ours = rule(lr=0.05)
    state = ours.init(list(ps))
    assert all(np.allclose(a, b, rtol=0, atol=1e-15) for a, b in zip(ours.report(ps, state), ps, strict=True))
    # x as its definition has it: the mean of the fast points z, of equal weight at a constant rate
    fast = []
    for g in gs:
        ps, state = ours.step(list(ps), g, state)
        fast.append([s["z"] for s in state["slots"]])
    for i, x in enumerate(ours.report(ps, state)):
        np.testing.assert_allclose(x, np.mean([z[i] for z in fast], axis=0), rtol=0, atol=1e-13)


def test_schedule_free_weights_its_mean_by_the_largest_rate_so_far() -> None:
    ours, rates = schedule_free_sgd(lr=1.0, weight_lr_power=2.0), [0.0, 0.01, 0.02, 0.04, 0.03]
    p, gs = np.array([1.0, -2.0]), sequence(5, [(2,)])
    state, fast, weights = ours.init(p), [], []
    for lr, (g,) in zip(rates, gs, strict=True):
        p, state = ours.step(p, g, state, {**ours.values, "lr": lr})
        fast.append(state["slots"][0]["z"])
        weights.append(max([*rates[: len(fast)]]) ** 2)
    (x,) = ours.report([p], state)
    np.testing.assert_allclose(x, np.average(fast, axis=0, weights=weights), rtol=1e-13)


# -- formulas written another way: loops over plain numbers, sums over the whole history -----------------------------------


def test_adan_against_the_sums_of_the_paper() -> None:
    """Moments as explicit sums over all gradients so far, in the paper's β (which are one minus ours)."""
    lr, b1, b2, b3, eps, wd = 0.05, 0.1, 0.3, 0.02, 1e-2, 0.2
    ours = adan(lr=lr, beta1=1 - b1, beta2=1 - b2, beta3=1 - b3, eps=eps, weight_decay=wd)
    ps, gs = start([(4,)]), sequence(15, [(4,)])
    x, points = ps[0], [ps]
    for t in range(1, len(gs) + 1):
        g = [0.0, *(step[0] for step in gs[:t])]
        change = [0.0, 0 * g[1], *(g[i] - g[i - 1] for i in range(2, t + 1))]
        m = sum(b1 * (1 - b1) ** (t - i) * g[i] for i in range(1, t + 1)) / (1 - (1 - b1) ** t)
        v = sum(b2 * (1 - b2) ** (t - i) * change[i] for i in range(1, t + 1)) / (1 - (1 - b2) ** t)
        n = sum(b3 * (1 - b3) ** (t - i) * (g[i] + (1 - b2) * change[i]) ** 2 for i in range(1, t + 1)) / (1 - (1 - b3) ** t)
        rate = lr / (np.sqrt(n) + eps)
        x = (x - rate * (m + (1 - b2) * v)) / (1 + lr * wd)
        points.append([x])
    assert apart(run(ours, ps, gs), points) <= 1e-12


@pytest.mark.parametrize("ratio", ["paper", "no_decay", "only_with_decay"])
@pytest.mark.parametrize("wd", [0.0, 0.3])
def test_lamb_ratios(ratio: str, wd: float) -> None:
    """The step is Adam's, its length set by the ratio: read off from Adam's own steps."""
    lr, ps, gs = 0.05, start(), sequence(15)
    adams = adam(lr=1.0, eps=1e-2)
    ours = lamb(lr=lr, eps=1e-2, weight_decay=wd, ratio=ratio)
    state, current, points = adams.init(list(ps)), list(ps), [list(ps)]
    for g in gs:
        moved, state = adams.step([0 * p for p in ps], g, state)
        nxt = []
        for p, u in zip(current, (-m for m in moved), strict=True):
            if ratio == "no_decay":  # Keras: p(1 − lr·wd) first, then the step without decay
                p, full = p * (1 - lr * wd), u
            else:
                full = u + wd * p
            size, length = np.linalg.norm(p), np.linalg.norm(full)
            trust = size / length if size > 0 and length > 0 else 1.0
            if ratio == "only_with_decay" and wd == 0:
                trust = 1.0
            nxt.append(p - lr * trust * full)
        current = nxt
        points.append(current)
    assert apart(run(ours, ps, gs), points) <= 1e-12


def test_prodigy_without_correction_against_sums_over_the_history() -> None:
    lr, b1, b2, d0 = 0.7, 0.8, 0.95, 1e-3
    ours = prodigy(lr=lr, beta1=b1, beta2=b2, d0=d0, eps=1e-2)
    ps = start()
    gs = [[g + 3.0 for g in step] for step in sequence(15)]  # a direction that persists: the estimate of the distance grows
    points, d, ds = [list(ps)], d0, []
    for t in range(len(gs)):
        ds.append(d)
        x = points[-1]
        flat = [np.concatenate([a.ravel() for a in g]) for g in gs[: t + 1]]
        away = [np.concatenate([(a - b).ravel() for a, b in zip(ps, point, strict=True)]) for point in points]
        weight = [np.sqrt(b2) ** (t - i) * ds[i] ** 2 * lr / d0 for i in range(t + 1)]
        num = sum(w * f @ a for w, f, a in zip(weight, flat, away, strict=True))
        den = np.abs(sum(w * f for w, f in zip(weight, flat, strict=True))).sum()
        old, d = d, max(d, num / den)
        new = []
        for j in range(len(ps)):
            m = sum((1 - b1) * b1 ** (t - i) * ds[i] * gs[i][j] for i in range(t + 1))
            v = sum((1 - b2) * b2 ** (t - i) * (ds[i] * gs[i][j]) ** 2 for i in range(t + 1))
            new.append(x[j] - old * lr * m / (np.sqrt(v) + d * 1e-2))
        points.append(new)
    assert d > 2 * d0, "the estimate did not grow: the comparison would say little"
    assert apart(run(ours, ps, gs), points) <= 1e-12


def test_adam_hat_is_adam_with_an_eps_that_shrinks() -> None:
    ps, gs = start(), sequence(15)
    ours, ordinary = adam_hat(lr=0.05, eps=1e-2), adam(lr=0.05)
    state, points = ordinary.init(list(ps)), [list(ps)]
    for t, g in enumerate(gs, 1):
        eps = 1e-2 / np.sqrt(1 - 0.999**t)
        new, state = ordinary.step(points[-1], g, state, {**ordinary.values, "eps": eps})
        points.append(new)
    assert apart(run(ours, ps, gs), points) <= 1e-12


def test_radam_frozen_waits_until_the_variance_is_known() -> None:
    ps, gs = start(), sequence(12)
    frozen, free = radam(lr=0.05, warm_up="frozen"), radam(lr=0.05)
    ours, theirs = run(frozen, ps, gs), run(free, ps, gs)
    for t in range(5):
        assert all(np.array_equal(a, b) for a, b in zip(ours[t + 1], ps, strict=True))
    for a, b in zip(range(5, 12), range(6, 13), strict=True):  # the same steps from there on, from another place
        for x, y in zip(zip(ours[a], ours[b], strict=True), zip(theirs[a], theirs[b], strict=True), strict=True):
            np.testing.assert_allclose(x[1] - x[0], y[1] - y[0], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("rate", [0.05, [0.05, 0.02, 0.08, 0.01] * 4])
@pytest.mark.parametrize("look_ahead", [False, True])
def test_rate_inside_the_velocity(rate: Any, look_ahead: bool) -> None:
    from descend.optimizers import nesterov

    ps, gs = start(), sequence(16)
    ours = (nesterov if look_ahead else momentum)(lr=1.0, momentum=0.8, lr_in_velocity=True)
    schedule = optax.scale_by_schedule(lambda t: -jax.numpy.asarray(np.broadcast_to(rate, 16))[t])
    theirs = run_optax(optax.chain(schedule, optax.trace(0.8, nesterov=look_ahead)), ps, gs)
    state, points = ours.init(list(ps)), [list(ps)]
    for lr, g in zip(np.broadcast_to(rate, 16), gs, strict=True):
        new, state = ours.step(points[-1], g, state, {**ours.values, "lr": float(lr)})
        points.append(new)
    assert apart(points, theirs) <= 1e-12


# -- Muon -------------------------------------------------------------------------------------------------------------------


@jax.jit
def newton_schulz(d: Any) -> Any:
    """Four steps of optax's iteration, in the precision of `d`."""
    return orthogonalize_via_newton_schulz(d, jax.numpy.asarray([3.4445, -4.7, 2.0315], d.dtype), 4, eps=0.0)


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("scale", ["original", "match_rms_adamw", "transposed", "none"])
def test_muon_against_optaxs_orthogonalisation(scale: str, nesterov: bool) -> None:
    lr, wd, ps, gs = 0.05, 0.2, start(MATRICES), sequence(12, MATRICES)
    ours = muon(lr=lr, weight_decay=wd, momentum=0.8, nesterov=nesterov, scale=scale, ns_steps=4, ns_b=-4.7, eps=1e-30)
    velocity = optax.trace(0.8, nesterov=nesterov)
    points = [list(ps)]
    with jax.enable_x64(True):
        state = velocity.init(ps)
        for g in gs:
            directions, state = velocity.update([jax.numpy.asarray(x) for x in g], state)
            new = []
            for p, d in zip(points[-1], directions, strict=True):
                rows, columns = p.shape
                factor = {
                    "original": max(1, rows / columns) ** 0.5,
                    "match_rms_adamw": 0.2 * max(rows, columns) ** 0.5,
                    "transposed": max(1, columns / rows) ** 0.5,
                    "none": 1.0,
                }[scale]
                o = np.asarray(newton_schulz(d)) if np.abs(d).max() > 0 else 0.0
                new.append(p - lr * wd * p - lr * factor * o)
            points.append(new)
    assert apart(run(ours, ps, gs), points) <= 1e-12


def test_muon_is_torchs_within_bfloat16() -> None:
    """torch orthogonalises in bfloat16: two to three digits. That is its arithmetic, not another rule."""
    ps, gs = start(MATRICES), sequence(12, MATRICES)
    params = [torch.tensor(p, requires_grad=True) for p in ps]
    theirs, points = torch.optim.Muon(params, lr=0.05), [list(ps)]
    for g in gs:
        for p, gradient in zip(params, g, strict=True):
            p.grad = torch.tensor(gradient)
        theirs.step()
        points.append([p.detach().numpy().copy() for p in params])
    assert 1e-6 < apart(run(muon(lr=0.05), ps, gs), points) < 0.05


def test_muon_brings_singular_values_near_one() -> None:
    rng = np.random.default_rng(0)
    for shape in [(8, 20), (20, 8), (10, 10)]:
        p = np.zeros(shape)
        opt = muon(lr=1.0, weight_decay=0.0, scale="none")
        moved, _ = opt.step(p, rng.normal(size=shape), opt.init(p))
        values = np.linalg.svd(moved, compute_uv=False)
        assert values.min() > 0.5
        assert values.max() < 1.3
