# ruff: noqa  (kept as it was written)
import optax


def adamw(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=1e-2):
    """Adam with decoupled weight decay."""
    return optax.chain(
        optax.scale_by_adam(b1=b1, b2=b2, eps=eps),
        optax.add_decayed_weights(learning_rate * weight_decay),
        optax.scale(-learning_rate),
    )
