"""Curvature, the largest stable learning rate, and what a rate is predicted to do.

The limit of a rule comes from the rule itself: on the quadratic λp²/2 a rule that is linear in the gradient maps (p, slots)
to (p, slots) linearly, and it is stable while the spectral radius of that map is below 1. There is no list of formulas.

Adaptive rules are linear once their second moments are held still; that is what is told of them, and that it is. Rules whose
step ignores the gradient's size (sign-like, normalised) have no limit: they hover around a minimum at the size of a step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engine import jax_switch
from descend.ondata import OnData, data_of, identity
from descend.rules import Optimizer
from descend.schedules import Schedule
from descend.tracing import program_text
from descend.trees import flatten

__all__ = [
    "Curvature",
    "Stability",
    "Suggestion",
    "Trial",
    "curvature_at",
    "growth_per_step",
    "lr_limit",
    "spectral_radius",
    "stability",
    "steady_steps",
    "steps_to",
    "suggest_lr",
]

Floats = NDArray[np.float64]

#: Up to this many numbers the whole Hessian is formed; beyond, its largest eigenvalue is found by power iteration.
DENSE = 64
#: A slot's perturbation: small enough that squares of it vanish, large enough to keep all digits.
SMALL = 1e-9


# -- curvature ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Curvature:
    """Eigenvalues (ascending) and eigenvectors of the Hessian at a point; beyond 64 numbers only the one largest in size."""

    eigenvalues: Floats
    eigenvectors: Floats
    exact: bool

    @property
    def largest(self) -> float:
        """The sharpness: the largest eigenvalue, per unit of the parameters squared."""
        return float(self.eigenvalues[-1])

    @property
    def smallest(self) -> float:
        return float(self.eigenvalues[0])

    def direction(self, variables: Sequence[str], *, smallest: bool = False) -> str:
        """The steepest (or flattest) direction in words: a coordinate's name where it is one."""
        vector = self.eigenvectors[:, 0 if smallest else -1]
        return direction_name(vector, variables)


def direction_name(vector: Floats, variables: Sequence[str]) -> str:
    """`y` for a direction that is a coordinate, `0.89x + 0.45y` otherwise.

    >>> direction_name(np.array([0.0, -1.0]), ("x", "y"))
    'y'
    """
    biggest = int(np.argmax(np.abs(vector)))
    if not variables:
        return "the steepest direction"
    if abs(vector[biggest]) > 0.999:
        return variables[biggest]
    signed = vector * np.sign(vector[biggest])
    terms = [(c, n) for c, n in zip(signed, variables, strict=True) if abs(c) >= 0.05]
    terms = sorted(terms, key=lambda term: -abs(term[0]))[:3] if len(terms) > 4 else terms
    words = [(c, f"{abs(c):.2g}", n) for c, n in terms]
    text = " ".join(f"{'−' if c < 0 else '+'} {'' if size == '1' else size}{n}" for c, size, n in words)
    return text.removeprefix("+ ").replace("− ", "−", 1) if text.startswith("−") else text.removeprefix("+ ")


_hessians: dict[Any, Callable[..., Any]] = {}


def curvature_at(goal: Any, point: Any) -> Curvature | None:
    """The Hessian's eigenvalues at a point, or None where JAX cannot differentiate the objective or it is not finite there."""
    if goal.backend != "jax" or goal.stochastic:
        return None
    leaves, rebuild = flatten(point)
    arrays = [np.asarray(leaf) for leaf in leaves]
    size = sum(a.size for a in arrays)
    wide = any(a.dtype == np.float64 for a in arrays)
    try:
        with jax_switch(wide):
            return _dense(goal, arrays, rebuild) if size <= DENSE else _power(goal, arrays, rebuild)
    except (TypeError, ValueError, NotImplementedError, np.linalg.LinAlgError):
        return None


