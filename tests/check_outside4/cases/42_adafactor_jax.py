"""Adafactor as pure functions, same arguments as torch.optim.Adafactor."""
import jax.numpy as jnp


def init_state(p):
    state = {"t": 0}
    if p.ndim >= 2:
        state["row"] = jnp.zeros(p.shape[:-1] + (1,), p.dtype)
        state["col"] = jnp.zeros(p.shape[:-2] + (1, p.shape[-1]), p.dtype)
    else:
        state["v"] = jnp.zeros_like(p)
    return state


def _rms(x):
    return jnp.sqrt(jnp.sum(x * x))


def update(p, g, state, lr=1e-2, decay_rate=0.8, eps2=1e-3, d=1.0, weight_decay=0.0):
    t = state["t"] + 1
    beta2 = 1.0 - decay_rate ** t
    rho = min(lr, 1.0 / t ** 0.5)
    scale = jnp.maximum(eps2, jnp.sqrt(jnp.mean(p * p))) * rho

    new = {"t": t}
    sq = g * g
    if p.ndim >= 2:
        row = beta2 * state["row"] + (1 - beta2) * sq.mean(-1, keepdims=True)
        col = beta2 * state["col"] + (1 - beta2) * sq.mean(-2, keepdims=True)
        v = row * col / row.mean(-2, keepdims=True)
        new.update(row=row, col=col)
    else:
        v = beta2 * state["v"] + (1 - beta2) * sq
        new["v"] = v
    u = g / jnp.sqrt(v + 1e-30)
    u = u / jnp.maximum(1.0, _rms(u) / d)
    p = p * (1 - lr * weight_decay) - scale * u
    return p, new
