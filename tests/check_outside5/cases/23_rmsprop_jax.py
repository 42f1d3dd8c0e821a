import jax
import jax.numpy as jnp

tmap = jax.tree_util.tree_map


def rmsprop(learning_rate=1e-3, decay=0.9, momentum=0.0, eps=1e-8):
    """RMSprop with heavy-ball momentum.

    init(params) -> state, update(params, grads, state) -> (params, state)
    """

    def init(params):
        return {"avg_sq": tmap(jnp.zeros_like, params), "mom": tmap(jnp.zeros_like, params)}

    def update(params, grads, state):
        avg_sq = tmap(lambda s, g: (1 - decay) * s + decay * g * g, state["avg_sq"], grads)
        mom = tmap(
            lambda b, g, s: momentum * b + learning_rate * g / (jnp.sqrt(s) + eps),
            state["mom"], grads, avg_sq)
        params = tmap(lambda p, b: p - learning_rate * b, params, mom)
        return params, {"avg_sq": avg_sq, "mom": mom}

    return init, update
