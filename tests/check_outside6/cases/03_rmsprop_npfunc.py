import numpy as np


def rmsprop(params, grads, state, lr=0.001, decay=0.9, momentum=0.0, eps=1e-8):
    """
    RMSProp step with optional momentum.

    params, grads: dicts of arrays
    state: dict, empty at the first call
    decay: discounting factor of the running mean of squared gradients
    """
    new_params = {}
    for name, w in params.items():
        g = grads[name]
        s = state.setdefault(name, {"ms": np.zeros_like(w), "mom": np.zeros_like(w)})
        s["ms"] = (1 - decay) * s["ms"] + decay * g**2
        s["mom"] = momentum * s["mom"] + g
        new_params[name] = w - lr * s["mom"] / (np.sqrt(s["ms"]) + eps)
    return new_params, state
