"""A rule as a torch optimizer: groups, schedulers, missing gradients, copies, and lists of tensors against one by one."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from driving import apart, copies, drive, gradients, params, shapes_for
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, OneCycleLR, StepLR

import descend as ds
from descend.errors import DescendError
from descend.grouping import groups
from descend.optimizers import adafactor, adam, adamw, asgd, lion, momentum, muon, nadam, nesterov, prodigy, radam, rmsprop, sgd
from descend.rules import OPTIMIZERS, Optimizer
from descend.schedules import cosine
from descend.torch import as_optimizer, rule_of

ALL = sorted(OPTIMIZERS)


@pytest.fixture(autouse=True)
def _double(monkeypatch: pytest.MonkeyPatch) -> Any:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def by_steps(optimizer: Optimizer, start: list[torch.Tensor], steps: range) -> list[torch.Tensor]:
    """The same descent without the adapter: `Optimizer.step` on torch tensors."""
    points, state = [p.clone() for p in start], optimizer.init([p.clone() for p in start])
    for step in steps:
        made = gradients([torch.nn.Parameter(p) for p in points], step)
        points, state = optimizer.step(points, made, state)
    return points


@pytest.mark.parametrize("foreach", [None, False], ids=["lists", "one by one"])
@pytest.mark.parametrize("name", ALL)
def test_the_adapter_is_the_rule(name: str, foreach: bool | None) -> None:
    """Against the rule stepped by itself, to rounding: 1e-15 of the parameters' size a step."""
    ps = params(shapes_for(name))
    start = copies(ps)
    rule = OPTIMIZERS[name](weight_decay=0.1, maximize=True)
    drive(as_optimizer(rule, ps, foreach=foreach), ps, range(10))
    wanted = by_steps(rule, start, range(10))
    size = max(float(p.abs().max()) for p in wanted)
    assert max(float((p.detach() - q).abs().max()) for p, q in zip(ps, wanted, strict=True)) <= 1e-14 * size


@pytest.mark.parametrize("name", [n for n in ALL if not (OPTIMIZERS[n].whole_array or OPTIMIZERS[n].sums)])
def test_one_step_on_lists_is_one_step_one_by_one(name: str) -> None:
    """From the same state, to 1e-15 of the parameters' size."""
    for steps in (1, 5):
        ps = params()
        warm = as_optimizer(OPTIMIZERS[name](lr=0.01), ps, foreach=False)
        drive(warm, ps, range(steps))
        qs = [torch.nn.Parameter(p.detach().clone()) for p in ps]
        lists = as_optimizer(OPTIMIZERS[name](lr=0.01), qs)
        lists.load_state_dict(copy.deepcopy(warm.state_dict()))
        for group in lists.param_groups:
            group["foreach"] = True
        drive(warm, ps, range(steps, steps + 1))
        drive(lists, qs, range(steps, steps + 1))
        size = max(float(p.detach().abs().max()) for p in ps)
        assert not lists._unrecordable, "the rule did not run on lists"
        assert max(float((p - q).detach().abs().max()) for p, q in zip(ps, qs, strict=True)) <= 1e-15 * size


def test_big_tensors_are_cut_into_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("descend.torch_lists.CPU_PIECE", 64)
    shapes: list[tuple[int, ...]] = [(3,), (41, 7), (2, 5), (300,), (1,)]
    ps, qs = params(shapes), params(shapes)
    with torch.no_grad():
        ps[1].data, qs[1].data = ps[1].data.t().contiguous().t(), qs[1].data.t().contiguous().t()
    drive(as_optimizer(adam(lr=0.1), ps), ps, range(4))
    drive(as_optimizer(adam(lr=0.1), qs, foreach=False), qs, range(4))
    assert apart(ps, qs, copies(params(shapes))) <= 1e-14


# -- copies and checkpoints