def _flat_function(fun: Callable[[Any], Any], arrays: Sequence[Any], rebuild: Any) -> Callable[[Any], Any]:
    shapes = [a.shape for a in arrays]
    ends = np.cumsum([a.size for a in arrays])[:-1]

    def flat(vector: Any) -> Any:
        import jax.numpy as jnp

        parts = jnp.split(vector, ends) if len(ends) else [vector]
        return fun(rebuild([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]))

    return flat


def _compiled(goal: Any, arrays: Sequence[Any], rebuild: Any, what: str) -> Callable[[Any], Any]:
    """The gradient or the Hessian, by `jax`'s name for it, compiled as a function of the flat point.

    Found by identity for an immutable objective. A function that may have changed is traced anew, and what
    was compiled is found by the program's text: the arrays it closes over are arguments, and so is its data.
    """
    import jax

    fun, data = goal.fun, data_of(goal.fun)
    shapes = tuple((a.shape, str(a.dtype)) for a in arrays)
    key = (what, identity(fun), shapes)
    if goal.immutable and key in _hessians:
        return partial(_hessians[key], data)

    def derivative(data: Sequence[Any], x: Any) -> Any:
        of = (lambda p: fun.on(p, *data)) if isinstance(fun, OnData) else fun
        return getattr(jax, what)(_flat_function(of, arrays, rebuild))(x)

    closed = jax.make_jaxpr(derivative)(data, np.concatenate([a.ravel() for a in arrays]))
    text_key = (what, program_text(closed), shapes)
    if text_key not in _hessians:
        jaxpr = closed.jaxpr
        _remember(text_key, jax.jit(lambda consts, data, x: jax.core.eval_jaxpr(jaxpr, consts, *data, x)[0]))
    call = partial(_hessians[text_key], closed.consts)
    if goal.immutable:
        _remember(key, call)
    return partial(call, data)


def _remember(key: Any, value: Callable[..., Any]) -> None:
    if len(_hessians) > 128:
        _hessians.pop(next(iter(_hessians)))
    _hessians[key] = value


def _dense(goal: Any, arrays: Sequence[Any], rebuild: Any) -> Curvature | None:
    hessian = _compiled(goal, arrays, rebuild, "hessian")
    matrix = np.asarray(hessian(np.concatenate([a.ravel() for a in arrays])), dtype=np.float64)
    if not np.all(np.isfinite(matrix)):
        return None
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return Curvature(values, vectors, exact=True)


def _power(goal: Any, arrays: Sequence[Any], rebuild: Any, iterations: int = 100) -> Curvature | None:
    """The eigenvalue largest in size, by power iteration on Hessian-vector products."""
    import jax
    import jax.numpy as jnp

    flat = _flat_function(goal.fun, arrays, rebuild)
    point = jnp.concatenate([jnp.asarray(a).ravel() for a in arrays])

    def product(vector: Any) -> Any:
        return jax.jvp(jax.grad(flat), (point,), (vector,))[1]

    def step(_: Any, carry: Any) -> Any:
        vector, _value = carry
        image = product(vector)
        return image / (jnp.linalg.norm(image) + 1e-300), vector @ image

    vector = jax.random.normal(jax.random.PRNGKey(0), point.shape, point.dtype)
    found = jax.jit(lambda v: jax.lax.fori_loop(0, iterations, step, (v, jnp.zeros((), point.dtype))))(
        vector / jnp.linalg.norm(vector)
    )
    value, direction = float(found[1]), np.asarray(found[0], dtype=np.float64)
    return Curvature(np.array([value]), direction[:, None], exact=False) if math.isfinite(value) else None


# -- the linear map of a rule ---------------------------------------------------------------------------------------------


