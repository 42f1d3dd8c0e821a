import optax


def lamb(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-6, weight_decay=0.01) -> optax.GradientTransformation:
    """LAMB: Adam direction, layer-wise trust ratio, weight decay."""
    parts = [
        optax.scale_by_adam(b1=b1, b2=b2, eps=eps),
        optax.scale_by_trust_ratio(),
    ]
    if weight_decay:
        parts.append(optax.add_decayed_weights(weight_decay))
    parts.append(optax.scale_by_learning_rate(learning_rate))
    return optax.chain(*parts)
