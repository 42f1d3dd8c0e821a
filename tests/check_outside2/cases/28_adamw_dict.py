# ruff: noqa  (kept as it was written)
import numpy as np


class AdamW:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, wd=0.01):
        self.hp = dict(lr=lr, beta1=beta1, beta2=beta2, eps=eps, wd=wd)
        self.mom = {}
        self.sq = {}
        self.k = 0

    def step(self, params: dict, grads: dict) -> dict:
        hp = self.hp
        self.k += 1
        out = {}
        for name, w in params.items():
            g = grads[name]
            m = hp["beta1"] * self.mom.get(name, 0.0) + (1 - hp["beta1"]) * g
            s = hp["beta2"] * self.sq.get(name, 0.0) + (1 - hp["beta2"]) * np.square(g)
            self.mom[name], self.sq[name] = m, s
            s_hat = s / (1 - hp["beta2"] ** self.k)
            upd = (m + hp["wd"] * w) / (np.sqrt(s_hat) + hp["eps"])
            out[name] = w - hp["lr"] * upd
        return out
