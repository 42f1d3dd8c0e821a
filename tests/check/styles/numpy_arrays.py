"""Optimizers in NumPy that are handed arrays. Each block is a module of its own; see test_check_styles.

The line above a block: the object, the rule it is meant to be, and the mistake that is planted, as old => new.
"""

# ruff: noqa: F811, E501  (blocks of the same names; a line says what is planted)

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

# %% config_dict:adam adam | config["beta1"] * config["m"] + (1 - config["beta1"]) => config["beta2"] * config["m"] + (1 - config["beta1"])


def adam(w, dw, config=None):
    config = {} if config is None else config
    for key, value in {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}.items():
        config.setdefault(key, value)
    config.setdefault("m", np.zeros_like(w))
    config.setdefault("v", np.zeros_like(w))
    config["t"] += 1
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw**2
    m, v = config["m"] / (1 - config["beta1"] ** config["t"]), config["v"] / (1 - config["beta2"] ** config["t"])
    return w - config["learning_rate"] * m / (np.sqrt(v) + config["epsilon"]), config


# %% params_and_grads_dicts:Momentum momentum | self.momentum * self.v[key] - self.lr * grads[key] => self.momentum * self.v[key] - grads[key]


class Momentum:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, None

    def update(self, params, grads):
        if self.v is None:
            self.v = {key: np.zeros_like(val) for key, val in params.items()}
        for key in params:
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]


# %% slots_dict:apply_adam adam | np.sqrt(1.0 - slots["power2"]) / (1.0 - slots["power1"]) => 1.0 / (1.0 - slots["power1"])


