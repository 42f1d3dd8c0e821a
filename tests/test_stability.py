"""What is predicted before a run against the run: limits, growth, numbers of steps, suggested rates.

The predictions come from a rule's own map; the references are closed forms and the amplitudes of actual descents.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import descend as ds
from descend.objectives import SURFACES, resolve
from descend.rules import OPTIMIZERS
from descend.stability import curvature_at, growth_per_step, lr_limit, spectral_radius, stability, steps_to, suggest_lr

#: A failing example is told as found: making it smaller would compile hundreds of programs.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


def settings(max_examples: int) -> Any:
    return hypothesis_settings(max_examples=max_examples, phases=QUICK)


NAMES = ds.optimizers.__all__  # imported: the registry is full
LINEAR = [name for name in NAMES if OPTIMIZERS[name].kind == "linear"]
BETA = st.floats(0.0, 0.97)


def quadratic(values: np.ndarray, seed: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """½(p − c)ᵀH(p − c) with these eigenvalues in random directions: the function, c and the eigenvectors."""
    rng = np.random.default_rng(seed)
    vectors = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    hessian, center = vectors * values @ vectors.T, rng.normal(size=len(values))

    def f(p: Any) -> Any:
        return 0.5 * (p - center) @ hessian @ (p - center)

    return f, center, vectors


@st.composite
def spectra(draw: Any) -> np.ndarray:
    """Two to five positive eigenvalues, ascending, the top one apart from the others."""
    size = draw(st.sampled_from([1, 2, 4]))  # few sizes, as each is compiled anew
    below = draw(st.lists(st.floats(0.01, 0.9), min_size=size, max_size=size))
    return draw(st.floats(0.01, 100.0)) * np.array([*sorted(below), 1.0])


def top_amplitude(optimizer: Any, values: np.ndarray, seed: int, steps: int = 400) -> np.ndarray:
    """Size of the top mode along an actual descent that starts with all modes at 1."""
    f, center, vectors = quadratic(values, seed)
    trace = ds.descend(f, center + vectors.sum(axis=1), optimizer, steps=steps)
    return np.abs((trace.points - center) @ vectors[:, -1])


def grows(amplitude: np.ndarray) -> bool:
    """Whether it is larger late than in the middle: a swinging mode is judged by its largest over a window."""
    if not np.isfinite(amplitude).all():
        return True
    n = len(amplitude)
    if amplitude[-n // 4 :].max() < 1e-11 * amplitude[0]:  # what is left is rounding
        return False
    return bool(amplitude[-n // 4 :].max() > amplitude[n // 2 : -n // 4].max())


# -- the limit -------------------------------------------------------------------------------------------------------------


@settings(max_examples=8)
@given(BETA)
@example(0.0)
@example(0.5)
@example(0.9)
def test_limits_are_the_closed_forms_to_six_digits(beta: float) -> None:
    assert lr_limit(ds.sgd(), 1.0) == pytest.approx(2, rel=1e-6)
    assert lr_limit(ds.momentum(momentum=beta), 1.0) == pytest.approx(2 * (1 + beta), rel=1e-6)
    assert lr_limit(ds.nesterov(momentum=beta), 1.0) == pytest.approx((2 + 2 * beta) / (1 + 2 * beta), rel=1e-6)
    for rule in (ds.adam, ds.adamw, ds.amsgrad):
        options = {"weight_decay": 0.0} if rule is ds.adamw else {}
        assert lr_limit(rule(beta1=beta, **options), 1.0) == pytest.approx((2 + 2 * beta) / (1 - beta), rel=1e-6)
    assert lr_limit(ds.rmsprop(), 1.0) == pytest.approx(2, rel=1e-6)


@settings(max_examples=8)
@given(st.floats(1e-6, 1e6), BETA)
def test_the_limit_goes_as_one_over_the_curvature(curvature: float, beta: float) -> None:
    for optimizer in (ds.sgd(), ds.momentum(momentum=beta), ds.adam(beta1=beta)):
        assert lr_limit(optimizer, curvature) * curvature == pytest.approx(lr_limit(optimizer, 1.0), rel=1e-9)


def bound(name: str, beta: float, lr: float) -> Any:
    rule = OPTIMIZERS[name]
    own = {k: max(beta, 0.05) if k == "beta1" else beta for k in ("momentum", "beta1") if k in rule.hyperparameters}
    steady = {"lambd": 0.0} if name == "asgd" else {}  # whose rate falls otherwise
    return rule(lr=lr, **own, **steady)


@pytest.mark.parametrize("name", LINEAR)
@settings(max_examples=8)
@given(values=spectra(), beta=BETA, seed=st.integers(0, 2**32 - 1))
def test_the_top_mode_shrinks_below_the_limit_and_grows_above(name: str, values: np.ndarray, beta: float, seed: int) -> None:
    steps = 400
    if name == "schedule_free_sgd":  # its mean forgets as a power of t, after a transient that grows with beta1
        beta, steps = min(beta, 0.9), 4000
    limit = lr_limit(bound(name, beta, 1.0), values[-1])
    assert limit is not None
    seen = [grows(top_amplitude(bound(name, beta, share * limit), values, seed, steps)) for share in (0.98, 1.02)]
    assert seen == [False, True]


@settings(max_examples=10)
@given(values=spectra(), beta=BETA, seed=st.integers(0, 2**32 - 1), share=st.floats(0.05, 0.95))
def test_the_statement_names_curvature_limit_and_growth(values: np.ndarray, beta: float, seed: int, share: float) -> None:
    f, center, vectors = quadratic(values, seed)
    limit = 2 * (1 + beta) / values[-1]
    told = stability(resolve(f), ds.momentum(lr=share * limit, momentum=beta), center + vectors.sum(axis=1))
    assert told.sharpness == pytest.approx(values[-1], rel=1e-9)
    assert told.lr_limit == pytest.approx(limit, rel=1e-6)
    assert told.ratio == pytest.approx(share, rel=1e-6)
    rate = share * limit * values[-1]
    assert told.growth == pytest.approx(np.abs(np.roots([1, rate - 1 - beta, beta])).max(), rel=1e-6)
    assert abs(told.curvature.eigenvectors[:, -1] @ vectors[:, -1]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("options", [{}, {"decoupled": True}])
@pytest.mark.parametrize("rule", [ds.sgd, ds.momentum, ds.nesterov])
def test_weight_decay_around_a_rule_is_part_of_its_limit(rule: Any, options: dict[str, Any]) -> None:
    values = np.array([0.5, 2.0])
    limit = lr_limit(rule(weight_decay=1.5, **options), 2.0)
    assert limit < 0.99 * lr_limit(rule(), 2.0)
    for share, expected in ((0.98, False), (1.02, True)):
        hessian = np.diag(values)
        trace = ds.descend(
            lambda p, h=hessian: 0.5 * p @ h @ p, [1.0, 1.0], rule(lr=share * limit, weight_decay=1.5, **options), steps=400
        )
        assert grows(np.abs(trace.points[:, 1])) is expected


# -- adaptive rules: what is claimed with the second moments held is what is seen when they are ------------------------------

HELD = {
    "rmsprop": {"rho": 1 - 1e-9},
    "adagrad": {},
    "adadelta": {"rho": 1 - 1e-9},
    "adam": {"beta2": 1 - 1e-9},
    "adamw": {"beta2": 1 - 1e-9},
    "amsgrad": {"beta2": 1 - 1e-9},
    "adam_hat": {"beta2": 1 - 1e-9},
    "adamax": {"beta2": 1 - 1e-9},
}


def held_grows(optimizer: Any, hessian: np.ndarray, state: dict[str, Any], steps: int = 400) -> bool:
    """Whether a descent grows whose steps are so tiny that the second moments do not change."""
    p, norms = 1e-9 * np.ones(len(hessian)), []
    for _ in range(steps):
        p, state = optimizer.step(p, hessian @ p, state)
        norms.append(np.linalg.norm(p))
        if norms[-1] > 1e4 * norms[0] and norms[-1] > 1e-5:  # beyond any transient; larger, it would change them
            return True
    return grows(np.array(norms))


@pytest.mark.parametrize("name", HELD)
@settings(max_examples=6)
@given(values=spectra(), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_an_adaptive_rules_limit_holds_while_its_second_moments_do(name: str, values: np.ndarray, seed: int, data: Any) -> None:
    rule, n = OPTIMIZERS[name], len(values)
    f, center, vectors = quadratic(values, seed)
    second = np.array(data.draw(st.lists(st.floats(0.1, 10.0), min_size=n, max_size=n)))
    state = rule(**HELD[name]).init(np.zeros(n))
    for slot, kept in rule.slots.items():
        if slot in state["slots"][0]:
            settled = 0.0 if kept.power_of else state["slots"][0][slot]
            state["slots"][0][slot] = second.copy() if kept.square else settled
    told = stability(resolve(f), rule(lr=1.0, **HELD[name]), center, state=state)
    assert told.lr_limit is not None
    hessian = vectors * values @ vectors.T
    seen = [held_grows(rule(lr=share * told.lr_limit, **HELD[name]), hessian, state) for share in (0.98, 1.02)]
    assert seen == [False, True]


def test_the_preconditioned_curvature_is_that_of_the_scaled_hessian() -> None:
    f, center, vectors = quadratic(np.array([0.5, 2.0, 7.0]), 3)
    second = np.array([0.3, 2.0, 9.0])
    state = {"t": 50, "slots": [{"m": np.zeros(3), "v": second, "k1": 0.0, "k2": 0.0}]}
    told = stability(resolve(f), ds.adam(lr=0.1, eps=0.01), center, state=state)
    scale = np.diag(1 / (np.sqrt(second) + 0.01))
    values = np.linalg.eigvals(scale @ (vectors * np.array([0.5, 2.0, 7.0]) @ vectors.T))
    assert told.sharpness == pytest.approx(values.real.max(), rel=1e-9)
    assert told.lr_limit == pytest.approx(38 / values.real.max(), rel=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if OPTIMIZERS[name].kind == "sign" and OPTIMIZERS[name].ndim is None])
def test_rules_whose_step_ignores_the_gradients_size_claim_no_limit(name: str) -> None:
    assert lr_limit(OPTIMIZERS[name](), 1.0) is None
    told = stability(resolve("x^2 + 3y^2"), OPTIMIZERS[name](), np.array([4.0, 3.0]))
    assert (told.lr_limit, told.ratio, told.growth) == (None, None, None)


@pytest.mark.parametrize("name", ["signsgd", "lion"])
def test_they_hover_where_it_is_said(name: str) -> None:
    """Within about lr of the minimum, for ever."""
    trace = ds.descend("x^2 + 3y^2", [4, 3], OPTIMIZERS[name](lr=0.07), steps=400)
    late = np.abs(trace.points[200:]).max()
    assert 0.03 < late < 0.07 * (2 if name == "signsgd" else 12)


# -- no limit, no curvature ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "point"), [("-x^2", [1.0]), ("x^3 + y^3", [-1.0, -2.0]), ("-x^2 - 3y^2", [0.5, 1.0])])
def test_downward_curvature_gives_null_and_a_sentence(command: Any, text: str, point: list[float]) -> None:
    start = ",".join(map(str, point)).replace("-", "−", 1)
    (run,) = command.json("run", text, "--start", start, "--lr", "0.01", "--steps", "3")["runs"]
    told = run["stability"]
    assert (told["lr_limit"], told["ratio"], told["growth"]) == (None, None, None)
    assert told["sharpness"] < 0
    assert any("no upward curvature" in sentence for sentence in run["why"])


def test_no_curvature_is_known_for_what_jax_cannot_trace(command: Any, tmp_path: Any) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import math\ndef f(p): return math.hypot(*p) ** 2\ndef g(p): return 2 * p\n")
    (run,) = command.json("run", f"{file}:f", "--grad", f"{file}:g", "--start", "1,2", "--steps", "3")["runs"]
    assert set(run["stability"].values()) == {"start", None}
    assert run["why"] == ["The curvature is not known here, so nothing can be predicted."]


# -- curvature -------------------------------------------------------------------------------------------------------------


def test_beyond_the_dense_size_the_largest_eigenvalue_is_found_by_products() -> None:
    values = np.linspace(0.1, 3.0, 100)
    values[-1] = 5.0
    f, center, vectors = quadratic(values, 1)
    found = curvature_at(resolve(f), center)
    assert not found.exact
    assert found.largest == pytest.approx(5.0, rel=1e-6)
    assert abs(found.eigenvectors[:, 0] @ vectors[:, -1]) == pytest.approx(1, abs=1e-6)


def test_a_closure_that_changed_is_seen() -> None:
    scale = np.array([1.0, 1.0])
    f = resolve(lambda p: jnp.sum(scale * p**2))
    assert curvature_at(f, np.ones(2)).largest == pytest.approx(2)
    scale[:] = 5.0
    assert curvature_at(f, np.ones(2)).largest == pytest.approx(10)


# -- predictions of steps --------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.floats(1e-3, 0.999), st.floats(1e-12, 0.5))
def test_steps_to_is_the_first_power_small_enough(factor: float, fraction: float) -> None:
    n = steps_to(fraction, factor)
    assert factor ** (2 * n) <= fraction * (1 + 1e-6)
    assert n == 1 or factor ** (2 * (n - 1)) > fraction * (1 - 1e-6)


@settings(max_examples=10)
@given(values=spectra(), seed=st.integers(0, 2**32 - 1))
def test_plain_descent_needs_the_steps_predicted(values: np.ndarray, seed: int) -> None:
    """At the suggested rate both ends of the spectrum shrink equally fast: from there the prediction is exact."""
    f, center, vectors = quadratic(values, seed)
    start = center + vectors[:, 0] + 1e-3 * vectors[:, -1]
    told = suggest_lr(resolve(f), start, ds.sgd())
    slowest = max(abs(1 - told.lr * v) for v in values)
    assert told.factor == pytest.approx(slowest, abs=1e-9)
    best = (values[-1] - values[0]) / (values[-1] + values[0])
    assert told.factor < 0.5 or np.log(told.factor) <= 0.95 * np.log(best)  # within some hundredths of the fewest steps
    needed = steps_to(1e-6, told.factor)
    trace = ds.descend(f, start, ds.sgd(lr=told.lr), steps=needed)
    assert trace.loss[-1] <= 1.000001e-6 * trace.loss[0]
    if slowest == abs(1 - told.lr * values[0]):
        assert trace.loss[needed - 1] > 0.999e-6 * trace.loss[0]


@settings(max_examples=10)
@given(values=spectra(), seed=st.integers(0, 2**32 - 1))
def test_momentum_shrinks_at_the_predicted_factor(values: np.ndarray, seed: int) -> None:
    f, center, vectors = quadratic(values, seed)
    told = suggest_lr(resolve(f), center + vectors.sum(axis=1), ds.momentum())
    trace = ds.descend(f, center + vectors.sum(axis=1), ds.momentum(lr=told.lr), steps=300)
    distance = np.linalg.norm(trace.points - center, axis=1)
    seen = (distance[200:300].max() / distance[100:200].max()) ** (1 / 100)
    assert seen == pytest.approx(told.factor, rel=0.01)


def test_momentum_needs_about_the_steps_predicted() -> None:
    """A swinging mode's envelope is predicted; its constant is not: within a third of the number."""
    told = suggest_lr(resolve(".001x^2 + 2y^2"), np.array([-5.0, -2.0]), ds.momentum())
    needed = steps_to(1e-6, told.factor)
    trace = ds.descend(".001x^2 + 2y^2", [-5, -2], ds.momentum(lr=told.lr), steps=2 * needed)
    late = np.flatnonzero(trace.loss > 1e-6 * trace.loss[0])[-1] + 1
    assert 2 / 3 < late / needed < 4 / 3