@pytest.mark.parametrize("name", ALL)
def test_a_checkpoint_goes_on_bitwise(name: str) -> None:
    """Saved and loaded through a file, and pickled, and deep-copied: the same bits as the run that never stopped."""
    whole = params(shapes_for(name))
    runs = [params(shapes_for(name)) for _ in range(3)]
    rule = OPTIMIZERS[name](lr=0.01, weight_decay=0.01)
    drive(as_optimizer(rule, whole), whole, range(8))
    for number, ps in enumerate(runs):
        optimizer = as_optimizer(rule, ps)
        drive(optimizer, ps, range(4))
        if number == 0:
            buffer = io.BytesIO()
            torch.save(optimizer.state_dict(), buffer)
            optimizer = as_optimizer(rule, ps)
            buffer.seek(0)
            optimizer.load_state_dict(torch.load(buffer))
        elif number == 1:
            ps, optimizer = pickle.loads(pickle.dumps((ps, optimizer)))
        else:
            ps, optimizer = copy.deepcopy((ps, optimizer))
        assert optimizer.param_groups[0]["params"][0] is ps[0]
        drive(optimizer, ps, range(4, 8))
        assert all(torch.equal(p, q) for p, q in zip(ps, whole, strict=True))


def test_a_copy_is_independent() -> None:
    ps = params()
    optimizer = as_optimizer(adam(), ps)
    drive(optimizer, ps, range(2))
    before = copies(ps)
    qs, other = copy.deepcopy((ps, optimizer))
    drive(other, qs, range(2, 4))
    assert all(torch.equal(p, q) for p, q in zip(ps, before, strict=True))
    assert int(optimizer.state[ps[0]]["step"]) == 2


def test_a_foreign_state_is_one_sentence() -> None:
    ps = params()
    other = torch.optim.SGD(params(), lr=0.1, momentum=0.9)
    with pytest.raises(DescendError, match="no 'eps' in a parameter group: it is not a state of adam"):
        as_optimizer(adam(), ps).load_state_dict(other.state_dict())
    amsgrad = torch.optim.Adam(params(), amsgrad=True)
    with pytest.raises(DescendError, match=r"adam is torch.optim.Adam with amsgrad=False; a parameter group has amsgrad=True"):
        as_optimizer(adam(), ps).load_state_dict(amsgrad.state_dict())


def test_a_step_count_saved_as_a_plain_number() -> None:
    ps, qs = params(), params()
    optimizer, reference = as_optimizer(adam(lr=0.1), ps), torch.optim.Adam(qs, lr=0.1)
    drive(reference, qs, range(3))
    saved = copy.deepcopy(reference.state_dict())
    for state in saved["state"].values():
        state["step"] = 3
    with torch.no_grad():
        for p, q in zip(ps, qs, strict=True):
            p.copy_(q)
    optimizer.load_state_dict(saved)
    drive(optimizer, ps, range(3, 6))
    drive(reference, qs, range(3, 6))
    assert apart(ps, qs, copies(params())) <= 1e-12


def test_a_gradient_scaler_drives_it() -> None:
    """Mixed precision: a step with an overflow is skipped, the others see unscaled gradients."""
    w = torch.nn.Parameter(torch.tensor([4.0, 3.0], dtype=torch.float32))
    optimizer = as_optimizer(sgd(lr=0.1), [w])
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for factor, wanted in ((1.0, [3.2, 2.4]), (float("inf"), [3.2, 2.4]), (1.0, [2.56, 1.92])):
        optimizer.zero_grad()
        scaler.scale((w**2).sum()).backward()
        assert w.grad is not None
        w.grad *= factor
        scaler.step(optimizer)
        scaler.update()
        assert torch.allclose(w.detach(), torch.tensor(wanted, dtype=torch.float32))


def test_sgd_keeps_the_state_torch_keeps() -> None:
    ps = params()
    optimizer = as_optimizer(sgd(), ps)
    drive(optimizer, ps, range(2))
    assert optimizer.state_dict()["state"] in ({}, {i: {} for i in range(len(ps))})


# -- schedulers

