"""Muon update for one 2-D torch tensor."""
import torch


def orthogonalize(G, steps):
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G / (G.norm() + 1e-7)
    eye = torch.eye(G.shape[1], dtype=G.dtype, device=G.device)
    for _ in range(steps):
        K = X.mT @ X
        X = X @ (a * eye + K @ (b * eye + c * K))
    return X


def new_state(p):
    return {"buf": torch.zeros_like(p)}


@torch.no_grad()
def update(p, g, state, lr=0.02, momentum=0.95, weight_decay=0.0, ns_steps=5):
    buf = torch.lerp(state["buf"], g, 1 - momentum)
    d = torch.lerp(g, buf, momentum)
    rows, cols = p.shape
    o = orthogonalize(d, ns_steps) * max(1, rows / cols) ** 0.5
    return p - lr * (o + weight_decay * p), {"buf": buf}
