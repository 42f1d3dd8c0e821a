"""Functional Adagrad for torch tensors.

    state = new_state(p)
    p, state = update(p, g, state, lr=0.1)
"""
import torch


def new_state(p, initial_accumulator_value=0.0):
    return {"sum": torch.full_like(p, initial_accumulator_value)}


def update(p, g, state, lr=0.05, eps=1e-10):
    # scale once, everything below works on the scaled step
    d = lr * g
    acc = torch.addcmul(state["sum"], d, d)
    return p - d / (acc.sqrt() + eps), {"sum": acc}
