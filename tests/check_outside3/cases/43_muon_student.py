import torch


def newtonschulz5(G, steps=5, eps=1e-7):
    """approximately replaces G = U S V^T by U V^T"""
    assert G.ndim == 2
    a, b, c = (3.4445, -4.7750, 2.0315)
    X = G / (G.norm() + eps)
    if G.shape[0] > G.shape[1]:
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        B = b * A + c * A @ A
        X = a * X + B @ X
    if G.shape[0] > G.shape[1]:
        X = X.T
    return X


class Muon:
    """MomentUm Orthogonalized by Newton-schulz. Only give it 2D weights!"""

    def __init__(self, params, lr=0.02, momentum=0.95, nesterov=True, ns_steps=5):
        self.params = list(params)
        self.lr = lr
        self.momentum = momentum
        self.nesterov = nesterov
        self.ns_steps = ns_steps
        self.bufs = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for p, buf in zip(self.params, self.bufs):
            g = newtonschulz5(p.grad, self.ns_steps)
            buf.mul_(self.momentum).add_(g, alpha=1 - self.momentum)
            if self.nesterov:
                g = (1 - self.momentum) * g + self.momentum * buf
            else:
                g = buf
            scale = max(1, p.shape[0] / p.shape[1]) ** 0.5
            p.add_(g, alpha=-self.lr * scale)
