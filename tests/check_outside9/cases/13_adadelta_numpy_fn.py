import numpy as np


def adadelta_update(w, grad, state=None, lr=1.0, rho=0.9, eps=1e-6):
    """
    Adadelta update of a single weight array.

    state: [acc_grad, acc_delta] as given back by the previous call, or None.
    Returns (w, state).
    """
    if state is None:
        state = [np.zeros(w.shape), np.zeros(w.shape)]
    acc_grad, acc_delta = state

    acc_grad = rho * acc_grad + grad ** 2
    delta = lr * grad * np.sqrt(acc_delta + eps) / np.sqrt(acc_grad + eps)
    acc_delta = rho * acc_delta + (1 - rho) * delta ** 2

    return w - delta, [acc_grad, acc_delta]
