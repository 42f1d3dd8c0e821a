"""A function that was seen before is told from one that computes something else by now."""

from __future__ import annotations

import copy
import functools
import operator
import random
import types
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import descend as ds
from descend import steady
from descend.objectives.fingerprint import fingerprint

SCALE = 2.0
TABLE = {"a": [1.0, 2.0]}
SEEN: list[int] = []


def helper(p: Any) -> Any:
    return SCALE * p


def helper_of_none(p: Any) -> Any:
    return jnp.sum(2.0 * p**4)


def nested(p: Any) -> Any:
    return jnp.sum(helper(p) ** 2) + sum(TABLE["a"])


def made(k: Any) -> Callable[[Any], Any]:
    return lambda p: jnp.sum(k * p**2)


def with_default(k: Any) -> Callable[[Any], Any]:
    def f(p: Any, k: Any = k) -> Any:
        return jnp.sum(k * p**2)

    return f


class Model:
    rate = 3.0

    def loss(self, p: Any) -> Any:
        return jnp.sum(self.rate * p**2)


class AttrDict(dict[str, Any]):
    __getattr__ = dict.__getitem__


class Shy:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def toggles() -> Callable[[Any], Any]:
    state = 1.0

    def f(p: Any) -> Any:
        nonlocal state
        state = -state
        return state * p

    return f


def writes_within(p: Any) -> Any:
    TABLE["b"] = [1.0]
    return p


def sums_otherwise() -> Callable[[Any], Any]:
    space: dict[str, Any] = {"jnp": jnp, "__builtins__": {"sum": lambda x: 2 * jnp.sum(x)}}
    exec("def f(p): return sum(p**2)", space)
    found: Callable[[Any], Any] = space["f"]
    return found


LOAD = np.load
PARTIAL_WITH = functools.partial(helper)
PARTIAL_WITH.k = object()  # type: ignore[attr-defined]
MODEL = Model()
VALUES = [
    *(1, 1.0, True, 0.0, -0.0, "1", b"1", None, (1, 2), (1, (2,)), [1, 2], {"a": 1}, {"a": 1.0}, {"b": 1}, 1j),
    *(0j, complex(0.0, -0.0), np.dtype([("a", "f8"), ("b", "f8")]), np.zeros(1, [("b", "f8"), ("a", "f8")])),
    *(np.zeros(1, [("a", "f8"), ("b", "f8")]), np.ones(2, ml_dtypes.float8_e4m3fn), np.ones(2, ml_dtypes.float8_e4m3b11fnuz)),
    *(np.float32(1), np.float64(1), np.int32(1), np.array([1.0, 2.0]), np.array([[1.0, 2.0]]), np.array([1, 2])),
    *(np.array([1.0, 2.0], np.float32), np.array([1.0, 3.0]), np.arange(500.0), np.arange(500.0) + 1e-13, np.dtype("f4")),
    *([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}], [{"a": 1}, {"a": 1}], ({"k": [1]}, {"k": [2]}), ({"k": [1]}, {"k": [3]})),
    *(jnp.sin, jnp.cos, np.sin, abs, max, helper, nested, functools.partial(helper), jnp.float32),
]


@pytest.mark.parametrize("make", [made, with_default])
def test_values_that_differ_make_functions_that_differ(make: Callable[[Any], Any]) -> None:
    told = [fingerprint(make(value)) for value in VALUES]
    again = [fingerprint(make(value)) for value in VALUES]
    assert None not in told
    assert told == again
    assert [hash(x) for x in told] == [hash(x) for x in again]
    assert all(told[i] != told[j] for i in range(len(told)) for j in range(i))


PLAIN = st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text()
NESTED = st.recursive(
    PLAIN, lambda x: st.lists(x, max_size=3) | st.tuples(x, x) | st.dictionaries(st.text(max_size=2), x, max_size=3)
)


