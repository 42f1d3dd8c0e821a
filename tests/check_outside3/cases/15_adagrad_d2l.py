"""Adagrad written as in 'Dive into Deep Learning' but without the hyperparams dict."""
import torch


class AdagradD2L:
    def __init__(self, params, lr=0.01, eps=1e-6):
        self.params = list(params)
        self.lr = lr
        self.eps = eps
        self.states = [torch.zeros(p.shape, dtype=p.dtype) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        with torch.no_grad():
            for p, s in zip(self.params, self.states):
                s[:] += torch.square(p.grad)
                p[:] -= self.lr * p.grad / torch.sqrt(s + self.eps)