PAIRS: list[tuple[Optimizer, type[torch.optim.Optimizer], dict[str, Any]]] = [
    (momentum(lr=0.1, dampening=0.3), torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    (nesterov(lr=0.1), torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (rmsprop(lr=0.1, momentum=0.5), torch.optim.RMSprop, {"lr": 0.1, "momentum": 0.5}),
    (adam(lr=0.1), torch.optim.Adam, {"lr": 0.1}),
    (adamw(lr=0.1), torch.optim.AdamW, {"lr": 0.1}),
    (nadam(lr=0.1), torch.optim.NAdam, {"lr": 0.1}),
    (radam(lr=0.1), torch.optim.RAdam, {"lr": 0.1}),
]


@pytest.mark.parametrize(("rule", "cls", "kwargs"), PAIRS, ids=lambda v: getattr(v, "name", ""))
def test_one_cycle_moves_rate_and_momentum_as_in_torch(rule: Optimizer, cls: Any, kwargs: Any) -> None:
    mine, theirs = params(), params()
    start = copies(theirs)
    ours, reference = as_optimizer(rule, mine), cls(theirs, **kwargs)
    for optimizer, ps in ((ours, mine), (reference, theirs)):
        scheduler = OneCycleLR(optimizer, max_lr=0.2, total_steps=20)
        drive(optimizer, ps, range(20), scheduler.step)
    key = "betas" if "betas" in ours.defaults else "momentum"
    assert ours.param_groups[0][key] == reference.param_groups[0][key] != ours.defaults[key]
    assert apart(mine, theirs, start) <= 1e-12


def test_one_cycle_moves_the_betas_of_a_rule_torch_lacks() -> None:
    ps = params()
    optimizer = as_optimizer(lion(lr=0.01), ps)
    seen = []
    scheduler = OneCycleLR(optimizer, max_lr=0.02, total_steps=10)
    drive(optimizer, ps, range(9), lambda: (scheduler.step(), seen.append(optimizer.param_groups[0]["betas"])))  # type: ignore[func-returns-value]
    assert len({b[0] for b in seen}) > 5
    assert {b[1] for b in seen} == {0.99}


def test_a_momentum_the_rule_does_not_have_is_refused() -> None:
    ps = params()
    optimizer = as_optimizer(sgd(lr=0.1), ps)
    OneCycleLR(optimizer, max_lr=0.2, total_steps=10)
    with pytest.raises(DescendError, match=r"sgd is torch.optim.SGD with momentum=0; a parameter group has momentum=0.95"):
        drive(optimizer, ps, range(1))


@pytest.mark.parametrize(
    "make", [lambda o: StepLR(o, 3), lambda o: CosineAnnealingLR(o, 8), lambda o: LambdaLR(o, lambda t: t / 5)]
)
def test_rate_schedulers(make: Any) -> None:
    mine, theirs = params(), params()
    start = copies(theirs)
    for optimizer, ps in ((as_optimizer(adam(lr=0.1), mine), mine), (torch.optim.Adam(theirs, lr=0.1), theirs)):
        drive(optimizer, ps, range(9), make(optimizer).step)
    assert apart(mine, theirs, start) <= 1e-12


def test_a_schedule_of_ours_is_followed_and_survives_a_checkpoint() -> None:
    ps, qs = params(), params()
    rule = sgd(lr=cosine(0.1, steps=10))
    optimizer = as_optimizer(rule, ps)
    rates = []
    drive(optimizer, ps, range(4), lambda: rates.append(optimizer.param_groups[0]["lr"]))
    again = as_optimizer(rule, ps)
    again.load_state_dict(optimizer.state_dict())
    drive(again, ps, range(4, 8), lambda: rates.append(again.param_groups[0]["lr"]))
    assert rates == [float(cosine(0.1, steps=10)(t)) for t in range(8)]
    hand = torch.optim.SGD(qs, lr=1.0)
    for step, rate in enumerate(rates):
        hand.param_groups[0]["lr"] = rate
        drive(hand, qs, range(step, step + 1))
    assert apart(ps, qs, copies(params())) <= 1e-12


def test_a_tensor_rate_is_read_at_every_step() -> None:
    mine, theirs = params(), params()
    rate = torch.tensor(0.1)
    ours = as_optimizer(adam(), [{"params": mine, "lr": rate}])
    reference = torch.optim.Adam(theirs, lr=0.1)
    drive(ours, mine, range(3))
    drive(reference, theirs, range(3))
    rate.fill_(0.02)
    reference.param_groups[0]["lr"] = 0.02
    drive(ours, mine, range(3, 6))
    drive(reference, theirs, range(3, 6))
    assert apart(mine, theirs, copies(params())) <= 1e-12


# -- groups and gradients


@pytest.mark.parametrize("name", ALL)
def test_two_groups_are_two_optimizers(name: str) -> None:
    shapes = shapes_for(name)
    together, apart_ones = params(shapes), params(shapes)
    rule = OPTIMIZERS[name]
    grouped = as_optimizer(
        rule(lr=0.01), [{"params": together[:1], "lr": 0.03, "weight_decay": 0.2}, {"params": together[1:], "maximize": True}]
    )
    first = as_optimizer(rule(lr=0.03, weight_decay=0.2), apart_ones[:1])
    second = as_optimizer(rule(lr=0.01, maximize=True), apart_ones[1:])
    drive(grouped, together, range(6))
    for step in range(6):
        for p, g in zip(apart_ones, gradients(apart_ones, step), strict=True):
            p.grad = g
        first.step()
        second.step()
    assert all(torch.equal(p, q) for p, q in zip(together, apart_ones, strict=True))


def test_group_keys_under_either_name() -> None:
    ps = params()
    optimizer = as_optimizer(adam(), [{"params": ps[:1], "beta1": 0.5}, {"params": ps[1:], "betas": (0.7, 0.8)}])
    assert [g["betas"] for g in optimizer.param_groups] == [(0.5, 0.999), (0.7, 0.8)]
    optimizer.add_param_group({"params": params(seed=1), "lr": 0.5, "beta2": 0.9})
    assert optimizer.param_groups[2]["betas"] == (0.9, 0.9)
    assert optimizer.param_groups[2]["lr"] == 0.5
    named = as_optimizer(lion(), [("w", ps[0]), ("b", ps[1])])
    assert named.param_groups[0]["param_names"] == ["w", "b"]


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        ({"learning_rate": 0.1}, "a parameter group of adam has no key 'learning_rate'; it has params, lr, eps, betas"),
        ({"lr": -1.0}, "adam's lr must be above 0 and finite; got -1|adam's lr must be above 0; got -1"),
        ({"betas": 0.9}, "betas is a tuple of 2 numbers; got 0.9"),
        ({"lr": torch.ones(2)}, r"lr is one number; got a tensor of shape \(2,\)"),
    ],
)
def test_bad_groups_are_one_sentence(group: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DescendError, match=sentence):
        as_optimizer(adam(), [{"params": params(), **group}])