class _Held(SimpleNamespace):
    """A rule's state in which some slots cannot be changed: second moments, and single numbers at their limit."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__dict__["held"]:
            self.__dict__[name] = value


def _limits(optimizer: Optimizer) -> dict[str, float]:
    """Single-number slots after very many steps: known beforehand, or by letting the rule run on zeros."""
    rule, hyper = optimizer.rule, _constant(optimizer)
    hyper = {k: hyper[k] for k in rule.hyperparameters}
    kept = rule.kept_slots(np.zeros(1), hyper)
    known = {n: float(s.limit) for n, s in kept.items() if s.shape == "scalar" and isinstance(s.limit, float | int)}
    rest = [n for n, s in kept.items() if s.shape == "scalar" and n not in known]
    if rest:
        slots = {n: getattr(rule.start(np.zeros(1), hyper), n) for n in kept} | known
        with np.errstate(all="ignore"):
            for _ in range(4):
                slots = rule.apply(np.zeros(1), np.zeros(1), slots, hyper)[1] | known
        known |= {n: float(np.asarray(slots[n])) for n in rest}
    return known


#: Steps of a schedule looked at for its largest learning rate.
SCHEDULED = 10_000


def _constant(optimizer: Optimizer) -> dict[str, Any]:
    """Every hyperparameter as one number: where it follows a schedule, the largest lr and the first value of the others."""

    def number(name: str, value: Any) -> Any:
        if not isinstance(value, Schedule):
            return value
        return float(np.max(value(np.arange(SCHEDULED)))) if name == "lr" else float(value(0))

    return {k: number(k, v) for k, v in optimizer.hyperparameters.items()}


def _clips(optimizer: Optimizer) -> bool:
    return any(name.startswith("clip") and name != "clip_eps" for name in optimizer.common)


def _as_minimised(optimizer: Optimizer, found: Curvature) -> Curvature:
    """The curvature the optimizer walks down on: that of −f where it maximises f."""
    if not optimizer.common.get("maximize"):
        return found
    return Curvature(-found.eigenvalues[::-1], found.eigenvectors[:, ::-1], found.exact)


def linear_map(optimizer: Optimizer, lr: Any, curvature: Any) -> Floats:
    """The matrix that takes (p, slots) one step on λp²/2, for each rate and curvature: shape (..., d, d).

    Second moments are held at 1 with eps 0, so that for adaptive rules `curvature` means the preconditioned one, L2 decay
    included. Slots that nothing depends on, such as the mean that averaged SGD reports, are left out.
    """
    rule = optimizer.rule
    rates, lams = np.broadcast_arrays(np.asarray(lr, dtype=np.float64), np.asarray(curvature, dtype=np.float64))
    hyper = _constant(optimizer) | {"lr": rates}
    if "eps" in rule.hyperparameters:
        hyper["eps"] = 0.0
    own = {k: hyper[k] for k in rule.hyperparameters}
    kept = rule.kept_slots(np.zeros(1), hyper)
    held = {n: np.ones_like(rates) for n, s in kept.items() if s.square} | _limits(optimizer)
    held |= {n: hyper[s.limit] for n, s in kept.items() if isinstance(s.limit, str)}
    moving = ["p", *(n for n, s in kept.items() if n not in held)]
    columns = []
    for name in moving:
        values = {n: np.full_like(rates, SMALL if n == name else 0.0) for n in moving}
        p, g = values.pop("p"), 0.0
        g = lams * p
        p, g = _with_common(optimizer, p, g, hyper)
        space = _Held(held=frozenset(held), **(dict.fromkeys(rule.slots, 0.0) | values | held))
        p, s = rule.function(g, p, space, **own)
        columns.append([np.broadcast_to(p if n == "p" else getattr(s, n), rates.shape) / SMALL for n in moving])
    matrix = np.moveaxis(np.array(columns), (0, 1), (-1, -2))
    return _without_onlookers(matrix)


def _without_onlookers(matrix: Floats) -> Floats:
    """The map without the slots that feed nothing but themselves; p, the first, stays."""
    size = matrix.shape[-1]
    kept = [0]
    for j in range(1, size):
        others = [i for i in range(size) if i != j]
        if np.any(matrix[..., others, j] != 0):
            kept.append(j)
    return matrix if len(kept) == size else _without_onlookers(matrix[..., kept, :][..., :, kept])


def _with_common(optimizer: Optimizer, p: Any, g: Any, hyper: Any) -> tuple[Any, Any]:
    if "weight_decay" in optimizer.common:
        if optimizer.common.get("decoupled"):
            return p * (1 - hyper["lr"] * hyper["weight_decay"]), g
        if optimizer.rule.kind != "adaptive":  # there L2 decay is scaled like the gradient, and is in the curvature
            g = g + hyper["weight_decay"] * p
    return p, g


def spectral_radius(optimizer: Optimizer, lr: Any, curvature: Any) -> Floats:
    """Factor per step of the slowest mode on λp²/2: below 1 it shrinks, above 1 it grows. Broadcasts over both arguments.

    >>> from descend.optimizers import sgd
    >>> round(float(spectral_radius(sgd(), 0.4, 6.0)), 12)
    1.4
    """
    return np.asarray(np.abs(modes(optimizer, lr, curvature)).max(axis=-1))


def modes(optimizer: Optimizer, lr: Any, curvature: Any) -> NDArray[np.complex128]:
    """Eigenvalues of `linear_map`: what each mode is multiplied with in a step.

    A rule that averages its points (schedule-free) moves the average less and less; that mode, which stands still in the
    limit of many steps, is told as 0.
    """
    with np.errstate(all="ignore"):
        matrix = linear_map(optimizer, lr, curvature)
    bad = np.asarray(~np.isfinite(matrix).all(axis=(-1, -2)))
    values = np.linalg.eigvals(np.where(bad[..., None, None], 0.0, matrix)).astype(np.complex128)
    values[bad] = np.inf
    if optimizer.reports_elsewhere:
        values[np.abs(values - 1) < 1e-6] = 0
    return values


def _averages(optimizer: Optimizer, curvature: float) -> bool:
    """Whether the rule walks on an average of its points, so that no factor a step holds from the start."""
    values = np.linalg.eigvals(linear_map(optimizer, 0.1 / curvature, curvature))
    return optimizer.reports_elsewhere and bool(np.any(np.abs(values - 1) < 1e-6))


def lr_limit(optimizer: Optimizer, curvature: float) -> float | None:
    """The largest stable learning rate on λp²/2, or None: no curvature, or a rule without a limit.

    For adaptive rules `curvature` is the preconditioned one, λ/(√v + eps), with v held still.

    >>> from descend.optimizers import adam, momentum
    >>> round(lr_limit(momentum(momentum=0.9), 1.0), 6), round(lr_limit(adam(), 1.0), 6)
    (3.8, 38.0)
    """
    rule = optimizer.rule
    if rule.kind == "sign" or rule.sums or not curvature > 0 or "lr" not in rule.hyperparameters or _clips(optimizer):
        return None
    values = tuple(sorted((k, v) for k, v in _constant(optimizer).items() if k not in ("lr", "eps")))
    return _cached_limit(rule, values, tuple(sorted(optimizer.common)), curvature, _Keep(optimizer))


class _Keep:
    """An optimizer as an argument that the cache does not look at."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keep)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=1024)
