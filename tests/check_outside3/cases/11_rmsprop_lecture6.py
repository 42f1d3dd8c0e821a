import numpy as np


def rmsprop(w, grad, ms=None, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    """Divide the gradient by a running average of its recent magnitude
    (Hinton, lecture 6e).  Same convention as Keras for epsilon.

    Returns the new weights and the new mean square, feed `ms` back in:

        w, ms = rmsprop(w, grad, ms)
    """
    if ms is None:
        ms = np.zeros_like(w)
    # incremental form of the moving average
    ms = ms - (1 - rho) * (ms - grad ** 2)
    w = w - learning_rate * grad * (ms + epsilon) ** -0.5
    return w, ms