@given(NESTED, NESTED)
def test_equal_values_of_one_kind_alone_are_equal(value: Any, other: Any) -> None:
    told = fingerprint(made(value))
    assert told == fingerprint(made(copy.deepcopy(value)))
    assert told != fingerprint(made([value]))
    assert (told == fingerprint(made(other))) is (repr(value) == repr(other))


def test_the_code_counts_also_of_functions_within() -> None:
    assert fingerprint(lambda p: p + 1) != fingerprint(lambda p: p + 2)
    assert fingerprint(lambda p: (lambda q: q + 1)(p)) != fingerprint(lambda p: (lambda q: q + 2)(p))
    assert fingerprint(lambda p: (lambda q: q * SEEN[0])(p)) != fingerprint(lambda p: (lambda q: q * SCALE)(p))


def test_what_names_stand_for_is_looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(nested)
    assert before == fingerprint(nested)
    monkeypatch.setitem(globals(), "SCALE", 3.0)  # two calls away
    changed = fingerprint(nested)
    assert changed not in (None, before)
    monkeypatch.undo()
    assert fingerprint(nested) == before
    TABLE["a"].append(3.0)
    assert fingerprint(nested) not in (None, before, changed)
    TABLE["a"].pop()
    assert fingerprint(nested) == before
    monkeypatch.setitem(globals(), "sum", lambda values: 0.0)  # where a builtin stood
    assert fingerprint(nested) not in (None, before)


def test_what_is_put_into_a_library_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(p: Any) -> Any:
        return jnp.mine * jnp.sum(p) + np.linalg.norm(p)

    monkeypatch.setattr(jnp, "mine", 2.0, raising=False)
    before = fingerprint(f)
    assert before == fingerprint(f) is not None
    monkeypatch.setattr(jnp, "mine", 3.0)
    assert fingerprint(f) not in (None, before)
    monkeypatch.setattr(jnp, "mine", 2.0)
    assert fingerprint(f) == before
    monkeypatch.setattr(np.linalg, "norm", helper)
    assert fingerprint(f) not in (None, before)
    PARTIAL_WITH.k = 1.0  # type: ignore[attr-defined]
    told = fingerprint(made(PARTIAL_WITH))
    PARTIAL_WITH.k = 2.0  # type: ignore[attr-defined]
    assert fingerprint(made(PARTIAL_WITH)) not in (None, told)
    PARTIAL_WITH.k = object()  # type: ignore[attr-defined]


def test_a_cell_is_looked_at_each_time() -> None:
    k = 1.0

    def f(p: Any) -> Any:
        return k * p

    before = fingerprint(f)
    k = 2.0
    assert fingerprint(f) != before
    k = 1.0
    assert fingerprint(f) == before


def test_itself_and_each_other() -> None:
    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    assert fingerprint(even) == fingerprint(even) != None  # noqa: E711
    assert fingerprint(even) != fingerprint(odd)


def writes(p: Any) -> Any:
    global SCALE
    SCALE = 2.0
    return p


def counts(p: Any) -> Any:
    counts.calls = 1  # type: ignore[attr-defined]
    return p


def imports(p: Any) -> Any:
    import time

    return p * time.time()


def draws_late(p: Any) -> Any:
    from numpy.random import rand

    return p * rand()  # noqa: NPY002


