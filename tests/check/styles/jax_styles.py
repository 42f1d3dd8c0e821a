"""Optimizers in JAX: pure functions and the classes around them. Each block is a module of its own; see test_check_styles.

The line above a block: the object, the rule it is meant to be, and the mistake that is planted, as old => new.
"""

# ruff: noqa: F811  (blocks of the same names; a line says what is planted)

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

# %% init_and_update:Adam adam | self.b1 * a + (1 - self.b1) * g => self.b1 * a + (1 - self.b1) * 2 * g


class AdamState(NamedTuple):
    count: int
    mu: Any
    nu: Any


class Adam:
    def __init__(self, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps

    def init(self, params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return AdamState(0, zeros, zeros)

    def update(self, params, grads, state):
        count = state.count + 1
        mu = jax.tree.map(lambda a, g: self.b1 * a + (1 - self.b1) * g, state.mu, grads)
        nu = jax.tree.map(lambda a, g: self.b2 * a + (1 - self.b2) * g * g, state.nu, grads)
        c1, c2 = 1 - self.b1**count, 1 - self.b2**count
        new = jax.tree.map(lambda p, m, v: p - self.lr * (m / c1) / (jnp.sqrt(v / c2) + self.eps), params, mu, nu)
        return new, AdamState(count, mu, nu)


# %% gradients_state_parameters:RMSProp rmsprop | jnp.square(g) => jnp.abs(g)


class RMSProp:
    """Gives back updates to be added, as optax does."""

    def __init__(self, learning_rate=0.01, decay=0.9, eps=1e-8):
        self.learning_rate, self.decay, self.eps = learning_rate, decay, eps

    def init(self, params):
        return {"nu": jax.tree.map(jnp.zeros_like, params)}

    def update(self, grads, state, params=None):
        nu = jax.tree.map(lambda n, g: self.decay * n + (1 - self.decay) * jnp.square(g), state["nu"], grads)
        updates = jax.tree.map(lambda g, n: -self.learning_rate * g / (jnp.sqrt(n) + self.eps), grads, nu)
        return updates, {"nu": nu}


# %% state_first:Momentum momentum | p - self.lr * v => p - self.lr * (v - g)


class Momentum:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum

    def create_state(self, params):
        return [jnp.zeros_like(p) for p in params]

    def step(self, opt_state, grads, params):
        opt_state = [self.momentum * v + g for v, g in zip(opt_state, grads, strict=True)]
        return [p - self.lr * v for p, v, g in zip(params, opt_state, grads, strict=True)], opt_state


# %% three_functions:adam adam | jnp.asarray(b2) ** (i + 1) => jnp.asarray(b2) ** (i + 2)


def adam(step_size=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    def init(x0):
        return x0, jnp.zeros_like(x0), jnp.zeros_like(x0)

    def update(i, g, state):
        x, m, v = state
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * jnp.square(g) + b2 * v
        mhat = m / (1 - jnp.asarray(b1) ** (i + 1))
        vhat = v / (1 - jnp.asarray(b2) ** (i + 1))
        return x - step_size * mhat / (jnp.sqrt(vhat) + eps), m, v

    def get_params(state):
        return state[0]

    return init, update, get_params


# %% module_functions:update adam | (1 - beta2) * g**2 => (1 - beta1) * g**2


class State(NamedTuple):
    step: jax.Array
    m: Any
    v: Any


def init(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return State(jnp.zeros((), jnp.int32), zeros, zeros)


def update(params, grads, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    step = state.step + 1
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, state.m, grads)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state.v, grads)
    params = jax.tree.map(
        lambda p, m, v: p - lr * m / (1 - beta1**step) / (jnp.sqrt(v / (1 - beta2**step)) + eps), params, m, v
    )
    return params, State(step, m, v)


# %% train_state:TrainState momentum | self.momentum * v + g => v + self.momentum * g


@dataclass(frozen=True)
class TrainState:
    """Parameters and memory in one; a step gives a new one back."""

    params: Any
    velocity: Any
    lr: float = 0.01
    momentum: float = 0.9

    @classmethod
    def create(cls, params, lr=0.01, momentum=0.9):
        return cls(params, jax.tree.map(jnp.zeros_like, params), lr, momentum)

    def apply_gradients(self, grads):
        velocity = jax.tree.map(lambda v, g: self.momentum * v + g, self.velocity, grads)
        params = jax.tree.map(lambda p, v: p - self.lr * v, self.params, velocity)
        return replace(self, params=params, velocity=velocity)


# %% optimizer_that_is_replaced:RMSProp rmsprop | (1 - self.rho) * g * g => self.rho * g * g


class RMSProp(NamedTuple):
    """An optimizer without side effects: a step gives the parameters and the next optimizer."""

    lr: float = 0.01
    rho: float = 0.9
    eps: float = 1e-8
    mean: Any = None

    def step(self, params, grads):
        mean = self.mean or [jnp.zeros_like(p) for p in params]
        mean = [self.rho * s + (1 - self.rho) * g * g for s, g in zip(mean, grads, strict=True)]
        new = [p - self.lr * g / (jnp.sqrt(s) + self.eps) for p, g, s in zip(params, grads, mean, strict=True)]
        return new, self._replace(mean=mean)


# %% compiled_function:momentum_update momentum | mu * v + g => mu * v + (1 - mu) ** 2 * g


@partial(jax.jit, static_argnames=())
def momentum_update(param, grad, buf, lr=0.01, mu=0.9):
    buf = jax.tree.map(lambda v, g: mu * v + g, buf, grad)
    return jax.tree.map(lambda p, v: p - lr * v, param, buf), buf
