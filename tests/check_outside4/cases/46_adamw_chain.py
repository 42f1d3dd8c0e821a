import optax


def adamw_from_parts(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=1e-4):
    """AdamW assembled from optax building blocks.

    Equivalent of ``torch.optim.AdamW(lr, (b1, b2), eps, weight_decay)``.
    """
    return optax.chain(
        optax.scale_by_adam(b1=b1, b2=b2, eps=eps),
        optax.scale(-learning_rate),
        optax.add_decayed_weights(weight_decay),
    )
