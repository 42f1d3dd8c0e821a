import numpy as np


def sgd_momentum(w, dw, v=None, lr=1e-2, momentum=0.9):
    """
    Performs gradient descent with momentum.

    - w: weights
    - dw: gradient of the loss with respect to w
    - v: velocity from the previous call (None on the first one)

    Returns the next weights and the velocity.
    """
    if v is None:
        v = np.zeros_like(w)
    v = momentum * v + lr * dw
    next_w = w - lr * v
    return next_w, v