def _cached_limit(_rule: Any, _values: Any, _common: Any, curvature: float, keep: _Keep) -> float | None:
    found = _limit(keep.optimizer, curvature)
    return math.inf if found is None else found


def _limit(optimizer: Optimizer, curvature: float) -> float | None:
    """The smallest rate at which the spectral radius passes 1: a grid, then finer and finer ones where it does."""
    grid = np.geomspace(1e-4, 1e4, 1001) / curvature
    above = spectral_radius(optimizer, grid, curvature) > 1 + 1e-9
    if not above.any():
        return None
    first = int(np.argmax(above))
    if first == 0:
        return None
    low, high = grid[first - 1], grid[first]
    for _ in range(9):  # each pass narrows the bracket 32-fold
        finer = np.linspace(low, high, 33)
        passed = spectral_radius(optimizer, finer, curvature) > 1 + 1e-12
        first = int(np.argmax(passed)) if passed.any() else len(finer) - 1
        low, high = finer[max(first - 1, 0)], finer[first]
    return float((low + high) / 2)


def growth_per_step(optimizer: Optimizer, lr: float, curvature: float) -> float:
    """Factor per step of the amplitude along a direction of this curvature."""
    return float(spectral_radius(optimizer, lr, curvature))


def steps_to(fraction: float, factor: float) -> int | None:
    """Steps until an amplitude shrinking by `factor` a step has brought the loss (its square) down to `fraction`.

    >>> steps_to(1e-6, 0.5)
    10
    """
    if not 0 < factor < 1:
        return None if factor >= 1 else 1
    return max(1, math.ceil(round(math.log(fraction) / (2 * math.log(factor)), 9)))


