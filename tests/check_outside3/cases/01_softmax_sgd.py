"""Assignment 2 - softmax regression, optimizer part."""
import numpy as np


def sgd_update(params, grads, lr=0.1, l2=0.0):
    """One SGD step on every parameter.

    params, grads: dicts of numpy arrays with the same keys
    lr: learning rate
    l2: strength of the L2 regularization (0 = off)
    """
    new_params = {}
    for name in params:
        w = params[name]
        dw = grads[name]
        if l2 > 0:
            # regularization contributes to the gradient as well
            dw = dw + l2 * np.sum(w ** 2)
        new_params[name] = w - lr * dw
    return new_params