@pytest.mark.parametrize("flag", ["capturable", "differentiable", "fused"])
def test_implementations_of_torchs_own_stay_off(flag: str) -> None:
    ps = params()
    optimizer = as_optimizer(adam(), ps)
    optimizer.param_groups[0][flag] = True
    with pytest.raises(DescendError, match=f"{flag}=True is an implementation of torch's own optimizers"):
        drive(optimizer, ps, range(1))


@pytest.mark.parametrize("name", ["momentum", "adam", "adagrad", "nadam", "asgd", "adafactor", "lion"])
def test_parameters_without_a_gradient_are_skipped_and_count_their_own_steps(name: str) -> None:
    """A gradient that is missing is not a gradient of zero."""
    mine, theirs = params(), params()
    rule = OPTIMIZERS[name](lr=0.05)
    ours = as_optimizer(rule, mine)
    singles = [as_optimizer(rule, [p]) for p in theirs]
    for step in range(8):
        made = gradients(mine, step)
        for i, g in enumerate(made):
            present = (step + i) % 3 != 0
            mine[i].grad = g if present else None
            if present:
                theirs[i].grad = g
                singles[i].step()
        ours.step()
    assert apart(mine, theirs, copies(params())) <= 1e-14
    assert len({int(s["step"]) for s in ours.state.values() if "step" in s}) != 1


def test_gradients_are_left_as_they_are() -> None:
    for name in ALL:
        ps = params(shapes_for(name))
        optimizer = as_optimizer(OPTIMIZERS[name](weight_decay=0.1, maximize=True), ps)
        for step in range(2):
            made = gradients(ps, step)
            for p, g in zip(ps, made, strict=True):
                p.grad = g.clone()
            optimizer.step()
            assert all(torch.equal(p.grad, g) for p, g in zip(ps, made, strict=True) if p.grad is not None), name