# -- suggestions ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Suggestion:
    """A learning rate to use, why, and what it is predicted to do."""

    lr: float
    reason: str
    #: Factor per step of the slowest amplitude on the local quadratic, where one can be predicted.
    factor: float | None = None
    limit: float | None = None
    #: The objective is quadratic, so that the prediction holds everywhere.
    proven: bool = False


#: Says whether a descent with this optimizer, tried, ends no higher than it began.
Trial = Callable[[Optimizer], bool]
#: Halvings of a suggested rate before it is told as it was.
HALVINGS = 12


def suggest_lr(
    goal: Any, point: Any, optimizer: Optimizer, *, found: Curvature | None = None, trial: Trial | None = None
) -> Suggestion:
    """The learning rate to use from this point, with reasons.

    Rules linear in the gradient: the rate at which the slowest direction of the local quadratic shrinks fastest, or half the
    limit where the curvature changes along the way or has both signs. Others: a tenth of the distance to the bottom of the
    local quadratic a step, since their step is about lr in each coordinate.

    The curvature at one point does not bind the rest of the way: with `trial`, a rate that fails it is halved until one passes.
    """
    if found is None:
        there = curvature_at(goal, point)
        found = None if there is None else _as_minimised(optimizer, there)
    if _clips(optimizer):  # clipping only ever makes a step shorter: the rate is that of the rule without it
        optimizer = replace(optimizer, common={k: v for k, v in optimizer.common.items() if not k.startswith("clip")})
    usual = float(optimizer.rule.hyperparameters["lr"].default)
    if found is None:
        return Suggestion(usual, f"the usual rate of {optimizer.name}: the curvature is not known here")
    if optimizer.rule.kind == "linear":
        return _tried(_suggest_linear(goal, point, optimizer, found, usual), optimizer, found, trial)
    return _tried(_suggest_adaptive(goal, point, optimizer, found, usual), optimizer, found, trial)


def _tried(suggestion: Suggestion, optimizer: Optimizer, found: Curvature, trial: Trial | None) -> Suggestion:
    if trial is None or not found.exact or suggestion.proven or "maximize" in optimizer.common:
        return suggestion
    for halvings in range(HALVINGS):
        lr = round_to(suggestion.lr / 2**halvings, 3)
        if not trial(optimizer.with_values(lr=lr)):
            continue
        if not halvings:
            return suggestion
        factor = float(spectral_radius(optimizer, lr, found.eigenvalues).max()) if suggestion.factor is not None else None
        reason = f"{suggestion.reason}; that is {suggestion.lr:g}, which a trial run did not bear out, so halved"
        return replace(suggestion, lr=lr, reason=reason + (f" {halvings} times" if halvings > 1 else ""), factor=factor)
    return suggestion


