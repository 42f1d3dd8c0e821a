import numpy as np


class AdamW:
    """
    AdamW.  Parameters and gradients are lists of arrays; `step` changes the
    parameters in place.
    """

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.state = None

    def step(self, params, grads):
        if self.state is None:
            self.state = {"t": 0,
                          "m": [np.zeros_like(p) for p in params],
                          "v": [np.zeros_like(p) for p in params]}
        s = self.state
        s["t"] += 1
        b1, b2 = self.betas

        step_size = self.lr * np.sqrt(1 - b2 ** s["t"]) / (1 - b1 ** s["t"])
        for p, g, m, v in zip(params, grads, s["m"], s["v"]):
            m[...] = b1 * m + (1 - b1) * g
            v[...] = b2 * v + (1 - b2) * g * g
            update = m / (np.sqrt(v) + self.eps)
            if self.weight_decay:
                update = update + self.weight_decay * p
            p -= step_size * update
