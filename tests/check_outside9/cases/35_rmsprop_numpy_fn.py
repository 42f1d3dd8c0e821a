import numpy as np


def rmsprop(var, grad, slots, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    """One RMSprop step; returns (new variable, new slots).

    slots: tuple (mean of squares, mean of gradients, momentum) or None.
    """
    ms, mg, mom = (np.zeros_like(var),) * 3 if slots is None else slots

    ms = ms - (1.0 - rho) * (ms - grad * grad)
    spread = ms
    if centered:
        mg = mg - (1.0 - rho) * (mg - grad)
        spread = ms - mg * mg

    step = learning_rate * grad * (spread + epsilon) ** -0.5
    if momentum > 0:
        mom = momentum * mom + step
        step = mom
    return var - step, (ms, mg, mom)