def test_closure_zero_grad_and_hooks() -> None:
    w = torch.nn.Parameter(torch.tensor([4.0, 3.0]))
    optimizer = as_optimizer(sgd(lr=0.1), [w])
    called = []
    optimizer.register_step_post_hook(lambda *_: called.append(1))

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 25.0
    assert torch.allclose(w, torch.tensor([3.2, 2.4]))
    assert called == [1]
    optimizer.zero_grad()
    assert w.grad is None
    optimizer.step()
    assert torch.allclose(w, torch.tensor([3.2, 2.4]))


def test_masks() -> None:
    ps, qs = params(), params()
    masked = as_optimizer(adamw(lr=0.1, weight_decay=0.5, mask=lambda p: p.ndim > 1), ps)
    groups = as_optimizer(
        adamw(lr=0.1, weight_decay=0.5),
        [{"params": [q for q in qs if q.ndim > 1]}, {"params": [q for q in qs if q.ndim <= 1], "weight_decay": 0.0}],
    )
    drive(masked, ps, range(3))
    drive(groups, qs, range(3))
    assert all(torch.equal(p, q) for p, q in zip(ps, qs, strict=True))
    with pytest.raises(DescendError, match="a mask is a test of one array, or a parameter group with weight_decay=0"):
        as_optimizer(adamw(mask=[True, False]), params(seed=1))


# -- kinds of arrays


def test_what_cannot_be_moved_is_one_sentence() -> None:
    whole = torch.nn.Parameter(torch.ones(3, dtype=torch.int64), requires_grad=False)
    with pytest.raises(DescendError, match=r"adam moves floating-point parameters; got an array of torch\.int64"):
        as_optimizer(adam(), [whole])
    with pytest.raises(DescendError, match=r"muon works on matrices alone.* got an array of shape \(5,\)"):
        as_optimizer(muon(), params())
    p = torch.nn.Parameter(torch.ones(3, 2))
    p.grad = torch.ones(3, 2).to_sparse()
    with pytest.raises(DescendError, match=r"adam needs dense gradients; a parameter of shape \(3, 2\) has a sparse one"):
        as_optimizer(adam(), [p]).step()
    with pytest.raises(DescendError, match="call as_optimizer once for each of the groups"):
        as_optimizer(groups(lambda p: "all", all=adam()), params())
    with pytest.raises(DescendError, match="as_optimizer takes a rule such as adam"):
        as_optimizer(torch.optim.Adam, params())  # type: ignore[arg-type]


@pytest.mark.parametrize("foreach", [None, False], ids=["lists", "one by one"])
@pytest.mark.parametrize(("rule", "cls"), [(adam(lr=0.1), torch.optim.Adam), (momentum(lr=0.1), torch.optim.SGD)])
def test_complex_parameters_are_pairs_of_real_ones(rule: Optimizer, cls: Any, foreach: bool | None) -> None:
    kwargs = {"lr": 0.1} | ({"momentum": 0.9} if cls is torch.optim.SGD else {})
    mine = [torch.nn.Parameter(p.detach().to(torch.complex128) * (1 + 0.3j)) for p in params()]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in mine]
    start = copies(theirs)
    drive(as_optimizer(rule, mine, foreach=foreach), mine, range(5))
    drive(cls(theirs, **kwargs), theirs, range(5))
    assert apart(mine, theirs, start) <= 1e-12
    with pytest.raises(DescendError, match="adafactor does not move complex parameters"):
        as_optimizer(adafactor(), mine)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["adam", "lion", "momentum", "lamb"])
def test_half_precision_is_computed_in_float32_and_stored_in_half(name: str, dtype: torch.dtype) -> None:
    ps = params(dtype=dtype)
    optimizer = as_optimizer(OPTIMIZERS[name](lr=0.01), ps)
    drive(optimizer, ps, range(1))
    wanted = []
    rule = OPTIMIZERS[name](lr=0.01)
    for p, g in zip(params(dtype=dtype), gradients(params(dtype=dtype), 0), strict=True):
        (new,), _ = rule.step([p.detach().float()], [g.float()], rule.init([p.detach().float()]))
        wanted.append(new.to(dtype))
    assert all(torch.equal(p, q) for p, q in zip(ps, wanted, strict=True))
    for state in optimizer.state.values():
        assert all(v.dtype == dtype for k, v in state.items() if k != "step" and isinstance(v, torch.Tensor) and v.ndim)


