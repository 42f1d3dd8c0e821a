import numpy as np


class Adam:
    """Adam with the AMSGrad option, NumPy port of our torch code."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, amsgrad=True):
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.amsgrad = amsgrad
        self.state = {}

    def _state_for(self, i, p):
        if i not in self.state:
            self.state[i] = dict(step=0, exp_avg=np.zeros_like(p),
                                 exp_avg_sq=np.zeros_like(p), max_exp_avg_sq=np.zeros_like(p))
        return self.state[i]

    def step(self, params, grads):
        b1, b2 = self.betas
        for i, (p, g) in enumerate(zip(params, grads)):
            s = self._state_for(i, p)
            s["step"] += 1
            s["exp_avg"] = b1 * s["exp_avg"] + (1 - b1) * g
            s["exp_avg_sq"] = b2 * s["exp_avg_sq"] + (1 - b2) * g ** 2
            v = s["exp_avg_sq"]
            if self.amsgrad:
                s["max_exp_avg_sq"] = np.maximum(s["max_exp_avg_sq"], v)
            bc1 = 1 - b1 ** s["step"]
            bc2 = 1 - b2 ** s["step"]
            denom = np.sqrt(v / bc2) + self.eps
            p -= self.lr / bc1 * s["exp_avg"] / denom
