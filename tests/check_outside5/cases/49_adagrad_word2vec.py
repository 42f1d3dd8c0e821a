# Adagrad for the word2vec exercise
import numpy as np


def adagrad_step(params, grads, cache=None, lr=0.1, eps=1e-8):
    """params, grads: lists of arrays. Works in place, returns the cache."""
    if cache is None:
        cache = [np.zeros_like(p) for p in params]
    for p, g, h in zip(params, grads, cache):
        h += g * g
        p -= lr * g / (h + eps)
    return cache
