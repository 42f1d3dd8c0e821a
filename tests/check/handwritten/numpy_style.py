"""Mistakes as people make them in NumPy, in place and in classes. Written by hand; none comes from the catalogue."""

from __future__ import annotations

import numpy as np


class SGDAscends:
    def __init__(self, lr=0.1):
        self.lr = lr

    def step(self, params, grads):
        for p, g in zip(params, grads, strict=True):
            p += self.lr * g


class SGDForgetsRate:
    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate

    def update(self, w, dw):
        return w - dw


class SGDAccumulates:
    """The gradients of earlier steps are never cleared."""

    def __init__(self, lr=0.1):
        self.lr, self.total = lr, None

    def step(self, params, grads):
        if self.total is None:
            self.total = [np.zeros_like(p) for p in params]
        for p, g, total in zip(params, grads, self.total, strict=True):
            total += g
            p -= self.lr * total


class SGDNormalised:
    def __init__(self, lr=0.1):
        self.lr = lr

    def step(self, params, grads):
        for p, g in zip(params, grads, strict=True):
            p -= self.lr * g / np.sqrt(np.sum(g * g))


class WithVelocity:
    def __init__(self, lr=0.01, beta=0.9):
        self.lr, self.beta, self.v = lr, beta, {}

    def step(self, params, grads):
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            if i not in self.v:
                self.v[i] = np.zeros_like(p)
            self.move(i, p, g)


class MomentumSwapped(WithVelocity):
    def move(self, i, p, g):
        self.v[i] = (1 - self.beta) * self.v[i] + self.beta * g
        p -= self.lr * self.v[i]


class MomentumBeforeUpdate(WithVelocity):
    def move(self, i, p, g):
        p -= self.lr * self.v[i]
        self.v[i] = self.beta * self.v[i] + g


class MomentumNoDecay(WithVelocity):
    def move(self, i, p, g):
        self.v[i] += g
        p -= self.lr * self.v[i]


class MomentumMinusInside(WithVelocity):
    def move(self, i, p, g):
        self.v[i] = self.beta * self.v[i] - g
        p -= self.lr * self.v[i]


class MomentumReallyNesterov(WithVelocity):
    def move(self, i, p, g):
        self.v[i] = self.beta * self.v[i] + g
        p -= self.lr * (g + self.beta * self.v[i])


class NesterovReallyMomentum(WithVelocity):
    def move(self, i, p, g):
        self.v[i] = self.beta * self.v[i] + g
        p -= self.lr * self.v[i]


class NesterovNoBeta(WithVelocity):
    def move(self, i, p, g):
        self.v[i] = self.beta * self.v[i] + g
        p -= self.lr * (g + self.v[i])


class NesterovNoGradient(WithVelocity):
    def move(self, i, p, g):
        self.v[i] = self.beta * self.v[i] + g
        p -= self.lr * self.beta * self.v[i]


class WithCache:
    def __init__(self, lr=0.01, decay=0.99, eps=1e-8):
        self.lr, self.decay, self.eps, self.cache = lr, decay, eps, None

    def step(self, params, grads):
        if self.cache is None:
            self.cache = [np.zeros_like(p) for p in params]
        for i in range(len(params)):
            self.move(i, params[i], grads[i])


class RMSPropSwapped(WithCache):
    def move(self, i, p, g):
        self.cache[i] = (1 - self.decay) * self.cache[i] + self.decay * g**2
        p -= self.lr * g / (np.sqrt(self.cache[i]) + self.eps)


class RMSPropAbs(WithCache):
    def move(self, i, p, g):
        self.cache[i] = self.decay * self.cache[i] + (1 - self.decay) * np.abs(g)
        p -= self.lr * g / (np.sqrt(self.cache[i]) + self.eps)


