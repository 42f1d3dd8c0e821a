"""Other libraries' optimizers where a rule of ours could stand: optax transformations and torch.optim classes.

    descend("x**2 + 3*y**2", [4, 3], optax.adabelief(0.1))
    descend("x**2 + 3*y**2", [4, 3], functools.partial(torch.optim.Adagrad, lr=0.5))

An optax transformation runs inside the compiled loop. A torch optimizer runs a step at a time from Python on NumPy arrays: a
few hundred microseconds a step. Neither library is imported before an object of its own is met.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.rules import Optimizer, Rule
from descend.schedules import Schedule
from descend.trees import flatten

__all__ = ["Foreign", "OptaxOptimizer", "TorchOptimizer", "as_descend_optimizer"]

Array = Any
State = dict[str, Any]


def as_descend_optimizer(optimizer: Any) -> Any:
    """What a descent can drive: a rule of ours as it is, an optax transformation or a torch.optim class wrapped.

    Taken from torch: a class, `functools.partial` of one, an instance (its settings), or a function of the parameters. Their
    keyword arguments may be schedules of ours.

    >>> import functools, torch
    >>> as_descend_optimizer(functools.partial(torch.optim.Adagrad, lr=0.5))
    torch.optim.Adagrad(lr=0.5)
    """
    if isinstance(optimizer, Rule):
        return optimizer()
    if isinstance(optimizer, Optimizer | Foreign):
        return optimizer
    if callable(getattr(optimizer, "init", None)) and callable(getattr(optimizer, "update", None)):
        return OptaxOptimizer(optimizer)
    if "torch" in sys.modules:
        found = _torch_factory(optimizer)
        if found is not None:
            return found
    raise DescendError(
        f"an optimizer is a rule such as adam(lr=0.1), an optax transformation or a torch.optim class; got {optimizer!r:.80}"
    )


class Foreign:
    """What every optimizer offers to the loop, for one whose equations belong to another library."""

    backend = "any"
    reports_elsewhere = False
    mask = None

    def __init__(self, name: str, hyperparameters: Mapping[str, Any], stated: Sequence[str]) -> None:
        self.name = name
        self.hyperparameters = dict(hyperparameters)
        self.stated = frozenset(stated)
        self.common: dict[str, Any] = {}

    def __repr__(self) -> str:
        stated = ", ".join(f"{k}={v}" for k, v in self.hyperparameters.items() if k in self.stated)
        return f"{self.name}({stated})"

    @property
    def scheduled(self) -> dict[str, Schedule]:
        """The hyperparameters that follow a schedule of ours."""
        return {k: v for k, v in self.hyperparameters.items() if isinstance(v, Schedule)}

    @property
    def structural(self) -> dict[str, Any]:
        """Hyperparameters that are not single numbers."""
        return {k: v for k, v in self.hyperparameters.items() if isinstance(v, bool) or not isinstance(v, float | Schedule)}

    @property
    def structure(self) -> tuple[Any, ...]:
        """What decides the shape of the computation: this very object."""
        return (self,)

    def at_step(self, step: int) -> dict[str, Any]:
        """Every hyperparameter as it stands after `step` updates."""
        return {k: float(v(step)) if isinstance(v, Schedule) else v for k, v in self.hyperparameters.items()}

    def init(self, params: Any) -> State:
        """The state before the first step, for a tree of arrays."""
        return self.init_leaves(flatten(params)[0])

    def step(self, params: Any, grads: Any, state: State, values: Mapping[str, Any] | None = None) -> tuple[Any, State]:
        """One step on a tree of arrays: the new parameters and the new state."""
        leaves, rebuild = flatten(params)
        hyper = self.at_step(int(state["t"])) if values is None else values
        new, state = self.step_leaves(leaves, flatten(grads)[0], state, hyper)
        return rebuild(new), state

    def report(self, leaves: Sequence[Array], state: State) -> list[Array]:
        """The point to look at: the parameters themselves."""
        return list(leaves)

    def rebuilt(self, state: State) -> State:
        """The state itself: how it follows from the number of steps is the other library's matter."""
        return state

    def init_leaves(self, leaves: Sequence[Array]) -> State:
        raise NotImplementedError

    def step_leaves(
        self, leaves: Sequence[Array], grads: Sequence[Array], state: State, hyper: Mapping[str, Any]
    ) -> tuple[list[Array], State]:
        raise NotImplementedError

    def with_values(self, **changes: Any) -> Foreign:
        raise NotImplementedError


# -- optax ----------------------------------------------------------------------------------------------------------------