def test_mixed_types_in_one_group() -> None:
    ps = [*params(dtype=torch.float32), *params(dtype=torch.float64), *params(dtype=torch.bfloat16)]
    optimizer = as_optimizer(adam(lr=0.1), ps)
    drive(optimizer, ps, range(2))
    assert [p.dtype for p in ps] == [torch.float32] * 4 + [torch.float64] * 4 + [torch.bfloat16] * 4
    alone = params(dtype=torch.float32)
    other = as_optimizer(adam(lr=0.1), alone)
    for step in range(2):
        for p, g in zip(alone, gradients(ps, step)[:4], strict=True):
            p.grad = g
        other.step()
    assert all(torch.equal(p, q) for p, q in zip(ps[:4], alone, strict=True))


@settings(max_examples=30, deadline=None)
@given(
    shapes=st.lists(st.lists(st.integers(0, 4), max_size=3).map(tuple), min_size=1, max_size=5),
    name=st.sampled_from([n for n in ALL if n != "muon"]),
    foreach=st.sampled_from([None, False]),
)
def test_any_shapes(shapes: list[tuple[int, ...]], name: str, foreach: bool | None) -> None:
    """Empty arrays and single numbers too; the values stay finite and so does the state."""
    ps = params(shapes)
    optimizer = as_optimizer(OPTIMIZERS[name](lr=0.01), ps, foreach=foreach)
    drive(optimizer, ps, range(3))
    assert [tuple(p.shape) for p in ps] == shapes
    assert all(bool(torch.isfinite(p).all()) for p in ps)


# -- the rest


def test_the_reported_point() -> None:
    """ASGD's mean while it is asked for; the parameters themselves otherwise."""
    ps, qs = params(), params()
    optimizer, reference = as_optimizer(asgd(lr=0.1, t0=2.0), ps), torch.optim.ASGD(qs, lr=0.1, t0=2.0)
    drive(optimizer, ps, range(8))
    drive(reference, qs, range(8))
    before = copies(ps)
    with optimizer.reported():
        means = copies(ps)
    assert apart(means, [reference.state[q]["ax"] for q in qs], before) <= 1e-12
    assert all(torch.equal(p, q) for p, q in zip(ps, before, strict=True))
    plain = as_optimizer(adam(), qs)
    drive(plain, qs, range(1))
    here = copies(qs)
    with plain.reported():
        assert all(torch.equal(p, q) for p, q in zip(qs, here, strict=True))


def test_prodigy_sums_over_its_group() -> None:
    """One array or the same array in two parts: the same descent."""
    whole, parts = [torch.nn.Parameter(torch.arange(1.0, 7.0))], [torch.nn.Parameter(torch.arange(1.0, 4.0)), None]
    parts[1] = torch.nn.Parameter(torch.arange(4.0, 7.0))
    first, second = as_optimizer(prodigy(), whole), as_optimizer(prodigy(), parts)
    for _ in range(20):
        whole[0].grad = whole[0].detach() * 2
        first.step()
        for p in parts:
            assert p is not None
            p.grad = p.detach() * 2
        second.step()
    joined = torch.cat([p.detach() for p in parts if p is not None])
    assert torch.allclose(whole[0].detach(), joined, rtol=1e-12)
    assert float((joined - torch.arange(1.0, 7.0)).abs().max()) > 0


def test_rule_of_names_unknown_settings() -> None:
    with pytest.raises(DescendError, match=r"torch\.optim\.SGD has no 'speed'; it has lr, momentum"):
        rule_of(torch.optim.SGD, speed=1)
    assert rule_of(torch.optim.AdamW, amsgrad=True).hyperparameters["decoupled"] is True


def test_the_package_offers_the_module() -> None:
    assert ds.torch.as_optimizer is as_optimizer
