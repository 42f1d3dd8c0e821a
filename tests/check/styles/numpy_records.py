"""Optimizers whose state is a record, and some that keep lists. Each block is a module of its own; see test_check_styles.

The line above a block: the object, the rule it is meant to be, and the mistake that is planted, as old => new.
"""

# ruff: noqa: F811  (blocks of the same names; a line says what is planted)

from dataclasses import dataclass

import numpy as np

# %% state_that_holds_the_parameters:adam adam | (1 - b2) * g * g => (1 - b2) * abs(g)


def adam(state, grads, lr=0.01, b1=0.9, b2=0.999, eps=1e-8):
    params, m, v, t = state
    t = t + 1
    m = [b1 * a + (1 - b1) * g for a, g in zip(m, grads, strict=True)]
    v = [b2 * a + (1 - b2) * g * g for a, g in zip(v, grads, strict=True)]
    params = [p - lr * (a / (1 - b1**t)) / (np.sqrt(c / (1 - b2**t)) + eps) for p, a, c in zip(params, m, v, strict=True)]
    return params, m, v, t


# %% record_changed_in_place:update adam | opt.t += 1 => opt.t += 2


@dataclass
class Record:
    params: list
    m: list
    v: list
    t: int = 0


def make_record(params):
    return Record(params, [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params])


def update(opt, grads, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    opt.t += 1
    for i, g in enumerate(grads):
        opt.m[i] = beta1 * opt.m[i] + (1 - beta1) * g
        opt.v[i] = beta2 * opt.v[i] + (1 - beta2) * g * g
        first, second = opt.m[i] / (1 - beta1**opt.t), opt.v[i] / (1 - beta2**opt.t)
        opt.params[i] = opt.params[i] - lr * first / (np.sqrt(second) + eps)


# %% registered_first:RMSProp rmsprop | (1 - self.rho) * g * g => (1 - self.rho) * g


class RMSProp:
    def __init__(self, lr=0.01, rho=0.9, eps=1e-8):
        self.lr, self.rho, self.eps = lr, rho, eps
        self.params, self.cache = {}, {}

    def register(self, params):
        for name, p in params.items():
            self.params[name], self.cache[name] = p, np.zeros_like(p)

    def step(self, grads):
        for name, g in grads.items():
            self.cache[name] = self.rho * self.cache[name] + (1 - self.rho) * g * g
            self.params[name] -= self.lr * g / (np.sqrt(abs(self.cache[name])) + self.eps)


# %% list_of_layers:momentum_step momentum | beta * layer.v["W"] + layer.dW => beta * layer.v["W"] + beta * layer.dW


def momentum_step(layers, lr=0.01, beta=0.9):
    for layer in layers:
        if not hasattr(layer, "v"):
            layer.v = {"W": np.zeros_like(layer.W), "b": np.zeros_like(layer.b)}
        layer.v["W"] = beta * layer.v["W"] + layer.dW
        layer.v["b"] = beta * layer.v["b"] + layer.db
        layer.W -= lr * layer.v["W"]
        layer.b -= lr * layer.v["b"]


# %% lists_of_weights_and_of_biases:Adam adam | np.sqrt(s[i] / (1 - self.beta2**self.t)) => np.sqrt(s[i])


class Adam:
    def __init__(self, weights, biases, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.t = lr, beta1, beta2, eps, 0
        self.of_weights = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
        self.of_biases = [np.zeros_like(b) for b in biases], [np.zeros_like(b) for b in biases]

    def _moved(self, p, g, kept, i):
        f, s = kept
        f[i] = self.beta1 * f[i] + (1 - self.beta1) * g
        s[i] = self.beta2 * s[i] + (1 - self.beta2) * g * g
        return p - self.lr * f[i] / (1 - self.beta1**self.t) / (np.sqrt(s[i] / (1 - self.beta2**self.t)) + self.eps)

    def update(self, weights, biases, grad_weights, grad_biases):
        self.t += 1
        pairs = enumerate(zip(weights, grad_weights, strict=True))
        new_weights = [self._moved(w, g, self.of_weights, i) for i, (w, g) in pairs]
        pairs = enumerate(zip(biases, grad_biases, strict=True))
        return new_weights, [self._moved(b, g, self.of_biases, i) for i, (b, g) in pairs]


# %% initialized_by_numbers:Adam adam | self.s[k] / (1 - self.beta2**self.t) => self.s[k]


class Adam:
    def __init__(self, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.alpha, self.beta1, self.beta2, self.epsilon = alpha, beta1, beta2, epsilon
        self.v, self.s, self.t = {}, {}, 0

    def initialize(self, parameters):
        for n in range(1, len(parameters) // 2 + 1):
            for q in (f"W{n}", f"b{n}"):
                self.v["d" + q], self.s["d" + q] = np.zeros_like(parameters[q]), np.zeros_like(parameters[q])

    def update(self, parameters, gradients):
        self.t += 1
        for q in parameters:
            k = "d" + q
            self.v[k] = self.beta1 * self.v[k] + (1 - self.beta1) * gradients[k]
            self.s[k] = self.beta2 * self.s[k] + (1 - self.beta2) * gradients[k] ** 2
            first, second = self.v[k] / (1 - self.beta1**self.t), self.s[k] / (1 - self.beta2**self.t)
            parameters[q] -= self.alpha * first / (np.sqrt(second) + self.epsilon)
        return parameters


# %% count_by_a_longer_name:adam_update adam | first / (1 - beta1**step_number) => first


def adam_update(value, gradient, first, second, step_number, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    first = beta1 * first + (1 - beta1) * gradient
    second = beta2 * second + (1 - beta2) * gradient**2
    m, v = first / (1 - beta1**step_number), second / (1 - beta2**step_number)
    return value - lr * m / (np.sqrt(v) + eps), first, second
