import numpy as np


def make_adamax(lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
    """Returns (init, update) working on dictionaries of arrays."""

    def init(params):
        return {
            "t": 0,
            "m": {k: np.zeros_like(p) for k, p in params.items()},
            "u": {k: np.zeros_like(p) for k, p in params.items()},
        }

    def update(params, grads, state):
        t = state["t"] + 1
        new_params, m, u = {}, {}, {}
        for k, g in grads.items():
            m[k] = beta1 * state["m"][k] + (1 - beta1) * g
            u[k] = np.maximum(beta2 * state["u"][k], np.abs(g))
            m_hat = m[k] / (1 - beta1 ** t)
            u_hat = u[k] / (1 - beta2 ** t)
            new_params[k] = params[k] - lr * m_hat / (u_hat + eps)
        return new_params, {"t": t, "m": m, "u": u}

    return init, update
