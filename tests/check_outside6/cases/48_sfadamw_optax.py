import optax
from optax.contrib import schedule_free


def schedule_free_adamw(learning_rate=2.5e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.0):
    """AdamW with the schedule-free wrapper around it, constant learning rate."""
    base = optax.adamw(learning_rate, b1=b1, b2=b2, eps=eps, weight_decay=weight_decay)
    return schedule_free(base, learning_rate=learning_rate, b1=b1)