class RMSPropNoEps(WithCache):
    def move(self, i, p, g):
        self.cache[i] = self.decay * self.cache[i] + (1 - self.decay) * g**2
        root = np.sqrt(self.cache[i])
        p -= self.lr * np.divide(g, root, out=np.zeros_like(g), where=root > 0)


class RMSPropEpsTwice(WithCache):
    def move(self, i, p, g):
        self.cache[i] = self.decay * self.cache[i] + (1 - self.decay) * g**2
        p -= self.lr * g / (np.sqrt(self.cache[i] + self.eps) + self.eps)


class RMSPropOldCache(WithCache):
    def move(self, i, p, g):
        p -= self.lr * g / (np.sqrt(self.cache[i]) + self.eps)
        self.cache[i] = self.decay * self.cache[i] + (1 - self.decay) * g**2


class AdagradBase:
    def __init__(self, lr=0.01, eps=1e-10):
        self.lr, self.eps, self.acc = lr, eps, None

    def step(self, params, grads):
        if self.acc is None:
            self.acc = [np.zeros_like(p) for p in params]
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            self.move(i, p, g)


class AdagradNoRoot(AdagradBase):
    def move(self, i, p, g):
        self.acc[i] += g * g
        p -= self.lr * g / (self.acc[i] + self.eps)


class AdagradOverwrites(AdagradBase):
    def move(self, i, p, g):
        self.acc[i] = g * g
        p -= self.lr * g / (np.sqrt(self.acc[i]) + self.eps)


class AdagradAveraged(AdagradBase):
    def move(self, i, p, g):
        self.acc[i] = 0.9 * self.acc[i] + 0.1 * g * g
        p -= self.lr * g / (np.sqrt(self.acc[i]) + self.eps)


class AdagradOneRate(AdagradBase):
    def move(self, i, p, g):
        self.acc[i] = self.acc[i] + np.sum(g**2)
        p -= self.lr * g / (np.sqrt(self.acc[i]) + self.eps)


class WithMoments:
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.m, self.v, self.t = [], [], 0

    def step(self, params, grads):
        if not self.m:
            self.m, self.v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
        self.t += 1
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            self.move(i, p, g)

    def average(self, i, g):
        self.m[i] = self.beta_1 * self.m[i] + (1 - self.beta_1) * g
        self.v[i] = self.beta_2 * self.v[i] + (1 - self.beta_2) * g**2


class AdamWrongBeta(WithMoments):
    def move(self, i, p, g):
        self.average(i, g)
        rate = self.learning_rate * np.sqrt(1 - self.beta_1**self.t) / (1 - self.beta_1**self.t)
        p -= rate * self.m[i] / (np.sqrt(self.v[i]) + self.epsilon * np.sqrt(1 - self.beta_1**self.t))


class AdamCountsFromTwo(WithMoments):
    def move(self, i, p, g):
        self.average(i, g)
        m_hat, v_hat = self.m[i] / (1 - self.beta_1 ** (self.t + 1)), self.v[i] / (1 - self.beta_2 ** (self.t + 1))
        p -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class AdamConstantCorrection(WithMoments):
    def move(self, i, p, g):
        self.average(i, g)
        p -= self.learning_rate * (self.m[i] / (1 - self.beta_1)) / (np.sqrt(self.v[i] / (1 - self.beta_2)) + self.epsilon)


class AdamMissingBrackets(WithMoments):
    def move(self, i, p, g):
        self.average(i, g)
        m_hat, v_hat = self.m[i] / (1 - self.beta_1**self.t), self.v[i] / (1 - self.beta_2**self.t)
        p -= self.learning_rate * m_hat / np.sqrt(v_hat) + self.epsilon


class AdamNoRoot(WithMoments):
    def move(self, i, p, g):
        self.average(i, g)
        m_hat, v_hat = self.m[i] / (1 - self.beta_1**self.t), self.v[i] / (1 - self.beta_2**self.t)
        p -= self.learning_rate * m_hat / (v_hat + self.epsilon)


