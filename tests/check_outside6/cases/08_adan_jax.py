"""Adan (Xie et al. 2022) for pytrees. Betas follow the authors' repository: (0.98, 0.92, 0.99)."""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class AdanState(NamedTuple):
    k: int
    m: Any
    v: Any
    n: Any
    prev: Any


class Adan:
    def __init__(self, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0):
        self.lr = lr
        self.b1, self.b2, self.b3 = betas
        self.eps = eps
        self.weight_decay = weight_decay

    def init(self, params):
        z = jax.tree.map(jnp.zeros_like, params)
        return AdanState(0, z, z, z, z)

    def update(self, params, grads, s):
        k = s.k + 1
        b1, b2, b3 = self.b1, self.b2, self.b3
        diff = jax.tree.map(lambda g, q: jnp.where(k == 1, jnp.zeros_like(g), g - q), grads, s.prev)
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, s.m, grads)
        v = jax.tree.map(lambda v, d: b2 * v + (1 - b2) * d, s.v, diff)
        n = jax.tree.map(
            lambda n, g, d: b3 * n + (1 - b3) * jnp.square(g + (1 - b2) * d), s.n, grads, diff
        )

        def apply(p, m, v, n):
            denom = jnp.sqrt(n / (1 - b3**k)) + self.eps
            u = (m / (1 - b1**k) + b2 * v / (1 - b2**k)) / denom
            return (p - self.lr * u) / (1 + self.lr * self.weight_decay)

        return jax.tree.map(apply, params, m, v, n), AdanState(k, m, v, n, grads)