@pytest.mark.parametrize(
    "function",
    [
        lambda p: np.random.rand() * p,  # noqa: NPY002
        lambda p: random.random() * p,
        lambda p: print(p),
        lambda p: MODEL.loss(p),
        lambda p: id(p),
        lambda p: p * len(open(__file__).read()),  # noqa: PTH123, SIM115
        lambda p: eval("p * SCALE"),
        lambda p: globals()["SCALE"] * p,
        lambda p: np.load("x.npy") * p,
        lambda p: jax.config.x64_enabled * p,
        lambda p: jax.debug.print("{}", p),
        MODEL.loss,
        Model(),
        *(writes, counts, imports, draws_late),
        *(made(x) for x in (Model, iter([1]), np.random.default_rng(0), np.random.rand, np.zeros(200_000), object())),
        *(made(x) for x in (SEEN.append, np.vectorize(helper), np.poly1d([1, 2]), np.array([None]), list(range(100)))),
        *(made(x) for x in (np.zeros(2).view(np.recarray), np.ma.masked_array([1.0]), types.SimpleNamespace(a=1))),
        *(made(x) for x in (functools.lru_cache(helper), jax.custom_jvp(helper), jax.tree_util.Partial(helper, np.ones(2)))),
        *(made(x) for x in (open, getattr, globals, AttrDict(a=1), Shy(), jnp.zeros(300_000), operator.attrgetter("random"))),
        *(
            made(x)
            for x in (
                tuple(np.zeros(40_000) for _ in range(4)),
                jax.custom_vjp,
                jax.pure_callback,
                [[0.0] * 60 for _ in range(60)],
            )
        ),
        *(toggles(), writes_within, lambda p: jax.custom_jvp(helper)(p), lambda p: [1, 2].pop() * p),
        *(jax.jit(made(x)) for x in (np.ones(2), 2.0, jnp.ones(2), helper)),
        *(jax.jit(helper), made(jnp), made(np), lambda p: SEEN.append(1), lambda p: LOAD("x") * p, lambda p: p.__class__),
        *(lambda p: helper.__globals__["SCALE"] * p, lambda p: PARTIAL_WITH.k * p, sums_otherwise(), jnp.add.reduce),
        "text",
        None,
    ],
)
def test_what_cannot_be_told_is_not(function: Any) -> None:
    assert fingerprint(function) is None


@pytest.mark.parametrize(
    "function",
    [
        lambda p: jnp.sum(jax.nn.relu(p)) + jnp.linalg.norm(p),
        lambda p: jax.random.normal(jax.random.PRNGKey(0), p.shape) @ p,
        lambda p: jax.lax.fori_loop(0, 3, lambda i, q: q * i, p),
        lambda p: sum(x**2 for x in p if isinstance(x, jax.Array)),
        *(jax.jit(helper_of_none), jax.jit(jnp.sin), made(jnp.ones(2)), lambda p: sum([jnp.exp(x) for x in p])),
    ],
)
def test_what_can_be_told_is(function: Any) -> None:
    told = fingerprint(function)
    assert told is not None
    assert told == fingerprint(function)
    hash(told)


# -- descents --------------------------------------------------------------------------------------------------------------


def fresh() -> None:
    steady._programs.clear()


def run(f: Any, start: Any = (1.0, 2.0), **more: Any) -> ds.Trace:
    return ds.descend(f, np.array(start), ds.adam(lr=0.1), steps=6, **more)


def same(one: ds.Trace, other: ds.Trace) -> None:
    np.testing.assert_array_equal(one.loss, other.loss)
    np.testing.assert_array_equal(one.points, other.points)
    np.testing.assert_array_equal(one.grad_norm, other.grad_norm)
    assert (one.outcome, one.config, one.notes) == (other.outcome, other.config, other.notes)


def test_a_function_seen_before_is_not_traced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh()
    calls = []
    program = steady._traced
    monkeypatch.setattr(steady, "_traced", lambda *a: calls.append(1) or program(*a))

    def g(p: Any) -> Any:
        return jnp.sum(p**4) + 0.777 * p[0]

    traces = [run(lambda p: g(p)) for _ in range(6)]
    assert len(calls) == 1
    for trace in traces[1:]:
        same(trace, traces[0])


def test_a_function_that_counts_its_calls_counts_them_still() -> None:
    counted = []

    def f(p: Any) -> Any:
        counted.append(1)
        return jnp.sum(p**4)

    for k in range(1, 7):
        run(f)
        assert len(counted) >= k


@pytest.mark.parametrize("kind", [np.array, jnp.array, list])
def test_what_it_closes_over_is_seen_in_every_round(kind: Any) -> None:
    fresh()
    data = [[1.0, 2.0], [3.0, 0.5]]
    expected = [run(lambda p, row=row: row[0] * p[0] ** 2 + row[1] * p[1] ** 2).loss for row in data]
    held = [kind(row) for row in data]
    for _ in range(5):
        for row, loss in zip(held, expected, strict=True):
            np.testing.assert_allclose(run(lambda p, r=row: r[0] * p[0] ** 2 + r[1] * p[1] ** 2).loss, loss, rtol=1e-13)