def _suggest_linear(goal: Any, point: Any, optimizer: Optimizer, found: Curvature, usual: float) -> Suggestion:
    sharpness = float(np.abs(found.eigenvalues).max())
    limit = lr_limit(optimizer, sharpness)
    if sharpness == 0 or limit is None or not math.isfinite(limit):
        return Suggestion(usual, f"the usual rate of {optimizer.name}: there is no curvature here to set a limit")
    if _averages(optimizer, sharpness):
        reason = "half the limit of plain gradient descent, which this rule acts like before its average has settled"
        return Suggestion(round_to(1 / sharpness, 3), reason, None, limit)
    positive = found.exact and found.smallest > 1e-9 * sharpness
    if positive and is_quadratic(goal, point, found, limit):
        rates = limit * np.linspace(0.002, 0.999, 999)
        values = np.unique(found.eigenvalues)
        worst = spectral_radius(optimizer, rates[:, None], values[None, :]).max(axis=1)
        lost = 1 - worst  # a step; factors near 1 look alike and yet take times a thousandfold apart
        fastest = rates[lost >= lost.max() - 1e-4 * abs(lost.max())]
        # momentum is equally fast over a range: of that, the rate that takes the steepest direction to its bottom at once
        lr, factor = _few_digits(optimizer, float(fastest[np.argmin(np.abs(np.log(fastest * sharpness)))]), values)
        return Suggestion(lr, "the rate at which the slowest direction shrinks fastest", factor, limit, proven=True)
    lr = round_to(limit / 2, 3)
    if found.exact and found.largest <= 0:
        return Suggestion(
            lr, "the objective curves downwards here, which limits nothing; half of what as much upward curvature would allow"
        )
    shrink = float(spectral_radius(optimizer, lr, found.eigenvalues).max()) if positive else None
    return Suggestion(lr, f"half the limit {limit:.4g} at this point, since the curvature changes along the way", shrink, limit)


def _few_digits(optimizer: Optimizer, exact: float, values: Floats) -> tuple[float, float]:
    """The rate with as few digits as cost no more than some hundredths of the steps, and its slowest direction's factor."""
    best = float(spectral_radius(optimizer, exact, values).max())
    for digits in (3, 4, 5):
        lr = round_to(exact, digits)
        factor = float(spectral_radius(optimizer, lr, values).max())
        if factor < 0.5 or (factor < 1 and math.log(factor) <= 0.97 * math.log(max(best, 1e-300))):
            break
    return lr, factor


def is_quadratic(goal: Any, point: Any, found: Curvature, scale: float) -> bool:
    """Whether the curvature is the same elsewhere: then what is predicted here holds everywhere."""
    leaves, rebuild = flatten(point)
    rng = np.random.default_rng(0)
    moved = rebuild([leaf + 0.5 * rng.standard_normal(np.shape(leaf)) * (1 + np.abs(leaf)) for leaf in leaves])
    other = curvature_at(goal, moved)
    return other is not None and bool(
        np.allclose(np.sort(np.abs(other.eigenvalues)), np.sort(np.abs(found.eigenvalues)), rtol=1e-9, atol=1e-12)
    )


def _suggest_adaptive(goal: Any, point: Any, optimizer: Optimizer, found: Curvature, usual: float) -> Suggestion:
    distance = _distance(goal, point, found)
    if distance is None or not distance > 0:
        return Suggestion(usual, f"the usual rate of {optimizer.name}")
    first, tenth = steady_steps(optimizer, point)
    if tenth < 0.02:
        return Suggestion(usual, f"the usual rate of {optimizer.name}, which finds the size of its steps itself")
    about = min(first, tenth) >= 0.5 and max(first, tenth) <= 2
    long = "its first steps are about lr long" if about else f"its first step is {first:.2g} lr long, its tenth {tenth:.2g}"
    lr = round_to(distance / 10, 2)
    reason = f"a tenth of {distance:.3g}, the distance to the bottom of the local quadratic: {long}"
    limit = _first_limit(goal, point, optimizer, found)
    if limit is not None and lr > limit / 2:
        lr = round_to(limit / 2, 2)
        reason = f"half of {limit:.4g}, the limit with the second moments of the first step"
    return Suggestion(lr, reason)


