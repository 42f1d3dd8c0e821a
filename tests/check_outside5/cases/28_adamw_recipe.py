"""Optimizer recipe of the fine-tuning runs."""
import optax


def make_adamw(learning_rate=3e-4, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
    """Adam with decoupled weight decay, written as a chain so that we can
    slot gradient noise in between."""
    return optax.chain(
        optax.scale_by_adam(b1=b1, b2=b2, eps=eps),
        optax.scale_by_learning_rate(learning_rate),
        optax.add_decayed_weights(weight_decay),
    )