def test_an_array_changed_in_place_after_it_was_kept() -> None:
    """The program that was kept has its own copy: another array that holds what this one did finds it right."""
    scale = np.array([1.0, 2.0])
    f = made(scale)
    before = [run(f) for _ in range(4)][-1].loss
    scale[:] = [5.0, 6.0]
    changed = [run(f) for _ in range(4)]
    assert all(np.array_equal(c.loss, changed[0].loss) for c in changed)
    assert not np.array_equal(changed[0].loss, before)
    np.testing.assert_array_equal(run(made(np.array([1.0, 2.0]))).loss, before)


def test_a_trace_looked_at_after_its_function_has_changed() -> None:
    k = [1.0]

    def f(p: Any) -> Any:
        return k[0] * jnp.sum((p - 1) ** 2)

    def settled() -> ds.Trace:
        return ds.descend(f, np.array([1.0, 2.0]), ds.sgd(lr=0.5), steps=3)

    told = settled().outcome
    held = [settled() for _ in range(4)]
    k[0] = -1.0  # now a summit
    assert all(trace.outcome == told for trace in held)
    assert settled().outcome != told


@pytest.mark.parametrize("start", [(1.0, 2.0, 3.0), np.array([1.0, 2.0], np.float32), {"w": np.array([1.0, 2.0])}])
def test_each_shape_type_and_structure_has_its_own(start: Any) -> None:
    def f(p: Any) -> Any:
        return jnp.sum((p["w"] if isinstance(p, dict) else p) ** 2)

    for _ in range(4):
        plain = run(f)
        other = ds.descend(f, start, ds.adam(lr=0.1), steps=6)
        assert type(other.point) is (dict if isinstance(start, dict) else np.ndarray)
        leaf = other.point["w"] if isinstance(start, dict) else other.point
        assert leaf.dtype == (start.dtype if isinstance(start, np.ndarray) else np.float64)
        assert len(leaf) == (3 if isinstance(start, tuple) else 2)
        assert plain.point.shape == (2,)


def test_what_raises_raises_each_time() -> None:
    def f(p: Any) -> Any:
        return jnp.sum(p) if p.shape == (2,) else jnp.ones(3)

    for _ in range(4):
        run(f)
        with pytest.raises(ds.DescendError, match="must return one number"):
            run(f, (1.0, 2.0, 3.0))


def changing() -> tuple[dict[str, float], Callable[[Any], Any]]:
    k = {"k": 1.0}
    return k, lambda p: k["k"] * jnp.sum(p**2)


def test_an_objective_of_a_function_that_changed_is_another() -> None:
    k, f = changing()
    goal = ds.objective(f)
    for value in (1.0, 2.0, 1.0, 3.0):
        k["k"] = value
        for _ in range(4):
            assert run(goal).loss[0] == 5.0 * value


def test_objectives_that_come_and_go_are_told_apart() -> None:
    for power in range(2, 20):
        goal = ds.objective(lambda p, power=power: jnp.sum(p**power))
        for _ in range(4):
            assert run(goal).loss[0] == 1.0 + 2.0**power
        del goal


def test_a_file_that_was_edited_is_read_again(tmp_path: Any) -> None:
    file = tmp_path / "mine.py"
    for value in (1.0, 2.0, 3.0):
        file.write_text(f"def f(p):\n    return {value} * (p**2).sum()\n")
        for _ in range(4):
            assert run(f"{file}:f").loss[0] == 5.0 * value


def test_arrays_that_stay_within_a_program_are_read_anew() -> None:
    scale = np.array([1.0])

    def f(p: Any) -> Any:
        return jax.jit(lambda q: jnp.sum(jnp.asarray(scale) * q**2))(p)

    for value in (1.0, 3.0, 1.0, 2.0):
        scale[:] = value
        for _ in range(4):
            assert run(f).loss[0] == 5.0 * value


