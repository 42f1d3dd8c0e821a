# ruff: noqa  (kept as it was written)
import optax


def sgd_with_decay(learning_rate: float = 1e-2, weight_decay: float = 0.0) -> optax.GradientTransformation:
    """SGD with L2 weight decay."""
    return optax.chain(
        optax.scale(-learning_rate),
        optax.add_decayed_weights(weight_decay),
    )
