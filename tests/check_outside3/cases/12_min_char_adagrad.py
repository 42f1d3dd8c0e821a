"""
Minimal Adagrad in the spirit of min-char-rnn. BSD License
"""
import numpy as np


class Adagrad:
    def __init__(self, params, learning_rate=1e-1, eps=1e-8):
        self.params = params                               # list of arrays, changed in place
        self.learning_rate = learning_rate
        self.eps = eps
        self.mems = [np.zeros_like(p) for p in params]     # memory variables for Adagrad

    def step(self, dparams):
        # perform parameter update with Adagrad
        for param, dparam, mem in zip(self.params, dparams, self.mems):
            mem += dparam * dparam
            np.sqrt(mem, out=mem)
            param += -self.learning_rate * dparam / (mem + self.eps)  # adagrad update