def test_settings_of_jax_are_seen() -> None:
    def f(p: Any) -> Any:
        return jnp.sum(jax.random.normal(jax.random.PRNGKey(0), (2,)) * p)

    usual = [run(f).loss[0] for _ in range(4)]
    with jax.default_prng_impl("rbg"):
        other = [run(f).loss[0] for _ in range(4)]
    assert len({*usual}) == len({*other}) == 1
    assert usual[0] != other[0]


@jax.tree_util.register_pytree_node_class
class Moody:
    """A tree whose text does not show what it holds beside its children."""

    def __init__(self, p: Any, mood: str) -> None:
        self.p, self.mood = p, mood

    def __repr__(self) -> str:
        return "Moody"

    def tree_flatten(self) -> Any:
        return (self.p,), self.mood

    @classmethod
    def tree_unflatten(cls, mood: str, children: Any) -> Moody:
        return cls(*children, mood)


def test_trees_that_look_alike_are_told_apart() -> None:
    def f(tree: Any) -> Any:
        return (10.0 if tree.mood == "b" else 1.0) * jnp.sum(tree.p**2)

    for _ in range(4):
        for mood, factor in (("a", 1.0), ("b", 10.0)):
            trace = ds.descend(f, Moody(np.array([1.0, 2.0]), mood), ds.adam(lr=0.1), steps=3)
            assert trace.loss[0] == 5.0 * factor
            assert trace.point.mood == mood


def test_what_a_tree_can_do_is_seen() -> None:
    """Its methods are read while it is traced, and nothing of the function tells of them."""

    def f(tree: Any) -> Any:
        return tree.factor * jnp.sum(tree.p**2)

    for factor in (1.0, 3.0, 1.0, 2.0):
        Moody.factor = factor  # type: ignore[attr-defined]
        for _ in range(4):
            assert ds.descend(f, Moody(np.array([1.0, 2.0]), "a"), ds.adam(lr=0.1), steps=3).loss[0] == 5.0 * factor


@pytest.mark.parametrize(
    "start", [3.0, [np.ones(2), np.ones(3, np.float32)], {"a": (1.0, [np.ones(2)])}, np.ones((2, 2)), np.ones(40)]
)
def test_starts_of_every_kind_are_as_they_were_the_first_time(start: Any) -> None:
    def f(p: Any) -> Any:
        return sum(jnp.sum(x**2) for x in jax.tree_util.tree_leaves(p))

    for optimizer in (ds.adam(lr=0.1), ds.sgd):
        traces = [ds.descend(f, start, optimizer, steps=5) for _ in range(5)]
        for trace in traces[1:]:
            np.testing.assert_array_equal(trace.loss, traces[0].loss)
            assert (trace.outcome, trace.config, trace.variables) == (traces[0].outcome, traces[0].config, traces[0].variables)
            for mine, first in zip(*(jax.tree_util.tree_leaves((t.point, t.state)) for t in (trace, traces[0])), strict=True):
                np.testing.assert_array_equal(mine, first)
                assert np.asarray(mine).dtype == np.asarray(first).dtype


def test_an_objective_of_more_than_one_number_is_refused_each_time() -> None:
    goal = ds.Objective(fun=lambda p: (jnp.sum(p), p), name="two", text="two")
    for _ in range(4):
        with pytest.raises((ds.DescendError, TypeError)):
            run(goal)


def test_a_tangle_of_helpers_is_looked_at_once_each() -> None:
    space: dict[str, Any] = {"jnp": jnp}
    names = [f"f{k}" for k in range(30)]
    for name in names:
        exec(f"def {name}(p):\n    return 0 * p if p is None else {' + '.join(f'{n}(None)' for n in names)}", space)
    assert fingerprint(space["f0"]) == fingerprint(space["f0"]) is not None
    assert fingerprint(space["f0"]) != fingerprint(space["f1"])