class OptaxOptimizer(Foreign):
    """An optax transformation. Its state is kept as one dict of arrays, named by their places in optax's own state.

    What `optax.inject_hyperparams` exposes can be changed and scheduled from here; `learning_rate` is called `lr`.
    """

    backend = "jax"

    def __init__(self, transformation: Any, changes: Mapping[str, Any] | None = None) -> None:
        self.transformation = transformation
        self._own = _injected(transformation)
        super().__init__("optax", self._own | dict(changes or {}), [*self._own])
        self._compiled: Callable[..., Any] | None = None

    def with_values(self, **changes: Any) -> OptaxOptimizer:
        """The same transformation with injected hyperparameters changed."""
        for name in changes:
            if name not in self._own:
                known = f"it has {', '.join(self._own)}" if self._own else "make it with optax.inject_hyperparams"
                raise DescendError(f"this optax transformation has no hyperparameter {name!r} to set from outside; {known}")
        return OptaxOptimizer(self.transformation, {**self.hyperparameters, **changes})

    def init_leaves(self, leaves: Sequence[Array]) -> State:
        """The state of the transformation for these arrays, or a sentence if it needs more than gradients and parameters."""
        import jax

        with _double(leaves):
            state = self.transformation.init([jax.numpy.asarray(p) for p in leaves])
            try:
                jax.eval_shape(self.transformation.update, list(leaves), state, list(leaves))
            except TypeError as error:
                raise DescendError(
                    f"this optax transformation needs more than gradients and parameters, so it cannot be driven here: {error}"
                ) from None
            flat = jax.tree_util.tree_flatten_with_path(state)[0]
            slots = {jax.tree_util.keystr(path): np.asarray(_stored(value)) for path, value in flat}
        return {"t": 0, "slots": [slots]}

    def step_leaves(
        self, leaves: Sequence[Array], grads: Sequence[Array], state: State, hyper: Mapping[str, Any]
    ) -> tuple[list[Array], State]:
        """One update and its application. NumPy arrays come back as NumPy arrays."""
        import jax

        injected = {k: hyper[k] for k in self._own}
        (slots,) = state["slots"]
        if not all(isinstance(p, np.ndarray) for p in leaves):
            new, slots = self._update(list(leaves), list(grads), slots, injected)
            return new, {"t": state["t"] + 1, "slots": [slots]}
        if self._compiled is None:
            self._compiled = jax.jit(self._update)
        with _double(leaves):
            new, slots = self._compiled(list(leaves), list(grads), slots, injected)
            new, slots = [np.asarray(p) for p in new], {k: np.asarray(v) for k, v in slots.items()}
        return new, {"t": state["t"] + 1, "slots": [slots]}

    def _update(
        self, leaves: list[Array], grads: list[Array], slots: dict[str, Array], injected: dict[str, Any]
    ) -> tuple[list[Array], dict[str, Array]]:
        import jax
        import optax

        model = jax.eval_shape(self.transformation.init, leaves)
        flat, tree = jax.tree_util.tree_flatten_with_path(model)
        names = [jax.tree_util.keystr(path) for path, _ in flat]
        values = [
            jax.numpy.asarray(slots[name]).reshape(like.shape).astype(like.dtype)
            for name, (_, like) in zip(names, flat, strict=True)
        ]
        state = jax.tree_util.tree_unflatten(tree, values)
        if injected:
            theirs = {"learning_rate" if k == "lr" else k: v for k, v in injected.items()}
            old = state.hyperparams
            state = state._replace(hyperparams=old | {k: jax.numpy.asarray(v, old[k].dtype) for k, v in theirs.items()})
        updates, state = self.transformation.update(grads, state, leaves)
        new = optax.apply_updates(leaves, updates)
        return list(new), {name: _stored(v) for name, v in zip(names, jax.tree_util.tree_leaves(state), strict=True)}


def _stored(value: Any) -> Any:
    """Single whole numbers as arrays of one: single numbers are kept as floats by the loop."""
    return value.reshape(1) if value.ndim == 0 and value.dtype.kind != "f" else value


def _double(leaves: Sequence[Array]) -> Any:
    import jax

    return jax.enable_x64(any(np.dtype(p.dtype) == np.float64 for p in leaves))


def _injected(transformation: Any) -> dict[str, float]:
    """The numbers that `optax.inject_hyperparams` exposes, schedules of optax's own left out."""
    import jax

    try:
        state = transformation.init([jax.numpy.zeros((1, 1))])
    except Exception:  # a transformation for a particular tree says so when it meets the parameters
        return {}
    exposed = dict(getattr(state, "hyperparams", None) or {})
    follows = getattr(state, "hyperparams_states", None) or {}
    return {"lr" if k == "learning_rate" else k: _short(v) for k, v in exposed.items() if k not in follows and not v.ndim}


def _short(value: Any) -> float:
    """A float32 number as a person would write it: 0.1, not 0.10000000149."""
    return float(str(np.asarray(value))) if np.asarray(value).dtype == np.float32 else float(value)


# -- torch ----------------------------------------------------------------------------------------------------------------


