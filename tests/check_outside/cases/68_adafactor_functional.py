# ruff: noqa  (kept as it was written)
import jax.numpy as jnp


def init(w):
    if w.ndim == 2:
        return {"t": 0, "r": jnp.zeros(w.shape[0]), "c": jnp.zeros(w.shape[1])}
    return {"t": 0, "v": jnp.zeros_like(w)}


def _rms(a):
    return jnp.sqrt(jnp.mean(a * a))


def update(w, g, state, max_rel_step=1e-2, eps=(1e-30, 1e-3), clipping=1.0, gamma=0.8):
    t = state["t"] + 1
    decay = 1.0 - (t + 1.0) ** (-gamma)
    g2 = g * g + eps[0]
    new = {"t": t}
    if w.ndim == 2:
        new["r"] = decay * state["r"] + (1 - decay) * g2.mean(axis=1)
        new["c"] = decay * state["c"] + (1 - decay) * g2.mean(axis=0)
        v = new["r"][:, None] * new["c"][None, :] / new["r"].mean()
    else:
        v = new["v"] = decay * state["v"] + (1 - decay) * g2
    u = g / jnp.sqrt(v)
    u = u / jnp.maximum(1.0, _rms(u) / clipping)
    lr = jnp.minimum(max_rel_step, t**-0.5) * jnp.maximum(eps[1], _rms(w))
    return w - lr * u, new