class AdamOnlyVCorrected(WithMoments):
    def move(self, i, p, g):
        self.average(i, g)
        p -= self.learning_rate * self.m[i] / (np.sqrt(self.v[i] / (1 - self.beta_2**self.t)) + self.epsilon)


class AdamSquaredWeight(WithMoments):
    def move(self, i, p, g):
        self.m[i] = self.beta_1 * self.m[i] + (1 - self.beta_1) * g
        self.v[i] = self.beta_2 * self.v[i] + ((1 - self.beta_2) * g) ** 2
        m_hat, v_hat = self.m[i] / (1 - self.beta_1**self.t), self.v[i] / (1 - self.beta_2**self.t)
        p -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class AdamMeanOfMSquared(WithMoments):
    def move(self, i, p, g):
        self.m[i] += (1 - self.beta_1) * (g - self.m[i])
        self.v[i] += (1 - self.beta_2) * (self.m[i] ** 2 - self.v[i])
        m_hat, v_hat = self.m[i] / (1 - self.beta_1**self.t), self.v[i] / (1 - self.beta_2**self.t)
        p -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class AdamaxSum(WithMoments):
    def move(self, i, p, g):
        self.m[i] += (1 - self.beta_1) * (g - self.m[i])
        self.v[i] = np.maximum(self.v[i], np.abs(g) + self.epsilon)
        p -= self.learning_rate / (1 - self.beta_1**self.t) * self.m[i] / self.v[i]


class AdamaxUncorrected(WithMoments):
    def move(self, i, p, g):
        self.m[i] += (1 - self.beta_1) * (g - self.m[i])
        self.v[i] = np.maximum(self.beta_2 * self.v[i], np.abs(g) + self.epsilon)
        p -= self.learning_rate * self.m[i] / self.v[i]


CASES = {
    "SGDAscends": ("sgd", {"p"}),
    "SGDForgetsRate": ("sgd", {"p"}),
    "SGDAccumulates": ("sgd", {"p"}),
    "SGDNormalised": ("sgd", {"p"}),
    "MomentumSwapped": ("momentum", {"b"}),
    "MomentumBeforeUpdate": ("momentum", {"p"}),
    "MomentumNoDecay": ("momentum", {"b"}),
    "MomentumMinusInside": ("momentum", {"b", "p"}),
    "MomentumReallyNesterov": ("momentum", {"p"}),
    "NesterovReallyMomentum": ("nesterov", {"d"}),
    "NesterovNoBeta": ("nesterov", {"d"}),
    "NesterovNoGradient": ("nesterov", {"d"}),
    "RMSPropSwapped": ("rmsprop", {"v"}),
    "RMSPropAbs": ("rmsprop", {"v"}),
    "RMSPropNoEps": ("rmsprop", {"r"}),
    "RMSPropEpsTwice": ("rmsprop", {"r"}),
    "RMSPropOldCache": ("rmsprop", {"v", "r"}),
    "AdagradNoRoot": ("adagrad", {"r"}),
    "AdagradOverwrites": ("adagrad", {"v"}),
    "AdagradAveraged": ("adagrad", {"v"}),
    "AdagradOneRate": ("adagrad", {"v"}),
    "AdamWrongBeta": ("adam", {"v_hat"}),
    "AdamCountsFromTwo": ("adam", {"m_hat", "v_hat"}),
    "AdamConstantCorrection": ("adam", {"m_hat", "v_hat"}),
    "AdamMissingBrackets": ("adam", {"p"}),
    "AdamNoRoot": ("adam", {"p"}),
    "AdamOnlyVCorrected": ("adam", {"m_hat"}),
    "AdamSquaredWeight": ("adam", {"v"}),
    "AdamMeanOfMSquared": ("adam", {"v"}),
    "AdamaxSum": ("adamax", {"u"}),
    "AdamaxUncorrected": ("adamax", {"m_hat"}),
}