class TorchOptimizer(Foreign):
    """A class of torch.optim with its settings, driven on NumPy arrays a step at a time from Python."""

    backend = "torch"

    def __init__(self, factory: Callable[..., Any], name: str, settings: Mapping[str, Any], stated: Sequence[str]) -> None:
        super().__init__(name, settings, stated)
        self._factory = factory

    def with_values(self, **changes: Any) -> TorchOptimizer:
        """The same optimizer with some settings changed."""
        for key in changes:
            if key not in self.hyperparameters:
                raise DescendError(f"{self.name} has no {key!r}; it has {', '.join(self.hyperparameters)}")
        settings = {**self.hyperparameters, **changes}
        return TorchOptimizer(self._factory, self.name, settings, [*self.stated, *changes])

    def init_leaves(self, leaves: Sequence[Array]) -> State:
        """No state yet; a sentence if torch refuses the settings or the arrays, or asks for a closure."""
        self._made(leaves, self.at_step(0))
        return {"t": 0, "slots": [{} for _ in leaves]}

    def step_leaves(
        self, leaves: Sequence[Array], grads: Sequence[Array], state: State, hyper: Mapping[str, Any]
    ) -> tuple[list[Array], State]:
        """One step; the arrays given are left as they are."""
        import torch

        optimizer, params = self._made(leaves, hyper)
        for p, g, slots in zip(params, grads, state["slots"], strict=True):
            p.grad = _tensor(g)
            if slots:
                optimizer.state[p] = {k: _tensor(v) for k, v in slots.items()}
        with torch.no_grad():
            optimizer.step()
        after = [{k: v.numpy() for k, v in optimizer.state[p].items() if isinstance(v, torch.Tensor)} for p in params]
        new = [_like(p.detach().numpy(), leaf) for p, leaf in zip(params, leaves, strict=True)]
        return new, {"t": state["t"] + 1, "slots": after}

    def _made(self, leaves: Sequence[Array], hyper: Mapping[str, Any]) -> tuple[Any, list[Any]]:
        import torch

        params = [_tensor(p).requires_grad_() for p in leaves]
        settings = {k: v for k, v in hyper.items() if k in self.stated}
        try:
            optimizer = self._factory(params, **settings)
        except (ValueError, TypeError, RuntimeError) as error:
            raise DescendError(f"{self.name} refuses: {error}") from None
        if isinstance(optimizer, torch.optim.LBFGS):
            raise DescendError(
                "torch.optim.LBFGS evaluates the loss within a step, which a descent does not offer; use L-BFGS of scipy"
            )
        if isinstance(optimizer, torch.optim.SparseAdam):
            raise DescendError("torch.optim.SparseAdam takes sparse gradients alone; use torch.optim.Adam")
        return optimizer, params


def _torch_factory(optimizer: Any) -> TorchOptimizer | None:
    import torch

    kind = torch.optim.Optimizer
    cls, settings = optimizer, {}
    if isinstance(optimizer, functools.partial) and not optimizer.args:
        cls, settings = optimizer.func, dict(optimizer.keywords)
    if isinstance(optimizer, kind):
        cls = type(optimizer)
        known = inspect.signature(cls).parameters
        settings = {k: v for k, v in optimizer.param_groups[0].items() if k in known and k != "params"}
    if isinstance(cls, type) and issubclass(cls, kind):
        defaults = {k: p.default for k, p in inspect.signature(cls).parameters.items() if p.default is not p.empty}
        values = {k: _plain(v) for k, v in (defaults | settings).items() if k not in ("foreach", "fused")}
        return TorchOptimizer(cls, f"torch.optim.{cls.__name__}", values, list(settings))
    if callable(optimizer):
        try:
            made = optimizer([torch.zeros(1, 1, requires_grad=True)])
        except Exception:
            return None
        if isinstance(made, kind):
            return TorchOptimizer(optimizer, f"torch.optim.{type(made).__name__}", _settings(made), [])
    return None


def _settings(made: Any) -> dict[str, Any]:
    return {k: _plain(v) for k, v in made.param_groups[0].items() if k != "params"}


def _plain(value: Any) -> Any:
    if isinstance(value, Schedule | bool) or value is None:
        return value
    return float(value) if isinstance(value, int | float) or getattr(value, "ndim", 1) == 0 else value


def _tensor(x: Any) -> Any:
    import torch

    return torch.from_numpy(np.array(x)) if not isinstance(x, torch.Tensor) else x.detach().clone()


def _like(x: Any, model: Any) -> Any:
    """As the same kind of array as the model: NumPy, torch or JAX."""
    if isinstance(model, np.ndarray):
        return x
    if type(model).__module__.startswith("torch"):
        import torch

        return torch.from_numpy(x)
    import jax

    return jax.numpy.asarray(x)
