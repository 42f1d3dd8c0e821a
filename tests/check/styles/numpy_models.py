"""Optimizers in NumPy that are handed layers, models, or dicts of arrays. Each block is a module of its own; see test_check_styles.

The line above a block: the object, the rule it is meant to be, and the mistake that is planted, as old => new.
"""

# ruff: noqa: F811, E501  (blocks of the same names; a line says what is planted)

import math
from collections import defaultdict
from types import SimpleNamespace

import numpy as np

# %% layer_adam:Adam adam | first = 1 - self.beta_1 ** (self.iterations + 1) => first = 1 - self.beta_1 ** (self.iterations + 2)


class Adam:
    """Memory kept on the layer; a step is pre, update for every layer, post."""

    def __init__(self, learning_rate=0.001, decay=0.0, epsilon=1e-7, beta_1=0.9, beta_2=0.999):
        self.learning_rate, self.current = learning_rate, learning_rate
        self.decay, self.iterations, self.epsilon = decay, 0, epsilon
        self.beta_1, self.beta_2 = beta_1, beta_2

    def pre_update_params(self):
        if self.decay:
            self.current = self.learning_rate / (1.0 + self.decay * self.iterations)

    def update_params(self, layer):
        if not hasattr(layer, "weight_momentum"):
            layer.weight_momentum, layer.weight_square = np.zeros_like(layer.weights), np.zeros_like(layer.weights)
            layer.bias_momentum, layer.bias_square = np.zeros_like(layer.biases), np.zeros_like(layer.biases)
        layer.weight_momentum = self.beta_1 * layer.weight_momentum + (1 - self.beta_1) * layer.dweights
        layer.bias_momentum = self.beta_1 * layer.bias_momentum + (1 - self.beta_1) * layer.dbiases
        layer.weight_square = self.beta_2 * layer.weight_square + (1 - self.beta_2) * layer.dweights**2
        layer.bias_square = self.beta_2 * layer.bias_square + (1 - self.beta_2) * layer.dbiases**2
        first = 1 - self.beta_1 ** (self.iterations + 1)
        second = 1 - self.beta_2 ** (self.iterations + 1)
        layer.weights += (
            -self.current * (layer.weight_momentum / first) / (np.sqrt(layer.weight_square / second) + self.epsilon)
        )
        layer.biases += -self.current * (layer.bias_momentum / first) / (np.sqrt(layer.bias_square / second) + self.epsilon)

    def post_update_params(self):
        self.iterations += 1


# %% layer_momentum:Momentum momentum | self.mu * layer.vb + layer.db => self.mu * layer.vW.mean() + layer.db


class Momentum:
    def __init__(self, lr=0.1, mu=0.9):
        self.lr, self.mu = lr, mu

    def update(self, layer):
        layer.vW = self.mu * getattr(layer, "vW", 0.0) + layer.dW
        if not hasattr(layer, "vb"):
            layer.vb = np.zeros_like(layer.b)
        layer.vb = self.mu * layer.vb + layer.db
        layer.W = layer.W - self.lr * layer.vW
        layer.b = layer.b - self.lr * layer.vb


# %% lists_of_lists:RMSProp rmsprop | (1 - self.rho) * d**2 => self.rho * d**2


class RMSProp:
    """Asks a layer for its parameters and its gradients, in the same order."""

    def __init__(self, lr=0.01, rho=0.9, eps=1e-8):
        self.lr, self.rho, self.eps = lr, rho, eps
        self.caches = []

    def step(self, layer):
        if not self.caches:
            self.caches = [np.zeros_like(p) for p in layer.params()]
        for i, (w, d) in enumerate(zip(layer.params(), layer.grads(), strict=True)):
            self.caches[i] = self.rho * self.caches[i] + (1 - self.rho) * d**2
            w[:] = w - self.lr * d / (np.sqrt(self.caches[i]) + self.eps)


# %% pairs_of_net:Momentum momentum | self.momentum * self.v[i] + grad => self.momentum * self.v[i] - grad