def _first_limit(goal: Any, point: Any, optimizer: Optimizer, found: Curvature) -> float | None:
    """The limit of an adaptive rule with its second moments as the first step leaves them."""
    if optimizer.rule.kind != "adaptive" or not found.exact:
        return None
    leaves, _ = flatten(point)
    arrays = [np.asarray(leaf, dtype=np.float64) for leaf in leaves]
    slope, ends = _gradient(goal, point), np.cumsum([a.size for a in arrays])[:-1]
    if np.abs(slope).min() < 0.01 * np.abs(slope).max():  # a coordinate at its lowest has no second moment to judge with
        return None
    grads = [part.reshape(a.shape) for part, a in zip(np.split(slope, ends), arrays, strict=True)]
    with np.errstate(all="ignore"):
        _, state = optimizer.step_leaves(arrays, grads, optimizer.init_leaves(arrays), _constant(optimizer))
        there = _preconditioned(optimizer, found, state)
    return None if there is None else lr_limit(optimizer, there[0])


def steady_steps(optimizer: Optimizer, point: Any) -> tuple[float, float]:
    """How far the first and the tenth step move a coordinate while its gradient stays at 1, in units of lr, from this point.

    >>> from descend.optimizers import adam, rmsprop
    >>> [tuple(round(s, 3) for s in steady_steps(rule(), np.ones(2))) for rule in (adam, rmsprop)]
    [(1.0, 1.0), (10.0, 3.234)]
    """
    leaves, _ = flatten(point)
    at = [np.asarray(leaf, dtype=np.float64) for leaf in leaves]
    values = _constant(optimizer)
    lr, state, moved = values["lr"], optimizer.init_leaves(at), []
    with np.errstate(all="ignore"):
        for _ in range(10):
            new, state = optimizer.step_leaves(at, [np.ones_like(p) for p in at], state, values)
            moved.append(max(float(np.abs(b - a).max(initial=0.0)) for a, b in zip(at, new, strict=True)) / lr)
            at = new
    return moved[0], moved[9]


def _gradient(goal: Any, point: Any) -> Floats:
    """The gradient at a point as one flat array."""
    leaves, rebuild = flatten(point)
    arrays = [np.asarray(leaf) for leaf in leaves]
    with jax_switch(any(a.dtype == np.float64 for a in arrays)):
        flat = _compiled(goal, arrays, rebuild, "grad")
        return np.asarray(flat(np.concatenate([a.ravel() for a in arrays])), dtype=np.float64)


def _distance(goal: Any, point: Any, found: Curvature) -> float | None:
    """Largest coordinate of the step to the bottom of the local quadratic (curvatures taken positive), within the domain."""
    gradient = _gradient(goal, point)
    scale = float(np.abs(found.eigenvalues).max())
    if scale == 0 or not np.all(np.isfinite(gradient)):
        return None
    if found.exact:
        values = np.maximum(np.abs(found.eigenvalues), 1e-3 * scale)
        step = found.eigenvectors @ ((found.eigenvectors.T @ gradient) / values)
    else:
        step = gradient / scale
    longest = float(np.abs(step).max())
    if goal.domain is not None:
        longest = min(longest, 0.5 * min(high - low for low, high in goal.domain))
    return longest


def round_to(value: float, digits: int) -> float:
    """A number with so many significant digits, so that what is suggested is what is typed."""
    return float(f"{value:.{digits}g}") if value else 0.0


# -- the statement --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stability:
    """What the curvature at a named point says about a learning rate. Missing numbers mean that there is nothing to say."""

    #: "start" or "last".
    at: str
    #: Largest eigenvalue of the Hessian there (preconditioned for adaptive rules).
    sharpness: float | None
    lr_limit: float | None
    #: lr / lr_limit: above 1 the steepest direction grows.
    ratio: float | None
    #: Factor per step of the amplitude along the steepest direction.
    growth: float | None
    lr_suggested: float | None
    direction: str = ""
    sentence: str = ""
    suggestion: Suggestion | None = None
    curvature: Curvature | None = None

    def to_dict(self) -> dict[str, Any]:
        """The numbers, as `run --json` tells them."""
        names = ("at", "sharpness", "lr_limit", "ratio", "growth", "lr_suggested")
        return {name: getattr(self, name) for name in names}


