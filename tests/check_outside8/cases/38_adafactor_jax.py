"""Adafactor (Shazeer & Stern 2018) without momentum, constant learning rate."""
import jax
import jax.numpy as jnp


def _rms(x):
    return jnp.sqrt(jnp.mean(jnp.square(x)))


def adafactor(lr=1e-3, eps=(1e-30, 1e-3), clip_threshold=1.0, decay_rate=-0.8,
              weight_decay=0.0, scale_parameter=True):
    """Returns (init, update) with update(grads, state, params) -> (new_params, new_state).

    Matrices are factored, everything else keeps a full second moment.
    """

    def init(params):
        def leaf(p):
            if p.ndim >= 2:
                return {"row": jnp.zeros(p.shape[:-1], p.dtype),
                        "col": jnp.zeros(p.shape[:-2] + p.shape[-1:], p.dtype)}
            return {"full": jnp.zeros_like(p)}
        return {"step": 0, "slots": [leaf(p) for p in jax.tree.leaves(params)]}

    def update(grads, state, params):
        step = state["step"] + 1
        beta2t = 1.0 - step ** decay_rate
        leaves, treedef = jax.tree.flatten(params)
        new_leaves, new_slots = [], []
        for p, g, slot in zip(leaves, jax.tree.leaves(grads), state["slots"]):
            alpha = lr * jnp.maximum(eps[1], _rms(p)) if scale_parameter else lr
            g2 = g * g + eps[0]
            if p.ndim >= 2:
                row = beta2t * slot["row"] + (1 - beta2t) * g2.mean(axis=-1)
                col = beta2t * slot["col"] + (1 - beta2t) * g2.mean(axis=-2)
                new_slots.append({"row": row, "col": col})
                u = g * jax.lax.rsqrt(row)[..., :, None] * jax.lax.rsqrt(col)[..., None, :]
            else:
                full = beta2t * slot["full"] + (1 - beta2t) * g2
                new_slots.append({"full": full})
                u = g * jax.lax.rsqrt(full)
            u = u / jnp.maximum(1.0, _rms(u) / clip_threshold)
            new_leaves.append(p - weight_decay * alpha * p - alpha * u)
        return jax.tree.unflatten(treedef, new_leaves), {"step": step, "slots": new_slots}

    return init, update