class Momentum:
    def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
        self.lr = lr
        self.momentum = momentum
        self.v = {}

    def step(self, net) -> None:
        for i, (param, grad) in enumerate(net.params_and_grads()):
            if i not in self.v:
                self.v[i] = np.zeros_like(param)
            self.v[i] = self.momentum * self.v[i] + grad
            param -= self.lr * self.v[i]


# %% model_dicts:Adam adam | np.sqrt(v_hat) + self.eps => np.sqrt(v_hat + self.eps)


class Adam:
    """Holds a model with `params` and `grads`, two dicts with the same keys."""

    def __init__(self, model, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.model, self.lr, self.beta1, self.beta2, self.eps = model, lr, beta1, beta2, eps
        self.m = {k: np.zeros_like(p) for k, p in model.params.items()}
        self.v = {k: np.zeros_like(p) for k, p in model.params.items()}
        self.t = 0

    def step(self):
        self.t += 1
        for k in self.model.params:
            g = self.model.grads[k]
            self.m[k] += (1 - self.beta1) * (g - self.m[k])
            self.v[k] += (1 - self.beta2) * (g * g - self.v[k])
            m_hat = self.m[k] / (1 - self.beta1**self.t)
            v_hat = self.v[k] / (1 - self.beta2**self.t)
            self.model.params[k] = self.model.params[k] - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


# %% model_given_each_time:SGD momentum | self.velocity[name] - self.lr * grad => self.velocity[name] + self.lr * grad


class SGD:
    def __init__(self, lr=0.01, mu=0.9):
        self.lr, self.mu = lr, mu
        self.velocity = defaultdict(float)

    def update(self, model):
        for name, grad in model.grads.items():
            self.velocity[name] = self.mu * self.velocity[name] - self.lr * grad
            model.params[name] += self.velocity[name]


# %% layers_of_a_network:Adam adam | self.b2 * s + (1 - self.b2) * g * g => self.b2 * s + (1 - self.b2) * np.abs(g)


class Adam:
    def __init__(self, network, alpha=0.001, b1=0.9, b2=0.999, eps=1e-8):
        self.layers = network.layers
        self.alpha, self.b1, self.b2, self.eps, self.t = alpha, b1, b2, eps, 0
        self.slots = [dict.fromkeys(("W", "b"), (0.0, 0.0)) for _ in self.layers]

    def step(self):
        self.t += 1
        for layer, slot in zip(self.layers, self.slots, strict=True):
            for n in ("W", "b"):
                p, g = getattr(layer, n), getattr(layer, "d" + n)
                f, s = slot[n]
                f = self.b1 * f + (1 - self.b1) * g
                s = self.b2 * s + (1 - self.b2) * g * g
                slot[n] = (f, s)
                f, s = f / (1 - self.b1**self.t), s / (1 - self.b2**self.t)
                setattr(layer, n, p - self.alpha * f / (np.sqrt(s) + self.eps))


# %% two_dicts_made_first:update_with_adam adam | beta2 * s["db" + n] + (1 - beta2) => beta2 * s["db" + n] + beta2


def initialize_moments(parameters):
    v, s = {}, {}
    for n in range(1, len(parameters) // 2 + 1):
        for letter in "Wb":
            v[f"d{letter}{n}"] = np.zeros(parameters[f"{letter}{n}"].shape)
            s[f"d{letter}{n}"] = np.zeros(parameters[f"{letter}{n}"].shape)
    return v, s


def update_with_adam(parameters, grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    for n in map(str, range(1, len(parameters) // 2 + 1)):
        v["dW" + n] = beta1 * v["dW" + n] + (1 - beta1) * grads["dW" + n]
        v["db" + n] = beta1 * v["db" + n] + (1 - beta1) * grads["db" + n]
        s["dW" + n] = beta2 * s["dW" + n] + (1 - beta2) * grads["dW" + n] ** 2
        s["db" + n] = beta2 * s["db" + n] + (1 - beta2) * grads["db" + n] ** 2
        for key in ("W" + n, "b" + n):
            first = v["d" + key] / (1 - beta1**t)
            second = s["d" + key] / (1 - beta2**t)
            parameters[key] = parameters[key] - learning_rate * first / (np.sqrt(second) + epsilon)
    return parameters, v, s


# %% velocity_made_first:momentum_step momentum | beta * velocity["d" + k] + grads["d" + k] => beta * velocity["d" + k] + 2 * grads["d" + k]


def init_velocity(parameters):
    return {"d" + k: np.zeros_like(w) for k, w in parameters.items()}


def momentum_step(parameters, grads, velocity, beta=0.9, learning_rate=0.01):
    for k in parameters:
        velocity["d" + k] = beta * velocity["d" + k] + grads["d" + k]
        parameters[k] -= learning_rate * velocity["d" + k]
    return parameters, velocity


# %% weights_and_biases:AdamOptim adam | self.m_db / (1 - self.beta1**t) => self.m_db / (1 - self.beta1)


class AdamOptim:
    """One layer: weights and biases with their gradients, the step count from outside."""

    def __init__(self, eta=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.m_dw, self.v_dw, self.m_db, self.v_db = 0, 0, 0, 0
        self.beta1, self.beta2, self.epsilon, self.eta = beta1, beta2, epsilon, eta

    def update(self, t, w, b, dw, db):
        self.m_dw = self.beta1 * self.m_dw + (1 - self.beta1) * dw
        self.m_db = self.beta1 * self.m_db + (1 - self.beta1) * db
        self.v_dw = self.beta2 * self.v_dw + (1 - self.beta2) * dw**2
        self.v_db = self.beta2 * self.v_db + (1 - self.beta2) * db**2
        m_dw, m_db = self.m_dw / (1 - self.beta1**t), self.m_db / (1 - self.beta1**t)
        v_dw, v_db = self.v_dw / (1 - self.beta2**t), self.v_db / (1 - self.beta2**t)
        w = w - self.eta * m_dw / (np.sqrt(v_dw) + self.epsilon)
        b = b - self.eta * m_db / (np.sqrt(v_db) + self.epsilon)
        return w, b


# %% list_of_pairs:Adam adam | self.b1 * m + (1 - self.b1) * g => self.b1 * m + g


class Adam:
    def __init__(self, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps
        self.memory, self.count = {}, 0

    def apply(self, params_and_grads):
        self.count += 1
        rate = self.lr * math.sqrt(1 - self.b2**self.count) / (1 - self.b1**self.count)
        scaled = self.eps * math.sqrt(1 - self.b2**self.count)
        for i, (p, g) in enumerate(params_and_grads):
            m, v = self.memory.get(i, (np.zeros_like(p), np.zeros_like(p)))
            m = self.b1 * m + (1 - self.b1) * g
            v = self.b2 * v + (1 - self.b2) * g**2
            self.memory[i] = (m, v)
            p -= rate * m / (np.sqrt(v) + scaled)


# %% gradients_and_variables:RMSprop rmsprop | np.sqrt(self.mean[i]) + self.epsilon => self.mean[i] + self.epsilon


class RMSprop:
    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7):
        self.learning_rate, self.rho, self.epsilon = learning_rate, rho, epsilon
        self.mean = None

    def apply_gradients(self, grads_and_vars):
        pairs = list(grads_and_vars)
        if self.mean is None:
            self.mean = [0.0 for _ in pairs]
        for i, (grad, var) in enumerate(pairs):
            self.mean[i] = self.rho * self.mean[i] + (1 - self.rho) * grad**2
            var[...] -= self.learning_rate * grad / (np.sqrt(self.mean[i]) + self.epsilon)


# %% one_variable:update_rule adam | p.state.v += (1 - beta2) * (g * g - p.state.v) => p.state.v = max(p.state.v.max(), 0) + 0 * g + g * g


def update_rule(p, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    """One variable with .data and .grad; its memory is kept on it."""
    g = p.grad
    if not hasattr(p, "state"):
        p.state = SimpleNamespace(t=0, m=np.zeros_like(p.data), v=np.zeros_like(p.data))
    p.state.t += 1
    p.state.m += (1 - beta1) * (g - p.state.m)
    p.state.v += (1 - beta2) * (g * g - p.state.v)
    m, v = p.state.m / (1 - beta1**p.state.t), p.state.v / (1 - beta2**p.state.t)
    p.data = p.data - lr * m / (np.sqrt(v) + eps)