def stability(
    goal: Any,
    optimizer: Any,
    point: Any,
    *,
    at: str = "start",
    state: Any = None,
    variables: Sequence[str] = (),
    trial: Trial | None = None,
) -> Stability:
    """The stability statement for an optimizer at a point; for adaptive rules `state` holds the second moments to freeze.

    `trial` is handed to `suggest_lr`.
    """
    nothing = Stability(at, None, None, None, None, None)
    if not isinstance(optimizer, Optimizer):
        return nothing
    there = curvature_at(goal, point)
    if there is None:
        return nothing
    found = _as_minimised(optimizer, there)
    suggestion = suggest_lr(goal, point, optimizer, found=found, trial=trial) if "lr" in optimizer.hyperparameters else None
    wanted = suggestion.lr if suggestion else None
    lr = _constant(optimizer).get("lr")
    sharpness, direction = found.largest, found.direction(variables)
    if optimizer.rule.kind == "adaptive" and state is not None and found.exact:
        preconditioned = _preconditioned(optimizer, found, state)
        if preconditioned is not None:
            sharpness, direction = preconditioned[0], direction_name(preconditioned[1], variables)
    elif optimizer.rule.kind != "linear":
        return Stability(at, sharpness, None, None, None, wanted, direction, "", suggestion, found)
    limit = lr_limit(optimizer, sharpness)
    if limit is None or lr is None or not math.isfinite(limit):
        return Stability(at, sharpness, None, None, None, wanted, direction, "", suggestion, found)
    growth = growth_per_step(optimizer, lr, sharpness)
    return Stability(at, sharpness, limit, lr / limit, growth, wanted, direction, "", suggestion, found)


def _preconditioned(optimizer: Optimizer, found: Curvature, state: Any) -> tuple[float, Floats] | None:
    """Largest eigenvalue of D^½ H D^½ with D the rule's gain per coordinate under its present second moments."""
    rule, hyper = optimizer.rule, _constant(optimizer)
    if rule.sums:  # its step is not one array's alone
        return None
    own = {k: hyper[k] for k in rule.hyperparameters}
    gains = []
    for slots in state["slots"]:
        square = {n: np.asarray(v, np.float64) for n, v in slots.items() if rule.slots[n].square}
        if not square:
            return None
        shape = next(iter(square.values())).shape
        if any(v.shape != shape for v in square.values()):
            return None
        gains.append(
            (
                _gain(rule, own, square, shape, optimizer)
                / _gain(
                    rule, own | {"eps": 0.0} if "eps" in own else own, {n: np.ones(shape) for n in square}, shape, optimizer
                )
            ).ravel()
        )
    gain = np.concatenate(gains)
    if not np.all(np.isfinite(gain)) or np.any(gain <= 0):
        return None
    root = np.sqrt(gain)
    hessian = found.eigenvectors * found.eigenvalues @ found.eigenvectors.T
    if "weight_decay" in optimizer.common and not optimizer.common.get("decoupled"):
        hessian = hessian + hyper["weight_decay"] * np.eye(len(hessian))
    values, vectors = np.linalg.eigh(root[:, None] * hessian * root[None, :])
    step = root * vectors[:, -1]
    return float(values[-1]), step / np.linalg.norm(step)


def _gain(rule: Any, own: dict[str, Any], square: dict[str, Any], shape: tuple[int, ...], optimizer: Optimizer) -> Floats:
    """How far one unit of gradient moves each coordinate, second moments held."""
    held = square | _limits(optimizer)
    kept = rule.kept_slots(np.zeros(shape), own)
    values = {n: np.zeros(shape) for n, s in kept.items() if n not in held}
    space = _Held(held=frozenset(held), **(dict.fromkeys(rule.slots, 0.0) | values | held))
    if "weight_decay" in own:
        own = own | {"weight_decay": 0.0}
    with np.errstate(all="ignore"):
        p, _ = rule.function(np.full(shape, SMALL), np.zeros(shape), space, **own)
    return np.asarray(-p / SMALL, dtype=np.float64)