@pytest.mark.parametrize("rule", [ds.sgd, ds.momentum, ds.nesterov])
def test_growth_is_the_spectral_radius_at_one_curvature(rule: Any) -> None:
    assert growth_per_step(rule(), 0.1, 3.0) == spectral_radius(rule(), [0.1], [3.0])[0]


# -- suggested rates -------------------------------------------------------------------------------------------------------

WITH_MINIMUM = [name for name in SURFACES if resolve(name).minimum is not None]
SIX = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]


def stays(surface: str, name: str) -> None:
    """The suggested rate neither diverges nor ends above where it began, nor leaves through the floor."""
    goal = resolve(surface)
    trace = ds.descend(goal, None, OPTIMIZERS[name]())
    assert trace.config["lr_predicted"] == ("lr" in OPTIMIZERS[name].hyperparameters)
    assert trace.outcome.kind in ("converged", "step_budget", "stalled"), trace.outcome.message
    room = 1e-6 * max(abs(trace.loss[0]), 1)
    assert goal.minimum - room <= trace.loss[-1] <= trace.loss[0] + room


@pytest.mark.parametrize("surface", WITH_MINIMUM)
@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_a_suggested_rate_holds_on_every_surface_with_a_minimum(surface: str, name: str) -> None:
    stays(surface, name)


@pytest.mark.slow
@pytest.mark.parametrize("surface", WITH_MINIMUM)
@pytest.mark.parametrize("name", [name for name in NAMES if OPTIMIZERS[name].ndim is None])
def test_a_suggested_rate_holds_for_every_optimizer(surface: str, name: str) -> None:
    stays(surface, name)


@pytest.mark.parametrize("name", SIX)
@pytest.mark.parametrize("surface", ["bowl", "ellipse", "ravine", "booth"])
def test_on_quadratics_the_suggested_rate_arrives(surface: str, name: str) -> None:
    goal = resolve(surface)
    trace = ds.descend(goal, None, OPTIMIZERS[name]())
    near = min(np.linalg.norm(trace.points[-1] - np.array(m)) for m in goal.minima)
    assert near < 0.02
