"""The compiled loop of a descent: evaluate, write a row, update; and how what it carries from step to step is handed over.

XLA on CPUs turns a loop into one function when its body is small enough, and runs a program of few operations without handing
it to another thread. Nothing else here is worth as much: .035 instead of 1 µs a step, 25 instead of 50 µs a call.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from descend.rules import Optimizer
from descend.tracing import Traced, remember

__all__ = ["CAPACITY", "Loop", "Plain", "Vector", "Written", "besides", "capacity", "compiled_loop", "packing"]

Array = Any

#: Steps one call of the compiled program can record. Any number up to it is an argument, not a new program.
CAPACITY = 16_384
#: The same where a row has more than NARROW numbers.
CAPACITY_WIDE, NARROW = 4096, 16
#: Leaves and slots of at most this many numbers travel as one vector.
SMALL = 256


class Plain:
    """Leaves, slots and rates are handed over one by one, as they are."""

    key: Any = None

    def shut(self, tree: Any) -> Any:
        """What the compiled program is given and gives back."""
        return tree

    def open(self, shut: Any) -> Any:
        """The leaves and slots again."""
        return shut

    def shut_rates(self, hyper: Mapping[str, Any]) -> Any:
        """The hyperparameters as the compiled program is given them."""
        return hyper

    def open_rates(self, shut: Any) -> Any:
        """The hyperparameters by name."""
        return shut


class Vector(Plain):
    """Leaves and slots in one vector and rates in another: two arguments and one result."""

    def __init__(self, structure: Any, shapes: tuple[tuple[int, ...], ...], names: tuple[str, ...], kind: Any) -> None:
        self.key = (structure, shapes, names)
        self._structure, self._names, self._kind = structure, names, kind
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
        self._spans = list(zip([0, *ends[:-1]], ends, shapes, strict=True))

    def shut(self, tree: Any) -> Any:
        """What the compiled program is given and gives back."""
        return _joined(tree)

    def open(self, shut: Any) -> Any:
        """The leaves and slots again."""
        return self._structure.unflatten([shut[a:b].reshape(shape) for a, b, shape in self._spans])

    def shut_rates(self, hyper: Mapping[str, Any]) -> Any:
        """The hyperparameters as the compiled program is given them."""
        return np.array([hyper[name] for name in self._names], self._kind)

    def open_rates(self, shut: Any) -> Any:
        """The hyperparameters by name."""
        return {name: shut[k] for k, name in enumerate(self._names)}


def _joined(tree: Any) -> Any:
    """All numbers of a tree in one vector: of NumPy's arrays outside the compiled program, of JAX's inside it."""
    import jax

    parts = jax.tree_util.tree_leaves(tree)
    if isinstance(parts[0], np.ndarray):
        return np.concatenate([part.ravel() for part in parts])
    return jax.numpy.concatenate([part.ravel() for part in parts])


def packing(tree: Any, hyper: Mapping[str, Any], kind: Any) -> Plain:
    """How to hand over leaves, slots and rates: as vectors where they are few numbers of one type, else as they are.

    Types that differ would not survive it, nor would a rate that is an array of its own.
    """
    import jax

    parts, structure = jax.tree_util.tree_flatten(tree)
    few = sum(part.size for part in parts) <= SMALL
    if not few or any(part.dtype != kind for part in parts) or not all(type(v) is float for v in hyper.values()):
        return Plain()
    return _vector(structure, tuple(part.shape for part in parts), tuple(hyper), kind)


@lru_cache(maxsize=256)
def _vector(structure: Any, shapes: tuple[tuple[int, ...], ...], names: tuple[str, ...], kind: Any) -> Vector:
    return Vector(structure, shapes, names, kind)


#: Books no descent is writing into at the moment, each with who may still want what stands in it, and how many are kept.
_books: dict[Any, list[tuple[Any, Callable[[], Written | None]]]] = {}
SPARE = 2
_taking = Lock()


class Written:
    """The first columns of a book, taken out of it when they are looked at, or when the book is needed again."""

    __slots__ = ("__weakref__", "_book", "_columns", "_found")

    def __init__(self, book: Any, columns: int) -> None:
        self._book, self._columns = book, columns
        self._found: NDArray[Any] | None = None

    def take(self) -> NDArray[Any]:
        """One row per quantity, one column per point."""
        with _taking:
            if self._found is None:
                self._found = np.asarray(self._book)[:, : self._columns].copy()
                self._book = None
            return self._found


class Loop:
    """A compiled loop, the books it writes into, and the shortest time a step has taken."""

    def __init__(self, forms: Sequence[Any], shape: tuple[int, int], kind: Any) -> None:
        import jax

        self._forms, self._shape, self._kind, self._config = forms, shape, kind, jax.config
        self._run: Any = None
        self._free = _books.setdefault((shape, kind, None), [])
        self.pace = np.inf

    def __call__(self, span: Any, shut: Any, rates: Any, more: Any, rows: int, *, last: Any = None) -> tuple[Any, Written]:
        """Leaves and slots after the updates of a span, and the first columns of the book.

        `last`: a second span, whose rows are wanted and whose updates are not. A book is given away to the program and comes
        back written: to fill a fresh one with zeros would cost more than some hundred steps.
        """
        device = getattr(self._config, "jax_default_device", None)
        free = self._free if device is None else _books.setdefault((self._shape, self._kind, device), [])
        try:
            book, lent = free.pop()
            before = lent()
            if before is not None:
                before.take()
        except IndexError:
            import jax

            book = jax.numpy.zeros(self._shape, self._kind)
        if self._run is None:
            self._run = _one_function(self._forms, book, span, shut, rates, more)
        shut, book = self._run(book, span, shut, rates, more)
        if last is not None:
            _, book = self._run(book, last, shut, rates, more)
        book.block_until_ready()
        written = Written(book, rows)
        if len(free) < SPARE:
            free.append((book, ref(written)))
        return shut, written


#: Programs that are given more numbers than this are never one function.
FEW = 24


def _one_function(forms: Sequence[Any], book: Any, *given: Any) -> Any:
    """The first form of a program whose loop XLA makes one function of; the first of all where there is none.

    Where a vector is carried from step to step, the body takes its parts out and joins them again, and for some rules it is too
    large by that. Where arrays are carried, more operations stand before the loop, and from eleven on XLA hands them to other
    threads (50 µs) unless another loop is around them; a call is 2 µs longer, and compiling takes twice as long.
    """
    import jax

    numbers = sum(np.size(x) for x in jax.tree_util.tree_leaves(given))
    if len(forms) > 1 and numbers <= FEW and jax.default_backend() == "cpu":
        for form in forms:
            if "xla_cpu_small_call" in (form.lower(book, *given).compile().as_text() or ""):  # what XLA marks it by
                return form
    return forms[0]


#: What None stands for, which a program is given instead: each empty argument costs a tenth of a microsecond a call.
NOTHING: tuple[Any, Any, dict[str, Any]] = ((), None, {})


def besides(consts: Sequence[Array], key: Any, tables: Mapping[str, Any]) -> Any:
    """The arrays an objective closes over and its data, the random key, the tables of scheduled hyperparameters; or None."""
    return (consts, key, tables) if consts or key is not None or tables else None


_loops: OrderedDict[Any, tuple[Loop, Any]] = OrderedDict()


def capacity(leaves: Sequence[Array], points: bool) -> int:
    """Steps one call can record for these parameters."""
    return CAPACITY if _width(leaves, points) <= NARROW else CAPACITY_WIDE


def _width(leaves: Sequence[Array], points: bool) -> int:
    return 3 + (sum(leaf.size for leaf in leaves) if points else 0)


def compiled_loop(
    traced: Traced, optimizer: Optimizer, leaves: Sequence[Array], handed: Plain, *, points: bool, wide: bool
) -> Loop:
    """The compiled loop for an objective, a rule, and parameters of these shapes: found by the program's text, or made.

    It takes [first column, the one past the last, t of column 0], leaves and slots, rates, and what few descents have (see
    `besides`); it returns leaves and slots after an update for each column, and the book with those columns written.
    """
    shapes = tuple((x.shape, x.dtype) for x in leaves)
    scheduled = tuple(sorted(optimizer.scheduled))
    key = (traced.text, shapes, optimizer.structure, scheduled, handed.key, points, wide, traced.stochastic)
    if key not in _loops:
        kind = np.float64 if wide else np.float32
        forms = _forms(traced, optimizer, scheduled, handed, points, kind)
        made = Loop(forms, (_width(leaves, points), capacity(leaves, points) + 1), kind)
        remember(_loops, key, (made, (traced.closed, optimizer)))
    _loops.move_to_end(key)
    return _loops[key][0]


def _forms(
    traced: Traced, optimizer: Optimizer, scheduled: tuple[str, ...], handed: Plain, points: bool, kind: Any
) -> list[Any]:
    """The loop in the forms it can take, the better first."""
    import jax
    import jax.numpy as jnp

    elsewhere, structural = optimizer.reports_elsewhere, optimizer.structural

    def reported(leaves: list[Array], slots: Any) -> Any:
        return jax.tree_util.tree_map(_as_before, leaves, optimizer.report(leaves, {"slots": slots}))

    def stepper(span: Any, rates: Any, more: Any) -> Callable[[Any, Any, Any], Any]:
        """Leaves and slots after one update, and the book with the column of the point before it."""
        consts, key, tables = more or NOTHING

        def step(k: Any, now: Any, book: Any) -> Any:
            leaves, slots = now
            extra = [jax.random.fold_in(key, span[2] + k)] if traced.stochastic else []
            loss, *grads = traced.evaluate(consts, *leaves, *extra)
            shown = leaves
            if elsewhere:  # the gradient is taken at p, the loss is told at the point the rule reports
                shown = reported(leaves, slots)
                loss, *_ = traced.evaluate(consts, *shown, *extra)
            hyper = structural | handed.open_rates(rates) | {name: tables[name][k] for name in scheduled}
            new, after = optimizer.step_leaves(leaves, grads, {"t": span[2] + k, "slots": slots}, hyper)
            new, after = jax.tree_util.tree_map(_as_before, (leaves, slots), (new, after["slots"]))
            there = reported(new, after) if elsewhere else new
            moved = [a - b for a, b in zip(there, shown, strict=True)]
            row = [loss, _norm(grads), _norm(moved), *(shown if points else [])]
            column = jnp.concatenate([jnp.ravel(x).astype(kind) for x in row])
            return (new, after), jax.lax.dynamic_update_slice(book, column[:, None], (0, k))

        return step

    def as_handed(book: Any, span: Any, shut: Any, rates: Any, more: Any) -> Any:
        """What is handed over is what is carried: of few numbers one vector."""
        step = stepper(span, rates, more)

        def opened(k: Any, carry: Any) -> Any:
            after, book = step(k, handed.open(carry[0]), carry[1])
            return handed.shut(after), book

        return jax.lax.fori_loop(span[0], span[1], opened, (_arrays(shut), book))

    def as_arrays(book: Any, span: Any, shut: Any, rates: Any, more: Any) -> Any:
        """Arrays are carried, within a loop that turns once, which XLA must not know."""
        step = stepper(span, rates, more)

        def once(_: Any, carry: Any) -> Any:
            shut, book = carry
            ended, book = jax.lax.fori_loop(span[0], span[1], lambda k, now: step(k, *now), (handed.open(shut), book))
            return handed.shut(ended), book

        return jax.lax.fori_loop(0, jnp.sign(span[1]), once, (_arrays(shut), book))

    forms = [as_handed, as_arrays] if isinstance(handed, Vector) else [as_handed]
    return [jax.jit(form, donate_argnums=0) for form in forms]


def _arrays(tree: Any) -> Any:
    """Numbers of a type of their own, which a loop needs: NumPy's scalars are of none to JAX."""
    import jax

    return jax.tree_util.tree_map(lambda x: jax.numpy.asarray(x, dtype=x.dtype), tree)


def _as_before(old: Array, new: Array) -> Array:
    import jax.numpy as jnp

    return jnp.asarray(new, dtype=old.dtype)


#: Powers of two that bring numbers whose squares overflow back among those whose squares do not, by the bytes of a number.
_SMALLER = {4: 2.0**-70, 8: 2.0**-520}
#: Norms of float32 below which squares may have vanished; those of float64 vanish below 1e-154 only.
_LOST = 2.0**-40


def _norm(arrays: Sequence[Array]) -> Array:
    """Euclidean norm, also where the squares overflow, or vanish in float32.

    The factors are constants: XLA would square one that is chosen apart from a gradient that is the same everywhere.
    """
    import jax.numpy as jnp

    kind = jnp.result_type(jnp.float32, *(x.dtype for x in arrays))
    small = _SMALLER[kind.itemsize]

    def size(factor: float) -> Array:
        return jnp.sqrt(sum(jnp.sum(jnp.square(x.astype(kind) * factor)) for x in arrays))

    plain = size(1.0)
    found = jnp.where(jnp.isinf(plain), size(small) / small, plain)
    return found if kind.itemsize == 8 else jnp.where(found < _LOST, size(1 / small) * small, found)
