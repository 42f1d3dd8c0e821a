import numpy as np


def adam_step(params, grads, state, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    """Adam in the efficient form of section 2 of the paper (corrections folded into the rate).

    params, grads: lists of arrays. state: None at first. Returns (params, state).
    """
    if state is None:
        state = (0, [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params])
    t, ms, vs = state
    t += 1
    lr_t = lr * (1 - b2 ** t) / (1 - b1 ** t)
    ms = [b1 * m + (1 - b1) * g for m, g in zip(ms, grads)]
    vs = [b2 * v + (1 - b1) * g * g for v, g in zip(vs, grads)]
    params = [p - lr_t * m / (np.sqrt(v) + eps) for p, m, v in zip(params, ms, vs)]
    return params, (t, ms, vs)
