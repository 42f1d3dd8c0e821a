"""Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms")."""
import torch


def new_state(p):
    return torch.zeros_like(p)


def lion_update(p, g, m, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
    """Returns the new parameter and the new momentum."""
    b1, b2 = betas
    m = torch.lerp(g, m, b2)
    c = torch.lerp(g, m, b1)
    p = p * (1 - lr * weight_decay) - lr * torch.sign(c)
    return p, m