def apply_adam(var, grad, slots, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m, v = slots.setdefault("m", np.zeros_like(var)), slots.setdefault("v", np.zeros_like(var))
    slots["power1"] = slots.get("power1", 1.0) * beta1
    slots["power2"] = slots.get("power2", 1.0) * beta2
    alpha = learning_rate * np.sqrt(1.0 - slots["power2"]) / (1.0 - slots["power1"])
    m += (grad - m) * (1.0 - beta1)
    v += (grad**2 - v) * (1.0 - beta2)
    var -= m * alpha / (np.sqrt(v) + epsilon)
    return var


# %% key_first:Adam adam | self.t[key] += 1 => self.t[key] += 2


class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v, self.t = {}, {}, {}

    def update(self, key, param, grad):
        if key not in self.m:
            self.m[key], self.v[key], self.t[key] = np.zeros_like(param), np.zeros_like(param), 0
        self.t[key] += 1
        self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * grad
        self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * grad**2
        m, v = self.m[key] / (1 - self.beta1 ** self.t[key]), self.v[key] / (1 - self.beta2 ** self.t[key])
        return param - self.lr * m / (np.sqrt(v) + self.eps)


# %% number_first:RMSProp rmsprop | grad / (np.sqrt(self.cache[idx]) + self.eps) => grad / np.sqrt(self.cache[idx] + 100 * self.eps)


class RMSProp:
    def __init__(self, lr=0.01, decay=0.9, eps=1e-8):
        self.lr, self.decay, self.eps, self.cache = lr, decay, eps, {}

    def apply(self, layer_id, weight, grad):
        idx = layer_id
        self.cache[idx] = self.decay * self.cache.get(idx, 0.0) + (1 - self.decay) * grad * grad
        weight -= self.lr * grad / (np.sqrt(self.cache[idx]) + self.eps)


# %% name_last:Momentum momentum | self.v[name] = v => self.v["last"] = v


class Momentum:
    def __init__(self, lr=0.01, mu=0.9):
        self.lr, self.mu, self.v = lr, mu, {}

    def __call__(self, param, grad, name, cur_loss=None):
        v = self.mu * self.v.get(name, np.zeros_like(param)) + grad
        self.v[name] = v
        return param - self.lr * v


# %% closure:make_adam adam | state["t"] += 1 => state["t"] += 0.5


def make_adam(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    state = {"t": 0, "m": None, "v": None}

    def step(theta, g):
        if state["m"] is None:
            state["m"], state["v"] = np.zeros_like(theta), np.zeros_like(theta)
        state["t"] += 1
        state["m"] = beta1 * state["m"] + (1 - beta1) * g
        state["v"] = beta2 * state["v"] + (1 - beta2) * g**2
        m, v = state["m"] / (1 - beta1 ** state["t"]), state["v"] / (1 - beta2 ** state["t"])
        return theta - lr * m / (np.sqrt(v) + eps)

    return step


# %% closure_over_parameters:momentum momentum | v *= mu => v *= mu * mu


def momentum(params, lr=0.01, mu=0.9):
    velocity = [np.zeros_like(p) for p in params]

    def update(grads):
        for p, v, g in zip(params, velocity, grads, strict=True):
            v *= mu
            v += g
            p -= lr * v

    return update


# %% generator:rmsprop rmsprop | v = rho * v + (1 - rho) * g * g => v = rho * v + g * g


def rmsprop(p, lr=0.01, rho=0.9, eps=1e-8):
    """Yields the parameters, is sent their gradient."""
    v = np.zeros_like(p)
    while True:
        g = yield p
        v = rho * v + (1 - rho) * g * g
        p = p - lr * g / (np.sqrt(v) + eps)


# %% generator_of_points:descend_adam adam | g = gradient(x) => g = -gradient(x)


def descend_adam(gradient, x0, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    x, m, v, t = x0, 0.0, 0.0, 0
    while True:
        yield x
        t += 1
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        x = x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


# %% dataclass_called:Adam adam | self.beta2**self.t => self.beta1**self.t


@dataclass
class Adam:
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    t: int = field(default=0, init=False)
    moments: list = field(default_factory=list, init=False)

    def __call__(self, params, grads):
        if not self.moments:
            self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in params]
        self.t += 1
        new = []
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            m, v = self.moments[i]
            m, v = self.beta1 * m + (1 - self.beta1) * g, self.beta2 * v + (1 - self.beta2) * g**2
            self.moments[i] = (m, v)
            m_hat, v_hat = m / (1 - self.beta1**self.t), v / (1 - self.beta2**self.t)
            new.append(p - self.lr * m_hat / (np.sqrt(v_hat) + self.eps))
        return new


# %% attributes_set_afterwards:Adam adam | m / (1 - self.beta1**self.t) => m


class Adam:
    """Hyperparameters are given after it is made: adam.lr = 0.01."""

    lr: float
    beta1: float
    beta2: float
    eps: float

    def __init__(self):
        self.t, self.memory = 0, []

    def step(self, params, grads):
        self.t += 1
        self.memory = self.memory or [(np.zeros_like(p), np.zeros_like(p)) for p in params]
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            m, v = self.memory[i]
            m, v = self.beta1 * m + (1 - self.beta1) * g, self.beta2 * v + (1 - self.beta2) * g**2
            self.memory[i] = (m, v)
            p -= self.lr * (m / (1 - self.beta1**self.t)) / (np.sqrt(v / (1 - self.beta2**self.t)) + self.eps)


# %% config_object:Momentum momentum | cfg.momentum * v + g => cfg.momentum * (v + g)


class Momentum:
    def __init__(self, cfg):
        self.cfg, self.v = cfg, None

    def step(self, params, grads):
        cfg = self.cfg
        self.v = [0.0 for _ in params] if self.v is None else self.v
        self.v = [cfg.momentum * v + g for v, g in zip(self.v, grads, strict=True)]
        return [p - cfg.lr * v for p, v in zip(params, self.v, strict=True)]


# %% config_dataclass:RMSProp rmsprop | (1 - c.decay) * g**2 => (1 - c.decay**2) * g**2


@dataclass
class RMSPropConfig:
    learning_rate: float = 0.01
    decay: float = 0.9
    epsilon: float = 1e-8


class RMSProp:
    def __init__(self, config: RMSPropConfig):
        self.config, self.cache = config, None

    def update(self, w, g):
        c = self.config
        self.cache = np.zeros_like(w) if self.cache is None else self.cache
        self.cache = c.decay * self.cache + (1 - c.decay) * g**2
        return w - c.learning_rate * g / (np.sqrt(self.cache) + c.epsilon)


# %% hyperparameters_in_a_dict:adam_update adam | hp["beta2"] * s["v"] => hp["beta1"] * s["v"]


def start_adam(p):
    return {"m": np.zeros_like(p), "v": np.zeros_like(p), "t": 0}


def adam_update(p, g, s, hp):
    t = s["t"] + 1
    m = hp["beta1"] * s["m"] + (1 - hp["beta1"]) * g
    v = hp["beta2"] * s["v"] + (1 - hp["beta2"]) * g**2
    m_hat, v_hat = m / (1 - hp["beta1"] ** t), v / (1 - hp["beta2"] ** t)
    return p - hp["lr"] * m_hat / (np.sqrt(v_hat) + hp["eps"]), {"m": m, "v": v, "t": t}


# %% keywords_only:momentum_step momentum | velocity=momentum * velocity + grad => velocity=momentum * velocity - grad


class Kept(NamedTuple):
    velocity: np.ndarray | float = 0.0


def momentum_step(*, param, grad, state=None, lr=0.01, momentum=0.9):
    velocity = (state or Kept()).velocity
    state = Kept(velocity=momentum * velocity + grad)
    return param - lr * state.velocity, state


# %% state_class_beside:adam_step adam | state.m / (1 - beta1**state.t) => state.m / (1 - beta2**state.t)


@dataclass
class AdamState:
    m: np.ndarray
    v: np.ndarray
    t: int = 0

    @classmethod
    def zeros_like(cls, p):
        return cls(np.zeros_like(p), np.zeros_like(p))


def adam_step(p, g, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    state.t += 1
    state.m = beta1 * state.m + (1 - beta1) * g
    state.v = beta2 * state.v + (1 - beta2) * g**2
    m, v = state.m / (1 - beta1**state.t), state.v / (1 - beta2**state.t)
    return p - lr * m / (np.sqrt(v) + eps)


# %% built_first:Adam adam | self.beta1 * m + (1 - self.beta1) * g => self.beta1 * m + (1 - self.beta2) * g


class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps

    def build(self, params):
        self.m, self.v, self.t = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params], 0

    def step(self, params, grads):
        self.t += 1
        self.m = [self.beta1 * m + (1 - self.beta1) * g for m, g in zip(self.m, grads, strict=True)]
        self.v = [self.beta2 * v + (1 - self.beta2) * g**2 for v, g in zip(self.v, grads, strict=True)]
        for p, m, v in zip(params, self.m, self.v, strict=True):
            p -= self.lr * (m / (1 - self.beta1**self.t)) / (np.sqrt(v / (1 - self.beta2**self.t)) + self.eps)


# %% built_from_a_shape:Momentum momentum | return w - self.lr * self.v => return w + self.lr * self.v


class Momentum:
    def __init__(self, shape, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum
        self.v = np.zeros(shape)

    def step(self, w, g):
        self.v = self.momentum * self.v + g
        return w - self.lr * self.v


# %% parameters_kept_inside:Adam adam | self.theta = self.theta - self.lr => self.theta = 0.99 * self.theta - self.lr


class Adam:
    """Keeps the parameters; they are read back from it."""

    def __init__(self, theta, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        self.theta = np.array(theta)
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v, self.t = np.zeros_like(self.theta), np.zeros_like(self.theta), 0

    def step(self, grad):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * grad**2
        m, v = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        self.theta = self.theta - self.lr * m / (np.sqrt(v) + self.eps)


# %% minimises_by_itself:Adam adam | v = self.beta2 * v + => v = self.beta2 * v * 0.5 +


class Adam:
    def __init__(self, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, n_iter=100):
        self.lr, self.beta1, self.beta2, self.eps, self.n_iter = lr, beta1, beta2, eps, n_iter

    def minimize(self, grad_fn, x0):
        x, m, v = np.array(x0), 0.0, 0.0
        for t in range(1, self.n_iter + 1):
            g = grad_fn(x)
            m = self.beta1 * m + (1 - self.beta1) * g
            v = self.beta2 * v + (1 - self.beta2) * g * g
            x = x - self.lr * (m / (1 - self.beta1**t)) / (np.sqrt(v / (1 - self.beta2**t)) + self.eps)
        return x


# %% made_of_functions:rmsprop rmsprop | state["avg"] = decay * state["avg"] => state["avg"] = state["avg"]


def rmsprop(lr=0.01, decay=0.9, eps=1e-8):
    """A namespace of two functions."""

    def init(w):
        return {"avg": np.zeros_like(w)}

    def update(state, grad, w):
        state = dict(state)
        state["avg"] = decay * state["avg"] + (1 - decay) * grad**2
        return w - lr * grad / (np.sqrt(state["avg"]) + eps), state

    return SimpleNamespace(init=init, update=update)
